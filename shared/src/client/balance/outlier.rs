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
    until: Option<Instant>,
}

impl Outlier {
    /// Whether it is set aside now.
    pub fn is_aside(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// A call did well: all is forgotten.
    pub fn succeed(&mut self) {
        *self = Self::default();
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
            self.until = Some(now + time.min(ASIDE_MAX));
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
        outlier.succeed();
        outlier.fail(false, now);
        assert!(!outlier.is_aside(now));
    }

    #[test]
    fn one_that_takes_no_connections_is_set_aside_at_once() {
        let (mut outlier, now) = (Outlier::default(), Instant::now());
        outlier.fail(true, now);
        assert!(outlier.is_aside(now));
    }
}
