//! The registry itself: decides on the writing thread, publishes what is on disk.

use super::state::{Entry, Full, Registering, Selector, State};
use super::view::{Begun, Gone, View};
use super::watch::{Told, Watched};
use super::{state, store};
use crate::runtime::database::{Database, DatabaseError};
use crate::runtime::error::ApiError;
use crate::runtime::metrics::Metrics;
use crate::runtime::{Context, OwnDir, StartError};
use axum::http::StatusCode;
use chrono::Utc;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use rusqlite::Connection;
use shared::wire::registry::{Change, ChangeKind, Lease, Place, Register, Registration};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;
use tokio::sync::mpsc::Receiver;
use tokio::sync::mpsc::error::TryRecvError;

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// One registration too many.
    #[error(transparent)]
    Full(#[from] Full),
    /// Nothing is registered there.
    #[error("nothing of that kind is registered")]
    Unknown,
    /// The database.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Full(full) => Self::new(StatusCode::INSUFFICIENT_STORAGE, full.to_string()),
            ChangeError::Unknown => Self::unknown(error.to_string()),
            ChangeError::Database(error) => Self::internal(error),
        }
    }
}

/// The registry.
pub struct Core {
    view: RwLock<View>,
    /// What the state will be when everything under way is committed. Touched
    /// by the writing thread alone.
    ahead: Mutex<State>,
    database: Database,
    clock: Instant,
    registrations_max: usize,
    changes_kept: usize,
    metrics: CoreMetrics,
    _dir: OwnDir,
}

struct CoreMetrics {
    changes: Counter,
    heartbeats: Counter,
    registrations: Gauge,
    watchers: Gauge,
}

impl CoreMetrics {
    fn register(metrics: &Metrics) -> Self {
        let own = Self {
            changes: Counter::default(),
            heartbeats: Counter::default(),
            registrations: Gauge::default(),
            watchers: Gauge::default(),
        };
        metrics.register(|registry| {
            registry.register("registry_changes", "Changes committed", own.changes.clone());
            registry.register("registry_heartbeats", "Leases renewed", own.heartbeats.clone());
            registry.register("registry_registrations", "Registrations", own.registrations.clone());
            registry.register("registry_watchers", "Watchers", own.watchers.clone());
        });
        own
    }
}

impl Core {
    /// Reads what is on disk; every lease is granted afresh.
    pub fn open(context: &Context, dir: OwnDir) -> Result<Self, StartError> {
        let path = dir.path().join("registry.db");
        let database = Database::open(&path, store::MIGRATIONS, Arc::clone(&context.health))?;
        let connection = Connection::open(&path).map_err(|e| StartError::path("cannot read", &path, e))?;
        let load = || -> rusqlite::Result<_> {
            Ok((store::epoch(&connection)?, store::registrations(&connection)?, store::changes(&connection)?))
        };
        let (epoch, registrations, changes) =
            load().map_err(|e| StartError::path("cannot read", &path, e))?;
        let mut state = State::default();
        for registration in registrations {
            state.apply(&Change { kind: ChangeKind::Registered, registration }, 0);
        }
        state.revision = changes.last().map_or(0, |change| change.registration.revision);
        let settings = &context.settings.registry;
        let core = Self {
            ahead: Mutex::new(state.clone()),
            view: RwLock::new(View::new(epoch, state, &changes, settings.changes_kept)),
            database,
            clock: Instant::now(),
            registrations_max: settings.registrations_max,
            changes_kept: settings.changes_kept,
            metrics: CoreMetrics::register(&context.metrics),
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
        u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Registers, or renews and updates.
    pub async fn register(self: &Arc<Self>, register: Register) -> Result<Registration, ApiError> {
        let (now_ms, max) = (self.now_ms(), self.registrations_max);
        // A renewal changes nothing and needs no disk.
        if let Ok(Registering::Renewed(entry)) = self.view().state.register(register.clone(), Utc::now(), max)
        {
            entry.renew(now_ms);
            return Ok(entry.registration.clone());
        }
        let outcome = self.change(move |ahead| match ahead.register(register, Utc::now(), max)? {
            Registering::Renewed(entry) => Ok((entry.registration.clone(), Vec::new())),
            Registering::Changed(change) => Ok((change.registration.clone(), vec![*change])),
        });
        Ok(outcome.await?)
    }

    /// Removes what is selected, and says what it was and the revision after it.
    pub async fn remove(
        self: &Arc<Self>,
        selector: Selector,
        kind: ChangeKind,
    ) -> Result<(Vec<Registration>, u64), ApiError> {
        let outcome = self.change(move |ahead| {
            let changes = ahead.remove(&selector, kind);
            let removed: Vec<_> = changes.iter().map(|change| change.registration.clone()).collect();
            let revision = removed.last().ok_or(ChangeError::Unknown)?.revision;
            Ok(((removed, revision), changes))
        });
        Ok(outcome.await?)
    }

    /// Removes the instances whose lease has run out. Each is looked at again on
    /// the writing thread: a heartbeat or a change that came in between saves it.
    pub async fn expire(self: &Arc<Self>, due: Vec<Arc<Entry>>) -> Result<Vec<Registration>, ApiError> {
        let core = Arc::clone(self);
        let outcome = self.change(move |ahead| {
            let now_ms = core.now_ms();
            let same = |entry: &&Arc<Entry>| {
                let due = &entry.registration;
                let now = ahead.get(&due.service_name, &due.instance_id);
                now.is_some_and(|now| now.registration.revision == due.revision)
            };
            let gone = due.iter().filter(|entry| entry.has_expired(now_ms)).filter(same);
            let changes: Vec<Change> = (ahead.revision + 1..)
                .zip(gone)
                .map(|(revision, entry)| Change {
                    kind: ChangeKind::Expired,
                    registration: Registration { revision, ..entry.registration.clone() },
                })
                .collect();
            Ok((changes.iter().map(|change| change.registration.clone()).collect(), changes))
        });
        Ok(outcome.await?)
    }

    /// Renews a lease; none when the instance is unknown.
    pub fn heartbeat(&self, service: &str, instance: &str) -> Option<Lease> {
        let view = self.view();
        let entry = view.state.get(service, instance)?;
        entry.renew(self.now_ms());
        self.metrics.heartbeats.inc();
        Some(Lease {
            service_name: service.to_owned(),
            instance_id: instance.to_owned(),
            ttl_seconds: entry.registration.ttl_seconds,
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
        decide: impl FnOnce(&State) -> Result<(T, Vec<Change>), ChangeError> + Send + 'static,
    ) -> Result<T, DatabaseError<ChangeError>> {
        let (deciding, publishing) = (Arc::clone(self), Arc::clone(self));
        let write = move |connection: &Connection| {
            let mut ahead = deciding.ahead.lock().unwrap_or_else(PoisonError::into_inner);
            let (value, changes) = decide(&ahead)?;
            let at_ms = Utc::now().timestamp_millis();
            for change in &changes {
                store::put(connection, change, at_ms, deciding.changes_kept)?;
            }
            changes.iter().for_each(|change| ahead.apply(change, deciding.now_ms()));
            Ok((value, changes))
        };
        let settle = move |result: Result<(T, Vec<Change>), _>| match result {
            Ok((value, changes)) => {
                publishing.publish(&changes);
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

    fn publish(&self, changes: &[Change]) {
        let now_ms = self.now_ms();
        let mut view = self.view_mut();
        for change in changes {
            view.publish(change, now_ms);
            self.metrics.changes.inc();
        }
        self.measure(&view);
    }

    /// The commit failed: what was decided on did not happen.
    fn step_back(&self) {
        let state = self.view().state.clone();
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn measure(&self, view: &View) {
        self.metrics.registrations.set(i64::try_from(view.state.count()).unwrap_or(i64::MAX));
        self.metrics.watchers.set(i64::try_from(view.watchers()).unwrap_or(i64::MAX));
    }

    /// All registrations, or those of one service.
    pub fn list(&self, service: Option<&str>) -> (u64, Vec<Arc<state::Entry>>) {
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
