//! How much was logged when, and how grave it was: counted by the log, and from
//! then on here where records arrive.

use chrono::{DateTime, Utc};
use shared::wire::log::{Hits, Level};
use std::collections::VecDeque;

/// Into how many parts its time is divided.
pub const PARTS: usize = 60;

/// How grave a count is: what is drawn apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gravity {
    /// Errors, and what is graver.
    Bad,
    /// Warnings.
    Warn,
    /// All the rest.
    Rest,
}

impl Gravity {
    /// All of them, gravest first.
    pub const ALL: [Self; 3] = [Self::Bad, Self::Warn, Self::Rest];

    /// A level's.
    pub const fn of(level: Level) -> Self {
        match level {
            Level::Error | Level::Fatal => Self::Bad,
            Level::Warn => Self::Warn,
            Level::Trace | Level::Debug | Level::Info => Self::Rest,
        }
    }

    /// The level that looks like all of it.
    pub const fn level(self) -> Level {
        match self {
            Self::Bad => Level::Error,
            Self::Warn => Level::Warn,
            Self::Rest => Level::Info,
        }
    }
}

/// Counts of one part, by gravity.
type Part = [u64; Gravity::ALL.len()];

/// Counts of [`PARTS`] parts of time, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    /// The length of a part in seconds.
    step_s: u32,
    /// The number of the first part, counted in parts since 1970.
    first: i64,
    parts: VecDeque<Part>,
    /// Whether something could not be counted.
    pub partial: bool,
}

impl Histogram {
    /// Nothing counted yet, in parts of so many seconds from that of this number on.
    pub fn new(step_s: u32, first: i64) -> Self {
        let parts = VecDeque::from([Part::default(); PARTS]);
        Self { step_s: step_s.max(1), first, parts, partial: false }
    }

    /// What the log has counted, of the time that ends now.
    pub fn until(now: DateTime<Utc>, hits: &Hits) -> Self {
        let mut histogram = Self::new(u32::try_from(hits.step_seconds).unwrap_or(u32::MAX), 0);
        histogram.first = histogram.last_first(now);
        histogram.told(hits);
        histogram
    }

    /// The length of a part in seconds.
    pub const fn step_s(&self) -> u32 {
        self.step_s
    }

    /// The number of the first part, counted in parts since 1970.
    pub const fn first(&self) -> i64 {
        self.first
    }

    /// The number of the part that a second since 1970 is in.
    pub fn number_of(&self, at_s: i64) -> i64 {
        at_s.div_euclid(i64::from(self.step_s))
    }

    /// The number of the first part where the last is now.
    pub fn last_first(&self, now: DateTime<Utc>) -> i64 {
        self.number_of(now.timestamp()) - (PARTS as i64 - 1)
    }

    /// When a part begins.
    pub fn begin_of(&self, part: usize) -> DateTime<Utc> {
        let number = self.first.saturating_add(i64::try_from(part).unwrap_or(i64::MAX));
        let seconds = number.saturating_mul(i64::from(self.step_s));
        DateTime::from_timestamp(seconds, 0).unwrap_or_default()
    }

    /// The part that a second since 1970 is in, where it is shown.
    pub fn part_of(&self, at_s: i64) -> Option<usize> {
        let part = usize::try_from(self.number_of(at_s).saturating_sub(self.first)).ok()?;
        (part < PARTS).then_some(part)
    }

    /// The counts of one gravity, part by part.
    pub fn counts(&self, gravity: Gravity) -> impl Iterator<Item = u64> {
        self.parts.iter().map(move |part| part.get(gravity as usize).copied().unwrap_or(0))
    }

    /// All records.
    pub fn total(&self) -> u64 {
        self.parts.iter().flatten().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Counts a record that arrived.
    pub fn count(&mut self, ts_ns: i64, level: Level) {
        self.add(ts_ns.div_euclid(1_000_000_000), Gravity::of(level), 1);
    }

    fn add(&mut self, at_s: i64, gravity: Gravity, records: u64) {
        let part = self.part_of(at_s).and_then(|part| self.parts.get_mut(part));
        if let Some(count) = part.and_then(|part| part.get_mut(gravity as usize)) {
            *count = count.saturating_add(records);
        }
    }

    /// Takes the log's counts, in series by level, in place of its own.
    pub fn told(&mut self, hits: &Hits) {
        *self = Self { partial: hits.partial, ..Self::new(self.step_s, self.first) };
        for series in &hits.series {
            let level = series.by.get("level").and_then(|level| level.as_str()?.parse().ok());
            let gravity = Gravity::of(level.unwrap_or(Level::Info));
            for (at, records) in &series.points {
                self.add(at.timestamp(), gravity, *records);
            }
        }
    }

    /// Moves by so many parts; those that come into sight are not counted yet.
    pub fn shift(&mut self, by: i64) {
        let shifted = usize::try_from(by.unsigned_abs()).unwrap_or(PARTS).min(PARTS);
        for _ in 0..shifted {
            if by > 0 {
                self.parts.pop_front();
                self.parts.push_back(Part::default());
            } else {
                self.parts.pop_back();
                self.parts.push_front(Part::default());
            }
        }
        self.first = self.first.saturating_add(by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_counted_by_part_and_gravity_and_what_is_older_or_newer_is_left_out() {
        let hits = serde_json::json!({"step_seconds": 60, "total": 9, "partial": true, "series": [
            {"by": {"level": "fatal"}, "points": [["2026-11-22T10:42:00Z", 1]]},
            {"by": {"level": "error"}, "points": [["2026-11-22T10:42:00Z", 2], ["2026-11-22T09:43:00Z", 3]]},
            {"by": {"level": "info"}, "points": [["2026-11-22T09:42:00Z", 7], ["2026-11-22T10:43:00Z", 8]]},
            {"by": {"level": "of a newer log"}, "points": [["2026-11-22T10:00:00Z", u64::MAX]]},
        ]});
        let now = "2026-11-22T10:42:30Z".parse().unwrap();
        let mut histogram = Histogram::until(now, &serde_json::from_value(hits).unwrap());
        let bad: Vec<u64> = histogram.counts(Gravity::Bad).collect();
        assert_eq!((bad.len(), bad[59], bad[0]), (PARTS, 3, 3));
        assert_eq!(histogram.counts(Gravity::Rest).max(), Some(u64::MAX));
        assert_eq!(histogram.total(), u64::MAX, "as far as one can count");
        assert!(histogram.partial);
        histogram.shift(1);
        assert_eq!(histogram.counts(Gravity::Bad).sum::<u64>(), 3, "the first part has gone");
        assert_eq!(histogram.begin_of(PARTS - 1), "2026-11-22T10:43:00Z".parse::<DateTime<Utc>>().unwrap());
    }
}
