//! A walk over a snapshot: block by block, newest or oldest first, past what
//! cannot match, until the visitor has enough or the budget is used up.

use super::line::Line;
use super::query::Filter;
use super::store::{Block, Snapshot, View};
use serde::Deserialize;
use std::ops::ControlFlow;
use std::time::Instant;
use utoipa::ToSchema;

/// In which order records are answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Newest first.
    #[default]
    Desc,
    /// Oldest first.
    Asc,
}

/// What a walk may take.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// When it ends with what it has.
    pub deadline: Instant,
}

/// A record that matches.
pub struct Hit<'l, 'a> {
    /// Its sequence.
    pub seq: u64,
    /// Its line, with the line feed.
    pub raw: &'a [u8],
    /// Its line, read.
    pub line: &'l Line<'a>,
}

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walked {
    /// Whether something was not looked at: the budget was used up, or a part of
    /// the log could not be read.
    pub partial: bool,
}

/// Visits every record of the snapshot that the filter lets through.
pub fn walk(
    snapshot: &Snapshot,
    filter: &Filter,
    order: Order,
    budget: Budget,
    mut visit: impl FnMut(Hit<'_, '_>) -> ControlFlow<()>,
) -> Walked {
    let mut walked = Walked { partial: false };
    let mut buffer = Vec::new();
    let ends: Vec<u64> = snapshot.iter().skip(1).map(|next| next.segment.base).chain([u64::MAX]).collect();
    let segments: Vec<(&View, u64)> = snapshot.iter().zip(ends).collect();
    let segments: Box<dyn Iterator<Item = &(&View, u64)>> = match order {
        Order::Desc => Box::new(segments.iter().rev()),
        Order::Asc => Box::new(segments.iter()),
    };
    for (view, end) in segments {
        if view.segment.base >= filter.seqs.1 || *end <= filter.seqs.0 {
            continue;
        }
        if Instant::now() >= budget.deadline {
            return Walked { partial: true };
        }
        let extent = match view.extent() {
            Ok(extent) => extent,
            Err(error) => {
                tracing::error!("segment {} cannot be read: {error}", view.segment.base);
                walked.partial = true;
                continue;
            }
        };
        let blocks: Box<dyn Iterator<Item = &Block>> = match order {
            Order::Desc => Box::new(extent.blocks.iter().rev()),
            Order::Asc => Box::new(extent.blocks.iter()),
        };
        for block in blocks.filter(|block| may_match(filter, block)) {
            if Instant::now() >= budget.deadline {
                return Walked { partial: true };
            }
            if let Err(error) = view.segment.read(block, &mut buffer) {
                tracing::error!("segment {} cannot be read at {}: {error}", view.segment.base, block.offset);
                walked.partial = true;
                continue;
            }
            if walk_block(block, &buffer, filter, order, &mut visit).is_break() {
                return walked;
            }
        }
    }
    walked
}

/// Whether a record of this block can match, from what is known of the block.
const fn may_match(filter: &Filter, block: &Block) -> bool {
    block.first_seq < filter.seqs.1
        && block.first_seq + block.records > filter.seqs.0
        && block.max_ns >= filter.since_ns
        && block.min_ns < filter.until_ns
}

fn walk_block(
    block: &Block,
    lines: &[u8],
    filter: &Filter,
    order: Order,
    visit: &mut impl FnMut(Hit<'_, '_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut one = |seq: u64, raw: &[u8]| {
        let line = Line::read(raw.strip_suffix(b"\n").unwrap_or(raw), block.min_ns);
        if filter.matches(seq, &line) {
            visit(Hit { seq, raw, line: &line })
        } else {
            ControlFlow::Continue(())
        }
    };
    match order {
        Order::Asc => {
            let lines = lines.split_inclusive(|b| *b == b'\n');
            (block.first_seq..).zip(lines).try_for_each(|(seq, raw)| one(seq, raw))
        }
        Order::Desc => {
            let mut end = lines.len();
            for seq in (block.first_seq..block.first_seq + block.records).rev() {
                let before = lines.get(..end.saturating_sub(1)).unwrap_or_default();
                let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
                one(seq, lines.get(start..end).unwrap_or_default())?;
                end = start;
            }
            ControlFlow::Continue(())
        }
    }
}
