//! Reading the log in the order of its sequences, over segments of all kinds.

use super::live::Chunk;
use super::reading::{Reading, View};
use super::{Block, Snapshot};
use crate::log::lines::split;
use std::io::ErrorKind;

/// The records from `seq` on: one block of them. What lies between and does not
/// exist any more is passed over; what cannot be read is counted as lost. There
/// is nothing from `end` on.
pub fn read(snapshot: &Snapshot, seq: u64, end: u64) -> Chunk {
    // The last segments that begin at or before it, of all classes, and those
    // after that.
    let begun = snapshot.partition_point(|view| view.base() <= seq);
    let base = begun.checked_sub(1).and_then(|last| snapshot.get(last)).map(View::base);
    let from = base.map_or(0, |base| snapshot.partition_point(|view| view.base() < base));
    let views = snapshot.get(from..).unwrap_or_default();
    for of_one_base in views.chunk_by(|a, b| a.base() == b.base()) {
        let next_base =
            snapshot.iter().map(View::base).find(|base| of_one_base.iter().all(|view| *base > view.base()));
        let mut sources = Vec::new();
        for view in of_one_base {
            match view.open() {
                Ok(reading) => sources.extend(Source::from(reading, seq)),
                // Deleted since the snapshot.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::error!("segment {} cannot be read: {error}", view.base());
                    return Chunk::lost(seq.max(view.base()), next_base.unwrap_or(end));
                }
            }
        }
        if let Some(chunk) = merge(sources, seq) {
            return chunk;
        }
    }
    Chunk { first_seq: seq, end_seq: end, ..Chunk::default() }
}

/// A segment and its first block that is not before the position.
struct Source {
    reading: Reading,
    at: usize,
}

impl Source {
    fn from(reading: Reading, seq: u64) -> Option<Self> {
        let at = reading.blocks().iter().position(|block| block.last_seq() >= seq)?;
        Some(Self { reading, at })
    }

    fn block(&self) -> Option<&Block> {
        self.reading.blocks().get(self.at)
    }
}

/// The lines of the next block of each segment, up to where the first of them
/// ends: beyond that a segment may have more in between.
fn merge(sources: Vec<Source>, seq: u64) -> Option<Chunk> {
    let end = sources.iter().filter_map(Source::block).map(Block::last_seq).min()? + 1;
    match sources.as_slice() {
        [only] if only.block()?.runs.is_none() => {
            let block = only.block()?;
            let mut lines = Vec::new();
            Some(match only.reading.read(only.at, &mut lines) {
                Ok(()) => Chunk { first_seq: block.first_seq, end_seq: end, lines, ..Chunk::default() },
                Err(_) => Chunk::lost(block.first_seq.max(seq), end),
            })
        }
        sources => Some(interleave(sources, seq, end)),
    }
}

fn interleave(sources: &[Source], seq: u64, end: u64) -> Chunk {
    let mut texts = Vec::with_capacity(sources.len());
    let mut lost = 0;
    for source in sources {
        let mut lines = Vec::new();
        let Some(block) = source.block() else { continue };
        match source.reading.read(source.at, &mut lines) {
            Ok(()) => texts.push((block, lines)),
            Err(_) => lost += block.seqs().filter(|lost| (seq..end).contains(lost)).count() as u64,
        }
    }
    let mut records: Vec<(u64, &[u8])> = texts
        .iter()
        .flat_map(|(block, lines)| block.seqs().zip(split(lines).map(|(_, line)| line)))
        .filter(|(of_line, _)| (seq..end).contains(of_line))
        .collect();
    records.sort_unstable_by_key(|(of_line, _)| *of_line);
    Chunk {
        first_seq: records.first().map_or(seq, |(first, _)| *first),
        end_seq: end,
        lines: records.iter().flat_map(|(_, line)| *line).copied().collect(),
        seqs: Some(records.iter().map(|(of_line, _)| *of_line).collect()),
        lost,
        ..Chunk::default()
    }
}
