//! The registry itself: decides on the writing thread, publishes what is on disk.

use super::config::Config;
use super::expiry::Holds;
use super::metrics::{CoreMetrics, gauge};
use super::state::{Entry, Refused, Registering, Selector, State};
use super::store::{self, Record};
use super::view::{Begun, Gone, Made, View};
use super::watch::{Told, Watched};
use crate::runtime::database::{Database, DatabaseError, OnDamage, Source, StoreFailure};
use crate::runtime::health::Board;
use crate::runtime::metrics::Metrics;
use crate::runtime::{OwnDir, StartError};
use chrono::Utc;
use rusqlite::Connection;
use shared::wire::registry::{Change, ChangeKind, Lease, Place, Register, Registration};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::mpsc::Receiver;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::watch;

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The registration is refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Nothing is registered there.
    #[error("nothing of that kind is registered")]
    Unknown,
    /// The database.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
}

impl StoreFailure for ChangeError {
    fn store(&self) -> Option<&rusqlite::Error> {
        match self {
            Self::Database(error) => Some(error),
            _ => None,
        }
    }
}

/// Why a change failed, or that it could not be written.
pub type WriteError = DatabaseError<ChangeError>;

/// The registry's own clock: milliseconds since it was started, never back.
pub type Clock = Box<dyn Fn() -> u64 + Send + Sync>;

/// The registry.
pub struct Core {
    view: RwLock<View>,
    /// What the state will be when everything under way is committed; none where
    /// that is what is on disk. Touched by the writing thread alone.
    ahead: Mutex<Option<State>>,
    database: Database,
    clock: Clock,
    /// How it is bounded.
    pub config: Config,
    /// What it measures.
    pub metrics: CoreMetrics,
    health: Arc<Board>,
    /// Whom the guard holds.
    pub holds: watch::Sender<Arc<Holds>>,
    _dir: OwnDir,
}

/// Why a lease is not renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenewError {
    /// No such instance is registered.
    Unknown,
    /// The instance was registered again, at this revision.
    Replaced(u64),
}

/// An instance that is to expire, and why in words.
pub struct Expiring {
    /// Which.
    pub entry: Arc<Entry>,
    /// Why.
    pub detail: String,
}

impl Core {
    /// Reads what is on disk; every lease is granted afresh.
    pub fn open(
        dir: OwnDir,
        config: Config,
        clock: Clock,
        health: Arc<Board>,
        metrics: &Metrics,
    ) -> Result<Self, StartError> {
        let source = Source {
            path: &dir.path().join("registry.db"),
            migrations: store::MIGRATIONS,
            on_damage: OnDamage::Rebuild,
            health: &health,
            metrics,
        };
        let (database, store::Loaded { epoch, registrations, changes, revision }) =
            Database::open(&source, |loading| store::load(loading, config.changes_kept))?;
        let now_ms = clock();
        let mut state = State::default();
        for registration in registrations {
            state.apply(ChangeKind::Registered, &Arc::new(Entry::new(registration, now_ms)));
        }
        state.revision = revision;
        let core = Self {
            ahead: Mutex::default(),
            view: RwLock::new(View::new(epoch, state, &changes, config.changes_kept)),
            database,
            clock,
            config,
            metrics: CoreMetrics::register(metrics),
            health,
            holds: watch::Sender::default(),
            _dir: dir,
        };
        core.measure(&core.view());
        Ok(core)
    }

    /// What is on disk now.
    pub fn view(&self) -> RwLockReadGuard<'_, View> {
        self.view.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn view_mut(&self) -> RwLockWriteGuard<'_, View> {
        self.view.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds on the registry's own clock.
    pub fn now_ms(&self) -> u64 {
        (self.clock)()
    }

    /// Registers, or renews and updates.
    pub async fn register(self: &Arc<Self>, register: Register) -> Result<Registration, WriteError> {
        let (now_ms, capacity) = (self.now_ms(), self.config.capacity);
        // A renewal changes nothing and needs no disk.
        if let Ok(Registering::Renewed(entry)) =
            self.view().state.register(register.clone(), Utc::now(), now_ms, capacity)
            && entry.renew(now_ms)
        {
            return Ok(entry.registration.clone());
        }
        let core = Arc::clone(self);
        let decide =
            move |ahead: &State| match ahead.register(register, Utc::now(), core.now_ms(), capacity)? {
                Registering::Renewed(entry) => Ok((entry.registration.clone(), Vec::new())),
                Registering::Changed(change) => {
                    Ok((change.registration.clone(), vec![Record { change: *change, detail: None }]))
                }
            };
        self.change(decide).await
    }

    /// Removes what is selected, and says what it was and the revision after it.
    pub async fn deregister(
        self: &Arc<Self>,
        selector: Selector,
    ) -> Result<(Vec<Registration>, u64), WriteError> {
        let outcome = self.change(move |ahead| {
            let changes = ahead.remove(&selector, ChangeKind::Deregistered);
            let removed: Vec<_> = changes.iter().map(|change| change.registration.clone()).collect();
            let revision = removed.last().ok_or(ChangeError::Unknown)?.revision;
            let detail = Some(selector.words().to_owned());
            let records = changes.into_iter().map(|change| Record { change, detail: detail.clone() });
            Ok(((removed, revision), records.collect()))
        });
        outcome.await
    }

    /// Removes instances whose lease has run out, in one commit. Each is looked
    /// at again on the writing thread: a heartbeat or a change that came in
    /// between saves it, and none is accepted after that.
    pub async fn expire(self: &Arc<Self>, due: Vec<Expiring>) -> Result<Vec<Registration>, WriteError> {
        let core = Arc::clone(self);
        let condemned: Vec<Arc<Entry>> = due.iter().map(|due| Arc::clone(&due.entry)).collect();
        let outcome = self.change(move |ahead| {
            let now_ms = core.now_ms();
            let same = |due: &Expiring| {
                let due = &due.entry.registration;
                let now = ahead.get(&due.service_name, &due.instance_id);
                now.is_some_and(|now| now.registration.revision == due.revision)
            };
            let gone = due.into_iter().filter(|due| same(due) && due.entry.condemn(now_ms));
            let records: Vec<Record> = (ahead.revision + 1..)
                .zip(gone)
                .map(|(revision, Expiring { entry, detail })| {
                    let registration = Registration { revision, ..entry.registration.clone() };
                    let change = Change { kind: ChangeKind::Expired, registration };
                    Record { change, detail: Some(detail) }
                })
                .collect();
            Ok((records.iter().map(|record| record.change.registration.clone()).collect(), records))
        });
        let outcome = outcome.await;
        if outcome.is_err() {
            condemned.iter().for_each(|entry| entry.spare());
        }
        outcome
    }

    /// Renews a lease, if the registration is still the one of `revision` (any, if
    /// none is given).
    pub fn heartbeat(
        &self,
        service: &str,
        instance: &str,
        revision: Option<u64>,
    ) -> Result<Lease, RenewError> {
        let view = self.view();
        let entry = view.state.get(service, instance).ok_or(RenewError::Unknown)?;
        let current = entry.registration.revision;
        if revision.is_some_and(|revision| revision != current) {
            return Err(RenewError::Replaced(current));
        }
        if !entry.renew(self.now_ms()) {
            return Err(RenewError::Unknown);
        }
        self.metrics.heartbeats.inc();
        Ok(Lease {
            service_name: service.to_owned(),
            instance_id: instance.to_owned(),
            ttl_seconds: entry.registration.ttl_seconds,
            revision: current,
        })
    }

    /// Begins a watch.
    pub fn watch(self: &Arc<Self>, watched: Watched, resume: Option<Place>) -> Result<(Begun, Watch), Gone> {
        let begun = self.view_mut().watch(watched.clone(), resume)?;
        self.measure(&self.view());
        let watch = Watch { core: Arc::clone(self), watched, id: begun.id };
        Ok((begun, watch))
    }

    /// Runs `decide` on the writing thread, writes the changes that it decides
    /// on, and publishes them when they are on disk.
    async fn change<T: Send + 'static>(
        self: &Arc<Self>,
        decide: impl FnOnce(&State) -> Result<(T, Vec<Record>), ChangeError> + Send + 'static,
    ) -> Result<T, WriteError> {
        let (deciding, publishing) = (Arc::clone(self), Arc::clone(self));
        let write = move |connection: &Connection| {
            let mut ahead = deciding.ahead.lock().unwrap_or_else(PoisonError::into_inner);
            let ahead = ahead.get_or_insert_with(|| deciding.view().state.clone());
            let (value, records) = decide(ahead)?;
            let at_ms = Utc::now().timestamp_millis();
            for record in &records {
                store::put(connection, record, at_ms, deciding.config.kept)?;
            }
            let (epoch, now_ms) = (deciding.view().epoch, deciding.now_ms());
            let made: Vec<Made> =
                records.iter().map(|record| Made::new(epoch, &record.change, now_ms)).collect();
            made.iter().for_each(|made| ahead.apply(made.kind, &made.entry));
            Ok((value, made))
        };
        let settle = move |result: Result<(T, Vec<Made>), _>| match result {
            Ok((value, made)) => {
                publishing.publish(&made);
                Ok(value)
            }
            Err(error) => {
                if matches!(error, DatabaseError::Unavailable) {
                    publishing.step_back();
                }
                Err(error)
            }
        };
        self.database.write_then(write, settle).await
    }

    /// What one request changed is published under one lock: nobody sees the
    /// half of it. Leases are granted from here on: a commit may take its time.
    fn publish(&self, made: &[Made]) {
        if made.is_empty() {
            return;
        }
        let now_ms = self.now_ms();
        let mut view = self.view_mut();
        for made in made {
            made.entry.renew(now_ms);
            view.publish(made);
            self.metrics.changes.inc();
        }
        self.measure(&view);
    }

    /// The commit failed: what was decided on did not happen. The next decision
    /// is made on what is on disk, however many writes this commit had.
    fn step_back(&self) {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn measure(&self, view: &View) {
        self.metrics.registrations.set(gauge(view.state.count()));
        self.metrics.watchers.set(gauge(view.watchers()));
        match self.config.capacity.shortage(&view.state) {
            Some(words) => self.health.warn("capacity", words),
            None => self.health.pass("capacity"),
        }
    }

    /// The registry on disk.
    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// All registrations, or those of one service.
    pub fn list(&self, service: Option<&str>) -> (u64, Vec<Arc<Entry>>) {
        let view = self.view();
        let entries: Vec<Arc<Entry>> = match service {
            Some(name) => view.state.service(name).cloned().collect(),
            None => view.state.entries().cloned().collect(),
        };
        (view.state.revision, entries)
    }

    /// Flushes and closes the database.
    pub async fn close(&self) {
        self.database.clone().close().await;
    }
}

/// A watcher's place among the others; it is given up when this is dropped.
pub struct Watch {
    core: Arc<Core>,
    watched: Watched,
    id: u64,
}

impl Watch {
    /// The registry that is watched.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// What of it is watched.
    pub const fn watched(&self) -> &Watched {
        &self.watched
    }

    /// Everything that is queued, and the place up to which that is everything;
    /// no place when the watcher was cut off, for then something is missing.
    pub fn catch_up(&self, queue: &mut Receiver<Arc<Told>>) -> (Vec<Arc<Told>>, Option<Place>) {
        // The place is read first: all changes up to it have been queued by then.
        let place = self.core.view().place();
        let mut told = Vec::new();
        loop {
            match queue.try_recv() {
                Ok(change) => told.push(change),
                Err(TryRecvError::Disconnected) => return (told, None),
                Err(TryRecvError::Empty) => break,
            }
        }
        let revision = told.last().map_or(place.revision, |last| last.revision.max(place.revision));
        (told, Some(Place { revision, ..place }))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut view = self.core.view_mut();
        view.forget(&self.watched, self.id);
        self.core.measure(&view);
    }
}
