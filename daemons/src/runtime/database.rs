//! SQLite with threads of its own and group commit.
//!
//! One thread writes: it takes all writes that wait, runs each in a savepoint
//! of one transaction, commits once (`synchronous=FULL`: one fsync of the
//! write-ahead log), and only then lets anyone know how theirs went. One thread
//! reads, on a connection that cannot write. Both queues are bounded: when one
//! is full, the caller is told so.

use super::StartError;
use super::error::ApiError;
use super::health::Board;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::fmt::Display;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Writes, and reads, that may wait.
const QUEUE_MAX: usize = 4096;
/// Writes in one commit.
const BATCH_MAX: usize = 1024;
/// While commits fail, the time between two tries.
const RETRY: Duration = Duration::from_secs(2);

/// Why a write or a read did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError<E> {
    /// The operation itself said no; nothing was changed.
    #[error(transparent)]
    Operation(E),
    /// Too many wait already.
    #[error("the store is busy")]
    Busy,
    /// The commit failed, or the database is closed; nothing was changed.
    #[error("the store cannot write now")]
    Unavailable,
}

impl<E: Into<ApiError>> From<DatabaseError<E>> for ApiError {
    fn from(error: DatabaseError<E>) -> Self {
        match error {
            DatabaseError::Operation(error) => error.into(),
            DatabaseError::Busy => Self::unavailable("too many requests wait for the store", 1),
            DatabaseError::Unavailable => {
                Self::unavailable("the store cannot be used now; the daemon's diagnostics say why", 5)
            }
        }
    }
}

impl From<rusqlite::Error> for ApiError {
    fn from(error: rusqlite::Error) -> Self {
        Self::internal(error)
    }
}

/// What a write does once it is known whether the commit held; and the answer
/// that it then gives.
type Settle = Box<dyn FnOnce(bool) -> Answer + Send>;
type Answer = Box<dyn FnOnce() + Send>;
/// A write: whether it wants to be kept, and what follows.
type Write = Box<dyn FnOnce(&Connection) -> (bool, Settle) + Send>;
type Read = Box<dyn FnOnce(&Connection) + Send>;

/// A database file. Cheap to clone; closed by [`Database::close`].
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    writes: Mutex<Option<SyncSender<Write>>>,
    reads: Mutex<Option<SyncSender<Read>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Database {
    /// Opens or makes the file, and brings its tables to what `migrations` say:
    /// each is run once, in order, and its number is kept as `user_version`.
    ///
    /// # Errors
    /// When the file cannot be used, or was written by a later version.
    pub fn open(path: &Path, migrations: &[&str], health: Arc<Board>) -> Result<Self, StartError> {
        let cannot = |e: &dyn Display| StartError::path("cannot use the database", path, e);
        let mut writer = Connection::open(path).map_err(|e| cannot(&e))?;
        writer
            .execute_batch(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; \
                 PRAGMA busy_timeout=5000; PRAGMA cache_size=-2048;",
            )
            .map_err(|e| cannot(&e))?;
        migrate(&mut writer, migrations).map_err(|e| cannot(&e))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let reader = Connection::open_with_flags(path, flags).map_err(|e| cannot(&e))?;
        reader.execute_batch("PRAGMA busy_timeout=5000; PRAGMA cache_size=-2048;").map_err(|e| cannot(&e))?;

        let (writes, queued_writes) = sync_channel(QUEUE_MAX);
        let (reads, queued_reads) = sync_channel::<Read>(QUEUE_MAX);
        health.pass("store");
        let runtime = Handle::current();
        let reading = Arc::clone(&health);
        let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new().name(name.to_owned()).spawn(work).map_err(|e| cannot(&e))
        };
        let threads = vec![
            spawn(
                "db-write",
                Box::new(move || {
                    health.watch("store", || write_loop(&mut writer, &queued_writes, &health, &runtime))
                }),
            )?,
            // A part of its own: a commit that succeeds says nothing of reading.
            spawn(
                "db-read",
                Box::new(move || {
                    reading.watch("reads", || queued_reads.iter().for_each(|read| read(&reader)))
                }),
            )?,
        ];
        Ok(Self(Arc::new(Inner {
            writes: Mutex::new(Some(writes)),
            reads: Mutex::new(Some(reads)),
            threads: Mutex::new(threads),
        })))
    }

    /// Runs `operation` in a transaction, and answers when it is on disk.
    /// Operations run in the order in which they are called here.
    ///
    /// # Errors
    /// What the operation says; or that nothing can be written now.
    pub async fn write<T, E>(
        &self,
        operation: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, DatabaseError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        self.write_then(operation, |result| result).await
    }

    /// As [`Database::write`]; `then` runs on the writing thread once it is
    /// known how the commit went, in the order of the operations and before
    /// anyone is answered. It must not block.
    ///
    /// # Errors
    /// What `then` answers; or that nothing can be written now.
    pub async fn write_then<T, E, R>(
        &self,
        operation: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        then: impl FnOnce(Result<T, DatabaseError<E>>) -> Result<R, DatabaseError<E>> + Send + 'static,
    ) -> Result<R, DatabaseError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        R: Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let write: Write = Box::new(move |connection| {
            let result = operation(connection);
            let keep = result.is_ok();
            let settle: Settle = Box::new(move |committed| {
                let result = match result {
                    Ok(_) if !committed => Err(DatabaseError::Unavailable),
                    Ok(value) => Ok(value),
                    Err(error) => Err(DatabaseError::Operation(error)),
                };
                let result = then(result);
                Box::new(move || drop(answer.send(result)))
            });
            (keep, settle)
        });
        send(&self.0.writes, write)?;
        answered.await.unwrap_or(Err(DatabaseError::Unavailable))
    }

    /// Runs `operation` on what has been committed.
    ///
    /// # Errors
    /// What the operation says; or that the database is busy or closed.
    pub async fn read<T, E>(
        &self,
        operation: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, DatabaseError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let read: Read = Box::new(move |connection| {
            let _ = answer.send(operation(connection).map_err(DatabaseError::Operation));
        });
        send(&self.0.reads, read)?;
        answered.await.unwrap_or(Err(DatabaseError::Unavailable))
    }

    /// Finishes what is queued and closes the file: the reader first, for only a
    /// connection that can write folds the write-ahead log into the file.
    pub async fn close(self) {
        let joined = tokio::task::spawn_blocking(move || {
            let inner = &self.0;
            // The reader's thread was started last.
            let join_last = || {
                let thread = inner.threads.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let _ = thread.map(JoinHandle::join);
            };
            drop(inner.reads.lock().unwrap_or_else(PoisonError::into_inner).take());
            join_last();
            drop(inner.writes.lock().unwrap_or_else(PoisonError::into_inner).take());
            join_last();
        });
        let _ = joined.await;
    }
}

fn send<J, E>(queue: &Mutex<Option<SyncSender<J>>>, job: J) -> Result<(), DatabaseError<E>> {
    let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    let queue = queue.as_ref().ok_or(DatabaseError::Unavailable)?;
    queue.try_send(job).map_err(|error| match error {
        TrySendError::Full(_) => DatabaseError::Busy,
        TrySendError::Disconnected(_) => DatabaseError::Unavailable,
    })
}

fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<(), String> {
    let version: i64 =
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(|e| e.to_string())?;
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    if done > migrations.len() {
        return Err(format!(
            "it was written by a later version of distlogd (schema {version}, known up to {})",
            migrations.len()
        ));
    }
    for (number, migration) in migrations.iter().enumerate().skip(done) {
        let step = |transaction: &Transaction| {
            transaction.execute_batch(migration)?;
            transaction.pragma_update(None, "user_version", i64::try_from(number).unwrap_or(i64::MAX) + 1)
        };
        let transaction = connection.transaction().map_err(|e| e.to_string())?;
        step(&transaction).and_then(|()| transaction.commit()).map_err(|e| e.to_string())?;
    }
    Ok(())
}

fn write_loop(connection: &mut Connection, queue: &Receiver<Write>, health: &Board, runtime: &Handle) {
    let mut failing = false;
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
            None => try_out(connection).map_err(|error| error.to_string()),
        };
        match &result {
            Err(error) => {
                if !failing {
                    tracing::error!("commit failed: {error}");
                }
                health.fail("store", error.clone());
            }
            Ok(()) if failing => health.pass("store"),
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
fn try_out(connection: &Connection) -> rusqlite::Result<()> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    connection.pragma_update(None, "user_version", version)
}

/// Runs a batch in one transaction. A write that cannot even begin is dropped,
/// which its caller learns from the closed channel.
fn commit(
    connection: &mut Connection,
    batch: impl Iterator<Item = Write>,
    settles: &mut Vec<Settle>,
) -> Result<(), String> {
    let transaction = match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(transaction) => transaction,
        Err(error) => {
            batch.for_each(drop);
            return Err(error.to_string());
        }
    };
    let mut failed = None;
    for write in batch {
        if failed.is_none() {
            failed = run(&transaction, write, settles).err();
        }
    }
    match failed {
        None => transaction.commit().map_err(|error| error.to_string()),
        Some(error) => Err(error),
    }
}

/// Runs one write in a savepoint. Its own error is its own affair; an error
/// here ends the whole transaction.
fn run(transaction: &Transaction, write: Write, settles: &mut Vec<Settle>) -> Result<(), String> {
    let step = |sql: &str| -> Result<(), String> {
        let done = transaction.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
        done.map(drop).map_err(|error| error.to_string())
    };
    step("SAVEPOINT write")?;
    let (keep, settle) = write(transaction);
    settles.push(settle);
    if transaction.is_autocommit() {
        // SQLite rolls back everything by itself when the disk is full or fails:
        // nothing that follows may pass for a part of this transaction.
        return Err("the disk is full or failed, and the transaction was rolled back".to_owned());
    }
    if !keep {
        step("ROLLBACK TO write")?;
    }
    step("RELEASE write")
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::daemon::Daemon;

    const TABLE: &[&str] = &["CREATE TABLE t (n INTEGER PRIMARY KEY)"];

    fn open(path: &Path) -> Result<Database, StartError> {
        Database::open(path, TABLE, Arc::new(Board::new(Daemon::Library)))
    }

    async fn insert(database: &Database, n: i64) -> Result<(), DatabaseError<rusqlite::Error>> {
        database.write(move |c| c.execute("INSERT INTO t VALUES (?1)", [n]).map(drop)).await
    }

    #[tokio::test]
    async fn a_write_that_fails_leaves_the_others_of_its_commit_alone() {
        let dir = tempfile::tempdir().unwrap();
        let database = open(&dir.path().join("t.db")).unwrap();
        let (a, b, c) = tokio::join!(insert(&database, 1), insert(&database, 1), insert(&database, 2));
        assert_eq!([a.is_ok(), b.is_ok(), c.is_ok()], [true, false, true]);
        let count: i64 =
            database.read(|c| c.query_row("SELECT count(*) FROM t", [], |row| row.get(0))).await.unwrap();
        assert_eq!(count, 2);
        database.close().await;
    }

    #[tokio::test]
    async fn what_was_answered_is_there_after_opening_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.db");
        let database = open(&path).unwrap();
        insert(&database, 7).await.unwrap();
        database.close().await;
        let database = open(&path).unwrap();
        let n: i64 = database.read(|c| c.query_row("SELECT n FROM t", [], |row| row.get(0))).await.unwrap();
        assert_eq!(n, 7);
    }

    #[test]
    fn a_commit_for_trial_reaches_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let mut connection = Connection::open(dir.path().join("t.db")).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        migrate(&mut connection, TABLE).unwrap();
        let written = || std::fs::metadata(dir.path().join("t.db-wal")).unwrap().len();
        let before = written();
        try_out(&connection).unwrap();
        assert!(written() > before);
        migrate(&mut connection, TABLE).unwrap();
    }

    #[tokio::test]
    async fn a_thread_that_has_ended_is_told_in_the_health() {
        let dir = tempfile::tempdir().unwrap();
        let health = Arc::new(Board::new(Daemon::Library));
        let database = Database::open(&dir.path().join("t.db"), TABLE, Arc::clone(&health)).unwrap();
        let read = database.read(|_| -> Result<(), rusqlite::Error> { panic!("as a test") });
        assert!(matches!(read.await, Err(DatabaseError::Unavailable)));
        insert(&database, 1).await.unwrap();
        database.close().await;
        assert_eq!(health.report().status, shared::wire::health::Status::Fail);
    }

    #[tokio::test]
    async fn a_file_of_a_later_version_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.db");
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 9).unwrap();
        let error = open(&path).err().unwrap().to_string();
        assert!(error.contains("later version"), "{error}");
    }
}
