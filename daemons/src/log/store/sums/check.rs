//! Comparing text with its checksums.

use super::Entry;
use crate::log::codec::checksum;
use crate::log::disk::DiskFile;
use crate::log::limits::APPENDED_PIECE;
use std::io;
use std::ops::Range;

/// A group whose text is not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where it is.
    pub range: Range<u64>,
    /// The sequences of its records, as they were written.
    pub seqs: Range<u64>,
    /// The checksum of what was written.
    pub sum: u64,
    /// The lines that are there now.
    pub lines: u64,
}

impl Difference {
    /// Whether there are as many lines as were written, so that what comes after
    /// keeps its sequences.
    pub const fn keeps_count(&self) -> bool {
        self.seqs.end - self.seqs.start == self.lines
    }
}

/// The groups of a text that differ from their entries. Entries beyond the end of
/// the text say nothing.
///
/// # Errors
/// When the text cannot be read.
pub fn differences(entries: &[Entry], base: u64, text: &dyn DiskFile) -> io::Result<Vec<Difference>> {
    let len = text.metadata()?.len;
    let (mut found, mut group) = (Vec::new(), Vec::new());
    let (mut begin, mut first) = (0, base);
    for entry in entries.iter().take_while(|entry| entry.end <= len) {
        let range = begin..entry.end;
        let seqs = first..entry.next_seq;
        (begin, first) = (entry.end, entry.next_seq);
        // No group is longer than one piece of what is appended at once.
        let Some(len) =
            usize::try_from(range.end - range.start).ok().filter(|len| *len <= 2 * APPENDED_PIECE)
        else {
            break;
        };
        group.resize(len, 0);
        text.read_exact_at(&mut group, range.start)?;
        if checksum(&group) != entry.sum {
            let lines = memchr::memchr_iter(b'\n', &group).count() as u64;
            found.push(Difference { range, seqs, sum: entry.sum, lines });
        }
    }
    Ok(found)
}
