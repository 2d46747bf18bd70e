//! The writing thread: what waits is committed at once.

use super::failure::{is_full, is_sync};
use super::{Answer, NO_SPACE, Settle, Write};
use crate::runtime::health::Board;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;
use tokio::runtime::Handle;

/// Writes in one commit.
const BATCH_MAX: usize = 1024;
/// While commits fail, the time between two tries.
const RETRY: Duration = Duration::from_secs(2);

/// Why a commit did not succeed.
#[derive(Debug, thiserror::Error)]
enum CommitError {
    /// SQLite ended the transaction in the middle of a write.
    #[error("the disk is full or failed, and the transaction was rolled back")]
    RolledBack,
    /// The database.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

/// Commits what waits until the queue is closed. `failing` says that the last
/// commit failed.
pub fn write_loop(
    connection: &mut Connection,
    queue: &Receiver<Write>,
    health: &Board,
    runtime: &Handle,
    mut failing: bool,
) {
    loop {
        let first = match queue.recv_timeout(RETRY) {
            Ok(first) => Some(first),
            // While commits fail, one for trial shows when they no longer do.
            Err(RecvTimeoutError::Timeout) if failing => None,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let mut settles = Vec::new();
        let result = match first {
            Some(first) => {
                let batch = std::iter::once(first).chain(queue.try_iter().take(BATCH_MAX - 1));
                commit(connection, batch, &mut settles)
            }
            None => try_out(connection).map_err(CommitError::from),
        };
        match &result {
            Err(error) => {
                if !failing {
                    tracing::error!("commit failed: {error}");
                }
                match error {
                    // Never tried again: the kernel may call lost pages clean.
                    CommitError::Sqlite(error) if is_sync(error) => {
                        health.fail_for_good("store", format!("the disk failed: {error}"));
                    }
                    CommitError::Sqlite(error) if is_full(error) => health.fail("store", NO_SPACE),
                    error => health.fail("store", error.to_string()),
                }
            }
            Ok(()) if failing => {
                tracing::info!("commits succeed again");
                health.pass("store");
            }
            Ok(()) => {}
        }
        failing = result.is_err();
        let answers: Vec<Answer> = settles.into_iter().map(|settle| settle(result.is_ok())).collect();
        // From this thread each answer would wake a thread of the runtime by a
        // system call of its own; from inside it costs nothing.
        runtime.spawn(async move { answers.into_iter().for_each(|answer| answer()) });
    }
}

/// A commit that changes nothing, and yet writes a page: one without any would
/// succeed on a full disk.
pub fn try_out(connection: &Connection) -> rusqlite::Result<()> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    connection.pragma_update(None, "user_version", version)
}

/// Runs a batch in one transaction. A write that cannot even begin is dropped,
/// which its caller learns from the closed channel.
fn commit(
    connection: &mut Connection,
    batch: impl Iterator<Item = Write>,
    settles: &mut Vec<Settle>,
) -> Result<(), CommitError> {
    let transaction = match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(transaction) => transaction,
        Err(error) => {
            batch.for_each(drop);
            return Err(error.into());
        }
    };
    let mut failed = None;
    for write in batch {
        if failed.is_none() {
            failed = run(&transaction, write, settles).err();
        }
    }
    match failed {
        None => Ok(transaction.commit()?),
        Some(error) => Err(error),
    }
}

/// Runs one write in a savepoint. Its own error is its own affair; an error
/// here ends the whole transaction.
fn run(transaction: &Transaction, write: Write, settles: &mut Vec<Settle>) -> Result<(), CommitError> {
    let step = |sql: &str| -> Result<(), CommitError> {
        let done = transaction.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
        Ok(done.map(drop)?)
    };
    step("SAVEPOINT write")?;
    let (keep, settle) = write(transaction);
    settles.push(settle);
    if transaction.is_autocommit() {
        // SQLite rolls back everything by itself when the disk is full or fails:
        // nothing that follows may pass for a part of this transaction.
        return Err(CommitError::RolledBack);
    }
    if !keep {
        step("ROLLBACK TO write")?;
    }
    step("RELEASE write")
}
