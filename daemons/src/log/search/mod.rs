//! Search: from a query to the records that match, in order.
//!
//! 1. [`Part::of`] asks each segment's index and leaves the blocks that may
//!    hold matching records.
//! 2. Blocks are looked through in the order of the newest (or oldest) record
//!    that they can hold, several at a time on all cores.
//! 3. A record is visited as soon as no block that is left can hold one that
//!    comes before it. So records that were stored late, with an old time, stand
//!    where they belong, and a search for the newest hundred ends early.

pub mod parallel;
mod part;

use crate::log::limits::{WAITING_MAX, WAVE_MAX};
pub use part::{Part, Share};

use super::line::Line;
use super::query::Filter;
use super::store::Snapshot;
use serde::Deserialize;
use std::collections::BinaryHeap;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
    /// By sequence, the last first: for pages by sequence.
    #[serde(skip)]
    LastStored,
    /// By sequence, the first first.
    #[serde(skip)]
    FirstStored,
}

/// What a search may take.
#[derive(Debug, Clone)]
pub struct Budget {
    /// When it ends with what it has.
    pub deadline: Instant,
    /// Set when nobody waits for the answer any more.
    pub left: Arc<AtomicBool>,
}

impl Budget {
    /// Whether the search is to end.
    pub fn is_spent(&self) -> bool {
        self.left.load(Ordering::Relaxed) || Instant::now() >= self.deadline
    }
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
    /// Whether the budget was used up.
    pub spent: bool,
}

/// Where a record stands in an order: the larger is visited earlier.
type Rank = (i64, u64);

impl Order {
    fn rank(self, ts_ns: i64, seq: u64) -> Rank {
        match self {
            Self::Desc => (ts_ns, seq),
            Self::Asc => (!ts_ns, !seq),
            Self::LastStored => (0, seq),
            Self::FirstStored => (0, !seq),
        }
    }

    /// No record between these bounds has a larger rank.
    fn best(self, times: (i64, i64), seqs: (u64, u64)) -> Rank {
        match self {
            Self::Desc => self.rank(times.1, u64::MAX),
            Self::Asc => self.rank(times.0, 0),
            Self::LastStored => self.rank(0, seqs.1),
            Self::FirstStored => self.rank(0, seqs.0),
        }
    }
}

/// A found record that waits for its turn; ordered by rank.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    rank: Rank,
    seq: u64,
    ts_ns: i64,
    raw: Box<[u8]>,
}

/// Something to look at, by the best record that it can hold.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Pending {
    best: Rank,
    what: What,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// A view of the snapshot, by its place.
    Segment(usize),
    /// A part, by its place, and its block.
    Block(usize, usize),
}

/// Visits records of the snapshot that the filter lets through, in order: no
/// more than the first `limit`.
pub fn walk(
    snapshot: &Snapshot,
    filter: &Filter,
    order: Order,
    limit: usize,
    budget: &Budget,
    mut visit: impl FnMut(Hit<'_, '_>) -> ControlFlow<()>,
) -> Walked {
    let mut walk = Walk::begin(snapshot, filter, order, limit, budget);
    let mut left = limit;
    let mut width = 1;
    while left > 0 {
        let wave = walk.next_wave(width, budget);
        if walk.spent {
            walk.partial = true;
            break;
        }
        let is_last = wave.is_empty();
        walk.look_through(&wave);
        width = (width * 2).min(WAVE_MAX);
        while let Some(found) = walk.next_found() {
            let raw = &found.raw;
            let line = Line::read(raw.strip_suffix(b"\n").unwrap_or(raw), found.ts_ns);
            left -= 1;
            if visit(Hit { seq: found.seq, raw, line: &line }).is_break() || left == 0 {
                return Walked { partial: walk.partial, spent: false };
            }
        }
        if is_last {
            break;
        }
    }
    Walked { partial: walk.partial, spent: walk.spent }
}

struct Walk<'a> {
    snapshot: &'a Snapshot,
    filter: &'a Filter,
    order: Order,
    limit: usize,
    parts: Vec<Part>,
    pending: BinaryHeap<Pending>,
    found: BinaryHeap<Found>,
    waiting: usize,
    partial: bool,
    /// Whether the budget is.
    spent: bool,
}

impl<'a> Walk<'a> {
    fn begin(
        snapshot: &'a Snapshot,
        filter: &'a Filter,
        order: Order,
        limit: usize,
        budget: &Budget,
    ) -> Self {
        let mut walk = Self {
            snapshot,
            filter,
            order,
            limit,
            parts: Vec::new(),
            pending: BinaryHeap::new(),
            found: BinaryHeap::new(),
            waiting: 0,
            partial: false,
            spent: false,
        };
        for (at, view) in snapshot.iter().enumerate() {
            walk.spent |= budget.is_spent();
            if walk.spent {
                break;
            }
            match view.bounds() {
                Ok(bounds) => {
                    let best = order.best(bounds.times, bounds.seqs);
                    walk.pending.push(Pending { best, what: What::Segment(at) });
                }
                Err(error) => walk.cannot_read(view.base(), &error),
            }
        }
        walk
    }

    fn cannot_read(&mut self, base: u64, error: &std::io::Error) {
        // Deleted since the snapshot was taken: its time had come.
        if error.kind() == ErrorKind::NotFound {
            return;
        }
        tracing::error!("segment {base} cannot be read: {error}");
        self.partial = true;
    }

    /// The next blocks to look through, best first.
    fn next_wave(&mut self, width: usize, budget: &Budget) -> Vec<(usize, usize)> {
        let mut wave = Vec::new();
        while wave.len() < width
            && !self.pending.is_empty()
            && !self.spent
            && let Some(Pending { what, .. }) = self.pending.pop()
        {
            self.spent = budget.is_spent();
            match what {
                What::Block(part, at) => wave.push((part, at)),
                What::Segment(at) => {
                    let Some(view) = self.snapshot.get(at) else { continue };
                    match Part::of(view, self.filter) {
                        Ok(Some(part)) => self.expand(part),
                        Ok(None) => {}
                        Err(error) => self.cannot_read(view.base(), &error),
                    }
                }
            }
        }
        wave
    }

    fn expand(&mut self, part: Part) {
        let number = self.parts.len();
        for (at, block) in part.candidates(self.filter) {
            let best = self.order.best(part.times(at, block), (block.first_seq, block.last_seq()));
            self.pending.push(Pending { best, what: What::Block(number, at) });
        }
        self.parts.push(part);
    }

    fn look_through(&mut self, wave: &[(usize, usize)]) {
        let (parts, filter, order, limit) = (&self.parts, self.filter, self.order, self.limit);
        let results = parallel::map(wave, |(part, at), text| {
            let mut places = Vec::new();
            let visited = parts.get(*part).map_or(Ok(()), |part| {
                part.visit(*at, filter, text, |seq, start, line| {
                    places.push((order.rank(line.ts_ns, seq), seq, line.ts_ns, start));
                })
            });
            if places.len() > limit {
                places.select_nth_unstable_by(limit, |a, b| b.cmp(a));
                places.truncate(limit);
            }
            let found = places.into_iter().map(|(rank, seq, ts_ns, start)| {
                let rest = text.get(start..).unwrap_or_default();
                let len = memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
                Found { rank, seq, ts_ns, raw: rest.get(..len).unwrap_or_default().into() }
            });
            (found.collect::<Vec<_>>(), visited.is_err())
        });
        for (found, failed) in results {
            self.partial |= failed;
            self.waiting += found.iter().map(|found| found.raw.len()).sum::<usize>();
            self.found.extend(found);
        }
    }

    /// The next record in order, if no block that is left can hold an earlier one.
    fn next_found(&mut self) -> Option<Found> {
        let best_left = self.pending.peek().map(|pending| pending.best);
        let is_due = |found: &Found| best_left.is_none_or(|best| found.rank >= best);
        if !self.found.peek().is_some_and(is_due) {
            if self.waiting <= WAITING_MAX {
                return None;
            }
            self.partial = true;
        }
        let found = self.found.pop()?;
        self.waiting -= found.raw.len();
        Some(found)
    }
}
