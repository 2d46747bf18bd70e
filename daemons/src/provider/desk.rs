//! The subscription desk: who has subscribed, and a task for each that delivers.

use super::outbox::{self, Effects};
use super::store::{self, CreateError};
use super::subscription::Wish;
use super::{copy, delivery, given_up};
use crate::runtime::database::{Database, DatabaseError, OnDamage, Source};
use crate::runtime::health::Board;
use crate::runtime::lanes::Lanes;
use crate::runtime::probe::address;
use crate::runtime::{Context, OwnDir, StartError};
use chrono::{DateTime, Utc};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use rusqlite::Connection;
use shared::client::{Fleet, LogClient, http};
use shared::daemon::Daemon;
use shared::wire::provider::Subscription;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The health check that tells whether all registrations that ask for it are subscribed.
const PART: &str = "subscriptions";
/// Notices under way at a time.
const DELIVERIES_MAX: usize = 128;
/// The pause after a write or a read that failed.
pub const STORE_RETRY: Duration = Duration::from_secs(1);
/// How often it is counted what waits.
const COUNT: Duration = Duration::from_secs(5);

/// How the delivery of the notice that is next goes.
#[derive(Debug, Default)]
pub struct Tries {
    attempts: u64,
    last_error: Option<String>,
    next_at: Option<DateTime<Utc>>,
}

impl Tries {
    /// An attempt failed; whether that is news.
    pub fn fail(&mut self, error: &str, next_at: DateTime<Utc>) -> bool {
        self.attempts += 1;
        self.next_at = Some(next_at);
        self.last_error.replace(error.to_owned()).as_deref() != Some(error)
    }

    /// The notice was accepted.
    pub fn succeed(&mut self) {
        *self = Self::default();
    }
}

/// A subscription that is served.
pub struct Served {
    /// Its id.
    pub id: String,
    /// Where its notices are posted.
    pub url: String,
    /// There is more to tell.
    pub news: Notify,
    /// The receiver has shown that it is there.
    pub present: Notify,
    /// Cancelled when the subscription is deleted.
    pub gone: CancellationToken,
    /// Whether the subscriber let us wait last time. One that refuses at once did not.
    pub slow: AtomicBool,
    tries: Mutex<Tries>,
    started: AtomicBool,
}

impl Served {
    fn new(subscription: Subscription) -> Arc<Self> {
        let tries = Tries { last_error: subscription.last_error, ..Tries::default() };
        Arc::new(Self {
            id: subscription.id,
            url: subscription.callback_url,
            news: Notify::new(),
            present: Notify::new(),
            gone: CancellationToken::new(),
            slow: AtomicBool::new(false),
            tries: Mutex::new(tries),
            started: AtomicBool::new(false),
        })
    }

    /// How its delivery goes.
    pub fn tries(&self) -> MutexGuard<'_, Tries> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is on disk, with how the delivery goes.
    fn report(&self, kept: Subscription) -> Subscription {
        let tries = self.tries();
        Subscription {
            attempts: tries.attempts,
            next_attempt_at: tries.next_at,
            last_error: tries.last_error.clone(),
            ..kept
        }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Ended {
    outcome: &'static str,
}

#[derive(Default)]
struct Meters {
    deliveries: Family<Ended, Counter>,
    folded: Counter,
    given_up: Counter,
    subscriptions: Gauge,
    waiting: Gauge,
}

/// The desk.
pub struct Desk {
    /// The database.
    pub database: Database,
    /// For notices; it goes nowhere where a probe may not.
    pub client: reqwest::Client,
    /// Slots for notices.
    pub lanes: Lanes,
    health: Arc<Board>,
    served: Mutex<BTreeMap<String, Arc<Served>>>,
    /// There are subscriptions that no task serves yet.
    unserved: Notify,
    /// What is to be delivered cannot be read now, and that was told.
    pub unread: AtomicBool,
    meters: Meters,
    _dir: OwnDir,
}

impl Desk {
    /// Reads the subscriptions, and serves them in the background; and the copy
    /// of the registry up to which they were told.
    pub fn open(context: &Context) -> Result<(Arc<Self>, Fleet), StartError> {
        let dir = context.own_dir()?;
        let source = Source {
            path: &dir.path().join("provider.db"),
            migrations: store::MIGRATIONS,
            on_damage: OnDamage::Rebuild,
            health: &context.health,
            metrics: &context.metrics,
        };
        let (database, (subscriptions, fleet, left_out)) = Database::open(&source, |loading| {
            let fleet = copy::load(loading, Utc::now())?;
            Ok((store::load(loading)?, fleet, copy::is_anyone_left_out(loading.connection)?))
        })?;
        let client = http::build(|builder| builder.dns_resolver(Arc::new(address::Guard)))
            .map_err(|error| StartError::Other(format!("cannot set up an HTTP client: {error}")))?;
        let served = subscriptions.into_iter().map(|one| (one.id.clone(), Served::new(one)));
        let desk = Arc::new(Self {
            database,
            client,
            lanes: Lanes::new(DELIVERIES_MAX),
            health: Arc::clone(&context.health),
            served: Mutex::new(served.collect()),
            unserved: Notify::new(),
            unread: AtomicBool::new(false),
            meters: Meters::default(),
            _dir: dir,
        });
        desk.register(context);
        desk.tell_left_out(left_out);
        desk.unserved.notify_one();
        context.spawn_part("deliveries", Arc::clone(&desk).serve(context.clone()));
        context.spawn(Arc::clone(&desk).count_waiting());
        let log = LogClient::new(context.peer(Daemon::Log), context.client.clone());
        context.spawn(given_up::look_for(Arc::clone(&desk), log));
        Ok((desk, fleet))
    }

    fn register(&self, context: &Context) {
        let meters = &self.meters;
        context.metrics.register(|registry| {
            registry.register(
                "provider_deliveries",
                "Attempts to deliver a notice, by how they ended",
                meters.deliveries.clone(),
            );
            registry.register(
                "provider_notices_folded",
                "Notices folded into others, because too many waited",
                meters.folded.clone(),
            );
            registry.register(
                "provider_subscriptions_given_up",
                "Subscriptions ended because their receiver accepted nothing for a day",
                meters.given_up.clone(),
            );
            registry.register("provider_notices_waiting", "Notices that wait", meters.waiting.clone());
            registry.register("provider_subscriptions", "Subscriptions", meters.subscriptions.clone());
        });
    }

    fn served(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Served>>> {
        self.served.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a task for each subscription that has none.
    async fn serve(self: Arc<Self>, context: Context) {
        loop {
            self.unserved.notified().await;
            let served: Vec<_> = self.served().values().cloned().collect();
            self.meters.subscriptions.set(i64::try_from(served.len()).unwrap_or(i64::MAX));
            for one in served {
                if !one.started.swap(true, Ordering::Relaxed) {
                    context.spawn(delivery::deliver(Arc::clone(&self), one));
                }
            }
        }
    }

    async fn count_waiting(self: Arc<Self>) {
        loop {
            if let Ok(waiting) = self.database.read(outbox::waiting).await {
                self.meters.waiting.set(waiting);
            }
            if let Ok((count, max)) = self.database.read(store::occupancy).await {
                match count >= max - max / 10 {
                    true => self.health.warn("capacity", format!("{count} of at most {max} subscriptions")),
                    false => self.health.pass("capacity"),
                }
            }
            tokio::time::sleep(COUNT).await;
        }
    }

    /// Runs `write`, and what follows from it once it is on disk.
    ///
    /// # Errors
    /// What `write` says, or that it cannot be written.
    pub async fn change<T: Send + 'static, E: From<rusqlite::Error> + Send + 'static>(
        self: &Arc<Self>,
        write: impl FnOnce(&Connection) -> Result<(T, Effects), E> + Send + 'static,
    ) -> Result<T, DatabaseError<E>> {
        let desk = Arc::clone(self);
        let write = move |connection: &Connection| {
            let (value, effects) = write(connection)?;
            let made = effects.made.iter().map(|id| store::get(connection, id));
            // One that was made may be gone again by the end of the same write.
            let made = made.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
            Ok((value, effects, made))
        };
        // On the writing thread: the map follows in the order of the commits.
        let then = move |result: Result<(T, Effects, Vec<Subscription>), DatabaseError<E>>| {
            let (value, effects, made) = result?;
            desk.follow(&effects, made);
            Ok(value)
        };
        self.database.write_then(write, then).await
    }

    fn follow(&self, effects: &Effects, made: Vec<Subscription>) {
        let mut served = self.served();
        for gone in &effects.gone {
            if let Some(gone) = served.remove(gone) {
                gone.gone.cancel();
            }
        }
        if !(made.is_empty() && effects.gone.is_empty()) {
            served.extend(made.into_iter().map(|one| (one.id.clone(), Served::new(one))));
            self.unserved.notify_one();
        }
        effects.woken.iter().filter_map(|id| served.get(id)).for_each(|one| one.news.notify_one());
        effects.present.iter().filter_map(|id| served.get(id)).for_each(|one| one.present.notify_one());
        self.meters.folded.inc_by(effects.folded);
        if let Some(left_out) = effects.left_out {
            self.tell_left_out(left_out);
        }
    }

    fn tell_left_out(&self, left_out: bool) {
        if left_out {
            self.health.warn(PART, "there is no room for all that registrations ask for");
        } else {
            self.health.pass(PART);
        }
    }

    /// Subscribes, and tells what exists. One that asked for the same is
    /// replaced: whoever subscribes again has forgotten.
    ///
    /// # Errors
    /// When there are too many, or it cannot be written.
    pub async fn create(self: &Arc<Self>, wish: Wish) -> Result<Subscription, DatabaseError<CreateError>> {
        self.change(move |connection| {
            let mut effects = Effects::default();
            let id = copy::subscribe(connection, &wish, Utc::now(), &mut effects)?;
            let made = store::get(connection, &id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            Ok((made, effects))
        })
        .await
    }

    /// Unsubscribes; whether there was such a subscription.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn delete(self: &Arc<Self>, id: String) -> Result<bool, DatabaseError<rusqlite::Error>> {
        self.change(move |connection| {
            let mut effects = Effects::default();
            Ok((store::delete(connection, &id, &mut effects)?, effects))
        })
        .await
    }

    /// Every subscription, oldest first.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn list(&self) -> Result<Vec<Subscription>, DatabaseError<rusqlite::Error>> {
        let kept = self.database.read(store::list).await?;
        let served = self.served();
        let report = |kept: Subscription| match served.get(&kept.id) {
            Some(one) => one.report(kept),
            None => kept,
        };
        Ok(kept.into_iter().map(report).collect())
    }

    /// One subscription.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn get(&self, id: String) -> Result<Option<Subscription>, DatabaseError<rusqlite::Error>> {
        let served = self.served().get(&id).cloned();
        let kept = self.database.read(move |connection| store::get(connection, &id)).await?;
        Ok(kept.map(|kept| match served {
            Some(one) => one.report(kept),
            None => kept,
        }))
    }

    /// Counts a subscription that was given up.
    pub fn count_given_up(&self) {
        self.meters.given_up.inc();
    }

    /// Counts an attempt.
    pub fn count(&self, outcome: &'static str) {
        self.meters.deliveries.get_or_create(&Ended { outcome }).inc();
    }

    /// Closes the database.
    pub async fn close(self: Arc<Self>) {
        self.database.clone().close().await;
    }
}
