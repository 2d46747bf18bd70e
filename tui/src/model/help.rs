//! The help while it is open.

use super::Finder;
use crate::keys::{Binding, Keymap, Place};

/// The help.
#[derive(Debug, Clone, Default)]
pub struct HelpPage {
    /// By how many lines it is scrolled.
    pub scroll: usize,
    /// What narrows it.
    pub finder: Finder,
}

impl HelpPage {
    /// What it tells: places with their rows, `here` first. Where it is narrowed,
    /// only rows that have all words in their keys, their name or what they say.
    pub fn told<'a>(&self, keymap: &'a Keymap, here: Place) -> Vec<(Place, Vec<&'a Binding>)> {
        let words = self.finder.words();
        let found = |row: &&Binding| {
            !row.keys.is_empty() && words.are_in(&[&row.shown(), &row.name(), row.place.title(), row.help])
        };
        std::iter::once(here)
            .chain(Place::ALL.into_iter().filter(|place| *place != here))
            .map(|place| (place, keymap.rows(place).filter(found).collect::<Vec<_>>()))
            .filter(|(_, rows)| !rows.is_empty())
            .collect()
    }
}
