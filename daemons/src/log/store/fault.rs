//! What a failure of the disk means for what is acknowledged.

use rustix::io::Errno;
use std::io::{self, ErrorKind};

/// Why something was not put on disk.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// No space; everything is as it was, and it may work later.
    #[error("no space left for the log")]
    Full,
    /// A file could not be opened, made or renamed; everything is as it was.
    #[error("the log cannot be written now: {0}")]
    Later(io::Error),
    /// It is not known what is on disk.
    #[error("the disk failed: {0}")]
    Broken(io::Error),
}

impl Fault {
    /// Of a write: without space nothing is lost, for what was written is cut
    /// off again.
    pub fn of_write(error: io::Error) -> Self {
        if is_full(&error) { Self::Full } else { Self::Broken(error) }
    }

    /// Of a step before anything was written. An error of the disk is one of
    /// syncing a file or a directory, mostly: whether what had been done before is
    /// there is not known, and the kernel does not say so twice.
    pub fn of_opening(error: io::Error) -> Self {
        match error.raw_os_error() {
            _ if is_full(&error) => Self::Full,
            Some(code) if code == Errno::IO.raw_os_error() => Self::Broken(error),
            _ => Self::Later(error),
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_leaves_the_disk_in_doubt_is_for_good() {
        for (error, opening, write) in [
            (Errno::NOSPC, "Full", "Full"),
            (Errno::DQUOT, "Full", "Full"),
            (Errno::MFILE, "Later", "Broken"),
            (Errno::ACCESS, "Later", "Broken"),
            (Errno::IO, "Broken", "Broken"),
        ] {
            let is = |fault: Fault, name: &str| format!("{fault:?}").starts_with(name);
            assert!(is(Fault::of_opening(error.into()), opening), "{error}");
            assert!(is(Fault::of_write(error.into()), write), "{error}");
        }
    }
}
