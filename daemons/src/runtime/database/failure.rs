//! What an error of SQLite means.

use crate::runtime::health::Board;
use rusqlite::{Error, ErrorCode, ffi};
use std::time::{Duration, Instant};

/// Reads count as failing until this time has passed without a failure: a
/// damaged page fails only those who need it.
const READS_FAIL_FOR: Duration = Duration::from_secs(60);

/// An error of an operation that may be one of the database itself.
pub trait StoreFailure {
    /// The database's error, if it is one.
    fn store(&self) -> Option<&Error>;
}

impl StoreFailure for Error {
    fn store(&self) -> Option<&Error> {
        Some(self)
    }
}

fn code(error: &Error) -> Option<ffi::Error> {
    match error {
        Error::SqliteFailure(error, _) | Error::SqlInputError { error, .. } => Some(*error),
        _ => None,
    }
}

/// An fsync failed: the kernel may have dropped what it could not write, and it
/// does not report that a second time.
pub fn is_sync(error: &Error) -> bool {
    code(error).is_some_and(|error| {
        [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_DIR_FSYNC].contains(&error.extended_code)
    })
}

/// There is no space. SQLite also needs some for its `-wal` and `-shm`.
pub fn is_full(error: &Error) -> bool {
    code(error).is_some_and(|error| {
        error.code == ErrorCode::DiskFull || error.extended_code == ffi::SQLITE_IOERR_SHMSIZE
    })
}

/// The file is damaged.
pub fn is_damage(error: &Error) -> bool {
    code(error)
        .is_some_and(|error| matches!(error.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// A table or a column is not what this version makes: the schema is damaged.
pub fn is_of_schema(error: &Error) -> bool {
    code(error).is_some_and(|error| error.extended_code == ffi::SQLITE_ERROR)
}

/// The file or the disk is at fault, not what was asked.
pub fn is_of_store(error: &Error) -> bool {
    code(error).is_some_and(|error| {
        matches!(
            error.code,
            ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::DiskFull
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
        )
    })
}

/// A value in a row is not what its column is to hold; other rows can be read.
pub fn is_of_row(error: &Error) -> bool {
    matches!(
        error,
        Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..)
    )
}

/// Whether reads succeed, for `/health`.
#[derive(Default)]
pub struct Reads {
    failed: Option<Instant>,
}

impl Reads {
    /// Takes in how a read went.
    pub fn note(&mut self, failure: Option<&Error>, health: &Board) {
        match failure.filter(|error| is_of_store(error) || is_of_row(error)) {
            Some(error) => {
                if self.failed.is_none() {
                    tracing::error!("the database cannot be read: {error}");
                }
                self.failed = Some(Instant::now());
                health.fail("reads", format!("the database cannot be read: {error}"));
            }
            None if self.failed.is_some_and(|failed| failed.elapsed() > READS_FAIL_FOR) => {
                self.failed = None;
                health.pass("reads");
            }
            None => {}
        }
    }
}
