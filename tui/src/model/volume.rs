//! How much is logged: records of each minute of the last hour.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde_json::Value;
use shared::wire::log::{Hits, Level};

/// How many minutes are counted.
const MINUTES: usize = 60;

/// The levels as they are told apart, gravest first, and the name of each.
pub const GROUPS: [(&str, Level); 4] =
    [("ERROR", Level::Error), ("WARN", Level::Warn), ("INFO", Level::Info), ("DEBUG", Level::Debug)];

/// Records of each minute, by level.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Volume {
    /// For each of [`GROUPS`] its minutes, oldest first.
    groups: [Vec<u64>; GROUPS.len()],
}

impl Volume {
    /// What the log has counted, for the hour that ends at `now`.
    pub fn new(hits: &Hits, now: DateTime<Utc>) -> Self {
        let mut volume = Self { groups: std::array::from_fn(|_| vec![0; MINUTES]) };
        let minute = TimeDelta::minutes(1);
        let last = now.duration_trunc(minute).unwrap_or(now);
        for series in &hits.series {
            let level = series.by.get("level").and_then(Value::as_str).and_then(|word| word.parse().ok());
            let Some(minutes) = level.and_then(|level| volume.groups.get_mut(group(level))) else { continue };
            for (at, count) in &series.points {
                let back = usize::try_from((last - *at).num_minutes()).ok();
                let slot = back.and_then(|back| (MINUTES - 1).checked_sub(back));
                if let Some(slot) = slot.and_then(|slot| minutes.get_mut(slot)) {
                    *slot = slot.saturating_add(*count);
                }
            }
        }
        volume
    }

    /// Each group's name, level and minutes, oldest first.
    pub fn groups(&self) -> impl Iterator<Item = (&'static str, Level, &[u64])> {
        GROUPS.iter().zip(&self.groups).map(|((name, level), minutes)| (*name, *level, minutes.as_slice()))
    }

    /// All records of the hour.
    pub fn total(&self) -> u64 {
        self.groups.iter().flatten().sum()
    }
}

/// Which of [`GROUPS`] a level belongs to.
const fn group(level: Level) -> usize {
    match level {
        Level::Fatal | Level::Error => 0,
        Level::Warn => 1,
        Level::Info => 2,
        Level::Debug | Level::Trace => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn records_are_counted_by_minute_and_level_and_what_is_older_is_left_out() {
        let hits = json!({"step_seconds": 60, "total": 9, "series": [
            {"by": {"level": "fatal"}, "points": [["2026-11-22T10:42:00Z", 1]]},
            {"by": {"level": "error"}, "points": [["2026-11-22T10:42:00Z", 2], ["2026-11-22T09:43:00Z", 3]]},
            {"by": {"level": "info"}, "points": [["2026-11-22T09:42:00Z", 7], ["2026-11-22T10:43:00Z", 8]]},
        ]});
        let now = "2026-11-22T10:42:30Z".parse().unwrap();
        let volume = Volume::new(&serde_json::from_value(hits).unwrap(), now);
        let (_, _, errors) = volume.groups().next().unwrap();
        assert_eq!((errors.len(), errors[59], errors[0]), (MINUTES, 3, 3));
        assert_eq!(volume.total(), 6);
    }
}
