//! Counts under keys and steps of time.

use crate::log::limits::{LABELS_LEN_MAX, POINTS_MAX};
use std::collections::{BTreeMap, HashMap};

/// What was counted.
#[derive(Debug, Default)]
pub struct Tally {
    /// All records, those too for which there was no room.
    pub total: u64,
    /// Whether something was not counted, or not under its key.
    pub partial: bool,
    counts: HashMap<Vec<u8>, BTreeMap<i64, u64>>,
    points: usize,
    keys_len: usize,
    is_closed: bool,
}

/// The bytes that a point takes with the maps that it is in.
const POINT_COST: usize = 300;

impl Tally {
    /// Counts so many records more under a key and a step.
    pub fn add(&mut self, key: &[u8], step: i64, records: u64) {
        self.total += records;
        let point = self.counts.get_mut(key).and_then(|points| points.get_mut(&step));
        if let Some(count) = point {
            *count += records;
        } else if !self.is_closed && self.points < POINTS_MAX && self.keys_len < LABELS_LEN_MAX {
            self.points += 1;
            self.keys_len += key.len();
            self.counts.entry(key.to_owned()).or_default().insert(step, records);
        } else {
            self.partial = true;
        }
    }

    /// The bytes that it takes.
    pub const fn cost(&self) -> usize {
        self.points * POINT_COST + self.keys_len
    }

    /// Takes no more keys and steps: what comes under others is in the total alone.
    pub const fn close(&mut self) {
        self.is_closed = true;
    }

    /// Counts what another counted.
    pub fn merge(&mut self, other: Self) {
        self.partial |= other.partial;
        let counted: u64 = other.counts.values().flat_map(BTreeMap::values).sum();
        self.total += other.total - counted;
        for (key, points) in other.counts {
            points.into_iter().for_each(|(step, records)| self.add(&key, step, records));
        }
    }

    /// The counts, in no order.
    pub fn into_counts(self) -> impl Iterator<Item = (Vec<u8>, BTreeMap<i64, u64>)> {
        self.counts.into_iter()
    }
}
