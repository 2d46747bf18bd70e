//! The bytes that all searches together may hold.
//!
//! A search reserves what it is about to hold and gives it back as it lets go.
//! When all is reserved, a search waits for others, and not for long: what it
//! cannot get it does without, and its answer is partial.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// For how long a search waits for others to give memory back.
pub const WAIT_MAX: Duration = Duration::from_secs(2);

/// The budget of all searches.
#[derive(Debug)]
pub struct QueryMemory {
    max: usize,
    reserved: Mutex<usize>,
    given_back: Condvar,
}

impl QueryMemory {
    /// A budget of so many bytes.
    pub fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, reserved: Mutex::default(), given_back: Condvar::new() })
    }

    /// A reservation of nothing yet.
    pub fn reservation(self: &Arc<Self>) -> Reservation {
        Reservation { memory: Arc::clone(self), len: 0 }
    }

    #[cfg(test)]
    fn reserved(&self) -> usize {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.reserved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A search's share, given back when it is dropped.
#[derive(Debug)]
pub struct Reservation {
    memory: Arc<QueryMemory>,
    len: usize,
}

impl Reservation {
    /// Reserves `len` bytes in all. More than before is had only if the budget has
    /// room for it.
    #[must_use]
    pub fn try_resize(&mut self, len: usize) -> bool {
        let mut reserved = self.memory.lock();
        let others = *reserved - self.len;
        if len > self.len && others.saturating_add(len) > self.memory.max {
            return false;
        }
        *reserved = others + len;
        drop(reserved);
        if len < self.len {
            self.memory.given_back.notify_all();
        }
        self.len = len;
        true
    }

    /// As [`Self::try_resize`], but waits for others to give back what is missing.
    #[must_use]
    pub fn resize(&mut self, len: usize, wait_max: Duration) -> bool {
        let until = Instant::now() + wait_max;
        while !self.try_resize(len) {
            let left = until.saturating_duration_since(Instant::now());
            // What can never be had is not waited for.
            if left.is_zero() || len > self.memory.max {
                return false;
            }
            let has_room = |reserved: &mut usize| *reserved - self.len + len > self.memory.max;
            let waited = self.memory.given_back.wait_timeout_while(self.memory.lock(), left, has_room);
            drop(waited);
        }
        true
    }

    /// Reserves what is held already, whether or not the budget has room for it.
    pub fn hold(&mut self, len: usize) {
        let mut reserved = self.memory.lock();
        *reserved = *reserved - self.len + len;
        drop(reserved);
        if len < self.len {
            self.memory.given_back.notify_all();
        }
        self.len = len;
    }

    /// The bytes reserved.
    pub const fn len(&self) -> usize {
        self.len
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.hold(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reservations_share_the_budget_and_give_it_back() {
        let memory = QueryMemory::new(100);
        let (mut one, mut other) = (memory.reservation(), memory.reservation());
        assert!(one.try_resize(60) && other.try_resize(40));
        assert!(!other.try_resize(41) && !other.resize(41, Duration::ZERO));
        assert_eq!((memory.reserved(), other.len()), (100, 40));
        assert!(one.try_resize(10) && other.try_resize(90) && !one.try_resize(11));
        other.hold(200);
        assert!(one.try_resize(5), "less can always be had");
        drop(other);
        assert!(one.try_resize(100));
        drop(one);
        assert_eq!(memory.reserved(), 0);
    }

    #[test]
    fn a_search_waits_until_another_gives_memory_back() {
        let memory = QueryMemory::new(100);
        let (mut one, mut other) = (memory.reservation(), memory.reservation());
        assert!(one.try_resize(100));
        let waiting = std::thread::spawn(move || other.resize(50, Duration::from_secs(60)));
        one.hold(50);
        assert!(waiting.join().unwrap());
        assert!(!memory.reservation().resize(101, Duration::from_secs(60)), "this can never be had");
    }
}
