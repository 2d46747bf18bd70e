//! The log: the records that are held, and how one looks at them.
//!
//! Records are held in the order of their sequence, so the cursor is a
//! sequence: it stays on its record whatever arrives or is dropped around it.

use crate::action::Failure;
use shared::wire::log::{Level, Page, Record};
use std::collections::VecDeque;
use tui_input::Input;

/// How many records are held; the oldest give way.
pub const LINES_MAX: usize = 20_000;

/// How many bytes of records are held, as a bound on memory.
const BYTES_MAX: usize = 32 << 20;

/// Which of the two streams of records: the log tab's, which has a filter, or
/// the overview's errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// What the log tab shows.
    Lines,
    /// Errors, for the overview.
    Errors,
}

/// Which records are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// A query in the query language; empty for all.
    pub query: String,
    /// Only this service.
    pub service: Option<String>,
    /// Only this level or graver.
    pub level: Option<Level>,
}

impl Filter {
    /// Whether every record passes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether the log goes on before the oldest record that is held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Older {
    /// Perhaps.
    #[default]
    Perhaps,
    /// It is being asked for.
    Loading,
    /// No: the beginning is held.
    None,
}

/// What a line of input is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptKind {
    /// A text to search for in what is held.
    Search,
    /// A query that filters the log.
    Filter,
}

/// A line of input under the log.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// What it is for.
    pub kind: PromptKind,
    /// What was typed.
    pub input: Input,
    /// Why the log refused it.
    pub failure: Option<Failure>,
    /// Whether the answer is being waited for.
    pub waiting: bool,
}

/// A record that is looked at in full.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordDetail {
    /// A copy, so that it stays when the record is dropped from what is held.
    pub record: Record,
    /// By how many lines it is scrolled.
    pub scroll: usize,
}

/// The state of the log tab.
#[derive(Debug, Clone, Default)]
pub struct LogPane {
    /// Counts up with every filter: what arrives for an older one is dropped.
    pub generation: u64,
    /// Which records are shown.
    pub filter: Filter,
    records: VecDeque<Record>,
    bytes: usize,
    /// The record that is selected; none while the log is followed.
    pub cursor: Option<u64>,
    /// How many arrived since the log was held.
    pub arrived: u64,
    /// How many this console was too slow for.
    pub missed: u64,
    /// By how many cells the messages are scrolled sideways.
    pub shift: usize,
    /// The text whose matches are marked.
    pub search: Option<String>,
    /// The record that is looked at in full.
    pub detail: Option<RecordDetail>,
    /// The line of input, while one is open.
    pub prompt: Option<Prompt>,
    /// Whether there may be older records.
    pub older: Older,
}

impl LogPane {
    /// The records that are held, oldest first.
    pub const fn records(&self) -> &VecDeque<Record> {
        &self.records
    }

    /// Whether new records are shown as they arrive.
    pub const fn is_following(&self) -> bool {
        self.cursor.is_none()
    }

    /// The row of the selected record, or of the newest while following.
    pub fn index(&self) -> Option<usize> {
        let last = self.records.len().checked_sub(1)?;
        Some(match self.cursor {
            Some(seq) => self.records.partition_point(|record| record.seq < seq).min(last),
            None => last,
        })
    }

    /// The selected record, or the newest while following.
    pub fn selected(&self) -> Option<&Record> {
        self.records.get(self.index()?)
    }

    /// Begins anew with the newest records that pass a filter.
    pub fn open(&mut self, filter: Filter, page: Page) {
        *self = Self {
            generation: self.generation,
            search: self.search.take(),
            prompt: self.prompt.take(),
            filter,
            older: if page.next.is_some() { Older::Perhaps } else { Older::None },
            ..Self::default()
        };
        self.push(page.records.into_iter().rev());
        self.arrived = 0;
    }

    /// Adds newer records; the oldest give way. Those that are known already
    /// are left out.
    pub fn push(&mut self, records: impl IntoIterator<Item = Record>) {
        for record in records {
            if self.records.back().is_some_and(|last| last.seq >= record.seq) {
                continue;
            }
            self.bytes += size(&record);
            self.records.push_back(record);
            self.arrived += u64::from(self.cursor.is_some());
            while self.records.len() > LINES_MAX || (self.bytes > BYTES_MAX && self.records.len() > 1) {
                let dropped = self.records.pop_front();
                self.bytes -= dropped.as_ref().map_or(0, size);
                self.older = Older::Perhaps;
            }
        }
    }

    /// Adds older records, newest first, as far as there is room.
    pub fn push_older(&mut self, page: Page) {
        self.older = if page.next.is_some() { Older::Perhaps } else { Older::None };
        for record in page.records {
            let known = self.records.front().is_some_and(|first| first.seq <= record.seq);
            let full = self.records.len() >= LINES_MAX || self.bytes + size(&record) > BYTES_MAX;
            if !known && !full {
                self.bytes += size(&record);
                self.records.push_front(record);
            }
        }
    }

    /// Whether older records can be taken in.
    pub fn has_room(&self) -> bool {
        self.records.len() < LINES_MAX && self.bytes < BYTES_MAX
    }

    /// Holds the log at a row, or follows it where the row is the last and
    /// `follow_at_end` says so.
    pub fn hold(&mut self, index: usize) {
        if let Some(record) = self.records.get(index) {
            if self.cursor.is_none() {
                self.arrived = 0;
            }
            self.cursor = Some(record.seq);
        }
    }

    /// Follows the log.
    pub const fn follow(&mut self) {
        self.cursor = None;
        self.arrived = 0;
    }

    /// The nearest row that holds the searched text, from `from` on.
    pub fn find(&self, from: usize, forward: bool) -> Option<usize> {
        let search = self.search.as_deref()?;
        let hit = |index: &usize| self.records.get(*index).is_some_and(|record| contains(record, search));
        if forward {
            (from..self.records.len()).find(hit)
        } else {
            (0..self.records.len().min(from + 1)).rev().find(hit)
        }
    }
}

/// A record as the log tab shows it after the time and the level.
pub fn summary(record: &Record) -> String {
    if record.fields.is_empty() {
        record.message.clone()
    } else {
        let fields = serde_json::to_string(&record.fields).unwrap_or_default();
        format!("{} {fields}", record.message)
    }
}

/// Where the searched text is found: case counts once a capital is typed, as
/// in the query language.
pub(crate) fn find_in(text: &str, search: &str) -> Vec<std::ops::Range<usize>> {
    if search.is_empty() {
        return Vec::new();
    }
    if search.chars().any(char::is_uppercase) {
        return text.match_indices(search).map(|(at, found)| at..at + found.len()).collect();
    }
    // Only ASCII is folded: that never moves a byte.
    let (folded, search) = (text.to_ascii_lowercase(), search.to_ascii_lowercase());
    folded.match_indices(&search).map(|(at, found)| at..at + found.len()).collect()
}

fn contains(record: &Record, search: &str) -> bool {
    !find_in(&record.service, search).is_empty() || !find_in(&summary(record), search).is_empty()
}

/// About how much memory a record takes.
fn size(record: &Record) -> usize {
    let fields: usize = record.fields.iter().map(|(name, value)| name.len() + value_size(value)).sum();
    128 + record.service.len() + record.message.len() + fields
}

fn value_size(value: &serde_json::Value) -> usize {
    64 + match value {
        serde_json::Value::String(text) => text.len(),
        serde_json::Value::Array(items) => items.iter().map(value_size).sum(),
        serde_json::Value::Object(map) => {
            map.iter().map(|(name, value)| name.len() + value_size(value)).sum()
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(seq: u64, message: &str) -> Record {
        let ts = chrono::DateTime::from_timestamp(0, 0).unwrap();
        let (service, message) = ("S".to_owned(), message.to_owned());
        Record { seq, ts, level: Level::Info, service, message, fields: serde_json::Map::new() }
    }

    fn held(log: &LogPane) -> Vec<u64> {
        log.records().iter().map(|r| r.seq).collect()
    }

    #[test]
    fn a_record_that_arrives_twice_is_held_once() {
        let mut log = LogPane::default();
        log.push([record(1, "a"), record(2, "b")]);
        log.push([record(2, "b"), record(3, "c")]);
        assert_eq!(held(&log), [1, 2, 3]);
    }

    #[test]
    fn the_cursor_stays_on_its_record_while_others_arrive_and_are_counted() {
        let mut log = LogPane::default();
        log.push((1..=5).map(|seq| record(seq, "x")));
        log.hold(2);
        log.push((6..=8).map(|seq| record(seq, "x")));
        log.push_older(Page { records: vec![record(0, "x")], next: None, partial: false });
        assert_eq!(log.selected().map(|r| r.seq), Some(3));
        assert_eq!((log.arrived, log.older), (3, Older::None));
        log.follow();
        assert_eq!((log.arrived, log.selected().map(|r| r.seq)), (0, Some(8)));
    }

    #[test]
    fn no_more_is_held_than_the_bounds_allow() {
        let mut log = LogPane::default();
        log.push((0..LINES_MAX as u64 + 100).map(|seq| record(seq, "x")));
        assert_eq!((log.records().len(), held(&log).first()), (LINES_MAX, Some(&100)));
        let big = "x".repeat(1 << 20);
        log.push((0..100).map(|n| record(1 << 32 | n, &big)));
        assert!(log.bytes <= BYTES_MAX && log.records().len() < 100, "{}", log.records().len());
        assert!(!log.has_room() || log.bytes < BYTES_MAX);
    }

    #[test]
    fn a_search_heeds_case_once_a_capital_is_typed() {
        for (text, search, want) in [
            ("Disk full, disk", "disk", vec![(0, 4), (11, 15)]),
            ("Disk full, disk", "Disk", vec![(0, 4)]),
            ("分布式 BOOK", "book", vec![(10, 14)]),
            ("x", "", vec![]),
        ] {
            let found: Vec<_> =
                find_in(text, search).into_iter().map(|range| (range.start, range.end)).collect();
            assert_eq!(found, want, "{search} in {text}");
        }
    }

    #[test]
    fn a_search_goes_both_ways_from_where_one_is() {
        let mut log = LogPane::default();
        log.push(["hit", "miss", "hit", "miss"].into_iter().zip(0..).map(|(m, seq)| record(seq, m)));
        log.search = Some("hit".to_owned());
        assert_eq!(log.find(3, false), Some(2));
        assert_eq!(log.find(1, false), Some(0));
        assert_eq!(log.find(1, true), Some(2));
        assert_eq!(log.find(3, true), None);
    }
}
