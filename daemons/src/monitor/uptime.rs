//! For how much of the last day a service did well, kept in sums of ten minutes:
//! what it did is never computed from its probes.
//!
//! A probe speaks for the time since the one before it, so that one which fails
//! and is probed again at once is not the worse for it.

use chrono::{DateTime, Utc};
use std::collections::VecDeque;
use std::time::Duration;

/// Seconds in one sum.
pub const BUCKET_S: i64 = 600;
/// Sums in a day.
const BUCKETS: i64 = 86_400 / BUCKET_S;

/// What the probes of ten minutes speak for, over all instances: more time than
/// that passes where there are several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Which ten minutes, counted from 1970.
    pub number: i64,
    /// The milliseconds for which those speak that went well.
    pub good_ms: u64,
    /// Those for which all speak.
    pub total_ms: u64,
}

/// The time for which a probe speaks: that since the one before it, and no more
/// than the usual one between two, for of a time without probes nobody knows. The
/// first speaks for a moment.
pub fn spoken_for_ms(before: Option<DateTime<Utc>>, interval: Duration, now: DateTime<Utc>) -> u64 {
    let since = before.and_then(|before| (now - before).to_std().ok()).unwrap_or_default();
    u64::try_from(since.min(interval).as_millis()).unwrap_or(u64::MAX).max(1)
}

/// The sums of one service, oldest first: a day's, and no more.
#[derive(Debug, Clone, Default)]
pub struct Uptime(VecDeque<Bucket>);

impl Uptime {
    /// Takes up a sum that was stored; they come oldest first.
    pub fn restore(&mut self, bucket: Bucket) {
        self.0.push_back(bucket);
    }

    /// Counts one probe and the time for which it speaks, and tells the sum that it is part of.
    pub fn count(&mut self, good: bool, for_ms: u64, now: DateTime<Utc>) -> Bucket {
        let number = bucket_of(now);
        let good_ms = if good { for_ms } else { 0 };
        self.0.retain(|bucket| bucket.number > number - BUCKETS);
        // A clock that was set back counts into the newest sum.
        match self.0.back_mut() {
            Some(last) if last.number >= number => {
                last.good_ms += good_ms;
                last.total_ms += for_ms;
                *last
            }
            _ => {
                let bucket = Bucket { number, good_ms, total_ms: for_ms };
                self.0.push_back(bucket);
                bucket
            }
        }
    }

    /// The share of the time in which it did well, 0 to 1; none when there was no probe.
    pub fn share(&self, now: DateTime<Utc>) -> Option<f64> {
        let before = before_a_day(now);
        share(self.0.iter().filter(|bucket| bucket.number > before))
    }
}

/// The share of some sums in which it did well, 0 to 1; none when there was no probe.
#[expect(clippy::cast_precision_loss, reason = "a share needs no more than 52 bits")]
pub fn share<'a>(buckets: impl Iterator<Item = &'a Bucket>) -> Option<f64> {
    let (good, total) = buckets.fold((0, 0), |(good, total), b| (good + b.good_ms, total + b.total_ms));
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
    fn it_is_the_share_of_one_day_for_which_probes_speak_that_went_well() {
        let (mut uptime, start) = (Uptime::default(), Utc::now());
        assert_eq!(uptime.share(start), None);
        for (hours, good) in [(0, false), (20, true), (23, true), (23, false)] {
            uptime.count(good, 10_000, start + TimeDelta::hours(hours));
        }
        assert_eq!(uptime.share(start + TimeDelta::hours(23)), Some(0.5));
        // The failure of the first hour is more than a day ago.
        assert_eq!(uptime.share(start + TimeDelta::hours(25)), Some(2.0 / 3.0));
        assert_eq!(uptime.share(start + TimeDelta::hours(60)), None);
    }

    #[test]
    fn a_probe_speaks_for_the_time_since_the_one_before_it() {
        let (now, interval) = (Utc::now(), Duration::from_secs(10));
        let ago = |ms| Some(now - TimeDelta::milliseconds(ms));
        for (before, want) in
            [(None, 1), (ago(10_000), 10_000), (ago(400), 400), (ago(86_400_000), 10_000), (ago(-5), 1)]
        {
            assert_eq!(spoken_for_ms(before, interval, now), want);
        }
    }
}
