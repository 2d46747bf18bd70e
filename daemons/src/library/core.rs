//! The library itself: decides and writes on the writing thread, in one
//! transaction with the record of it.

use super::lending::{self, Refusal};
use super::queue::{self, Batch, WAITING_MAX};
use super::record::Event;
use super::store;
use crate::runtime::database::{Database, DatabaseError, OnDamage, Source, StoreFailure};
use crate::runtime::error::ApiError;
use crate::runtime::{Context, OwnDir, StartError};
use chrono::{DateTime, SubsecRound, Utc};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use rusqlite::Connection;
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::wire::library::{Book, Lend, Loan, NewBook};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// The pause before the start is written down again.
const RETRY: Duration = Duration::from_secs(1);

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The library says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No more records can wait for the log.
    #[error("{WAITING_MAX} records wait for the log already; changes are possible again when it is back")]
    OutboxFull,
    /// The key was used for a request with another content.
    #[error("this key was used for another request")]
    KeyTaken,
    /// The database.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    /// An answer that cannot be written or read as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl StoreFailure for ChangeError {
    fn store(&self) -> Option<&rusqlite::Error> {
        match self {
            Self::Database(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Refused(refusal) => {
                let words = refusal.to_string();
                let said = match refusal {
                    Refusal::Unknown(_) => Self::unknown(words),
                    Refusal::Full => Self::unavailable(words, 60),
                    _ => Self::conflict(words),
                };
                match refusal.field() {
                    Some(field) => said.field(field),
                    None => said,
                }
            }
            ChangeError::OutboxFull => Self::unavailable(error.to_string(), 30),
            ChangeError::KeyTaken => Self::invalid("Idempotency-Key", error),
            ChangeError::Database(error) => error.into(),
            ChangeError::Json(error) => Self::internal(error),
        }
    }
}

/// The library.
pub struct Library {
    id: String,
    database: Database,
    /// Records that wait: what `/metrics` tells, and the shipper.
    waiting: Gauge,
    shipped: Counter,
    set_aside: Counter,
    wake: Notify,
    _dir: OwnDir,
}

impl Library {
    /// Opens it.
    pub fn open(context: &Context, dir: OwnDir) -> Result<Self, StartError> {
        let source = Source {
            path: &dir.path().join("library.db"),
            migrations: store::MIGRATIONS,
            on_damage: OnDamage::Keep,
            health: &context.health,
            metrics: &context.metrics,
        };
        let (database, (id, waiting)) = Database::open(&source, |loading| {
            Ok((store::begin(loading.connection)?, queue::waiting(loading.connection)?))
        })?;
        let library = Self {
            id,
            database,
            waiting: Gauge::default(),
            shipped: Counter::default(),
            set_aside: Counter::default(),
            wake: Notify::new(),
            _dir: dir,
        };
        library.waiting.set(waiting.into());
        context.metrics.register(|registry| {
            let (waiting, shipped) = (library.waiting.clone(), library.shipped.clone());
            registry.register("library_outbox_records", "Records that wait for the log", waiting);
            registry.register("library_shipped_records", "Records that the log has acknowledged", shipped);
            let set_aside = library.set_aside.clone();
            registry.register("library_set_aside_records", "Records that the log refused", set_aside);
        });
        Ok(library)
    }

    /// Writes down that it started, as soon as that is possible.
    pub async fn note_start(self: Arc<Self>) {
        loop {
            let write = |connection: &Connection| -> rusqlite::Result<u32> {
                let books = store::totals(connection)?.books;
                match queue::waiting(connection)? {
                    // A full outbox is no reason to fail.
                    waiting if waiting >= WAITING_MAX => Ok(waiting),
                    _ => queue::push(connection, &Event::Started { books }.record(now())),
                }
            };
            let library = Arc::clone(&self);
            let settle = move |result: Result<u32, DatabaseError<rusqlite::Error>>| {
                library.waiting.set(result?.into());
                library.wake.notify_one();
                Ok(())
            };
            match self.database.write_then(write, settle).await {
                Ok(()) => return,
                Err(error) => tracing::debug!("the start is not written down yet: {error}"),
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Adds a book that was checked.
    pub async fn add(self: &Arc<Self>, new: NewBook, key: Option<String>) -> Result<Book, ApiError> {
        let once = Once::new(key, "add", &new);
        let change = move |connection: &Connection, _| {
            let id = new.id.clone().map_or_else(|| store::free_id(connection), Ok)?;
            let taken = store::book(connection, &id)?;
            let book = lending::add(id, new, taken, store::totals(connection)?)?;
            store::put_book(connection, &book)?;
            Ok((book.clone(), Event::Added(book)))
        };
        self.change(once, change).await
    }

    /// Lends a copy.
    pub async fn borrow_copy(self: &Arc<Self>, lend: Lend, key: Option<String>) -> Result<Loan, ApiError> {
        let once = Once::new(key, "borrow", &lend);
        let change = move |connection: &Connection, now| {
            let book = store::book(connection, &lend.book_id)?;
            let (book, loan) = lending::borrow_copy(book, lend, now)?;
            store::put_loan(connection, &book, &loan)?;
            Ok((loan.clone(), Event::Borrowed(book, loan)))
        };
        self.change(once, change).await
    }

    /// Takes a copy back.
    pub async fn return_copy(self: &Arc<Self>, lend: Lend, key: Option<String>) -> Result<Loan, ApiError> {
        let once = Once::new(key, "return", &lend);
        let change = move |connection: &Connection, now| {
            let book = store::book(connection, &lend.book_id)?;
            let (n, oldest) = store::oldest_out(connection, &lend)?.unzip();
            let (book, loan) = lending::return_copy(book, oldest, lend, now)?;
            store::end_loan(connection, n.unwrap_or_default(), &book, &loan)?;
            Ok((loan.clone(), Event::Returned(book, loan)))
        };
        self.change(once, change).await
    }

    /// Runs `change` on the writing thread, and writes its record with it. A
    /// request that was carried out before gets its first answer.
    async fn change<T>(
        self: &Arc<Self>,
        once: Option<Once>,
        change: impl FnOnce(&Connection, DateTime<Utc>) -> Result<(T, Event), ChangeError> + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        let write = move |connection: &Connection| -> Result<(T, Option<u32>), ChangeError> {
            if let Some(answer) = once.as_ref().map(|once| once.answer(connection)).transpose()?.flatten() {
                return Ok((serde_json::from_str(&answer)?, None));
            }
            let now = now();
            let (value, event) = change(connection, now)?;
            let waiting = queue::push(connection, &event.record(now))?;
            if waiting > WAITING_MAX {
                return Err(ChangeError::OutboxFull);
            }
            if let Some(once) = once {
                store::put_answer(connection, &once.key, &once.request, &serde_json::to_string(&value)?)?;
            }
            Ok((value, Some(waiting)))
        };
        let library = Arc::clone(self);
        let settle = move |result: Result<(T, Option<u32>), DatabaseError<ChangeError>>| {
            let (value, waiting) = result?;
            if let Some(waiting) = waiting {
                library.waiting.set(waiting.into());
                library.wake.notify_one();
            }
            Ok(value)
        };
        Ok(self.database.write_then(write, settle).await?)
    }

    /// Books in the order in which they were added.
    pub async fn books(&self, limit: u32, offset: u32) -> Result<(Vec<Book>, u64), ApiError> {
        let read = move |connection: &Connection| -> rusqlite::Result<_> {
            let snapshot = connection.unchecked_transaction()?;
            Ok((store::books(&snapshot, limit, offset)?, store::book_count(&snapshot)?))
        };
        Ok(self.database.read(read).await?)
    }

    /// One book.
    pub async fn book(&self, id: String) -> Result<Book, ApiError> {
        let read = move |connection: &Connection| -> Result<Book, ChangeError> {
            Ok(store::book(connection, &id)?.ok_or(Refusal::Unknown(id))?)
        };
        Ok(self.database.read(read).await?)
    }

    /// Loans, newest first; with `active`, those that are out.
    pub async fn loans(&self, active: bool, limit: u32, offset: u32) -> Result<(Vec<Loan>, u64), ApiError> {
        let read = move |connection: &Connection| -> rusqlite::Result<_> {
            let snapshot = connection.unchecked_transaction()?;
            Ok((store::loans(&snapshot, active, limit, offset)?, store::loan_count(&snapshot, active)?))
        };
        Ok(self.database.read(read).await?)
    }

    /// Flushes and closes the database.
    pub async fn close(&self) {
        self.database.clone().close().await;
    }
}

/// What the shipper does.
impl Library {
    /// The library's id, which begins every key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How many records wait.
    pub fn waiting(&self) -> i64 {
        self.waiting.get()
    }

    /// Returns when a record was put into the outbox after the last return.
    pub async fn wait_for_records(&self) {
        self.wake.notified().await;
    }

    /// The batch to ship; nothing when nothing waits.
    pub async fn batch(&self) -> Result<Option<Batch>, String> {
        self.database.write(queue::batch).await.map_err(|e| e.to_string())
    }

    /// The log has the batch.
    pub async fn acknowledge(&self, batch: Batch) -> Result<(), String> {
        let count = batch.len();
        self.forget(move |connection| queue::acknowledge(connection, &batch)).await?;
        self.shipped.inc_by(count);
        Ok(())
    }

    /// The log refuses what is in the batch.
    pub async fn refuse(&self, batch: Batch, reason: String) -> Result<(), String> {
        let alone = batch.len() == 1;
        self.forget(move |connection| queue::refuse(connection, &batch, &reason)).await?;
        self.set_aside.inc_by(alone.into());
        Ok(())
    }

    async fn forget(
        &self,
        forget: impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<(), String> {
        let gauge = self.waiting.clone();
        let write = move |connection: &Connection| {
            forget(connection)?;
            queue::waiting(connection)
        };
        // Set where changes set it, on the writing thread, so that the last one counts.
        let settle = move |result: Result<u32, DatabaseError<rusqlite::Error>>| {
            gauge.set(result?.into());
            Ok(())
        };
        self.database.write_then(write, settle).await.map_err(|e| e.to_string())
    }
}

/// A request that is to be carried out once.
struct Once {
    key: String,
    /// What is asked for: a key stands for one request.
    request: String,
}

impl Once {
    fn new(key: Option<String>, what: &str, body: &impl Serialize) -> Option<Self> {
        let request = serde_json::to_string(&(what, body)).unwrap_or_default();
        key.map(|key| Self { key, request })
    }

    /// The first answer, if it was carried out.
    fn answer(&self, connection: &Connection) -> Result<Option<String>, ChangeError> {
        match store::answer(connection, &self.key)? {
            Some((request, _)) if request != self.request => Err(ChangeError::KeyTaken),
            known => Ok(known.map(|(_, answer)| answer)),
        }
    }
}

/// The time, as exactly as the database keeps it.
fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}
