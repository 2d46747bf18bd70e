//! The monitor itself: one state behind one lock, and one task that writes what
//! changed and then tells of it.

mod read;

use super::alert::{self, Desk, outbox};
use super::batch::Batch;
use super::check::Thresholds;
use super::configured::Configured;
use super::flap::FlapRules;
use super::maintenance;
use super::measure::ServiceCounts;
use super::prune;
use super::pulse::Pulse;
use super::schedule::Target;
use super::schema;
use super::state::{Followed, Rules, State, Unheard};
use super::store::{self, AcknowledgeError, MaintenanceError, Rows, Told};
use crate::runtime::database::{Database, DatabaseError, OnDamage, Source};
use crate::runtime::probe::{Failure, Outcome, Spec};
use crate::runtime::{Context, OwnDir, StartError};
use crate::settings;
use chrono::{TimeDelta, Utc};
use rusqlite::Connection;
use shared::client::Fleet;
use shared::wire::monitor::{Acknowledgement, Incident, Maintenance, ServiceStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, broadcast};

/// Probes are written so often: what `kill -9` can lose of a streak. A change
/// of a status is written at once.
const FLUSH: Duration = Duration::from_millis(500);
/// The pause after a commit that failed.
const RETRY: Duration = Duration::from_secs(1);
/// The time between two looks at what time alone does.
const TICK: Duration = Duration::from_millis(500);
/// The time between two prunings.
const PRUNE: Duration = Duration::from_secs(60 * 60);
/// Events that may wait for one reader; a slower one reads them from the store.
const QUEUE_MAX: usize = 256;

/// What the monitor goes by, from its settings.
pub fn rules(settings: &settings::Monitor) -> Rules {
    let delta = |span: Duration| TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX);
    let to_recover = settings.interval.0.saturating_mul(settings.failures.saturating_add(settings.successes));
    Rules {
        thresholds: Thresholds {
            failures: settings.failures,
            successes: settings.successes,
            grace: delta(settings.grace.0),
        },
        interval: settings.interval.0,
        confirm: settings.confirm.0,
        flaps: FlapRules { changes: settings.flap_changes, window: delta(settings.flap_window.0) },
        history: delta(settings.history.0),
        forget_after: delta(settings.forget_after.0),
        recovery: delta(to_recover.saturating_add(settings.timeout.0)),
    }
}

/// The monitor.
pub struct Core {
    inner: Mutex<Inner>,
    database: Database,
    told: broadcast::Sender<Arc<Told>>,
    urgent: Notify,
    history: TimeDelta,
    desk: Desk,
    pulse: Pulse,
    counts: ServiceCounts,
    _dir: OwnDir,
}

struct Inner {
    state: State,
    batch: Batch,
}

impl Core {
    /// Reads what is on disk.
    pub fn open(context: &Context, dir: OwnDir) -> Result<Self, StartError> {
        let source = Source {
            path: &dir.path().join("monitor.db"),
            migrations: schema::MIGRATIONS,
            on_damage: OnDamage::Rebuild,
            health: &context.health,
            metrics: &context.metrics,
        };
        let rules = rules(&context.settings.monitor);
        let configured = Configured::new(&context.settings.probes)?;
        let (database, mut state) =
            Database::open(&source, |loading| store::load(loading, rules, Utc::now()))?;
        // A channel that is new is told what is open.
        let mut batch = Batch { incidents: state.open.clone(), ..Batch::default() };
        state.configure(configured, Utc::now(), &mut batch);
        Ok(Self {
            inner: Mutex::new(Inner { state, batch }),
            database,
            told: broadcast::Sender::new(QUEUE_MAX),
            urgent: Notify::new(),
            history: rules.history,
            desk: Desk::new(context),
            pulse: Pulse::new(Instant::now()),
            counts: ServiceCounts::register(&context.metrics),
            _dir: dir,
        })
    }

    /// The database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Who is told of incidents.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Whether the work is done.
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Gives up what waits in channels that are no longer there. It writes
    /// something in any case, and so shows whether anything can be written.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn tidy(self: &Arc<Self>) -> Result<(), DatabaseError<rusqlite::Error>> {
        let core = Arc::clone(self);
        self.database.write(move |connection| outbox::tidy(connection, &core.desk.channels, Utc::now())).await
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and sees to it that a change of status is written at once.
    fn change<T>(&self, change: impl FnOnce(&mut State, &mut Batch) -> T) -> T {
        let mut inner = self.inner();
        let Inner { state, batch } = &mut *inner;
        let value = change(state, batch);
        if batch.is_urgent() {
            self.urgent.notify_one();
        }
        value
    }

    /// Takes up who is registered, and tells what is to be probed.
    pub fn sync(&self, fleet: &Arc<Fleet>) -> Vec<Target> {
        self.change(|state, batch| {
            state.sync(fleet, Utc::now(), batch);
            state.targets()
        })
    }

    /// Takes up what a probe found, and says who is to be probed soon for it.
    pub fn observe(&self, service: &str, instance: &str, outcome: &Outcome) -> Followed {
        self.change(|state, batch| {
            state.observe(service, instance, outcome, Utc::now(), batch);
            state.followed(service, instance)
        })
    }

    /// How to probe an instance, and whether it let us wait last time.
    pub fn probe_of(&self, service: &str, instance: &str) -> Option<(Arc<Spec>, bool)> {
        self.inner().state.probe_of(service, instance)
    }

    /// Takes up what an instance reports of itself.
    ///
    /// # Errors
    /// When it is not one that reports by itself.
    pub fn hear(
        &self,
        service: &str,
        instance: Option<&str>,
        failure: Option<Failure>,
    ) -> Result<ServiceStatus, Unheard> {
        self.change(|state, batch| {
            let now = Utc::now();
            state.hear(service, instance, failure, now, batch)?;
            state.report_one(service, now).ok_or(Unheard::UnknownService)
        })
    }

    /// Whether a service, or an instance of it, is listed.
    pub fn is_listed(&self, key: &maintenance::Key) -> bool {
        self.inner().state.is_listed(key)
    }

    /// Every service.
    pub fn report(&self) -> Vec<ServiceStatus> {
        self.inner().state.report(Utc::now())
    }

    /// One service.
    pub fn report_one(&self, service: &str) -> Option<ServiceStatus> {
        self.inner().state.report_one(service, Utc::now())
    }

    /// Every maintenance.
    pub fn maintenances(&self) -> Vec<Maintenance> {
        self.inner().state.maintenances()
    }

    /// Takes a service whose leases ran out from the list; whether it was one.
    pub fn forget(&self, service: &str) -> bool {
        self.change(|state, batch| state.forget(service, Utc::now(), batch))
    }

    /// Puts a service or an instance under maintenance, once that is on disk.
    ///
    /// # Errors
    /// When there are too many, or it cannot be written.
    pub async fn begin_maintenance(
        self: &Arc<Self>,
        maintenance: Maintenance,
    ) -> Result<(), DatabaseError<MaintenanceError>> {
        let (written, core) = (maintenance.clone(), Arc::clone(self));
        let write = move |connection: &Connection| store::begin_maintenance(connection, &written);
        // On the writing thread, so that the state follows in the order of the commits.
        let then = move |result: Result<(), DatabaseError<MaintenanceError>>| {
            result.map(|()| {
                core.change(|state, batch| state.begin_maintenance(maintenance, Utc::now(), batch));
            })
        };
        self.database.write_then(write, then).await
    }

    /// Ends a maintenance, once that is on disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn end_maintenance(
        self: &Arc<Self>,
        key: maintenance::Key,
    ) -> Result<(), DatabaseError<rusqlite::Error>> {
        let (written, core) = (key.clone(), Arc::clone(self));
        let write = move |connection: &Connection| store::end_maintenance(connection, &written);
        let then = move |result: Result<(), DatabaseError<rusqlite::Error>>| {
            result.map(|()| {
                core.change(|state, batch| state.end_maintenance(&key, Utc::now(), batch));
            })
        };
        self.database.write_then(write, then).await
    }

    /// Notes who looks after an incident, once that is on disk.
    ///
    /// # Errors
    /// When there is no such incident, it is over, or it cannot be written.
    pub async fn acknowledge(
        self: &Arc<Self>,
        id: u64,
        acknowledged: Acknowledgement,
    ) -> Result<Incident, DatabaseError<AcknowledgeError>> {
        let (written, core) = (acknowledged.clone(), Arc::clone(self));
        let write = move |connection: &Connection| store::acknowledge(connection, id, &written);
        // What was drawn from the state before this and is written after it says
        // nothing of it: so it is written once more, and told.
        let then = move |result: Result<Incident, DatabaseError<AcknowledgeError>>| {
            result.inspect(|_| core.change(|state, batch| state.acknowledge(id, acknowledged, batch)))
        };
        self.database.write_then(write, then).await
    }

    /// Writes what changed, for ever.
    pub async fn write_changes(self: Arc<Self>) {
        loop {
            tokio::select! {
                () = self.urgent.notified() => {}
                () = tokio::time::sleep(FLUSH) => {}
            }
            if self.flush().await {
                self.pulse.wrote(Instant::now());
            } else {
                tokio::time::sleep(RETRY).await;
            }
        }
    }

    /// Does what time alone does, for ever.
    pub async fn keep_time(self: Arc<Self>) {
        let mut last = Instant::now();
        loop {
            let passed = last.elapsed();
            last += passed;
            let statuses = self.change(|state, batch| {
                state.tick(passed, Utc::now(), batch);
                state.statuses()
            });
            self.counts.set(&statuses);
            tokio::time::sleep(TICK).await;
        }
    }

    /// Forgets what is older than the history is to be, for ever.
    pub async fn prune(self: Arc<Self>) {
        loop {
            if let Err(error) = self.prune_once().await {
                tracing::warn!("cannot prune the history now: {error}");
            }
            tokio::time::sleep(PRUNE).await;
        }
    }

    async fn prune_once(self: &Arc<Self>) -> Result<(), DatabaseError<rusqlite::Error>> {
        let horizon = Utc::now().checked_sub_signed(self.history).unwrap_or_default();
        while self.database.write(move |connection| prune::prune(connection, horizon)).await? {}
        for key in self.database.read(prune::forgotten).await? {
            // What has just come is in the state before it is on disk.
            if !self.is_listed(&key) {
                self.end_maintenance(key).await?;
            }
        }
        Ok(())
    }

    /// Writes what changed in one commit, and then tells of it; whether it is
    /// on disk. What could not be written is kept for the next time.
    async fn flush(self: &Arc<Self>) -> bool {
        let (batch, rows, facts) = {
            let mut inner = self.inner();
            let Inner { state, batch } = &mut *inner;
            state.blame(Utc::now(), batch);
            let batch = std::mem::take(batch);
            let rows = Rows::of(&batch, &inner.state);
            let facts = alert::facts(&batch.incidents, &inner.state);
            (batch, rows, facts)
        };
        if batch.is_empty() {
            return true;
        }
        let (batch, core) = (Arc::new(batch), Arc::clone(self));
        let (writing, writer) = (Arc::clone(&batch), Arc::clone(self));
        let write = move |connection: &Connection| {
            let now = Utc::now();
            store::write(connection, &writing, &rows?, now)?;
            outbox::file(connection, &writer.desk.channels, &writing.incidents, &facts, now)
        };
        let telling = Arc::clone(&batch);
        let then = move |result: Result<(), DatabaseError<rusqlite::Error>>| {
            if result.is_ok() {
                core.tell(&telling);
            }
            result
        };
        let result = self.database.write_then(write, then).await;
        if let Err(error) = result {
            tracing::error!("cannot write what the probes found: {error}");
            let dropped = self.inner().batch.put_back(Arc::unwrap_or_clone(batch));
            if dropped > 0 {
                tracing::error!("{dropped} events were dropped: the disk has been away for too long");
            }
            return false;
        }
        true
    }

    fn tell(&self, batch: &Batch) {
        for (id, data) in &batch.events {
            let text = serde_json::to_string(data).unwrap_or_default();
            // Nobody listens: that is no error.
            let _ = self.told.send(Arc::new(Told { id: *id, name: data.name(), data: text }));
        }
        if !batch.incidents.is_empty() {
            self.desk.tell();
        }
    }

    /// Writes what is left and closes the database.
    pub async fn close(self: Arc<Self>) {
        self.flush().await;
        self.database.clone().close().await;
    }
}
