//! How a plain segment is divided into blocks.

use super::block::Block;
use crate::log::disk::DiskFile;
use crate::log::limits::BLOCK_LEN;
use crate::log::lines::span;
use std::io;

/// How far a plain segment goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// The sequence of the next record.
    pub next_seq: u64,
    /// The length in bytes.
    pub len: u64,
    /// Its blocks, in order. All but the last are as they will stay.
    pub blocks: Vec<Block>,
}

impl Extent {
    /// Nothing yet.
    pub const fn empty(base: u64) -> Self {
        Self { next_seq: base, len: 0, blocks: Vec::new() }
    }

    /// Adds whole lines. `span` holds their earliest and latest time.
    pub fn push(&mut self, lines: &[u8], records: u64, span: (i64, i64)) {
        if lines.len() <= self.room() {
            return self.push_piece(lines.len(), records, span);
        }
        let mut rest = lines;
        while !rest.is_empty() {
            // A piece ends with the last line for which there is room in the block;
            // a line for which there is none in any has one of its own.
            let window = rest.get(..self.room()).unwrap_or(rest);
            let Some(end) = memchr::memrchr(b'\n', window).map(|newline| newline + 1) else {
                let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
                self.push_block(end, 1, span);
                rest = rest.get(end..).unwrap_or_default();
                continue;
            };
            let (piece, after) = rest.split_at(end);
            self.push_piece(piece.len(), memchr::memchr_iter(b'\n', piece).count() as u64, span);
            rest = after;
        }
    }

    /// How many bytes the last block has room for.
    fn room(&self) -> usize {
        self.blocks.last().map_or(BLOCK_LEN, |block| BLOCK_LEN.saturating_sub(block.len))
    }

    fn push_piece(&mut self, len: usize, records: u64, (min_ns, max_ns): (i64, i64)) {
        match self.blocks.last_mut().filter(|block| block.len + len <= BLOCK_LEN) {
            Some(block) => {
                block.len += len;
                block.stored_len += len;
                block.records += records as u32;
                block.min_ns = block.min_ns.min(min_ns);
                block.max_ns = block.max_ns.max(max_ns);
                self.len += len as u64;
                self.next_seq += records;
            }
            None => self.push_block(len, records, (min_ns, max_ns)),
        }
    }

    fn push_block(&mut self, len: usize, records: u64, (min_ns, max_ns): (i64, i64)) {
        self.blocks.push(Block {
            offset: self.len,
            stored_len: len,
            len,
            first_seq: self.next_seq,
            records: records as u32,
            runs: None,
            min_ns,
            max_ns,
        });
        self.len += len as u64;
        self.next_seq += records;
    }
}

/// Looks through the first `len` bytes of a file of lines. A last line without an
/// end is one as well: a rotated segment that has lost bytes must be sealed too.
pub fn scan(file: &dyn DiskFile, base: u64, len: u64) -> io::Result<Extent> {
    let mut extent = Extent::empty(base);
    let mut buffer = Vec::new();
    while extent.len < len {
        let wanted = usize::try_from(len - extent.len).unwrap_or(usize::MAX).min(BLOCK_LEN.max(buffer.len()));
        buffer.resize(wanted, 0);
        file.read_exact_at(&mut buffer, extent.len)?;
        match memchr::memrchr(b'\n', &buffer) {
            Some(end) => buffer.truncate(end + 1),
            // The last line of a segment that has lost its end.
            None if extent.len + wanted as u64 == len => {}
            None => {
                // A line longer than the buffer: look further.
                buffer.resize(wanted * 2, 0);
                continue;
            }
        }
        let (records, min_ns, max_ns) = span(&buffer);
        extent.push_piece(buffer.len(), u64::from(records), (min_ns, max_ns));
        buffer.clear();
    }
    Ok(extent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn blocks_are_whole_lines_and_follow_each_other() {
        let line = [b"x".repeat(99).as_slice(), b"\n"].concat();
        let lines = line.repeat(30_000);
        let mut extent = Extent::empty(5);
        extent.push(&lines, 30_000, (1, 2));
        extent.push(&line, 1, (0, 9));
        assert_eq!((extent.next_seq, extent.len), (30_006, 3_000_100 - 100 + 100));
        for pair in extent.blocks.windows(2) {
            assert_eq!(pair[0].offset + pair[0].len as u64, pair[1].offset);
            assert_eq!(pair[0].last_seq() + 1, pair[1].first_seq);
            assert!(pair[0].len.is_multiple_of(100) && pair[0].len <= BLOCK_LEN);
        }
        assert_eq!(extent.blocks.last().map(|block| (block.min_ns, block.max_ns)), Some((0, 9)));
    }

    #[test]
    fn a_file_is_scanned_to_the_same_end_even_with_a_line_longer_than_a_block() {
        let mut file = tempfile::tempfile().unwrap();
        let long = b"y".repeat(3 * BLOCK_LEN);
        let lines = [b"a\n".as_slice(), &long, b"\nb\n"].concat();
        file.write_all(&lines).unwrap();
        let extent = scan(&file, 1, lines.len() as u64).unwrap();
        assert_eq!((extent.next_seq, extent.len), (4, lines.len() as u64));
    }
}
