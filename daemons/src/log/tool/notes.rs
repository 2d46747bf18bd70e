//! What is not stored as it was, or as it seemed: counted, with the first place.

use super::count;
use crate::log::assumed::Assumed;

/// Kinds of notes: what happens to bytes and times, then what was assumed.
const KINDS: usize = 6 + Assumed::ALL.len();

/// What there is to be said of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// Bytes that are no UTF-8 became U+FFFD.
    Changed,
    /// It is more than one record.
    Split,
    /// NUL bytes before it are left out.
    Nuls,
    /// It has no time.
    Untimed,
    /// Its time is not understood.
    Unread,
    /// It ended with its file in the middle.
    Unfinished,
}

/// How often, and where first.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    count: u64,
    file: usize,
    line: u64,
}

/// Notes, each kind counted.
#[derive(Debug, Clone, Default)]
pub struct Notes([Tally; KINDS]);

impl Notes {
    /// Adds a note of a line.
    pub fn add(&mut self, note: Note, file: usize, line: u64) {
        self.count(note as usize, Tally { count: 1, file, line });
    }

    /// Adds what was assumed to read the time of a line.
    pub fn add_assumed(&mut self, assumed: Assumed, file: usize, line: u64) {
        for (kind, (one, ..)) in Assumed::ALL.iter().enumerate() {
            if assumed.has(*one) {
                self.count(6 + kind, Tally { count: 1, file, line });
            }
        }
    }

    /// Adds later notes.
    pub fn extend(&mut self, later: &Self) {
        later.0.iter().enumerate().for_each(|(kind, tally)| self.count(kind, *tally));
    }

    /// Whether times were not understood.
    pub fn has_unread(&self) -> bool {
        self.0.get(Note::Unread as usize).is_some_and(|tally| tally.count > 0)
    }

    fn count(&mut self, kind: usize, more: Tally) {
        if let Some(tally) = self.0.get_mut(kind).filter(|_| more.count > 0) {
            let count = tally.count + more.count;
            *tally = if tally.count == 0 { more } else { *tally };
            tally.count = count;
        }
    }

    /// A sentence for each kind that there is.
    pub fn sentences<'a>(&'a self, file: impl Fn(usize) -> String + 'a) -> impl Iterator<Item = String> + 'a {
        self.0.iter().enumerate().filter(|(_, tally)| tally.count > 0).map(move |(kind, tally)| {
            let lines = count(tally.count, "line");
            let first = format!("first: {} line {}", file(tally.file), tally.line);
            let instead = "stored with the time of the line above, or of the import";
            match kind {
                0 => format!("{lines} with bytes that are no UTF-8: each of those is stored as U+FFFD"),
                1 => format!("{lines} longer than 1 MiB: stored as several records"),
                2 => format!("{lines} behind NUL bytes, which are left out; {first}"),
                3 => format!("{lines} without a time: {instead}; {first}"),
                4 => format!("{lines} with a time that is not understood: {instead}; {first}"),
                5 => format!("{lines} of a container without an end: stored as far as they go; {first}"),
                kind => match Assumed::ALL.get(kind - 6) {
                    Some((_, what, "")) => format!("{lines} with {what}; {first}"),
                    Some((_, what, flag)) => format!("{lines} with {what} ({flag} decides); {first}"),
                    None => lines,
                },
            }
        })
    }
}
