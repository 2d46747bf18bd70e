//! A log that is followed over lost connections: for how long to pause between two
//! tries, and where to go on. The screen and `tail` decide alike.

use shared::client::backoff;
use std::time::Duration;

/// The longest pause between two tries to reach a daemon.
pub(crate) const RETRY_MAX: Duration = Duration::from_secs(3);

/// Where a reader goes on that has reached the log, again or for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resume {
    /// It has read nothing yet: wherever it was asked to begin.
    Begin,
    /// After the last record that it has read.
    After(u64),
    /// The log has begun anew, and its sequences with it: all of it is new. Who
    /// prints it begins with its first record, who shows it with its last.
    Anew,
}

/// Where to go on after what was read last, in a log that has stored so many. A
/// log whose newest record is older than what was read has begun anew.
pub(crate) const fn resume(after: Option<u64>, newest: u64) -> Resume {
    match after {
        None => Resume::Begin,
        Some(after) if after <= newest => Resume::After(after),
        Some(_) => Resume::Anew,
    }
}

/// The pauses between two tries: longer and longer, until one succeeds.
pub(crate) struct Pauses(Box<dyn Iterator<Item = Duration> + Send>);

impl Default for Pauses {
    fn default() -> Self {
        Self(Box::new(backoff(RETRY_MAX)))
    }
}

impl Pauses {
    /// The pause before the next try.
    pub(crate) fn next(&mut self) -> Duration {
        self.0.next().unwrap_or(RETRY_MAX)
    }

    /// A try has succeeded.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_goes_on_after_what_it_has_read_unless_the_log_has_begun_anew() {
        for (after, newest, want) in [
            (None, 0, Resume::Begin),
            (None, 7, Resume::Begin),
            (Some(0), 0, Resume::After(0)),
            (Some(7), 7, Resume::After(7)),
            (Some(7), 9, Resume::After(7)),
            (Some(7), 6, Resume::Anew),
            (Some(1), 0, Resume::Anew),
        ] {
            assert_eq!(resume(after, newest), want, "after {after:?} of {newest}");
        }
    }

    #[test]
    fn pauses_grow_up_to_a_bound_and_begin_again_after_a_success() {
        let mut pauses = Pauses::default();
        let first = pauses.next();
        // With the jitter, each may be up to twice as long.
        assert!((0..50).all(|_| pauses.next() <= 2 * RETRY_MAX));
        assert!(pauses.next() > first);
        pauses.reset();
        assert!(pauses.next() < Duration::from_secs(1));
    }
}
