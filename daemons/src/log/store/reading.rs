//! A segment as a query sees it.

use super::extent::Extent;
use super::segment::{Opened, Plain, Sealed, Segment};
use super::{Block, Shared, Snapshot};
use crate::log::index::{Blocks, Index, Rollup};
use crate::log::query::Needs;
use std::io;
use std::sync::Arc;

/// A segment in a snapshot.
#[derive(Clone)]
pub struct View {
    shared: Arc<Shared>,
    segment: Segment,
    /// How far the active segment went, and what of it was indexed.
    active: Option<(Arc<Extent>, Option<Arc<Index>>)>,
}

/// A segment that is open to be read.
pub struct Reading {
    source: Source,
    index: Option<Arc<Index>>,
}

enum Source {
    Plain(Arc<Plain>, Arc<Extent>),
    Sealed(Arc<Sealed>, Arc<Opened>),
}

impl View {
    /// All segments as they are now.
    pub(super) fn all(shared: &Arc<Shared>) -> Snapshot {
        let segments = shared.segments.all();
        let last = segments.len().saturating_sub(1);
        let view = |(at, segment): (usize, Segment)| {
            let active = match &segment {
                // The index is asked first: it never covers more than what was there.
                Segment::Plain(plain) if at == last => {
                    let index = plain.index();
                    plain.known().map(|extent| (extent, index))
                }
                _ => None,
            };
            Self { shared: Arc::clone(shared), segment, active }
        };
        segments.into_iter().enumerate().map(view).collect()
    }

    /// The sequence that its records do not come before.
    pub fn base(&self) -> u64 {
        self.segment.base()
    }

    /// What is known of its records without reading them: the sequences that
    /// they lie between, both among them, and the times.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn bounds(&self) -> io::Result<Bounds> {
        match &self.segment {
            Segment::Sealed(sealed) => {
                let summary = sealed.summary(&self.shared.cache)?;
                Ok(Bounds {
                    seqs: (summary.first_seq, summary.last_seq),
                    times: (summary.min_ns, summary.max_ns),
                })
            }
            Segment::Plain(_) => Ok(Bounds::of(self.open()?.blocks())),
        }
    }

    /// Its counts by level, service and time: of a sealed segment whose index has
    /// them.
    pub fn rollup(&self) -> Option<Arc<Rollup>> {
        match &self.segment {
            Segment::Sealed(sealed) => sealed.rollup(&self.shared.cache),
            Segment::Plain(_) => None,
        }
    }

    /// The blocks that may hold what is needed, if that is known without opening it.
    pub fn blocks_with(&self, needs: &Needs) -> Option<Blocks> {
        match &self.segment {
            Segment::Sealed(sealed) => sealed.blocks_with(needs),
            Segment::Plain(_) => None,
        }
    }

    /// Opens it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(&self) -> io::Result<Reading> {
        match (&self.segment, &self.active) {
            (Segment::Plain(plain), Some((extent, index))) => {
                let source = Source::Plain(Arc::clone(plain), Arc::clone(extent));
                Ok(Reading { source, index: index.clone() })
            }
            (Segment::Plain(plain), None) => {
                let index = plain.index();
                Ok(Reading { source: Source::Plain(Arc::clone(plain), plain.extent()?), index })
            }
            (Segment::Sealed(sealed), _) => {
                let opened = self.shared.cache.open(sealed)?;
                let index = opened.index.clone();
                Ok(Reading { source: Source::Sealed(Arc::clone(sealed), opened), index })
            }
        }
    }
}

/// Between what a segment's records lie; both ends are among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Sequences.
    pub seqs: (u64, u64),
    /// Times, in nanoseconds since 1970.
    pub times: (i64, i64),
}

impl Bounds {
    fn of(blocks: &[Block]) -> Self {
        Self {
            seqs: (
                blocks.first().map_or(u64::MAX, |block| block.first_seq),
                blocks.last().map_or(0, Block::last_seq),
            ),
            times: (
                blocks.iter().map(|block| block.min_ns).min().unwrap_or(i64::MAX),
                blocks.iter().map(|block| block.max_ns).max().unwrap_or(i64::MIN),
            ),
        }
    }
}

impl Reading {
    /// Its blocks, in order.
    pub fn blocks(&self) -> &[Block] {
        match &self.source {
            Source::Plain(_, extent) => &extent.blocks,
            Source::Sealed(_, opened) => &opened.directory.blocks,
        }
    }

    /// The index of its first blocks.
    pub const fn index(&self) -> Option<&Arc<Index>> {
        self.index.as_ref()
    }

    /// Goes on without the index, of which a part is damaged.
    pub fn lose_index(&mut self, error: &io::Error) {
        self.index = None;
        self.note_index(error);
    }

    /// Notes that a part of the index is damaged, so that it is rebuilt.
    pub fn note_index(&self, error: &io::Error) {
        if let Source::Sealed(sealed, _) = &self.source {
            sealed.lost_index(error);
        }
    }

    /// Reads a block into `lines`. What cannot be read is told to whoever runs
    /// the log.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub fn read(&self, at: usize, lines: &mut Vec<u8>) -> io::Result<()> {
        match &self.source {
            Source::Plain(plain, extent) => {
                let block = extent.blocks.get(at).ok_or_else(|| io::Error::other("no such block"))?;
                plain.read(block, lines).inspect_err(|error| {
                    tracing::error!("segment {} cannot be read at {}: {error}", plain.base, block.offset);
                })
            }
            Source::Sealed(sealed, opened) => {
                opened.read(at, lines).inspect_err(|error| sealed.note(at, error))
            }
        }
    }
}
