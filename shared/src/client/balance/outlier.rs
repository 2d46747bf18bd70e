//! Setting aside an instance that fails, for a short and growing time: pure.

use std::time::{Duration, Instant};

/// Failures in a row after which an instance is set aside.
const FAILURES_MAX: u32 = 3;
/// For how long it is set aside the first time; twice as long each next time.
const ASIDE_MIN: Duration = Duration::from_secs(1);
/// For how long at most.
const ASIDE_MAX: Duration = Duration::from_secs(60);

/// How an instance has done lately.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outlier {
    failures: u32,
    times: u32,
    aside: Option<Aside>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Aside {
    since: Instant,
    until: Instant,
}

impl Outlier {
    /// Whether it is set aside now.
    pub fn is_aside(&self, now: Instant) -> bool {
        self.aside.is_some_and(|aside| now < aside.until)
    }

    /// A call that began then did well: all is forgotten. One from before it was
    /// set aside says nothing of what has become of it since.
    pub fn succeed(&mut self, began: Instant) {
        if self.aside.is_none_or(|aside| began >= aside.since) {
            *self = Self::default();
        }
    }

    /// A call failed. One that takes no connections is set aside at once.
    pub fn fail(&mut self, refused: bool, now: Instant) {
        // Calls that were under way say nothing new.
        if self.is_aside(now) {
            return;
        }
        self.failures = self.failures.saturating_add(if refused { FAILURES_MAX } else { 1 });
        if self.failures >= FAILURES_MAX {
            let time = ASIDE_MIN.saturating_mul(1_u32.checked_shl(self.times).unwrap_or(u32::MAX));
            self.aside = Some(Aside { since: now, until: now + time.min(ASIDE_MAX) });
            self.times = self.times.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_goes_on_failing_is_set_aside_for_longer_each_time() {
        let (mut outlier, mut now) = (Outlier::default(), Instant::now());
        outlier.fail(false, now);
        outlier.fail(false, now);
        assert!(!outlier.is_aside(now));
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            (0..50).for_each(|_| outlier.fail(false, now));
            assert!(outlier.is_aside(now + Duration::from_millis(seconds * 1_000 - 1)), "{seconds}");
            now += Duration::from_secs(seconds);
            assert!(!outlier.is_aside(now));
        }
        outlier.succeed(now);
        outlier.fail(false, now);
        assert!(!outlier.is_aside(now));
    }

    #[test]
    fn a_late_answer_from_before_does_not_bring_it_back() {
        let (mut outlier, began) = (Outlier::default(), Instant::now());
        let now = began + Duration::from_secs(1);
        outlier.fail(true, now);
        outlier.succeed(began);
        assert!(outlier.is_aside(now));
        outlier.succeed(now);
        assert!(!outlier.is_aside(now), "one that was made since does");
    }

    #[test]
    fn one_that_takes_no_connections_is_set_aside_at_once() {
        let (mut outlier, now) = (Outlier::default(), Instant::now());
        outlier.fail(true, now);
        assert!(outlier.is_aside(now));
    }
}
