//! A segment in memory: plain text that is still to be sealed, or sealed.

use super::block::Block;
use super::cache::Cache;
use super::damage::{Damage, is_damage};
use super::files::SealedName;
use super::sealed::{self, Directory, Origin};
use crate::log::index::Index;
use crate::log::limits::BLOCK_LEN;
use crate::log::lines::span;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::SystemTime;

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

/// A segment.
#[derive(Debug, Clone)]
pub enum Segment {
    /// Text: the active segment, or one that waits to be sealed.
    Plain(Arc<Plain>),
    /// Sealed.
    Sealed(Arc<Sealed>),
}

impl Segment {
    /// The sequence that its records do not come before.
    pub fn base(&self) -> u64 {
        match self {
            Self::Plain(plain) => plain.base,
            Self::Sealed(sealed) => sealed.name.base,
        }
    }
}

/// A segment of plain text.
#[derive(Debug)]
pub struct Plain {
    /// The sequence of its first record.
    pub base: u64,
    file: File,
    extent: RwLock<Option<Arc<Extent>>>,
    index: RwLock<Option<Arc<Index>>>,
}

impl Plain {
    /// A segment; without an extent it is looked through when somebody asks.
    pub const fn new(base: u64, file: File, extent: Option<Arc<Extent>>) -> Self {
        Self { base, file, extent: RwLock::new(extent), index: RwLock::new(None) }
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

    /// Acknowledged lines become part of it. Answers whether another block is
    /// as it will stay.
    pub fn extend(&self, extend: impl FnOnce(&mut Extent)) -> bool {
        let mut extent = self.extent.write().unwrap_or_else(PoisonError::into_inner);
        let Some(extent) = extent.as_mut() else { return false };
        let before = extent.blocks.len();
        // A snapshot that still holds the old extent keeps it.
        extend(Arc::make_mut(extent));
        extent.blocks.len() > before
    }

    /// The index of its first blocks, as far as it is built.
    pub fn index(&self) -> Option<Arc<Index>> {
        self.index.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes up an index that covers more of its blocks.
    pub fn set_index(&self, index: Index) {
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(index));
    }

    /// Reads a block into `lines`.
    pub fn read(&self, block: &Block, lines: &mut Vec<u8>) -> io::Result<()> {
        lines.clear();
        lines.resize(block.len, 0);
        self.file.read_exact_at(lines, block.offset)?;
        if !lines.ends_with(b"\n") {
            lines.push(b'\n');
        }
        Ok(())
    }
}

/// A sealed segment: the records of one class that had their sequences from the
/// base on.
#[derive(Debug)]
pub struct Sealed {
    /// Its name: the base, and the class.
    pub name: SealedName,
    /// Tells it from others of the same name, before and after recompression.
    pub id: u64,
    path: PathBuf,
    index_path: PathBuf,
    summary: OnceLock<Summary>,
    lacks_index: AtomicBool,
    damage: Arc<Damage>,
}

/// What a sealed segment is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The sequence of its first record.
    pub first_seq: u64,
    /// The sequence of its last record.
    pub last_seq: u64,
    /// How many records it has.
    pub records: u64,
    /// The time of the earliest, in nanoseconds since 1970.
    pub min_ns: i64,
    /// The time of the latest.
    pub max_ns: i64,
    /// The zstd level at which it is compressed.
    pub level: i32,
}

/// An open sealed segment.
#[derive(Debug)]
pub struct Opened {
    file: File,
    /// What its frames hold.
    pub directory: Directory,
    /// Its index; none while it is missing or damaged.
    pub index: Option<Arc<Index>>,
}

impl Opened {
    /// About how many bytes of memory it takes.
    pub fn memory(&self) -> usize {
        let runs = self.directory.blocks.iter().filter_map(|block| block.runs.as_deref());
        self.directory.blocks.len() * (size_of::<Block>() + 8)
            + runs.map(size_of_val).sum::<usize>()
            + self.index.as_ref().map_or(0, |index| index.memory())
    }

    /// Reads a block into `lines`.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub fn read(&self, at: usize, lines: &mut Vec<u8>) -> io::Result<()> {
        let (Some(block), Some(sum)) = (self.directory.blocks.get(at), self.directory.sums.get(at)) else {
            return Err(io::Error::other("the segment has no such block"));
        };
        sealed::read_frame(&self.file, block, *sum, lines)
    }
}

impl Sealed {
    /// A sealed segment by its files.
    pub fn new(name: SealedName, path: PathBuf, index_path: PathBuf, damage: Arc<Damage>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let lacks_index = AtomicBool::new(!index_path.exists());
        Self { name, id, path, index_path, summary: OnceLock::new(), lacks_index, damage }
    }

    /// Opens it, past the cache.
    ///
    /// # Errors
    /// When it cannot be read and nothing is left that says what it holds.
    pub fn open(&self) -> io::Result<Opened> {
        let file = File::open(&self.path)?;
        let (directory, origin) = Directory::find(&file, &self.index_path, self.name.base)
            .inspect_err(|error| self.damage.note(self.name.to_string(), None, error))?;
        if let Origin::Copy(damage) | Origin::Frames { damage, .. } = &origin {
            self.damage.note(self.name.to_string(), None, damage);
        }
        let index = match Index::open(&self.index_path, directory.identity()) {
            Ok(index) => Some(Arc::new(index)),
            Err(error) => {
                if !self.lacks_index.swap(true, Ordering::Relaxed) {
                    tracing::warn!("segment {} is searched without its index: {error}", self.name);
                }
                None
            }
        };
        let opened = Opened { file, directory, index };
        let _ = self.summary.set(Summary::of(&opened.directory));
        Ok(opened)
    }

    /// What it is about.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn summary(&self, cache: &Cache) -> io::Result<Summary> {
        if let Some(summary) = self.summary.get() {
            return Ok(*summary);
        }
        let opened = cache.open(self)?;
        Ok(*self.summary.get_or_init(|| Summary::of(&opened.directory)))
    }

    /// Whether its index is missing or damaged.
    pub fn lacks_index(&self) -> bool {
        self.lacks_index.load(Ordering::Relaxed)
    }

    /// An index is there again.
    pub fn found_index(&self) {
        self.lacks_index.store(false, Ordering::Relaxed);
    }

    /// Notes that a part of the index is damaged.
    pub fn lost_index(&self, error: &io::Error) {
        if is_damage(error) && !self.lacks_index.swap(true, Ordering::Relaxed) {
            tracing::warn!("the index of segment {} is to be rebuilt: {error}", self.name);
        }
    }

    /// When it was sealed.
    ///
    /// # Errors
    /// When its file cannot be found.
    pub fn sealed_at(&self) -> io::Result<SystemTime> {
        std::fs::metadata(&self.path)?.modified()
    }

    /// The bytes of its files.
    pub fn stored_len(&self) -> u64 {
        let len = |path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        len(&self.path) + len(&self.index_path)
    }

    /// Where its index is, if it is there.
    pub const fn index_path(&self) -> &PathBuf {
        &self.index_path
    }

    /// Tells of a block that cannot be read: once.
    pub fn note(&self, block: usize, error: &io::Error) {
        self.damage.note(self.name.to_string(), Some(block), error);
    }

    /// What it notes damage in.
    pub const fn damage(&self) -> &Arc<Damage> {
        &self.damage
    }
}

impl Summary {
    /// Of what its frames hold.
    pub fn of(directory: &Directory) -> Self {
        let blocks = &directory.blocks;
        Self {
            first_seq: blocks.first().map_or(0, |block| block.first_seq),
            last_seq: blocks.last().map_or(0, Block::last_seq),
            records: blocks.iter().map(|block| u64::from(block.records)).sum(),
            min_ns: blocks.iter().map(|block| block.min_ns).min().unwrap_or(i64::MAX),
            max_ns: blocks.iter().map(|block| block.max_ns).max().unwrap_or(i64::MIN),
            level: directory.level,
        }
    }
}

/// Looks through the first `len` bytes of a file of lines. A last line without an
/// end is one as well: a rotated segment that has lost bytes must be sealed too.
pub fn scan(file: &File, base: u64, len: u64) -> io::Result<Extent> {
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
