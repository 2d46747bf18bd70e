//! A segment in memory: plain text that is still to be sealed, or sealed.

use super::block::Block;
use super::cache::Cache;
use super::damage::{Damage, is_damage};
use super::extent::{Extent, scan};
use super::files::{Files, SealedName};
use super::sealed::{self, Directory, Origin};
use crate::log::disk::{Disk, DiskFile, Open};
use crate::log::index::{self, Blocks, Index, Resident, Rollup};
use crate::log::limits::ROLLUPS_LEN_MAX;
use crate::log::query::Needs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::SystemTime;

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
    file: Box<dyn DiskFile>,
    extent: RwLock<Option<Arc<Extent>>>,
    index: RwLock<Option<Arc<Index>>>,
}

impl Plain {
    /// A segment; without an extent it is looked through when somebody asks.
    pub const fn new(base: u64, file: Box<dyn DiskFile>, extent: Option<Arc<Extent>>) -> Self {
        Self { base, file, extent: RwLock::new(extent), index: RwLock::new(None) }
    }

    /// The file.
    pub fn file(&self) -> &dyn DiskFile {
        self.file.as_ref()
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
        let len = self.file.metadata()?.len;
        let extent = Arc::new(scan(self.file.as_ref(), self.base, len)?);
        *self.extent.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&extent));
        Ok(extent)
    }

    /// Forgets how far it goes, so that it is looked through again.
    pub fn forget_extent(&self) {
        *self.extent.write().unwrap_or_else(PoisonError::into_inner) = None;
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = None;
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
    disk: Arc<dyn Disk>,
    path: PathBuf,
    index_path: PathBuf,
    summary: OnceLock<Summary>,
    resident: OnceLock<Resident>,
    rollup: OnceLock<KeptRollup>,
    lacks_index: AtomicBool,
    damage: Arc<Damage>,
}

/// A rollup that stays in memory, and the bytes of all that do.
#[derive(Debug)]
struct KeptRollup(Arc<Rollup>, Arc<AtomicUsize>);

impl Drop for KeptRollup {
    fn drop(&mut self) {
        self.1.fetch_sub(self.0.memory(), Ordering::Relaxed);
    }
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
    file: Box<dyn DiskFile>,
    /// What its frames hold.
    pub directory: Directory,
    /// Its index; none while it is missing or damaged.
    pub index: Option<Arc<Index>>,
    directory_len: usize,
}

impl Opened {
    /// About how many bytes of memory it takes.
    pub fn memory(&self) -> usize {
        self.directory_len + self.index.as_ref().map_or(0, |index| index.memory())
    }

    /// Reads a block into `lines`.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub fn read(&self, at: usize, lines: &mut Vec<u8>) -> io::Result<()> {
        let (Some(block), Some(sum)) = (self.directory.blocks.get(at), self.directory.sums.get(at)) else {
            return Err(io::Error::other("the segment has no such block"));
        };
        sealed::read_frame(self.file.as_ref(), block, *sum, lines)
    }
}

impl Sealed {
    /// A sealed segment by its files.
    pub fn new(files: &Files, name: SealedName, damage: Arc<Damage>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let disk = Arc::clone(files.disk());
        let (path, index_path) = (files.sealed(&name), files.index(&name));
        let lacks_index = AtomicBool::new(!disk.exists(&index_path));
        let (summary, resident, rollup) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { name, id, disk, path, index_path, summary, resident, rollup, lacks_index, damage }
    }

    /// Opens it, past the cache.
    ///
    /// # Errors
    /// When it cannot be read and nothing is left that says what it holds.
    pub fn open(&self) -> io::Result<Opened> {
        let file = self.disk.open(&self.path, Open::Read)?;
        let copy = || index::read_directory(self.disk.as_ref(), &self.index_path);
        let (directory, origin) = Directory::find(file.as_ref(), copy, self.name.base)
            .inspect_err(|error| self.damage.note(self.name.to_string(), None, error))?;
        if let Origin::Copy(damage) | Origin::Frames { damage, .. } = &origin {
            self.damage.note(self.name.to_string(), None, damage);
        }
        let index = match Index::open(self.disk.as_ref(), &self.index_path, directory.identity()) {
            Ok(index) => Some(Arc::new(index)),
            Err(error) => {
                if !self.lacks_index.swap(true, Ordering::Relaxed) {
                    tracing::warn!("segment {} is searched without its index: {error}", self.name);
                }
                None
            }
        };
        if let Some((resident, _)) = index.as_ref().and_then(|index| index.resident()) {
            let _ = self.resident.set(resident.clone());
        }
        let runs = directory.blocks.iter().filter_map(|block| block.runs.as_deref());
        let directory_len =
            directory.blocks.len() * (size_of::<Block>() + 8) + runs.map(size_of_val).sum::<usize>();
        let opened = Opened { file, directory, index, directory_len };
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

    /// Its counts by level, service and time, if its index has them.
    pub fn rollup(&self, cache: &Cache) -> Option<Arc<Rollup>> {
        if let Some(KeptRollup(rollup, _)) = self.rollup.get() {
            return Some(Arc::clone(rollup));
        }
        let opened = cache.open(self).ok()?;
        let (_, rollup) = opened.index.as_ref()?.resident()?;
        let rollup = Arc::clone(rollup?);
        let (len, kept) = (rollup.memory(), cache.rollups_len());
        if kept.fetch_add(len, Ordering::Relaxed) + len > ROLLUPS_LEN_MAX {
            kept.fetch_sub(len, Ordering::Relaxed);
        } else {
            // Another query may have done the same; then this one is given back.
            drop(self.rollup.set(KeptRollup(Arc::clone(&rollup), Arc::clone(kept))));
        }
        Some(rollup)
    }

    /// The blocks that may hold what is needed, without opening the segment; none
    /// if that is unknown.
    pub fn blocks_with(&self, needs: &Needs) -> Option<Blocks> {
        // A missing or damaged index is noticed when the segment is opened.
        self.resident.get()?.blocks_with(self.disk.as_ref(), &self.index_path, needs).ok()
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
        Ok(self.disk.metadata(&self.path)?.modified)
    }

    /// The bytes of its files.
    pub fn stored_len(&self) -> u64 {
        let len = |path| self.disk.metadata(path).map_or(0, |metadata| metadata.len);
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
