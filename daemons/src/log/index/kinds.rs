//! What records have in common.

use crate::log::query::Kind;
use shared::wire::log::Level;

/// The kind of records of which nothing is known: a segment has room for so
/// many kinds before it.
pub const UNKNOWN: u16 = u16::MAX;
/// Bytes that the kinds of one segment may take; what comes after has no
/// template, and in the end no kind. Real logs take half a MiB.
const TEXT_MAX: usize = 4 << 20;

/// The kinds of a segment, by number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kinds {
    text: Vec<u8>,
    entries: Vec<Entry>,
    /// How many records each has, and those that are [`UNKNOWN`] last.
    totals: Vec<u64>,
    unknown: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    level: Level,
    /// Where the service begins in the text, where it ends, and where the
    /// template ends; one that has none ends with the service.
    begin: u32,
    service_end: u32,
    template_end: Option<u32>,
}

impl Kinds {
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// A kind by its number; none if it is unknown.
    pub fn get(&self, kind: u16) -> Option<Kind<'_>> {
        let entry = self.entries.get(usize::from(kind))?;
        let service = self.text.get(entry.begin as usize..entry.service_end as usize)?;
        let template = match entry.template_end {
            Some(end) => Some(self.text.get(entry.service_end as usize..end as usize)?),
            None => None,
        };
        Some(Kind { level: entry.level, service, template })
    }

    /// All of them, by number, with how many records each has.
    pub fn iter(&self) -> impl Iterator<Item = (Kind<'_>, u64)> {
        (0..UNKNOWN).map_while(|kind| self.get(kind)).zip(self.totals.iter().copied())
    }

    /// How many records have a kind that is not known.
    pub const fn unknown(&self) -> u64 {
        self.unknown
    }

    /// Adds a kind; its number, if there is room.
    pub fn push(&mut self, kind: &Kind<'_>) -> Option<u16> {
        let number = u16::try_from(self.entries.len()).ok().filter(|number| *number != UNKNOWN)?;
        let template_len = kind.template.map_or(0, <[u8]>::len);
        if self.text.len() + kind.service.len() + template_len > TEXT_MAX {
            return None;
        }
        let begin = self.text.len() as u32;
        self.text.extend_from_slice(kind.service);
        let service_end = self.text.len() as u32;
        self.text.extend_from_slice(kind.template.unwrap_or_default());
        let template_end = kind.template.map(|_| self.text.len() as u32);
        self.entries.push(Entry { level: kind.level, begin, service_end, template_end });
        self.totals.push(0);
        Some(number)
    }

    /// So many more records have this kind.
    pub fn count(&mut self, kind: u16, records: u64) {
        match self.totals.get_mut(usize::from(kind)) {
            Some(total) => *total += records,
            None => self.unknown += records,
        }
    }

    /// About how many bytes of memory they take.
    pub const fn memory(&self) -> usize {
        self.text.len() + self.entries.len() * (size_of::<Entry>() + size_of::<u64>())
    }
}
