//! How many calls may be repeated: pure. Where everybody fails, repeating every
//! call would double the load of those who can bear it least. One call in five
//! may be, and one a second besides; what is not used is saved up, to a bound.

use std::time::Instant;

/// What every call adds: one in five may be repeated.
const PER_CALL: f64 = 0.2;
/// What every second adds, so that one who calls seldom may repeat too.
const PER_SECOND: f64 = 1.0;
/// What is there at the start.
const AT_FIRST: f64 = 10.0;
/// The most that is saved up.
const SAVED_MAX: f64 = 100.0;

/// What is left of the calls that may be repeated.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    left: f64,
    at: Instant,
}

impl Budget {
    /// What there is before the first call.
    pub const fn new(now: Instant) -> Self {
        Self { left: AT_FIRST, at: now }
    }

    /// A call is made.
    pub fn earn(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + PER_CALL + seconds * PER_SECOND).min(SAVED_MAX);
        self.at = now;
    }

    /// Whether one may be repeated; it is counted then.
    pub fn spend(&mut self) -> bool {
        let may = self.left >= 1.0;
        if may {
            self.left -= 1.0;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn one_call_in_five_may_be_repeated_once_what_was_saved_is_spent() {
        let now = Instant::now();
        let mut budget = Budget::new(now);
        let mut spend = |calls: u32| {
            (0..calls)
                .filter(|_| {
                    budget.earn(now);
                    budget.spend()
                })
                .count()
        };
        spend(100);
        assert!((199..=201).contains(&spend(1_000)));
        let mut budget = Budget::new(now);
        budget.earn(now + Duration::from_secs(3_600));
        assert_eq!((0..1_000).filter(|_| budget.spend()).count(), 100, "savings are bounded");
    }
}
