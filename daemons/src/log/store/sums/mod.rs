//! Checksums of a plain segment's text.
//!
//! `sums/{base:020}` belongs to the plain segment of that base, active
//! or rotated, until it is sealed. Its text is divided into *groups* of whole
//! lines, about [`SUMS_GROUP`] each; the file has an entry for each of them:
//!
//! ```text
//! entry = end:u64 next-sequence:u64 checksum-of-the-group:u64 checksum-of-the-entry:u64
//! ```
//!
//! Integers are little-endian, and the last checksum covers the base too. The
//! entry of the last group is rewritten in place after each commit. It is not
//! synced, so that an acknowledgement does not get slower: the entries may lag
//! behind the text, and what they do not cover is accepted as it is. A damaged
//! or missing file of checksums costs no record.
//!
//! The text is compared with them at each start, before sealing, and by
//! `distlogd log verify` ([`check`]); what differs is repaired as far as it can
//! be ([`mend()`]).

mod check;
mod mend;

pub use check::differences;
pub use mend::mend;

use super::files::Files;
use crate::log::codec::{Reader, checksum};
use crate::log::disk::{DiskFile, Open};
use crate::log::limits::SUMS_GROUP;
use std::io::{self, ErrorKind};
use xxhash_rust::xxh3::Xxh3;

/// Bytes of an entry.
const ENTRY_LEN: usize = 32;

/// What is known of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Where it ends in the text.
    pub end: u64,
    /// The sequence after its last record.
    pub next_seq: u64,
    /// The checksum of its bytes.
    pub sum: u64,
}

impl Entry {
    fn to_bytes(self, base: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ENTRY_LEN + 8);
        for part in [self.end, self.next_seq, self.sum, base] {
            bytes.extend_from_slice(&part.to_le_bytes());
        }
        let sum = checksum(&bytes);
        bytes.truncate(ENTRY_LEN - 8);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8], base: u64) -> Option<Self> {
        let mut reader = Reader(bytes);
        let entry = Self { end: reader.u64()?, next_seq: reader.u64()?, sum: reader.u64()? };
        (entry.to_bytes(base) == bytes).then_some(entry)
    }
}

/// Reads the entries of a segment, up to the first that is damaged. A segment
/// without any has none.
///
/// # Errors
/// When the file cannot be read.
pub fn read(files: &Files, base: u64) -> io::Result<Vec<Entry>> {
    let bytes = match files.disk().read(&files.sums(base)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        bytes => bytes?,
    };
    let (mut end, mut next_seq) = (0, base);
    let entries = bytes.chunks_exact(ENTRY_LEN).map_while(|bytes| {
        let entry = Entry::from_bytes(bytes, base)?;
        let follows = entry.end > end && entry.next_seq > next_seq;
        (end, next_seq) = (entry.end, entry.next_seq);
        follows.then_some(entry)
    });
    let entries: Vec<Entry> = entries.collect();
    let damaged = bytes.len() / ENTRY_LEN - entries.len();
    if damaged > 0 {
        tracing::warn!(
            "{damaged} checksums of segment {base} are damaged: its text is not compared with them"
        );
    }
    Ok(entries)
}

/// The checksums of the active segment, as its text grows.
pub struct Sums {
    base: u64,
    /// None after it could not be written.
    file: Option<Box<dyn DiskFile>>,
    /// Groups that are complete.
    groups: u64,
    begin: u64,
    end: u64,
    next_seq: u64,
    hasher: Xxh3,
}

impl Sums {
    /// The checksums of a new segment.
    pub fn begin(files: &Files, base: u64) -> Self {
        Self::at(files, base, &[], Open::Truncate)
    }

    /// The checksums of a segment whose text ends at `len`; what they do not
    /// cover of it is added.
    pub fn resume(files: &Files, base: u64, text: &dyn DiskFile, len: u64) -> Self {
        let mut entries = read(files, base).unwrap_or_default();
        entries.retain(|entry| entry.end <= len);
        // The last group may grow.
        entries.pop();
        let mut sums = Self::at(files, base, &entries, Open::Write);
        let mut lines = vec![0; SUMS_GROUP];
        let mut offset = sums.end;
        while offset < len {
            let n = usize::try_from(len - offset).unwrap_or(usize::MAX).min(lines.len());
            let piece = lines.get_mut(..n).unwrap_or_default();
            if let Err(error) = text.read_exact_at(piece, offset) {
                sums.give_up(&error);
                break;
            }
            sums.push(piece);
            offset += n as u64;
        }
        sums
    }

    fn at(files: &Files, base: u64, entries: &[Entry], how: Open) -> Self {
        let (end, next_seq) = entries.last().map_or((0, base), |last| (last.end, last.next_seq));
        let groups = entries.len() as u64;
        let mut sums = Self { base, file: None, groups, begin: end, end, next_seq, hasher: Xxh3::new() };
        let opened = files.disk().open(&files.sums(base), how).and_then(|file| {
            file.set_len(groups * ENTRY_LEN as u64)?;
            Ok(file)
        });
        match opened {
            Ok(file) => sums.file = Some(file),
            Err(error) => sums.give_up(&error),
        }
        sums
    }

    /// Goes on without: records do not wait for their checksums.
    fn give_up(&mut self, error: &io::Error) {
        tracing::warn!("segment {} goes on without checksums of its text: {error}", self.base);
        self.file = None;
    }

    /// Adds text that was appended.
    pub fn push(&mut self, lines: &[u8]) {
        if self.file.is_none() {
            return;
        }
        let at = self.groups * ENTRY_LEN as u64;
        let mut entries = Vec::new();
        let mut rest = lines;
        while !rest.is_empty() {
            // A group ends with the first line that ends beyond its size.
            let room =
                SUMS_GROUP.saturating_sub(usize::try_from(self.end - self.begin).unwrap_or(SUMS_GROUP));
            let after = rest.get(room.saturating_sub(1)..).unwrap_or_default();
            let cut = memchr::memchr(b'\n', after).map(|newline| room.saturating_sub(1) + newline + 1);
            let (group, next) = rest.split_at(cut.unwrap_or(rest.len()));
            self.hasher.update(group);
            self.end += group.len() as u64;
            self.next_seq += memchr::memchr_iter(b'\n', group).count() as u64;
            rest = next;
            let entry = Entry { end: self.end, next_seq: self.next_seq, sum: self.hasher.digest() };
            let is_complete = cut.is_some();
            // While a line is cut between two calls there is no entry for it.
            if is_complete || group.ends_with(b"\n") {
                entries.extend_from_slice(&entry.to_bytes(self.base));
            }
            if is_complete {
                self.groups += 1;
                self.begin = self.end;
                self.hasher.reset();
            }
        }
        if let Some(Err(error)) = self.file.as_ref().map(|file| file.write_all_at(&entries, at)) {
            self.give_up(&error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::disk::{Disk as _, RealDisk};
    use std::sync::Arc;

    #[test]
    fn entries_follow_the_text_however_it_was_pushed_and_a_damaged_one_ends_them() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(Arc::new(RealDisk), dir.path().join("a.log"), dir.path().join("log")).unwrap();
        let text: Vec<u8> = (0..500).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        std::fs::write(dir.path().join("text"), &text).unwrap();
        let file = RealDisk.open(&dir.path().join("text"), Open::Read).unwrap();
        let mut sums = Sums::begin(&files, 7);
        let cut = text.iter().rposition(|b| *b == b'\n').map(|_| 1_003).unwrap();
        let lines = text.split_inclusive(|b| *b == b'\n');
        lines.take(100).for_each(|line| sums.push(line));
        drop(sums);
        drop(Sums::resume(&files, 7, file.as_ref(), text.len() as u64));
        let entries = read(&files, 7).unwrap();
        assert!(entries.len() > 5, "{entries:?}");
        let last = entries.last().unwrap();
        assert_eq!((last.end, last.next_seq), (text.len() as u64, 507));
        assert_eq!(differences(&entries, 7, file.as_ref()).unwrap(), []);
        let mut damaged = text;
        damaged[cut] ^= 1;
        std::fs::write(dir.path().join("text"), &damaged).unwrap();
        let found = differences(&entries, 7, file.as_ref()).unwrap();
        assert!(found.len() == 1 && found[0].range.contains(&(cut as u64)), "{found:?}");
        let mut bytes = std::fs::read(files.sums(7)).unwrap();
        bytes[2 * ENTRY_LEN + 3] ^= 1;
        std::fs::write(files.sums(7), bytes).unwrap();
        assert_eq!(read(&files, 7).unwrap(), entries[..2]);
        assert_eq!(read(&files, 8).unwrap(), []);
    }
}
