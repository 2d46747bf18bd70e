//! The share of good probes over the last day, kept in sums of ten minutes:
//! what a service did is never computed from its probes.

use chrono::{DateTime, Utc};
use std::collections::VecDeque;

/// Seconds in one sum.
pub const BUCKET_S: i64 = 600;
/// Sums in a day.
const BUCKETS: i64 = 86_400 / BUCKET_S;

/// The probes of ten minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Which ten minutes, counted from 1970.
    pub number: i64,
    /// Probes that went well.
    pub good: u64,
    /// All probes.
    pub total: u64,
}

/// The sums of one service, oldest first: a day's, and no more.
#[derive(Debug, Clone, Default)]
pub struct Uptime(VecDeque<Bucket>);

impl Uptime {
    /// Takes up a sum that was stored; they come oldest first.
    pub fn restore(&mut self, bucket: Bucket) {
        self.0.push_back(bucket);
    }

    /// Counts one probe, and tells the sum that it is part of.
    pub fn count(&mut self, good: bool, now: DateTime<Utc>) -> Bucket {
        let number = bucket_of(now);
        self.0.retain(|bucket| bucket.number > number - BUCKETS);
        // A clock that was set back counts into the newest sum.
        match self.0.back_mut() {
            Some(last) if last.number >= number => {
                last.good += u64::from(good);
                last.total += 1;
                *last
            }
            _ => {
                let bucket = Bucket { number, good: u64::from(good), total: 1 };
                self.0.push_back(bucket);
                bucket
            }
        }
    }

    /// The share of good probes, 0 to 1; none when there was no probe.
    pub fn share(&self, now: DateTime<Utc>) -> Option<f64> {
        let before = before_a_day(now);
        share(self.0.iter().filter(|bucket| bucket.number > before))
    }
}

/// The share of good probes of some sums, 0 to 1; none when there was no probe.
#[expect(clippy::cast_precision_loss, reason = "a share needs no more than 52 bits")]
pub fn share<'a>(buckets: impl Iterator<Item = &'a Bucket>) -> Option<f64> {
    let (good, total) = buckets.fold((0, 0), |(good, total), b| (good + b.good, total + b.total));
    (total > 0).then(|| good as f64 / total as f64)
}

/// The ten minutes before those over which the share is drawn.
pub fn before_a_day(now: DateTime<Utc>) -> i64 {
    bucket_of(now) - BUCKETS
}

/// The ten minutes that a moment is part of.
pub fn bucket_of(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(BUCKET_S)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn it_is_the_share_of_good_probes_over_one_day() {
        let (mut uptime, start) = (Uptime::default(), Utc::now());
        assert_eq!(uptime.share(start), None);
        for (hours, good) in [(0, false), (20, true), (23, true), (23, false)] {
            uptime.count(good, start + TimeDelta::hours(hours));
        }
        assert_eq!(uptime.share(start + TimeDelta::hours(23)), Some(0.5));
        // The failure of the first hour is more than a day ago.
        assert_eq!(uptime.share(start + TimeDelta::hours(25)), Some(2.0 / 3.0));
        assert_eq!(uptime.share(start + TimeDelta::hours(60)), None);
    }
}
