//! Found records that wait for their turn.

use super::Rank;
use crate::log::limits::LARGE_RECORD;
use std::collections::BinaryHeap;

/// What a record takes beside its line.
const OVERHEAD: usize = 96;
/// Records beyond those wanted before the worst are dropped.
const SLACK: usize = 64;

/// A found record; ordered by rank.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Where it stands in the order.
    pub rank: Rank,
    /// Its sequence.
    pub seq: u64,
    /// Its time.
    pub ts_ns: i64,
    /// Its line, with the line feed.
    pub raw: Box<[u8]>,
}

/// The bytes that a record with a line of this length takes until it is sent: a
/// large one is unescaped and formatted before it leaves.
pub const fn cost(len: usize) -> usize {
    OVERHEAD + if len > LARGE_RECORD { 3 * len } else { len }
}

/// The records that were found and may still be visited, the best first.
#[derive(Default)]
pub struct Queue {
    heap: BinaryHeap<Found>,
    cost: usize,
    floor: Option<Rank>,
}

impl Queue {
    /// Adds records, and drops those that cannot be among the `wanted` best.
    pub fn extend(&mut self, found: Vec<Found>, wanted: usize) {
        for found in found {
            if self.admits(found.rank) {
                self.cost += cost(found.raw.len());
                self.heap.push(found);
            }
        }
        if self.heap.len() > wanted.saturating_add(wanted / 2).saturating_add(SLACK) {
            self.keep_best(wanted);
        }
    }

    /// Whether a record of this rank may be among those wanted.
    pub fn admits(&self, rank: Rank) -> bool {
        self.floor.is_none_or(|floor| rank > floor)
    }

    /// The rank of the best.
    pub fn best(&self) -> Option<Rank> {
        self.heap.peek().map(|found| found.rank)
    }

    /// The bytes that the records take.
    pub const fn cost(&self) -> usize {
        self.cost
    }

    /// Takes the best.
    pub fn pop(&mut self) -> Option<Found> {
        let found = self.heap.pop()?;
        self.cost -= cost(found.raw.len());
        Some(found)
    }

    fn keep_best(&mut self, wanted: usize) {
        let mut all = std::mem::take(&mut self.heap).into_vec();
        if all.len() > wanted {
            all.select_nth_unstable_by(wanted, |a, b| b.cmp(a));
            all.truncate(wanted);
            all.shrink_to(wanted);
        }
        self.floor = all.iter().map(|found| found.rank).min();
        self.cost = all.iter().map(|found| cost(found.raw.len())).sum();
        self.heap = all.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_wanted_come_out_in_order_and_little_more_is_held(
            times in proptest::collection::vec(0..1_000_i64, 1..2_000),
            wanted in 1..100_usize,
        ) {
            let mut queue = Queue::default();
            for (some, seq) in times.chunks(50).zip((0..).step_by(50)) {
                let found = |(ts_ns, seq): (&i64, u64)| {
                    Found { rank: (*ts_ns, seq), seq, ts_ns: *ts_ns, raw: [0; 10].into() }
                };
                queue.extend(some.iter().zip(seq..).map(found).collect(), wanted);
                prop_assert!(queue.heap.len() <= wanted + wanted / 2 + SLACK);
            }
            let mut ranks: Vec<Rank> = times.iter().copied().zip(0..).collect();
            ranks.sort_unstable_by(|a, b| b.cmp(a));
            for rank in ranks.into_iter().take(wanted) {
                prop_assert_eq!(queue.pop().map(|found| found.rank), Some(rank));
            }
            while queue.pop().is_some() {}
            prop_assert_eq!(queue.cost(), 0);
        }
    }
}
