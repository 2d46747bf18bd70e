//! Records held compactly: fifty thousand of them in a few megabytes.
//!
//! A record is one stretch of text (its message, then its fields as the JSON
//! that came) and 24 bytes about it. The texts of many records stand one behind
//! the other in a block, so that holding a record allocates nothing, and letting
//! go of the oldest gives back whole blocks. A block that is full and was not
//! looked at lately is packed. Nothing is parsed until it is looked at.

use super::block::{Block, Line};
use super::packed::{Packer, Plain};
use shared::wire::log::Record;
use std::collections::VecDeque;

/// So many of the newest blocks are not packed: the last one still grows.
const PLAIN_BLOCKS: usize = 2;

/// So much room of packed blocks is kept for new ones.
const ROOM_MAX: usize = 8;

/// Records in the order of their sequence, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    blocks: VecDeque<Block>,
    len: usize,
    /// Bytes of all blocks but the last, which still grows.
    sealed_bytes: usize,
    /// What packed blocks had before. What comes next takes it: given back, it
    /// would be cut up for what is small and stays.
    room: Vec<Plain>,
}

impl Lines {
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// About how many bytes they take, unpacked.
    pub fn bytes(&self) -> usize {
        self.sealed_bytes + self.blocks.back().map_or(0, Block::bytes)
    }

    /// The record in a row.
    pub fn get(&self, index: usize) -> Option<Line<'_>> {
        let (block, index) = self.place(index)?;
        self.blocks.get(block)?.get(index)
    }

    /// The oldest record.
    pub fn first(&self) -> Option<Line<'_>> {
        self.get(0)
    }

    /// The newest record.
    pub fn last(&self) -> Option<Line<'_>> {
        let block = self.blocks.back()?;
        block.get(block.len().checked_sub(1)?)
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Line<'_>> {
        self.blocks.iter().flat_map(|block| (0..block.len()).filter_map(|at| block.get(at)))
    }

    /// Their services; one may be told more than once.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.blocks.iter().flat_map(Block::services)
    }

    /// Those from a row on, with their rows.
    pub fn from(&self, index: usize) -> impl Iterator<Item = (usize, Line<'_>)> {
        let (block, at) = self.place(index).unwrap_or((self.blocks.len(), 0));
        let rest = self.blocks.iter().skip(block).enumerate().flat_map(move |(nth, block)| {
            let at = if nth == 0 { at } else { 0 };
            (at..block.len()).filter_map(|at| block.get(at))
        });
        (index..).zip(rest)
    }

    /// Those before a row, newest first, with their rows.
    pub fn before(&self, index: usize) -> impl Iterator<Item = (usize, Line<'_>)> {
        let index = index.min(self.len);
        let (whole, at) = self.place(index).unwrap_or((self.blocks.len(), 0));
        let part = self
            .blocks
            .get(whole)
            .into_iter()
            .flat_map(move |block| (0..at).rev().filter_map(|at| block.get(at)));
        let whole = self.blocks.iter().take(whole).rev();
        let rest = whole.flat_map(|block| (0..block.len()).rev().filter_map(|at| block.get(at)));
        (0..index).rev().zip(part.chain(rest))
    }

    /// The row of the first record that is not before a sequence.
    pub fn row_of(&self, seq: u64) -> usize {
        let mut before = 0;
        for block in &self.blocks {
            if block.last_seq().is_some_and(|last| last >= seq) {
                return before + block.place_of(seq);
            }
            before += block.len();
        }
        before
    }

    /// The block of a row, and the row within it.
    fn place(&self, mut index: usize) -> Option<(usize, usize)> {
        if index >= self.len {
            return None;
        }
        for (at, block) in self.blocks.iter().enumerate() {
            match index.checked_sub(block.len()) {
                Some(rest) => index = rest,
                None => return Some((at, index)),
            }
        }
        None
    }

    /// Adds a record behind the others. One that is not newer than they are is
    /// known already and left out.
    pub fn push(&mut self, line: &Line<'_>) {
        if self.blocks.back().and_then(Block::last_seq).is_some_and(|last| last >= line.seq) {
            return;
        }
        if !self.blocks.back_mut().is_some_and(|block| block.push(line)) {
            if let Some(full) = self.blocks.back() {
                self.sealed_bytes += full.bytes();
            }
            let bytes = line.message.len() + line.fields.len();
            let mut block = Block::new(line.seq, bytes, self.room.pop());
            block.push(line);
            self.blocks.push_back(block);
        }
        self.len += 1;
    }

    /// Adds records before the others; those that are known already are left out.
    pub fn push_older(&mut self, older: &Self) {
        let Some(first) = self.first().map(|line| line.seq) else {
            older.iter().for_each(|line| self.push(&line));
            return;
        };
        let mut front = Self::default();
        older.iter().take_while(|line| line.seq < first).for_each(|line| front.push(&line));
        for block in front.blocks.into_iter().rev() {
            self.sealed_bytes += block.bytes();
            self.blocks.push_front(block);
        }
        self.len += front.len;
    }

    /// Packs what nothing is added to any more, but for the newest, which is
    /// looked at most; what was unpacked to be looked at is let go of.
    pub(super) fn pack(&mut self, packer: &mut Packer) {
        for block in self.blocks.iter_mut().rev().skip(PLAIN_BLOCKS) {
            self.sealed_bytes -= block.bytes();
            let room = block.pack(packer);
            self.sealed_bytes += block.bytes();
            self.room.extend(room.filter(|_| self.room.len() < ROOM_MAX));
        }
    }

    /// Lets go of the oldest record.
    pub fn drop_first(&mut self) {
        let is_last = self.blocks.len() == 1;
        let Some(block) = self.blocks.front_mut() else { return };
        self.len -= usize::from(block.drop_first());
        if block.len() == 0 {
            let bytes = if is_last { 0 } else { block.bytes() };
            self.sealed_bytes -= bytes;
            self.blocks.pop_front();
        }
    }

    /// Lets go of the newest record.
    pub fn drop_last(&mut self) {
        let Some(block) = self.blocks.back_mut() else { return };
        self.len -= usize::from(block.drop_last());
        if block.len() == 0 {
            self.blocks.pop_back();
            // The block before it may grow again.
            self.sealed_bytes -= self.blocks.back().map_or(0, Block::bytes);
        }
    }
}

impl PartialEq for Lines {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<'a> FromIterator<Line<'a>> for Lines {
    fn from_iter<T: IntoIterator<Item = Line<'a>>>(lines: T) -> Self {
        let mut all = Self::default();
        lines.into_iter().for_each(|line| all.push(&line));
        all
    }
}

impl FromIterator<Record> for Lines {
    fn from_iter<T: IntoIterator<Item = Record>>(records: T) -> Self {
        let mut all = Self::default();
        for record in records {
            let fields = if record.fields.is_empty() {
                String::new()
            } else {
                serde_json::to_string(&record.fields).unwrap_or_default()
            };
            all.push(&Line {
                seq: record.seq,
                ts_ns: record.ts.timestamp_nanos_opt().unwrap_or_default(),
                level: record.level,
                service: &record.service,
                message: &record.message,
                fields: &fields,
            });
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Map;
    use shared::wire::log::Level;

    fn line<'a>(seq: u64, service: &'a str, message: &'a str, fields: &'a str) -> Line<'a> {
        Line { seq, ts_ns: 7, level: Level::Info, service, message, fields }
    }

    #[test]
    fn a_record_is_held_as_it_came() {
        let mut lines = Lines::default();
        lines.push(&line(1, "Müller & Söhne", "分布式", ""));
        lines.push(&line(9_000_000_000, "S", "", "{\"a\":1}"));
        assert_eq!(lines.get(0), Some(line(1, "Müller & Söhne", "分布式", "")));
        assert_eq!(lines.last(), Some(line(9_000_000_000, "S", "", "{\"a\":1}")));
        assert_eq!(
            lines.last().map(|line| line.to_record().fields),
            Some(Map::from_iter([("a".to_owned(), 1.into())]))
        );
    }

    #[test]
    fn fifty_thousand_usual_records_take_a_few_megabytes() {
        let message = "GET /library/books answered 200 in 12 ms to 10.1.2.3";
        let lines: Lines =
            (0..50_000).map(|seq| line(seq, "LibraryService", message, "{\"code\":200}")).collect();
        assert_eq!(lines.len(), 50_000);
        assert!(lines.bytes() < 5_500_000, "{}", lines.bytes());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// Beside a plain list, whatever is added, dropped at either end and packed.
        #[test]
        fn they_are_what_a_plain_list_would_hold(steps in prop::collection::vec((0..7u8, 1..200usize, 0..800usize), 1..40)) {
            let (mut lines, mut naive) = (Lines::default(), VecDeque::<(u64, String, String)>::new());
            let mut packer = Packer::default();
            let mut next = 1_000_000_u64;
            let mut oldest = next;
            for (kind, count, size) in steps {
                match kind {
                    0..=2 => for n in 0..count {
                        let (service, message) = (format!("S{}", (n * size) % 100), "é".repeat(size));
                        lines.push(&line(next, &service, &message, "{}"));
                        naive.push_back((next, service, message));
                        next += 1 + (size as u64) * 1_000_000;
                    },
                    3 => {
                        let first = oldest - count as u64;
                        let older: Lines = (first..oldest).map(|seq| line(seq, "Old", "old", "")).collect();
                        lines.push_older(&older);
                        (first..oldest).rev().for_each(|seq| naive.push_front((seq, "Old".to_owned(), "old".to_owned())));
                    }
                    4 => for _ in 0..count {
                        lines.drop_first();
                        naive.pop_front();
                    },
                    5 => lines.pack(&mut packer),
                    _ => for _ in 0..count {
                        lines.drop_last();
                        naive.pop_back();
                    },
                }
                oldest = naive.front().map_or(oldest, |first| first.0);
                if naive.is_empty() {
                    (next, oldest) = (next.max(oldest), next.max(oldest));
                }
                let held: Vec<_> = lines.iter().map(|l| (l.seq, l.service.to_owned(), l.message.to_owned())).collect();
                prop_assert_eq!(&held, &Vec::from(naive.clone()));
                prop_assert_eq!(lines.len(), naive.len());
                let bytes: usize = lines.blocks.iter().map(Block::bytes).sum();
                prop_assert_eq!(lines.bytes(), bytes);
                let row = naive.len() / 2;
                prop_assert_eq!(lines.get(row).map(|l| l.seq), naive.get(row).map(|l| l.0));
                prop_assert!(lines.from(row).map(|(at, l)| (at, l.seq)).eq(naive.iter().enumerate().skip(row).map(|(at, l)| (at, l.0))));
                prop_assert!(lines.before(row).map(|(at, l)| (at, l.seq)).eq(naive.iter().enumerate().take(row).rev().map(|(at, l)| (at, l.0))));
                if let Some((seq, ..)) = naive.get(row) {
                    prop_assert_eq!(lines.row_of(*seq), row);
                }
            }
            lines.drop_first();
        }
    }
}
