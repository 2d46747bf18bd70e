//! SQLite with threads of its own and group commit.
//!
//! One thread writes: it takes all writes that wait, runs each in a savepoint
//! of one transaction, commits once (`synchronous=FULL`: one fsync of the
//! write-ahead log), and only then lets anyone know how theirs went. One thread
//! reads, on a connection that cannot write. Both queues are bounded: when one
//! is full, the caller is told so.
//!
//! * A file that an earlier run left behind in whatever state is opened as
//!   [`open`] says; its rows are read as [`load`] says.
//! * A full disk fails writes until there is space again. An fsync that fails
//!   ends the process: what is on disk is known only after a restart, which
//!   reads it without the page cache.

pub mod columns;
mod commit;
pub mod failure;
mod load;
mod migrations;
mod open;
mod rebuild;

use super::StartError;
use super::error::ApiError;
use super::health::Board;
use super::metrics::Metrics;
pub use failure::StoreFailure;
use failure::{Reads, is_damage, is_of_schema};
pub use load::Loading;
pub use open::OnDamage;
use open::{Opened, advice};
use rusqlite::Connection;
use std::path::Path;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Writes, and reads, that may wait.
const QUEUE_MAX: usize = 4096;

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
        tracing::error!("the store failed: {error}");
        Self::unavailable("the store cannot be used now; the daemon's diagnostics say why", 5)
    }
}

/// A database file, and how it is opened.
pub struct Source<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// Its tables: each is run once, in order, and its number is kept as
    /// `user_version`.
    pub migrations: &'a [&'a str],
    /// What is done when it is damaged.
    pub on_damage: OnDamage,
    /// Where its state is reported.
    pub health: &'a Arc<Board>,
    /// Where its measures are.
    pub metrics: &'a Metrics,
}

/// What a write does once it is known whether the commit held; and the answer
/// that it then gives.
type Settle = Box<dyn FnOnce(bool) -> Answer + Send>;
type Answer = Box<dyn FnOnce() + Send>;
/// A write: whether it wants to be kept, and what follows.
type Write = Box<dyn FnOnce(&Connection) -> (bool, Settle) + Send>;
/// A read, which notes how it went.
type Read = Box<dyn FnOnce(&Connection, &mut dyn FnMut(Option<&rusqlite::Error>)) + Send>;

/// What `/health` says on a full disk.
const NO_SPACE: &str = "no space left for the database; what is there can be read";

/// A database file. Cheap to clone; closed by [`Database::close`].
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    writes: Mutex<Option<SyncSender<Write>>>,
    reads: Mutex<Option<SyncSender<Read>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Database {
    /// Opens or makes the file, brings its tables to this version, and reads
    /// what `load` wants of it.
    ///
    /// # Errors
    /// When the file cannot be used, or was written by a later version.
    pub fn open<T>(
        source: &Source<'_>,
        mut load: impl FnMut(&mut Loading<'_>) -> rusqlite::Result<T>,
    ) -> Result<(Self, T), StartError> {
        let Source { path, on_damage, health, .. } = *source;
        let mut opened = open::open(path, source.migrations, on_damage, health)?;
        let mut run = |opened: &Opened| {
            let mut loading = Loading::new(&opened.writer, opened.is_rebuilt);
            load(&mut loading).inspect(|_| loading.tell(path, health, source.metrics))
        };
        let is_damaged = |error: &rusqlite::Error| is_damage(error) || is_of_schema(error);
        let loaded = match run(&opened) {
            Err(error) if is_damaged(&error) && on_damage == OnDamage::Rebuild && !opened.is_rebuilt => {
                drop(opened);
                opened = open::rebuilt(path, source.migrations, &error.to_string(), health)?;
                run(&opened)
            }
            loaded => loaded,
        };
        let loaded = loaded.map_err(|error| {
            let advice = if is_damaged(&error) { format!("; {}", advice(path)) } else { String::new() };
            StartError::path("cannot read", path, format!("{error}{advice}"))
        })?;
        Ok((Self::start(opened, path, health)?, loaded))
    }

    /// Starts the threads.
    fn start(opened: Opened, path: &Path, health: &Arc<Board>) -> Result<Self, StartError> {
        let Opened { mut writer, reader, is_full, .. } = opened;
        let health = Arc::clone(health);
        let (writes, queued_writes) = sync_channel(QUEUE_MAX);
        let (reads, queued_reads) = sync_channel::<Read>(QUEUE_MAX);
        if is_full {
            health.fail("store", NO_SPACE);
        } else {
            health.pass("store");
        }
        let runtime = Handle::current();
        let reading = Arc::clone(&health);
        let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(work)
                .map_err(|e| StartError::path("cannot use the database", path, e))
        };
        let threads = vec![
            spawn(
                "db-write",
                Box::new(move || {
                    health.watch("store", || {
                        commit::write_loop(&mut writer, &queued_writes, &health, &runtime, is_full);
                    });
                }),
            )?,
            // A part of its own: a commit that succeeds says nothing of reading.
            spawn(
                "db-read",
                Box::new(move || {
                    reading.watch("reads", || {
                        let mut reads = Reads::default();
                        for read in &queued_reads {
                            read(&reader, &mut |failure| reads.note(failure, &reading));
                        }
                    });
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
        E: StoreFailure + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let read: Read = Box::new(move |connection, note| {
            let result = operation(connection);
            note(result.as_ref().err().and_then(StoreFailure::store));
            let _ = answer.send(result.map_err(DatabaseError::Operation));
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

#[cfg(test)]
mod tests;
