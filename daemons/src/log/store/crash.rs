//! Places where a process may die or a step fail, for tests that let it happen
//! at each of them.
//!
//! A process that is killed leaves the files exactly as they are at that moment;
//! so does a test whose work unwinds from there, and that then looks at a copy
//! of them.

use std::io;

/// Goes on; in a test that says so, dies or fails here.
#[cfg(not(test))]
#[expect(clippy::unnecessary_wraps, reason = "it fails in tests")]
pub const fn point() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub use testing::{fail, point, survive};

#[cfg(test)]
mod testing {
    use super::io;
    use std::cell::Cell;
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

    #[derive(Clone, Copy)]
    enum Fate {
        Die,
        Fail(io::ErrorKind),
    }

    /// How a process that died unwinds.
    struct Died;

    thread_local! {
        static LEFT: Cell<Option<(usize, Fate)>> = const { Cell::new(None) };
    }

    /// Dies or fails when this thread has passed as many points as it may.
    pub fn point() -> io::Result<()> {
        match LEFT.get() {
            None => Ok(()),
            Some((0, Fate::Die)) => resume_unwind(Box::new(Died)),
            Some((0, Fate::Fail(kind))) => {
                LEFT.set(None);
                Err(kind.into())
            }
            Some((left, fate)) => {
                LEFT.set(Some((left - 1, fate)));
                Ok(())
            }
        }
    }

    /// Does `work`, which dies at the point after the first `points`: then there
    /// is no result.
    pub fn survive<T>(points: usize, work: impl FnOnce() -> T) -> Option<T> {
        LEFT.set(Some((points, Fate::Die)));
        let result = catch_unwind(AssertUnwindSafe(work));
        LEFT.set(None);
        match result {
            Ok(result) => Some(result),
            Err(died) if died.is::<Died>() => None,
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Does `work`, in which the step after the first `points` fails, once.
    /// Answers whether it came as far as that.
    pub fn fail(points: usize, kind: io::ErrorKind, work: impl FnOnce()) -> bool {
        LEFT.set(Some((points, Fate::Fail(kind))));
        work();
        LEFT.take().is_none()
    }
}
