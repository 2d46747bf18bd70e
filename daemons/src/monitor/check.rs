//! What probes make of one instance: pure.

use crate::runtime::probe::Outcome;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use shared::wire::monitor::{Phase, Status};

/// The longest failure in words, in characters; it may quote an instance's own answer.
const DETAIL_MAX: usize = 300;

/// After how many probes in a row a status flips.
#[derive(Debug, Clone, Copy)]
pub struct Thresholds {
    /// Failures that make an instance unhealthy.
    pub failures: u32,
    /// Successes that make an unhealthy one healthy again.
    pub successes: u32,
    /// For how long an instance that has not been well yet is pending instead of
    /// unhealthy.
    pub grace: TimeDelta,
}

/// What is known of one instance from its probes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Check {
    /// What its probes say of it: never that it is under maintenance or drained.
    pub status: Status,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
    /// When it came, while it has not been well since.
    pub awaited_since: Option<DateTime<Utc>>,
    /// Probes in a row that went as the last one did; negative for failures.
    pub streak: i64,
    /// When the first of them was, if they fail.
    pub failing_since: Option<DateTime<Utc>>,
    /// When the last probe that went well began: it says nothing of what came later.
    pub last_good: Option<DateTime<Utc>>,
    /// Probes ever.
    pub probes: u64,
    /// When it was probed last.
    pub last_check: Option<DateTime<Utc>>,
    /// How long the last probe took, in milliseconds, if it went well.
    pub latency: Option<u64>,
    /// The phase in which the last probe failed.
    pub reason: Option<Phase>,
    /// The failure in words.
    pub detail: Option<String>,
    /// What is well and will not stay so.
    pub warning: Option<String>,
    /// How long the last probe took, in milliseconds, however it went.
    pub took: Option<u64>,
    /// How long the last good one took, in milliseconds.
    pub last_good_latency: Option<u64>,
}

impl Default for Check {
    fn default() -> Self {
        Self {
            status: Status::Unknown,
            since: None,
            awaited_since: None,
            streak: 0,
            failing_since: None,
            last_good: None,
            probes: 0,
            last_check: None,
            latency: None,
            reason: None,
            detail: None,
            warning: None,
            took: None,
            last_good_latency: None,
        }
    }
}

impl Check {
    /// The check of an instance that has just come.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self { awaited_since: Some(now), ..Self::default() }
    }

    /// Until when it cannot become unhealthy, because it has not been well yet.
    pub fn pending_until(&self, thresholds: Thresholds) -> Option<DateTime<Utc>> {
        self.awaited_since?.checked_add_signed(thresholds.grace)
    }

    /// The check after one more probe. The first success makes an unknown or
    /// pending instance healthy; everything else takes a streak.
    #[must_use]
    pub fn after(&self, outcome: &Outcome, thresholds: Thresholds, now: DateTime<Utc>) -> Self {
        let good = outcome.failure.is_none();
        let streak = match (good, self.streak) {
            (true, streak) => streak.max(0).saturating_add(1),
            (false, streak) => streak.min(0).saturating_sub(1),
        };
        let status = match self.status {
            Status::Unknown | Status::Pending if good => Status::Healthy,
            Status::Unhealthy if streak >= i64::from(thresholds.successes) => Status::Healthy,
            Status::Unknown | Status::Pending
                if self.pending_until(thresholds).is_some_and(|until| now < until) =>
            {
                Status::Pending
            }
            Status::Unknown | Status::Pending | Status::Healthy
                if streak <= -i64::from(thresholds.failures) =>
            {
                Status::Unhealthy
            }
            unchanged => unchanged,
        };
        let failure = outcome.failure.as_ref();
        let took = u64::try_from(outcome.latency.as_millis()).unwrap_or(u64::MAX);
        Self {
            status,
            since: if status == self.status { self.since } else { Some(now) },
            awaited_since: if good { None } else { self.awaited_since },
            streak,
            failing_since: if good { None } else { self.failing_since.or(Some(now)) },
            last_good: if good { Some(now - outcome.latency) } else { self.last_good },
            probes: self.probes.saturating_add(1),
            last_check: Some(now),
            latency: good.then_some(took),
            reason: failure.map(|failure| failure.phase),
            detail: failure.map(|failure| failure.detail.chars().take(DETAIL_MAX).collect()),
            warning: outcome.warning.clone(),
            took: Some(took),
            last_good_latency: if good { Some(took) } else { self.last_good_latency },
        }
    }

    /// The check of an instance that is well for no more than that its lease is held.
    #[must_use]
    pub fn held(&self, now: DateTime<Utc>) -> Self {
        Self { status: Status::Healthy, since: Some(now), probes: self.probes, ..Self::default() }
    }

    /// The check of an instance whose lease ran out: nobody heartbeats for it.
    #[must_use]
    pub fn lost(&self, now: DateTime<Utc>) -> Self {
        let since = if self.status == Status::Unhealthy { self.since.or(Some(now)) } else { Some(now) };
        Self {
            status: Status::Unhealthy,
            since,
            failing_since: self.failing_since.or(Some(now)),
            latency: None,
            reason: Some(Phase::Lease),
            detail: Some("its lease expired".to_owned()),
            ..self.clone()
        }
    }

    /// The check of an instance that came back: nothing is known of it but its past.
    #[must_use]
    pub fn returned(&self, now: DateTime<Utc>) -> Self {
        Self { probes: self.probes, last_check: self.last_check, since: Some(now), ..Self::new(now) }
    }

    /// Whether its last probe failed.
    pub const fn is_failing(&self) -> bool {
        self.streak < 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::probe::Failure;
    use std::time::Duration;

    const THRESHOLDS: Thresholds = Thresholds { failures: 3, successes: 2, grace: TimeDelta::zero() };

    fn outcome(good: bool) -> Outcome {
        let failure = (!good).then(|| Failure { phase: Phase::Connect, detail: "refused".to_owned() });
        Outcome { latency: Duration::from_millis(5), failure, warning: None }
    }

    /// The status after each probe: `+` went well, `-` failed; `H`, `U`, `?`.
    fn statuses(probes: &str) -> String {
        let mut check = Check::default();
        probes
            .chars()
            .map(|probe| {
                check = check.after(&outcome(probe == '+'), THRESHOLDS, Utc::now());
                match check.status {
                    Status::Healthy => 'H',
                    Status::Unhealthy => 'U',
                    _ => '?',
                }
            })
            .collect()
    }

    #[test]
    fn a_status_flips_only_after_so_many_in_a_row() {
        for (probes, want) in [
            ("+", "H"),
            ("--+", "??H"),
            ("---", "??U"),
            ("+--+---", "HHHHHHU"),
            ("---+-++", "??UUUUH"),
            ("---++--", "??UUHHH"),
        ] {
            assert_eq!(statuses(probes), want, "{probes}");
        }
    }

    #[test]
    fn since_moves_with_the_status_and_not_with_the_probe() {
        let first = Check::default().after(&outcome(true), THRESHOLDS, Utc::now());
        let later = first.after(&outcome(false), THRESHOLDS, Utc::now() + Duration::from_secs(9));
        assert_eq!(first.since, later.since);
        assert_eq!((later.streak, later.reason, later.latency), (-1, Some(Phase::Connect), None));
    }

    #[test]
    fn what_was_never_well_is_pending_for_the_grace_and_only_then_unhealthy() {
        let start = Utc::now();
        let at = |second| start + TimeDelta::seconds(second);
        let thresholds = Thresholds { grace: TimeDelta::seconds(30), ..THRESHOLDS };
        let probe = |check: &Check, good, second| check.after(&outcome(good), thresholds, at(second));
        let mut check = Check::new(start);
        for second in 0..30 {
            check = probe(&check, false, second);
            assert_eq!((check.status, check.since), (Status::Pending, Some(start)), "{second}");
        }
        assert_eq!(probe(&check, false, 30).status, Status::Unhealthy);
        assert_eq!(probe(&check, true, 30).status, Status::Healthy);
        let mut well = probe(&check, true, 5);
        for second in 6..9 {
            well = probe(&well, false, second);
        }
        assert_eq!(well.status, Status::Unhealthy, "the grace is over once it was well");
    }

    #[test]
    fn an_instance_that_returns_is_healthy_at_its_first_success() {
        let now = Utc::now();
        let back = Check::default().after(&outcome(false), THRESHOLDS, now).lost(now).returned(now);
        assert_eq!((back.status, back.streak, back.probes), (Status::Unknown, 0, 1));
        assert_eq!(back.after(&outcome(true), THRESHOLDS, now).status, Status::Healthy);
    }
}
