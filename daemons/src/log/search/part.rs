//! What a query has to look at in one segment, and how it looks at a block.

use crate::log::index::{Blocks, Columns, Count, Index};
use crate::log::line::Line;
use crate::log::lines;
use crate::log::query::{Filter, Needs, Verdict};
use crate::log::store::{Block, Reading, View};
use std::io;
use std::sync::Arc;

/// A segment that may hold matching records.
pub struct Part {
    reading: Reading,
    /// What the filter says of each kind of the index; nothing where it was not
    /// asked.
    verdicts: Vec<Verdict>,
    /// The indexed blocks that may hold what the filter needs.
    may_hold: Blocks,
}

/// Where no more than one block in so many may hold what a filter needs, its
/// kinds are not asked: to read that block takes less time.
const FEW: usize = 8;

/// How much of a block matches, as far as its index knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Nothing.
    None,
    /// Everything of the kinds that do, and nothing of the others.
    Kinds,
    /// The text has to be asked.
    Unknown,
}

impl Part {
    /// Looks at a segment's index; none if nothing in the segment can match.
    ///
    /// # Errors
    /// When the segment cannot be read.
    pub fn of(view: &View, filter: &Filter) -> io::Result<Option<Self>> {
        Self::open(view, filter, false)
    }

    /// The same, and asks the kinds of records even where all match.
    ///
    /// # Errors
    /// When the segment cannot be read.
    pub fn to_count(view: &View, filter: &Filter) -> io::Result<Option<Self>> {
        Self::open(view, filter, true)
    }

    fn open(view: &View, filter: &Filter, by_kind: bool) -> io::Result<Option<Self>> {
        let bounds = view.bounds()?;
        if !filter.bounds.meet(bounds.seqs, bounds.times) {
            return Ok(None);
        }
        let rollup = view.rollup();
        let (mut all, mut any) = (rollup.is_some(), rollup.is_none());
        for source in rollup.iter().flat_map(|rollup| rollup.sources()) {
            let verdict = filter.verdict_on_source(source.level, &source.service);
            all &= verdict == Verdict::Yes;
            any |= verdict != Verdict::No;
        }
        if !any {
            return Ok(None);
        }
        let needs = filter.needs();
        let may_hold = if needs == Needs::Anything { None } else { view.blocks_with(&needs) };
        if may_hold.as_ref().is_some_and(|blocks| blocks.count() == 0) {
            return Ok(None);
        }
        let mut part = Self { reading: view.open()?, verdicts: Vec::new(), may_hold: Blocks::none(0) };
        let Some(index) = part.reading.index().cloned() else { return Ok(Some(part)) };
        if all && !by_kind {
            part.may_hold = Blocks::all(index.blocks());
            return Ok(Some(part));
        }
        match part.ask(&index, filter, &needs, may_hold) {
            Ok(may_match) => {
                let whole = index.blocks() == part.reading.blocks().len();
                Ok((may_match || !whole).then_some(part))
            }
            Err(error) => {
                part.reading.lose_index(&error);
                Ok(Some(part))
            }
        }
    }

    /// Asks the index; whether anything that it covers can match.
    fn ask(
        &mut self,
        index: &Index,
        filter: &Filter,
        needs: &Needs,
        may_hold: Option<Blocks>,
    ) -> io::Result<bool> {
        self.may_hold = match may_hold {
            Some(known) => known,
            None => index.blocks_with(needs)?,
        };
        let holding = self.may_hold.count();
        if holding * FEW <= index.blocks() {
            return Ok(holding > 0);
        }
        let (kinds, runs) = (index.kinds()?, index.runs()?);
        self.verdicts = kinds.iter().map(|(kind, _)| filter.verdict(&kind, runs)).collect();
        Ok(kinds.unknown() > 0 || self.verdicts.iter().any(|verdict| *verdict != Verdict::No))
    }

    /// What is read.
    pub const fn reading(&self) -> &Reading {
        &self.reading
    }

    /// The segment's index, and what the filter says of its kinds.
    pub fn index(&self) -> Option<(&Arc<Index>, &[Verdict])> {
        self.reading.index().map(|index| (index, self.verdicts.as_slice()))
    }

    /// The blocks that may hold matching records, by what is known of them.
    pub fn candidates(&self, filter: &Filter) -> impl Iterator<Item = (usize, &Block)> {
        let indexed = self.reading.index().map_or(0, |index| index.blocks());
        let may_match = move |(at, block): &(usize, &Block)| {
            filter.bounds.meet((block.first_seq, block.last_seq()), self.times(*at, block))
                && (*at >= indexed || self.may_hold.contains(*at))
        };
        self.reading.blocks().iter().enumerate().filter(may_match)
    }

    /// Between which times the records of a block lie. Of a block of the active
    /// segment the index knows it better.
    pub fn times(&self, at: usize, block: &Block) -> (i64, i64) {
        self.reading.index().and_then(|index| index.span(at)).unwrap_or((block.min_ns, block.max_ns))
    }

    /// What the filter says of a record of this kind.
    pub fn verdict(&self, kind: u16) -> Verdict {
        self.verdicts.get(usize::from(kind)).copied().unwrap_or(Verdict::Maybe)
    }

    /// How much of a block matches, time and sequence left aside.
    pub fn share(&self, at: usize) -> Share {
        let Some(index) = self.reading.index().filter(|index| at < index.blocks()) else {
            return Share::Unknown;
        };
        // Without verdicts the counts, which have to be read, say nothing.
        if self.verdicts.is_empty() {
            return Share::Unknown;
        }
        let mut share = Share::None;
        let counted = index.counts(at, |Count { kind, .. }| match self.verdict(kind) {
            Verdict::No => {}
            Verdict::Yes if share == Share::None => share = Share::Kinds,
            Verdict::Yes => {}
            Verdict::Maybe => share = Share::Unknown,
        });
        match counted {
            Ok(()) => share,
            Err(error) => {
                self.reading.note_index(&error);
                Share::Unknown
            }
        }
    }

    /// Visits the records of a block that match, in order: sequence, where the line
    /// begins in `text`, into which the block is read, and the line.
    ///
    /// # Errors
    /// When the block cannot be read.
    pub fn visit(
        &self,
        at: usize,
        filter: &Filter,
        text: &mut Vec<u8>,
        mut visit: impl FnMut(u64, usize, &Line<'_>),
    ) -> io::Result<()> {
        if self.share(at) == Share::None {
            return Ok(());
        }
        let Some(block) = self.reading.blocks().get(at) else { return Ok(()) };
        self.reading.read(at, text)?;
        let text = text.as_slice();
        let columns = self.columns(at);
        let verdict = |record: usize| {
            let kind = columns.as_ref().and_then(|columns| columns.kinds.get(record));
            kind.map_or(Verdict::Maybe, |kind| self.verdict(*kind))
        };
        let bounded = !filter.bounds.cover(block);
        let mut reader = lines::Reader::new(text);
        let mut look = |record: usize, seq: u64, start: usize, raw: &[u8]| {
            let verdict = verdict(record);
            if verdict == Verdict::No {
                return;
            }
            let line = reader.read(start, raw);
            let matches = match verdict {
                Verdict::Yes => !bounded || filter.bounds.contain(seq, line.ts_ns),
                _ => filter.matches(seq, &line),
            };
            if matches {
                visit(seq, start, &line);
            }
        };
        match filter.literal() {
            Some(literal) => {
                let mut seqs = block.seqs().enumerate();
                let mut start = 0;
                for found in literal.find_iter(text) {
                    if found < start {
                        // In a line that was looked at already.
                        continue;
                    }
                    let between = text.get(start..found).unwrap_or_default();
                    let skipped = memchr::memchr_iter(b'\n', between).count();
                    let begin = memchr::memrchr(b'\n', between).map_or(start, |newline| start + newline + 1);
                    let rest = text.get(begin..).unwrap_or_default();
                    let len = memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
                    if let Some((record, seq)) = seqs.nth(skipped) {
                        look(record, seq, begin, rest.get(..len).unwrap_or_default());
                    }
                    start = begin + len;
                }
            }
            None => {
                for ((record, seq), (start, raw)) in block.seqs().enumerate().zip(lines::split(text)) {
                    look(record, seq, start, raw);
                }
            }
        }
        Ok(())
    }

    /// The columns of a block, where they help: without them every line is asked.
    fn columns(&self, at: usize) -> Option<Arc<Columns>> {
        let index = self.reading.index().filter(|index| at < index.blocks())?;
        if self.verdicts.iter().all(|verdict| *verdict == Verdict::Maybe) {
            return None;
        }
        index.columns(at).inspect_err(|error| self.reading.note_index(error)).ok()
    }
}
