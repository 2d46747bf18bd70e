//! Whether the monitor does its work: probes begin when they are due, and what
//! they find is written. That those who hang wait for each other is part of it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What has been held up for longer than this will not be done.
const LATE_MAX: Duration = Duration::from_secs(30);

/// When what was due, and when something was written.
#[derive(Debug)]
pub struct Pulse(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    /// When the next probe is to be taken from the schedule, if one is.
    next: Option<Instant>,
    /// How many that were taken have not begun, by when they were due.
    waiting: BTreeMap<Instant, usize>,
    written: Instant,
}

impl Pulse {
    /// Nothing is due, and all is written.
    pub fn new(now: Instant) -> Self {
        Self(Mutex::new(Inner { next: None, waiting: BTreeMap::new(), written: now }))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the schedule is to be looked at next.
    pub fn next(&self, due: Option<Instant>) {
        self.inner().next = due;
    }

    /// A probe was due then, and waits to begin for as long as this lives.
    pub fn wait(&self, due: Instant) -> Wait<'_> {
        *self.inner().waiting.entry(due).or_default() += 1;
        Wait { pulse: self, due }
    }

    /// All that there was to write is written.
    pub fn wrote(&self, now: Instant) {
        self.inner().written = now;
    }

    /// Whether all goes on, or what does not.
    ///
    /// # Errors
    /// When something has been held up for too long.
    pub fn check(&self, now: Instant) -> Result<(), String> {
        let inner = self.inner();
        let first = inner.next.into_iter().chain(inner.waiting.keys().next().copied()).min();
        let late = first.map_or(Duration::ZERO, |due| now.saturating_duration_since(due));
        if late > LATE_MAX {
            return Err(format!("a probe has been due for {} s", late.as_secs()));
        }
        let unwritten = now.saturating_duration_since(inner.written);
        if unwritten > LATE_MAX {
            return Err(format!("nothing was written for {} s", unwritten.as_secs()));
        }
        Ok(())
    }
}

/// A probe that was due and has not begun.
#[derive(Debug)]
pub struct Wait<'a> {
    pulse: &'a Pulse,
    due: Instant,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let mut inner = self.pulse.inner();
        if let Some(count) = inner.waiting.get_mut(&self.due) {
            *count -= 1;
            if *count == 0 {
                inner.waiting.remove(&self.due);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stops_when_a_probe_that_is_due_does_not_begin_and_goes_on_when_it_does() {
        let now = Instant::now();
        let late = now + LATE_MAX + Duration::from_secs(1);
        let pulse = Pulse::new(late);
        assert_eq!(pulse.check(late), Ok(()), "where nobody is probed nothing is late");
        pulse.next(Some(late + LATE_MAX * 10));
        assert_eq!(pulse.check(late), Ok(()), "nor where everybody is probed seldom");
        let (first, second) = (pulse.wait(now), pulse.wait(now));
        assert_eq!(pulse.check(now), Ok(()));
        drop(first);
        assert_eq!(pulse.check(late), Err("a probe has been due for 31 s".to_owned()));
        drop(second);
        assert_eq!(pulse.check(late), Ok(()));
        pulse.next(Some(now));
        assert!(pulse.check(late).is_err(), "nobody looks at the schedule");
    }

    #[test]
    fn it_stops_when_nothing_is_written() {
        let now = Instant::now();
        let pulse = Pulse::new(now);
        let late = now + LATE_MAX + Duration::from_secs(1);
        assert!(pulse.check(late).is_err());
        pulse.wrote(late);
        assert_eq!(pulse.check(late), Ok(()));
    }
}
