//! Places where a process may die, for tests that let it die at each of them.
//!
//! A process that is killed leaves the files exactly as they are at that moment;
//! so does a function that returns at once and cleans nothing up.

use std::io;

/// Goes on; in a test that says so, fails as if the process had died here.
#[cfg(not(test))]
#[expect(clippy::unnecessary_wraps, reason = "it fails in tests")]
pub const fn point() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub use testing::{point, survive};

#[cfg(test)]
mod testing {
    use super::io;
    use std::cell::Cell;

    thread_local! {
        static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
    }

    /// Fails when this thread has passed as many points as it may.
    pub fn point() -> io::Result<()> {
        match LEFT.get() {
            None => Ok(()),
            Some(0) => Err(io::Error::other("the process died here")),
            Some(left) => {
                LEFT.set(Some(left - 1));
                Ok(())
            }
        }
    }

    /// Does `work`, which dies at the point after the first `points`.
    pub fn survive<T>(points: usize, work: impl FnOnce() -> T) -> T {
        LEFT.set(Some(points));
        let result = work();
        LEFT.set(None);
        result
    }
}
