//! A segment in memory: its file, and the blocks in which it is read.

use super::super::line::Line;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

/// The size of a block: about what one zstd frame will hold.
pub const BLOCK_LEN: usize = 1 << 20;

/// Whole lines that stand together in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Where it begins in the file.
    pub offset: u64,
    /// How many bytes it has.
    pub len: usize,
    /// The sequence of its first record.
    pub first_seq: u64,
    /// How many records it has.
    pub records: u64,
    /// No record in it is earlier than this, in nanoseconds since 1970.
    pub min_ns: i64,
    /// No record in it is later than this.
    pub max_ns: i64,
}

/// How far a segment goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// The sequence of the next record.
    pub next_seq: u64,
    /// The length in bytes.
    pub len: u64,
    /// Its blocks, in order.
    pub blocks: Vec<Block>,
}

impl Extent {
    /// Nothing yet.
    pub const fn empty(base: u64) -> Self {
        Self { next_seq: base, len: 0, blocks: Vec::new() }
    }

    /// Adds whole lines. `span` holds their earliest and latest time.
    pub fn push(&mut self, lines: &[u8], records: u64, span: (i64, i64)) {
        if lines.len() <= BLOCK_LEN {
            return self.push_piece(lines.len(), records, span);
        }
        let mut rest = lines;
        while !rest.is_empty() {
            // A piece ends with the last line that fits, or with the first if none does.
            let window = rest.get(..BLOCK_LEN).unwrap_or(rest);
            let end = memchr::memrchr(b'\n', window)
                .or_else(|| memchr::memchr(b'\n', rest))
                .map_or(rest.len(), |newline| newline + 1);
            let (piece, after) = rest.split_at(end);
            self.push_piece(piece.len(), memchr::memchr_iter(b'\n', piece).count() as u64, span);
            rest = after;
        }
    }

    fn push_piece(&mut self, len: usize, records: u64, (min_ns, max_ns): (i64, i64)) {
        match self.blocks.last_mut().filter(|block| block.len + len <= BLOCK_LEN) {
            Some(block) => {
                block.len += len;
                block.records += records;
                block.min_ns = block.min_ns.min(min_ns);
                block.max_ns = block.max_ns.max(max_ns);
            }
            None => self.blocks.push(Block {
                offset: self.len,
                len,
                first_seq: self.next_seq,
                records,
                min_ns,
                max_ns,
            }),
        }
        self.len += len as u64;
        self.next_seq += records;
    }
}

/// A segment: rotated, or the active one.
#[derive(Debug)]
pub struct Segment {
    /// The sequence of its first record.
    pub base: u64,
    file: File,
    extent: RwLock<Option<Arc<Extent>>>,
}

impl Segment {
    /// A segment whose extent is known.
    pub fn new(base: u64, file: File, extent: Extent) -> Self {
        Self { base, file, extent: RwLock::new(Some(Arc::new(extent))) }
    }

    /// A rotated segment; it is looked through when somebody asks.
    pub fn rotated(base: u64, path: &Path) -> io::Result<Self> {
        Ok(Self { base, file: File::open(path)?, extent: RwLock::new(None) })
    }

    /// The file.
    pub const fn file(&self) -> &File {
        &self.file
    }

    /// How far it goes, if that is known.
    pub fn known(&self) -> Option<Arc<Extent>> {
        self.extent.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How far it goes; it is looked through if that is not known yet.
    pub fn extent(&self) -> io::Result<Arc<Extent>> {
        if let Some(known) = self.known() {
            return Ok(known);
        }
        let len = self.file.metadata()?.len();
        let extent = Arc::new(scan(&self.file, self.base, len)?);
        *self.extent.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&extent));
        Ok(extent)
    }

    /// Acknowledged lines become part of it.
    pub fn extend(&self, extend: impl FnOnce(&mut Extent)) {
        let mut extent = self.extent.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(extent) = extent.as_mut() {
            // A snapshot that still holds the old extent keeps it.
            extend(Arc::make_mut(extent));
        }
    }

    /// Reads a block into `buffer`.
    pub fn read(&self, block: &Block, buffer: &mut Vec<u8>) -> io::Result<()> {
        buffer.clear();
        buffer.resize(block.len, 0);
        self.file.read_exact_at(buffer, block.offset)
    }
}

/// Looks through the first `len` bytes of a file of whole lines.
pub fn scan(file: &File, base: u64, len: u64) -> io::Result<Extent> {
    let mut extent = Extent::empty(base);
    let mut buffer = Vec::new();
    let mut last_ns = 0;
    while extent.len < len {
        let wanted = usize::try_from(len - extent.len).unwrap_or(usize::MAX).min(BLOCK_LEN.max(buffer.len()));
        buffer.resize(wanted, 0);
        file.read_exact_at(&mut buffer, extent.len)?;
        let Some(end) = memchr::memrchr(b'\n', &buffer) else {
            if extent.len + wanted as u64 == len {
                return Err(io::Error::other("the last line has no end"));
            }
            // A line longer than the buffer: look further.
            buffer.resize(wanted * 2, 0);
            continue;
        };
        buffer.truncate(end + 1);
        let (mut records, mut min_ns, mut max_ns) = (0, i64::MAX, i64::MIN);
        for line in buffer.split_inclusive(|b| *b == b'\n') {
            last_ns = Line::read(line, last_ns).ts_ns;
            (min_ns, max_ns) = (min_ns.min(last_ns), max_ns.max(last_ns));
            records += 1;
        }
        extent.push_piece(buffer.len(), records, (min_ns, max_ns));
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
            assert_eq!(pair[0].first_seq + pair[0].records, pair[1].first_seq);
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
