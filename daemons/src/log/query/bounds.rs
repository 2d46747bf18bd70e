//! The bounds of a filter in time and sequence.

use super::Filter;
use crate::log::store::Block;

const NS_PER_SECOND: i64 = 1_000_000_000;

/// A place in the order of time: a time, and a sequence among records of one.
type Place = (i64, u64);

/// Between what records lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Not before, in nanoseconds since 1970.
    pub since_ns: i64,
    /// Before.
    pub until_ns: i64,
    /// The sequences: from, and up to but not with.
    pub seqs: (u64, u64),
    /// Times and sequences, in the order of time: after the first, before the
    /// second.
    pub cursors: (Option<Place>, Option<Place>),
}

impl Default for Bounds {
    fn default() -> Self {
        Self { since_ns: i64::MIN, until_ns: i64::MAX, seqs: (0, u64::MAX), cursors: (None, None) }
    }
}

impl Bounds {
    /// Whether a record lies within them.
    pub fn contain(&self, seq: u64, ts_ns: i64) -> bool {
        self.seqs.0 <= seq
            && seq < self.seqs.1
            && self.since_ns <= ts_ns
            && ts_ns < self.until_ns
            && self.cursors.0.is_none_or(|after| (ts_ns, seq) > after)
            && self.cursors.1.is_none_or(|before| (ts_ns, seq) < before)
    }

    /// Whether every record of a block lies within them.
    pub fn cover(&self, block: &Block) -> bool {
        self.cover_all((block.first_seq, block.last_seq()), (block.min_ns, block.max_ns))
    }

    /// Whether every record between these sequences and times, all ends among
    /// them, lies within them.
    pub fn cover_all(&self, seqs: (u64, u64), times: (i64, i64)) -> bool {
        self.cursors == (None, None) && self.contain(seqs.0, times.0) && self.contain(seqs.1, times.1)
    }

    /// Whether a record between these sequences and times, all ends among them,
    /// can lie within them.
    pub fn meet(&self, seqs: (u64, u64), times: (i64, i64)) -> bool {
        seqs.0 < self.seqs.1
            && seqs.1 >= self.seqs.0
            && times.1 >= self.since_ns
            && times.0 < self.until_ns
            && self.cursors.0.is_none_or(|(after, _)| times.1 >= after)
            && self.cursors.1.is_none_or(|(before, _)| times.0 <= before)
    }

    /// Whether some nanosecond of a second lies within the times.
    pub const fn touch_second(&self, second: i64) -> bool {
        self.since_ns.div_euclid(NS_PER_SECOND) <= second
            && second <= self.until_ns.saturating_sub(1).div_euclid(NS_PER_SECOND)
    }

    /// The seconds of which every nanosecond lies within the times.
    pub const fn whole_seconds(&self) -> std::ops::Range<i64> {
        let begun = self.since_ns.rem_euclid(NS_PER_SECOND) > 0;
        self.since_ns.div_euclid(NS_PER_SECOND) + begun as i64..self.until_ns.div_euclid(NS_PER_SECOND)
    }
}

impl Filter {
    /// Only sequences from `from` to before `to`.
    #[must_use]
    pub fn between(mut self, from: u64, to: u64) -> Self {
        self.bounds.seqs = (from, to);
        self
    }
}
