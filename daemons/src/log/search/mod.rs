//! Search: from a query to the records that match, in order.
//!
//! 1. [`Part::of`] asks each segment's index and leaves the blocks that may
//!    hold matching records.
//! 2. Blocks are looked through in the order of the newest (or oldest) record
//!    that they can hold, several at a time on all cores.
//! 3. A record is visited as soon as no block that is left can hold one that
//!    comes before it. So records that were stored late, with an old time, stand
//!    where they belong, and a search for the newest hundred ends early.
//!
//! What a walk holds is reserved in [`memory`] first: the blocks that it is about
//! to look through, and the records that wait for their turn. Of those it keeps no
//! more than are wanted.

mod memory;
pub mod parallel;
mod part;
mod queue;

use crate::log::limits::{WAITING_MAX, WAVE_MAX};
pub use memory::{QueryMemory, Reservation, WAIT_MAX};
pub use part::{Part, Share};
use queue::{Found, Queue, cost};

use super::line::Line;
use super::query::Filter;
use super::store::{Block, Snapshot};
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
    /// What all searches together may hold.
    pub memory: Arc<QueryMemory>,
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
    /// Whether there was no memory to find anything.
    pub starved: bool,
    /// Whether the records came in order: without memory some come too early.
    pub ordered: bool,
}

/// Where a record stands in an order: the larger is visited earlier.
pub type Rank = (i64, u64);

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
    let mut walk = Walk::begin(snapshot, filter, order, budget);
    let mut left = limit;
    let mut width = 1;
    while left > 0 {
        let wave = walk.next_wave(width, left, budget);
        if walk.spent {
            walk.partial = true;
            break;
        }
        let is_last = walk.pending.is_empty() && wave.is_empty();
        walk.look_through(&wave, left);
        width = (width * 2).min(WAVE_MAX);
        while let Some(found) = walk.next_found() {
            let raw = &found.raw;
            let line = Line::read(raw.strip_suffix(b"\n").unwrap_or(raw), found.ts_ns);
            left -= 1;
            if visit(Hit { seq: found.seq, raw, line: &line }).is_break() || left == 0 {
                return walk.walked();
            }
        }
        if is_last {
            break;
        }
    }
    walk.walked()
}

struct Walk<'a> {
    snapshot: &'a Snapshot,
    filter: &'a Filter,
    order: Order,
    /// The open segments, each with the number of its blocks that are pending; closed
    /// with the last of them.
    parts: Vec<(Option<Part>, usize)>,
    pending: BinaryHeap<Pending>,
    found: Queue,
    reservation: Reservation,
    /// Without memory, found records are visited out of turn until they take no
    /// more than this.
    shrink_to: Option<usize>,
    partial: bool,
    /// Whether the budget is.
    spent: bool,
    starved: bool,
    ordered: bool,
}

impl<'a> Walk<'a> {
    fn begin(snapshot: &'a Snapshot, filter: &'a Filter, order: Order, budget: &Budget) -> Self {
        let mut walk = Self {
            snapshot,
            filter,
            order,
            parts: Vec::new(),
            pending: BinaryHeap::new(),
            found: Queue::default(),
            reservation: budget.memory.reservation(),
            shrink_to: None,
            partial: false,
            spent: false,
            starved: false,
            ordered: true,
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

    const fn walked(&self) -> Walked {
        Walked { partial: self.partial, spent: self.spent, starved: self.starved, ordered: self.ordered }
    }

    /// The next blocks to look through, best first: as many as there is memory for.
    fn next_wave(&mut self, width: usize, wanted: usize, budget: &Budget) -> Vec<(usize, usize)> {
        let mut wave = Vec::new();
        let mut needs = Needs { threads: parallel::threads().min(width), ..Needs::default() };
        while wave.len() < width
            && !self.spent
            && let Some(Pending { best, what }) = self.pending.pop()
        {
            self.spent = budget.is_spent();
            match what {
                What::Block(part, at) => {
                    if !self.reserve(needs.add(self.block(part, at), wanted), wave.is_empty()) {
                        self.pending.push(Pending { best, what });
                        break;
                    }
                    wave.push((part, at));
                }
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

    /// Reserves so much beside what has been found. Where even one block is too
    /// much, what has been found has to go first.
    fn reserve(&mut self, needs: usize, is_first: bool) -> bool {
        let len = self.found.cost() + needs;
        if !is_first {
            return self.reservation.try_resize(len);
        }
        let reserved = self.reservation.resize(len, WAIT_MAX);
        if !reserved && self.found.cost() > 0 {
            self.shrink_to = Some(self.found.cost() / 2);
        } else if !reserved {
            tracing::warn!("a search found no memory: log.query_memory is in use by others");
            self.spent = true;
            self.starved = true;
        }
        reserved
    }

    fn block(&self, part: usize, at: usize) -> Option<&Block> {
        self.parts.get(part)?.0.as_ref()?.reading().blocks().get(at)
    }

    fn expand(&mut self, part: Part) {
        let number = self.parts.len();
        let mut blocks = 0;
        for (at, block) in part.candidates(self.filter) {
            let best = self.order.best(part.times(at, block), (block.first_seq, block.last_seq()));
            self.pending.push(Pending { best, what: What::Block(number, at) });
            blocks += 1;
        }
        self.parts.push((Some(part).filter(|_| blocks > 0), blocks));
    }

    fn look_through(&mut self, wave: &[(usize, usize)], wanted: usize) {
        let (parts, filter, order, found) = (&self.parts, self.filter, self.order, &self.found);
        let results = parallel::map(wave, |(part, at), text| {
            let mut places = Vec::new();
            let part = parts.get(*part).and_then(|(part, _)| part.as_ref());
            let visited = part.map_or(Ok(()), |part| {
                part.visit(*at, filter, text, |seq, start, line| {
                    let rank = order.rank(line.ts_ns, seq);
                    if found.admits(rank) {
                        places.push((rank, seq, line.ts_ns, start));
                    }
                })
            });
            if places.len() > wanted {
                places.select_nth_unstable_by(wanted, |a, b| b.cmp(a));
                places.truncate(wanted);
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
            self.found.extend(found, wanted);
        }
        for (part, _) in wave {
            if let Some((part, blocks)) = self.parts.get_mut(*part) {
                *blocks -= 1;
                if *blocks == 0 {
                    *part = None;
                }
            }
        }
        self.reservation.hold(self.found.cost());
        if self.found.cost() > WAITING_MAX {
            self.shrink_to = Some(WAITING_MAX / 2);
        }
    }

    /// The next record in order, if no block that is left can hold an earlier one.
    fn next_found(&mut self) -> Option<Found> {
        let best = self.found.best()?;
        if self.pending.peek().is_some_and(|pending| pending.best > best) {
            // It is not due.
            if self.shrink_to.is_none_or(|len| self.found.cost() <= len) {
                self.shrink_to = None;
                return None;
            }
            self.partial = true;
            self.ordered = false;
        }
        self.found.pop()
    }
}

/// What a wave of blocks takes.
#[derive(Default)]
struct Needs {
    threads: usize,
    /// The largest block, as it is stored and unpacked.
    buffer: usize,
    /// Records that may be found.
    found: usize,
}

impl Needs {
    /// Adds a block of which the `wanted` best records may be found: what the wave takes with it.
    fn add(&mut self, block: Option<&Block>, wanted: usize) -> usize {
        if let Some(block) = block {
            let records = usize::try_from(block.records).unwrap_or(usize::MAX).max(1);
            self.buffer = self.buffer.max(block.len + block.stored_len);
            self.found += wanted.min(records).saturating_mul(cost(block.len / records));
        }
        self.threads * self.buffer + self.found
    }
}
