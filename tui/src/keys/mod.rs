//! Keys and what they do: dispatch, footer, help and palette are all read from
//! one [`table`], which the `[keys]` section of the configuration file may
//! [remap].

mod command;
mod key;
mod place;
mod remap;
mod table;

pub use command::Command;
pub use key::{Key, KeyError};
pub use place::Place;
pub use remap::{Keys, RemapError};

use std::borrow::Cow;

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Where it holds.
    pub place: Place,
    /// The keys, the one to show first; none where only the palette has it.
    pub keys: Cow<'static, [Key]>,
    /// What they do.
    pub command: Command,
    /// A word for the footer; empty where the footer leaves it out.
    pub label: &'static str,
    /// A sentence for the help.
    pub help: &'static str,
}

impl Binding {
    /// Its name in the configuration file.
    pub fn name(&self) -> String {
        format!("{}.{}", self.place.slug(), self.command.slug())
    }

    /// Its keys, as people read them.
    pub fn shown(&self) -> String {
        let keys: Vec<String> = self.keys.iter().map(Key::to_string).collect();
        keys.join(" ")
    }

    /// A key that both rows want in a place where both hold.
    fn clash(&self, other: &Self) -> Option<Key> {
        let general = |a: &Self, b: &Self| {
            a.place == Place::Always
                || (a.place == Place::Anywhere && b.place.is_open() && !b.place.lies_over())
        };
        let meet = self.place == other.place || general(self, other) || general(other, self);
        let common = || self.keys.iter().find(|key| other.keys.contains(key)).copied();
        // A place may repeat what holds everywhere, with a word of its own.
        if meet && self.command != other.command { common() } else { None }
    }
}

/// The keys in force.
#[derive(Debug, Clone)]
pub struct Keymap {
    bindings: Vec<Binding>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self { bindings: table::TABLE.to_vec() }
    }
}

impl Keymap {
    /// What a key does in a place: the place's own meaning goes before the
    /// general one. None where it is text, or nothing.
    pub fn command(&self, place: Place, key: Key) -> Option<Command> {
        let meaning = |within: Place| {
            let mut rows = self.rows(within);
            rows.find(|b| b.keys.contains(&key)).map(|b| b.command)
        };
        meaning(Place::Always)
            .or_else(|| meaning(place))
            .or_else(|| if place.is_open() { meaning(Place::Anywhere) } else { None })
    }

    /// The rows that the footer of a place shows.
    pub fn footer(&self, place: Place) -> impl Iterator<Item = &Binding> {
        let general = place.is_open() && !place.lies_over();
        self.bindings
            .iter()
            .filter(move |b| b.place == place || (general && b.place == Place::Anywhere))
            .filter(|b| !b.label.is_empty() && !b.keys.is_empty())
    }

    /// The rows of a place, for the help and the palette.
    pub fn rows(&self, place: Place) -> impl Iterator<Item = &Binding> {
        self.bindings.iter().filter(move |b| b.place == place)
    }

    /// The key to show for a command in a place; empty where it has none.
    pub fn key_of(&self, place: Place, command: Command) -> String {
        let row = self.rows(place).chain(self.rows(Place::Anywhere)).find(|b| b.command == command);
        row.and_then(|b| b.keys.first()).map_or_else(String::new, Key::to_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        let keymap = Keymap::default();
        for (at, a) in keymap.bindings.iter().enumerate() {
            for b in keymap.bindings.iter().skip(at + 1) {
                assert_eq!(a.clash(b), None, "{} and {}", a.name(), b.name());
            }
        }
    }

    #[test]
    fn every_row_has_a_name_of_its_own_and_a_sentence() {
        let mut seen = HashSet::new();
        for binding in Keymap::default().bindings {
            assert!(seen.insert(binding.name()), "{}", binding.name());
            assert!(!binding.help.is_empty(), "{}", binding.name());
        }
    }

    #[test]
    fn every_command_has_a_row() {
        let keymap = Keymap::default();
        for command in Command::ALL {
            assert!(keymap.bindings.iter().any(|b| b.command == *command), "{command:?}");
        }
    }

    #[test]
    fn every_place_shows_in_its_footer_how_to_go_on_and_back() {
        let keymap = Keymap::default();
        for place in Place::ALL {
            if !matches!(place, Place::Always | Place::Anywhere) {
                let commands: Vec<_> = keymap.footer(place).map(|b| b.command).collect();
                let leaves = [Command::Back, Command::Quit].iter().any(|c| commands.contains(c));
                assert!(leaves, "{place:?} shows {commands:?}");
            }
        }
    }

    #[test]
    fn letters_are_text_where_text_is_typed_and_ctrl_c_leaves_from_everywhere() {
        let keymap = Keymap::default();
        for place in Place::ALL {
            assert_eq!(keymap.command(place, Key::ctrl('c')), Some(Command::Quit));
        }
        for place in [Place::Form, Place::Prompt, Place::Find, Place::Palette] {
            assert_eq!(keymap.command(place, Key::char('q')), None);
        }
        assert_eq!(keymap.command(Place::Confirm, Key::char('2')), None);
        assert_eq!(keymap.command(Place::Log, Key::char('q')), Some(Command::Quit));
    }
}
