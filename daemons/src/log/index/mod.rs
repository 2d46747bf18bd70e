//! The index of a segment: what lets a query do without most of its text.
//!
//! Text is the truth; an index is an accelerator that may be deleted at any
//! time. It is a function of the lines alone, block by block, so that it is
//! rebuilt to the same bytes, and it is the same however the text is compressed.
//! The active segment has one in memory, a sealed one a file beside it.
//!
//! # What it holds
//!
//! * *Kinds* ([`Kinds`]): what records have in common, level, service and
//!   template. A template is a message without its variable words
//!   ([`super::words`]). Real logs have some thousand in a segment. A query is
//!   asked of each kind once instead of each record, and most kinds say yes or
//!   no; only where one says maybe, text is read.
//! * *Counts*: for every block, how many records of each kind there are in each
//!   minute. `stats` and `hits` are sums over them.
//! * A *rollup* ([`Rollup`]) of these counts by level, service and minute, which
//!   stays in memory.
//! * *Columns* ([`Columns`]): for every record its kind and its second.
//! * *Words* ([`words`]): filters that tell which blocks may hold a word.
//! * The letters that occur in variable words, as trigrams
//!   ([`Runs`]): so that a part of a word that occurs in
//!   no template and in no variable word is known to occur nowhere. Filters over the
//!   n-grams of all text were rejected: a block of real logs holds nearly every
//!   trigram that anybody looks for, and those of longer ones are larger than
//!   the text.
//!
//! # File, version 4
//!
//! ```text
//! file     = header rollup kinds counts directory columns words
//! header   = "distlogI" version:u32 blocks:u32 identity:u64
//!            word-pages:u32 unicode:u32 (offset:u64 length:u64 checksum:u64){6} checksum:u64
//! rollup   = see [`rollup`]
//! kinds    = zstd( trigrams:bytes count:varint kind… )
//! kind     = level:u8 service:bytes template-length-plus-1:varint template total:varint
//! counts   = zstd( block… )
//! block    = offset:varint length:varint checksum:u64 entries:varint entry…
//! entry    = minute-delta:signed kind-delta:signed count:varint
//! columns  = zstd( kind-low:u8{records} kind-high:u8{records} second-delta:signed{records} )…
//! words    = page…, see [`words`]
//! ```
//!
//! `unicode` is the version of Unicode that says what words are; an index of
//! another one is rebuilt. `identity` says of which lines it is an index: it is made of the lengths and
//! sequences of the blocks. `directory` is a copy of the sealed file's
//! ([`super::store`]). Offset, length and checksum in a block are those of its
//! columns. Every byte is covered by a checksum that is looked at before it is
//! used: those of the header and of the rollup when the file is opened, those of
//! another section, of columns and of a page of words when they are read.
//!
//! An index of an earlier version is rebuilt. Version 1 had no rollup, and took
//! ANSI escape sequences for parts of words; version 2 had no rollup;
//! in version 3 the level and service of some records were unknown where templates
//! took all the room.

#[cfg(any(test, fuzzing))]
pub mod any_bytes;
mod build;
mod columns;
mod file;
mod hashes;
mod kinds;
mod resident;
mod rollup;
mod words;

pub use build::{BlockIndex, Builder};
pub use columns::Columns;
#[cfg(any(test, fuzzing))]
pub use file::directory_of;
pub use file::{read_directory, to_bytes};
pub use kinds::{Kinds, UNKNOWN};
pub use resident::Resident;
pub use rollup::Rollup;

use super::disk::{Disk, Open};
use super::query::Needs;
use super::words::Runs;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// How many records of one kind there are in one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count {
    /// Minutes since 1970.
    pub minute: i64,
    /// The kind.
    pub kind: u16,
    /// How many.
    pub count: u32,
}

/// Some of a segment's blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocks(Vec<u64>);

impl Blocks {
    /// All of so many.
    pub fn all(count: usize) -> Self {
        let mut all = Self(vec![u64::MAX; count.div_ceil(64)]);
        if let Some(last) = all.0.last_mut().filter(|_| !count.is_multiple_of(64)) {
            *last >>= 64 - count % 64;
        }
        all
    }

    /// None of so many.
    pub fn none(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    /// Whether a block is one of them.
    pub fn contains(&self, block: usize) -> bool {
        self.0.get(block / 64).is_some_and(|word| word >> (block % 64) & 1 == 1)
    }

    /// Makes a block one of them.
    pub fn insert(&mut self, block: usize) {
        if let Some(word) = self.0.get_mut(block / 64) {
            *word |= 1 << (block % 64);
        }
    }

    /// How many they are.
    pub fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Those of so many that may hold what is needed, by those that may hold a word.
    fn with(
        needs: &Needs,
        count: usize,
        with_word: &mut dyn FnMut(u64) -> io::Result<Self>,
    ) -> io::Result<Self> {
        match needs {
            Needs::Anything => Ok(Self::all(count)),
            Needs::Nothing => Ok(Self::none(count)),
            Needs::Word(hash) => with_word(*hash),
            Needs::All(all) => {
                let mut found = Self::all(count);
                for needs in all {
                    found.keep(&Self::with(needs, count, with_word)?);
                }
                Ok(found)
            }
            Needs::Any(any) => {
                let mut found = Self::none(count);
                for needs in any {
                    found.add(&Self::with(needs, count, with_word)?);
                }
                Ok(found)
            }
        }
    }

    fn keep(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word &= other);
    }

    fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }
}

/// The index of a segment, or of its first blocks.
#[derive(Debug)]
pub struct Index {
    blocks: usize,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Memory { kinds: Arc<Kinds>, runs: Runs, blocks: Vec<Arc<BlockIndex>> },
    File(Box<file::Opened>),
}

impl Index {
    /// Of blocks that were just built, in order.
    pub fn in_memory(kinds: Arc<Kinds>, runs: Runs, blocks: Vec<Arc<BlockIndex>>) -> Self {
        Self { blocks: blocks.len(), source: Source::Memory { kinds, runs, blocks } }
    }

    /// Opens an index file. Most of it is read when it is needed.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or is not of those lines.
    pub fn open(disk: &dyn Disk, path: &Path, identity: u64) -> io::Result<Self> {
        let opened = file::open(disk.open(path, Open::Read)?, identity)?;
        Ok(Self { blocks: opened.blocks(), source: Source::File(Box::new(opened)) })
    }

    /// How many blocks it covers, from the first on.
    pub const fn blocks(&self) -> usize {
        self.blocks
    }

    /// The kinds of its records.
    ///
    /// # Errors
    /// When they cannot be read, or are damaged.
    pub fn kinds(&self) -> io::Result<&Kinds> {
        match &self.source {
            Source::Memory { kinds, .. } => Ok(kinds),
            Source::File(opened) => Ok(&opened.detail()?.kinds),
        }
    }

    /// The letters in its variable words.
    ///
    /// # Errors
    /// When they cannot be read, or are damaged.
    pub fn runs(&self) -> io::Result<&Runs> {
        match &self.source {
            Source::Memory { runs, .. } => Ok(runs),
            Source::File(opened) => Ok(&opened.detail()?.runs),
        }
    }

    /// The rollup of the segment, and what else of its index stays in memory; none
    /// of an index in memory.
    pub fn resident(&self) -> Option<(&Resident, Option<&Arc<Rollup>>)> {
        match &self.source {
            Source::Memory { .. } => None,
            Source::File(opened) => Some((&opened.resident, opened.rollup.as_ref())),
        }
    }

    /// The earliest and the latest time in a block that was just built.
    pub fn span(&self, block: usize) -> Option<(i64, i64)> {
        match &self.source {
            Source::Memory { blocks, .. } => blocks.get(block).map(|block| block.span),
            Source::File(_) => None,
        }
    }

    /// Looks at every byte of the file that it is in.
    ///
    /// # Errors
    /// When the file cannot be read, or is damaged.
    pub fn check(&self) -> io::Result<()> {
        match &self.source {
            Source::Memory { .. } => Ok(()),
            Source::File(opened) => opened.check(),
        }
    }

    /// Whether it says what one that was just built says, with this copy of a
    /// directory. Its bytes are not asked: another version of zstd packs the same
    /// into others.
    ///
    /// # Errors
    /// When its file cannot be read, or is damaged.
    pub fn says(&self, built: &Builder, blocks: &[Arc<BlockIndex>], directory: &[u8]) -> io::Result<bool> {
        let same_words = match &self.source {
            Source::Memory { blocks: own, .. } => own == blocks,
            Source::File(opened) => {
                opened.has(blocks, directory)?
                    && opened.rollup.as_deref() == Rollup::of(built.kinds(), blocks).as_ref()
            }
        };
        if !same_words || self.kinds()? != built.kinds() || self.runs()? != built.runs() {
            return Ok(false);
        }
        for (at, block) in blocks.iter().enumerate() {
            let mut counts = Vec::with_capacity(block.counts.len());
            self.counts(at, |count| counts.push(count))?;
            if counts != block.counts || *self.columns(at)? != *block.columns {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// About how many bytes of memory it takes.
    pub fn memory(&self) -> usize {
        match &self.source {
            Source::Memory { kinds, .. } => kinds.memory(),
            Source::File(opened) => opened.memory(),
        }
    }

    /// Calls `each` with the counts of a block, in the order of minute and kind.
    ///
    /// # Errors
    /// When they cannot be read, or are damaged.
    pub fn counts(&self, block: usize, each: impl FnMut(Count)) -> io::Result<()> {
        match &self.source {
            Source::Memory { blocks, .. } => {
                blocks.get(block).into_iter().flat_map(|block| &block.counts).copied().for_each(each);
                Ok(())
            }
            Source::File(opened) => opened.counts(block, each),
        }
    }

    /// The columns of a block.
    ///
    /// # Errors
    /// When they cannot be read, or are damaged.
    pub fn columns(&self, block: usize) -> io::Result<Arc<Columns>> {
        match &self.source {
            Source::Memory { blocks, .. } => {
                blocks.get(block).map(|block| Arc::clone(&block.columns)).ok_or_else(|| out_of_range(block))
            }
            Source::File(opened) => opened.columns(block).map(Arc::new),
        }
    }

    /// The blocks that may hold what is needed.
    ///
    /// # Errors
    /// When the filters cannot be read, or are damaged.
    pub fn blocks_with(&self, needs: &Needs) -> io::Result<Blocks> {
        match &self.source {
            Source::Memory { blocks, .. } => Blocks::with(needs, self.blocks, &mut |hash| {
                let mut found = Blocks::none(self.blocks);
                for (at, block) in blocks.iter().enumerate() {
                    if block.words.binary_search(&hash).is_ok() {
                        found.insert(at);
                    }
                }
                Ok(found)
            }),
            Source::File(opened) => Blocks::with(needs, self.blocks, &mut |hash| opened.blocks_with(hash)),
        }
    }
}

fn out_of_range(block: usize) -> io::Error {
    io::Error::other(format!("the index has no block {block}"))
}
