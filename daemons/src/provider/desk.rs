//! The subscription desk: who has subscribed, and a task for each that delivers.

use super::delivery;
use super::store::{self, CreateError};
use super::subscription::{Standing, Wish, wishes};
use crate::runtime::database::{Database, DatabaseError};
use crate::runtime::health::Board;
use crate::runtime::lanes::Lanes;
use crate::runtime::{Context, OwnDir, StartError};
use chrono::Utc;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use rusqlite::Connection;
use shared::client::{Fleet, Mirror};
use shared::wire::provider::Subscription;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The health check that tells whether all registrations that ask for it are subscribed.
const PART: &str = "subscriptions";
/// Notices under way at a time.
const DELIVERIES_MAX: usize = 128;

/// Why a subscription is not made.
pub type CreateFailed = DatabaseError<CreateError>;

/// A subscription that is served.
pub struct Served {
    standing: Mutex<Standing>,
    /// Cancelled when the subscription is deleted.
    pub gone: CancellationToken,
    /// Whether the subscriber let us wait last time. One that refuses at once did not.
    pub slow: AtomicBool,
    started: AtomicBool,
}

impl Served {
    fn new(standing: Standing) -> Arc<Self> {
        Arc::new(Self {
            standing: Mutex::new(standing),
            gone: CancellationToken::new(),
            slow: AtomicBool::new(false),
            started: AtomicBool::new(false),
        })
    }

    /// How it stands.
    pub fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Ended {
    outcome: &'static str,
}

/// The desk.
pub struct Desk {
    /// The database.
    pub database: Database,
    /// The registry's copy.
    pub mirror: Arc<Mirror>,
    /// For notices.
    pub client: reqwest::Client,
    /// Slots for notices.
    pub lanes: Lanes,
    health: Arc<Board>,
    served: Mutex<BTreeMap<String, Arc<Served>>>,
    /// There are subscriptions that no task serves yet.
    news: Notify,
    deliveries: Family<Ended, Counter>,
    count: Gauge,
    _dir: OwnDir,
}

impl Desk {
    /// Reads the subscriptions, and serves them in the background.
    pub fn open(context: &Context, mirror: Arc<Mirror>) -> Result<Arc<Self>, StartError> {
        let dir = context.own_dir()?;
        let path = dir.path().join("provider.db");
        let database = Database::open(&path, store::MIGRATIONS, Arc::clone(&context.health))?;
        let standings = Connection::open(&path)
            .and_then(|connection| store::load(&connection))
            .map_err(|e| StartError::path("cannot read", &path, e))?;
        let served = standings.into_iter().map(|standing| (standing.id.clone(), Served::new(standing)));
        let desk = Arc::new(Self {
            database,
            mirror,
            client: context.client.clone(),
            lanes: Lanes::new(DELIVERIES_MAX),
            health: Arc::clone(&context.health),
            served: Mutex::new(served.collect()),
            news: Notify::new(),
            deliveries: Family::default(),
            count: Gauge::default(),
            _dir: dir,
        });
        context.metrics.register(|registry| {
            registry.register(
                "provider_deliveries",
                "Attempts to deliver a notice, by how they ended",
                desk.deliveries.clone(),
            );
            registry.register("provider_subscriptions", "Subscriptions", desk.count.clone());
        });
        desk.news.notify_one();
        context.spawn(Arc::clone(&desk).serve(context.clone()));
        context.spawn(Arc::clone(&desk).follow_registrations());
        Ok(desk)
    }

    fn served(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Served>>> {
        self.served.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a task for each subscription that has none.
    async fn serve(self: Arc<Self>, context: Context) {
        loop {
            self.news.notified().await;
            let served: Vec<_> = self.served().values().cloned().collect();
            self.count.set(i64::try_from(served.len()).unwrap_or(i64::MAX));
            for one in served {
                if !one.started.swap(true, Ordering::Relaxed) {
                    context.spawn(delivery::deliver(Arc::clone(&self), one));
                }
            }
        }
    }

    /// Subscribes what the registrations ask for, and unsubscribes what is gone.
    /// A copy that is merely out of date changes nothing.
    async fn follow_registrations(self: Arc<Self>) {
        let mut fleets = self.mirror.subscribe();
        fleets.mark_changed();
        while fleets.changed().await.is_ok() {
            let fleet = Arc::clone(&fleets.borrow_and_update());
            match self.match_registrations(&fleet).await {
                Ok(()) => self.health.pass(PART),
                // Trying again helps only when the registrations have changed.
                Err(CreateFailed::Operation(full @ CreateError::Full(_))) => {
                    self.health
                        .warn(PART, format!("not all that registrations ask for is subscribed: {full}"));
                }
                Err(error) => {
                    tracing::warn!("cannot subscribe what the registrations ask for: {error}");
                    tokio::time::sleep(delivery::STORE_RETRY).await;
                    fleets.mark_changed();
                }
            }
        }
    }

    async fn match_registrations(self: &Arc<Self>, fleet: &Fleet) -> Result<(), CreateFailed> {
        if !fleet.known {
            return Ok(());
        }
        let wanted = wishes(fleet);
        let automatic: BTreeMap<Wish, String> = self
            .served()
            .iter()
            .map(|(id, served)| (served.standing().wish.clone(), id.clone()))
            .filter(|(wish, _)| wish.owner.is_some())
            .collect();
        for (wish, id) in &automatic {
            if !wanted.contains(wish) {
                self.delete(id).await.map_err(as_create_failed)?;
            }
        }
        let known: BTreeSet<&Wish> = automatic.keys().collect();
        for wish in wanted.iter().filter(|wish| !known.contains(wish)) {
            self.create(wish.clone()).await?;
        }
        Ok(())
    }

    /// Subscribes. One that asked for the same is replaced, and told anew what
    /// exists: whoever subscribes again has forgotten.
    ///
    /// # Errors
    /// When there are too many, or it cannot be written.
    pub async fn create(self: &Arc<Self>, wish: Wish) -> Result<Subscription, CreateFailed> {
        let now = Utc::now();
        let standing = Standing::new(format!("{:016x}", fastrand::u64(..)), wish, now);
        let (id, wish, desk) = (standing.id.clone(), standing.wish.clone(), Arc::clone(self));
        let report = standing.report(&self.mirror.fleet());
        let write = move |connection: &Connection| store::create(connection, &id, &wish, now);
        // On the writing thread: the map follows in the order of the commits.
        let then = move |result: Result<Option<String>, DatabaseError<CreateError>>| {
            let replaced = result?;
            let mut served = desk.served();
            if let Some(replaced) = replaced.and_then(|id| served.remove(&id)) {
                replaced.gone.cancel();
            }
            served.insert(standing.id.clone(), Served::new(standing));
            desk.news.notify_one();
            Ok(())
        };
        self.database.write_then(write, then).await?;
        Ok(report)
    }

    /// Unsubscribes; whether there was such a subscription.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn delete(self: &Arc<Self>, id: &str) -> Result<bool, DatabaseError<rusqlite::Error>> {
        let (row, key, desk) = (id.to_owned(), id.to_owned(), Arc::clone(self));
        let write = move |connection: &Connection| store::delete(connection, &row);
        let then = move |result: Result<bool, DatabaseError<rusqlite::Error>>| {
            let here = result?;
            if let Some(gone) = desk.served().remove(&key) {
                gone.gone.cancel();
            }
            desk.news.notify_one();
            Ok(here)
        };
        self.database.write_then(write, then).await
    }

    /// Every subscription.
    pub fn list(&self) -> Vec<Subscription> {
        let fleet = self.mirror.fleet();
        self.served().values().map(|served| served.standing().report(&fleet)).collect()
    }

    /// One subscription.
    pub fn get(&self, id: &str) -> Option<Subscription> {
        let served = self.served().get(id).cloned()?;
        let report = served.standing().report(&self.mirror.fleet());
        Some(report)
    }

    /// Counts an attempt.
    pub fn count(&self, outcome: &'static str) {
        self.deliveries.get_or_create(&Ended { outcome }).inc();
    }

    /// Closes the database.
    pub async fn close(self: Arc<Self>) {
        self.database.clone().close().await;
    }
}

fn as_create_failed(error: DatabaseError<rusqlite::Error>) -> CreateFailed {
    match error {
        DatabaseError::Operation(error) => DatabaseError::Operation(error.into()),
        DatabaseError::Busy => DatabaseError::Busy,
        DatabaseError::Unavailable => DatabaseError::Unavailable,
    }
}
