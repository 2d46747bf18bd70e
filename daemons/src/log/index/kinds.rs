//! What records have in common.

use crate::log::limits::{KINDS_LEN_MAX, SOURCES_LEN_MAX, SOURCES_MAX};
use crate::log::query::Kind;
use shared::wire::log::Level;
use std::collections::HashMap;

/// The kind of records of which nothing is known: a segment has room for so
/// many kinds before it.
pub const UNKNOWN: u16 = u16::MAX;

/// The kinds of a segment, by number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kinds {
    entries: Vec<Entry>,
    /// How many records each has, and those that are [`UNKNOWN`].
    totals: Vec<u64>,
    unknown: u64,
    /// Levels and services: of these there are few.
    sources: Vec<Source>,
    numbers: HashMap<Source, u16>,
    templates: Vec<u8>,
    services_len: usize,
}

/// A level and a service, as lines hold it.
type Source = (Level, Box<[u8]>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    source: u16,
    /// Where the template begins and ends, if there is one.
    template: Option<(u32, u32)>,
}

impl Kinds {
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// A kind by its number; none if it is unknown.
    pub fn get(&self, kind: u16) -> Option<Kind<'_>> {
        let entry = self.entries.get(usize::from(kind))?;
        let (level, service) = self.sources.get(usize::from(entry.source))?;
        let template = match entry.template {
            Some((begin, end)) => Some(self.templates.get(begin as usize..end as usize)?),
            None => None,
        };
        Some(Kind { level: *level, service, template })
    }

    /// All of them, by number, with how many records each has.
    pub fn iter(&self) -> impl Iterator<Item = (Kind<'_>, u64)> {
        (0..UNKNOWN).map_while(|kind| self.get(kind)).zip(self.totals.iter().copied())
    }

    /// The different levels and services.
    pub fn sources(&self) -> impl Iterator<Item = (Level, &[u8])> {
        self.sources.iter().map(|(level, service)| (*level, service.as_ref()))
    }

    /// Which of them a kind has.
    pub fn source(&self, kind: u16) -> Option<usize> {
        self.entries.get(usize::from(kind)).map(|entry| usize::from(entry.source))
    }

    /// How many records have a kind that is not known.
    pub const fn unknown(&self) -> u64 {
        self.unknown
    }

    /// Adds a kind; its number, if there is room.
    pub fn push(&mut self, kind: &Kind<'_>) -> Option<u16> {
        let (kinds_max, len_max) = match kind.template {
            Some(_) => (UNKNOWN - SOURCES_MAX, KINDS_LEN_MAX - SOURCES_LEN_MAX),
            None => (UNKNOWN, KINDS_LEN_MAX),
        };
        let number = u16::try_from(self.entries.len()).ok().filter(|number| *number < kinds_max)?;
        let template_len = kind.template.map_or(0, <[u8]>::len);
        if self.text_len() + kind.service.len() + template_len > len_max {
            return None;
        }
        let source = self.source_of(kind)?;
        let template = kind.template.map(|template| {
            let begin = self.templates.len() as u32;
            self.templates.extend_from_slice(template);
            (begin, self.templates.len() as u32)
        });
        self.entries.push(Entry { source, template });
        self.totals.push(0);
        Some(number)
    }

    fn source_of(&mut self, kind: &Kind<'_>) -> Option<u16> {
        let source = (kind.level, Box::from(kind.service));
        if let Some(number) = self.numbers.get(&source) {
            return Some(*number);
        }
        let number = u16::try_from(self.sources.len()).ok()?;
        self.services_len += kind.service.len();
        self.sources.push(source.clone());
        self.numbers.insert(source, number);
        Some(number)
    }

    /// So many more records have this kind.
    pub fn count(&mut self, kind: u16, records: u64) {
        match self.totals.get_mut(usize::from(kind)) {
            Some(total) => *total += records,
            None => self.unknown += records,
        }
    }

    fn text_len(&self) -> usize {
        self.templates.len() + 2 * self.services_len
    }

    /// About how many bytes of memory they take.
    pub fn memory(&self) -> usize {
        let sources = self.sources.len() * 2 * (size_of::<Source>() + size_of::<u64>());
        self.text_len() + sources + self.entries.len() * (size_of::<Entry>() + size_of::<u64>())
    }
}
