//! What a failure of the disk means for what is acknowledged.

use std::io::{self, ErrorKind};

/// Why something was not put on disk.
#[derive(Debug)]
pub enum Fault {
    /// No space; everything is as it was, and it may work later.
    Full,
    /// A file could not be opened, made or renamed; everything is as it was.
    Later(io::Error),
    /// It is not known what is on disk.
    Broken(io::Error),
}

impl Fault {
    /// Of a write: without space nothing is lost, for what was written is cut
    /// off again.
    pub fn of_write(error: io::Error) -> Self {
        if is_full(&error) { Self::Full } else { Self::Broken(error) }
    }

    /// Of a step before anything was written.
    pub fn of_opening(error: io::Error) -> Self {
        if is_full(&error) { Self::Full } else { Self::Later(error) }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}
