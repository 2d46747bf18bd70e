//! Whether a status changes too often to go by: pure.
//!
//! It flaps from the change that is one too many within the window, until it
//! has not changed for a whole window.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// When a status changes too often.
#[derive(Debug, Clone, Copy)]
pub struct FlapRules {
    /// So many changes within the window are not too many; 0: never are there too many.
    pub changes: u32,
    /// The window; and for how long a status must stay to be steady again.
    pub window: TimeDelta,
}

/// The changes of one status; kept on disk as it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Flaps {
    /// The last changes, oldest first: one more than may be within the window.
    changes: VecDeque<DateTime<Utc>>,
    /// Since when it flaps.
    since: Option<DateTime<Utc>>,
}

impl Flaps {
    /// The status changed.
    pub fn changed(&mut self, rules: FlapRules, now: DateTime<Utc>) {
        if rules.changes == 0 {
            return;
        }
        self.changes.push_back(now);
        let allowed = usize::try_from(rules.changes).unwrap_or(usize::MAX);
        while self.changes.len() > allowed.saturating_add(1) {
            self.changes.pop_front();
        }
        let oldest = self.changes.front().copied().unwrap_or(now);
        if self.changes.len() > allowed && now - oldest <= rules.window {
            self.since.get_or_insert(now);
        }
    }

    /// Forgets changes when the last of them is a window ago; whether that ended
    /// the flapping.
    pub fn settle(&mut self, rules: FlapRules, now: DateTime<Utc>) -> bool {
        let steady = self.changes.back().is_none_or(|last| *last + rules.window <= now);
        if steady {
            self.changes.clear();
        }
        steady && self.since.take().is_some()
    }

    /// Since when it flaps, if it does.
    pub const fn since(&self) -> Option<DateTime<Utc>> {
        self.since
    }

    /// When it is steady again if nothing changes until then.
    pub fn steady_at(&self, rules: FlapRules) -> Option<DateTime<Utc>> {
        self.since.and(self.changes.back()).map(|last| *last + rules.window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: FlapRules = FlapRules { changes: 3, window: TimeDelta::seconds(100) };

    /// Whether it flaps after changes at these seconds.
    fn flaps(seconds: &[i64]) -> (Flaps, DateTime<Utc>) {
        let (mut flaps, start) = (Flaps::default(), Utc::now());
        seconds.iter().for_each(|second| flaps.changed(RULES, start + TimeDelta::seconds(*second)));
        (flaps, start)
    }

    #[test]
    fn one_change_too_many_within_the_window_is_flapping() {
        for (seconds, want) in [
            (&[0, 10, 20][..], false),
            (&[0, 10, 20, 30], true),
            (&[0, 50, 90, 101], false),
            (&[0, 50, 90, 101, 120], true),
            (&[0, 10, 20, 30, 500], true),
        ] {
            assert_eq!(flaps(seconds).0.since().is_some(), want, "{seconds:?}");
        }
    }

    #[test]
    fn it_ends_when_nothing_has_changed_for_a_window() {
        let (mut flaps, start) = flaps(&[0, 10, 20, 30]);
        assert!(!flaps.settle(RULES, start + TimeDelta::seconds(129)));
        assert!(flaps.settle(RULES, start + TimeDelta::seconds(130)));
        assert_eq!(flaps, Flaps::default());
    }
}
