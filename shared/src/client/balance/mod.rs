//! Calls a service by its name, at whichever of its instances does best.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use shared::client::Balancer;
//!
//! let fleet = Balancer::watch("http://localhost:3000")?;
//! let answer = fleet.service("LibraryService").get("/library/books").await?;
//! println!("{}", answer.text().await?);
//! # Ok(())
//! # }
//! ```
//!
//! * It chooses from a watched copy of the registry: no call waits for the
//!   registry, and all goes on while that is away.
//! * By default it takes, of any two instances, the one that costs less: the
//!   latency that it measured itself ([`PeakEwma`]), times the calls that it has
//!   under way there. Or each in its [turn](Turns), or any by its
//!   [`weight`]: see [`Builder::policy`].
//! * A call that failed is made again at another instance when that is safe:
//!   when nothing can have been sent, or when the method (or an
//!   `Idempotency-Key`) says that twice is as good as once, and it broke, took
//!   too long, or was answered 502, 503 or 504. At most one call in five is,
//!   and one a second besides.
//! * An instance that takes no connections, or fails three times in a row, is
//!   set aside, for a second at first and for up to a minute. When all are,
//!   none is. Any answer of 500 or more is a failure, however fast it came.
//! * With [`Builder::monitor`] it takes the monitor's word too: nobody under
//!   maintenance or being drained is called, and the unhealthy only when all
//!   are.

mod budget;
mod call;
mod choice;
mod ewma;
mod outlier;
mod repeat;
mod state;

pub use call::{Call, CallError, Service};
pub use choice::{Turns, lesser_of_two, weight, weighted};
pub use ewma::PeakEwma;

use super::{Fleet, KeptBook, Mirror, MonitorClient, RegistryClient, http};
use crate::wire::provider::Policy;
use state::{Candidate, Outcome, State};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// For how long the first call waits for the first word of the registry.
const READY_MAX: Duration = Duration::from_secs(5);
/// Services that are remembered beyond those that are registered.
const GONE_MAX: usize = 64;

/// How calls are made.
#[derive(Debug, Clone)]
struct Options {
    policy: Policy,
    timeout: Duration,
    attempts_max: u32,
}

/// How a [`Balancer`] is to be.
#[derive(Debug)]
pub struct Builder {
    registry: String,
    monitor: Option<String>,
    client: Option<reqwest::Client>,
    options: Options,
}

impl Builder {
    /// How an instance is chosen; [`Policy::LeastLatency`] when not said.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.options.policy = policy;
        self
    }

    /// For how long one attempt may take, its answer read to the end; 10 s when
    /// not said.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = timeout;
        self
    }

    /// How often a call is attempted at most, each time at another instance; 3
    /// when not said.
    #[must_use]
    pub fn attempts(mut self, attempts_max: u32) -> Self {
        self.options.attempts_max = attempts_max.max(1);
        self
    }

    /// Takes the word of the monitor at this URL as well.
    #[must_use]
    pub fn monitor(mut self, url: &str) -> Self {
        self.monitor = Some(url.to_owned());
        self
    }

    /// Calls with this client.
    #[must_use]
    pub fn client(mut self, client: reqwest::Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Begins to watch. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When no HTTP client can be set up.
    pub fn build(self) -> Result<Balancer, reqwest::Error> {
        let client = match self.client {
            Some(client) => client,
            None => http::build(|builder| builder)?,
        };
        let (mirror, book) = (Arc::new(Mirror::default()), Arc::new(KeptBook::default()));
        let registry = RegistryClient::new(&self.registry, client.clone());
        let watched = Arc::clone(&mirror);
        let mut tasks = vec![tokio::spawn(async move { watched.run(registry).await })];
        if let Some(monitor) = self.monitor {
            let monitor = MonitorClient::new(&monitor, client.clone());
            let kept = Arc::clone(&book);
            tasks.push(tokio::spawn(async move { kept.follow(&monitor, drop).await }));
        }
        let inner = Inner {
            mirror,
            book,
            client,
            options: self.options,
            states: Mutex::default(),
            tasks: Tasks(tasks),
        };
        Ok(Balancer(Arc::new(inner)))
    }
}

/// Work in the background, which ends with whoever started it.
#[derive(Debug)]
struct Tasks(Vec<JoinHandle<()>>);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

/// Calls services by their names. Cheap to clone; what one clone learns of an
/// instance, all know. It watches until the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Balancer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    mirror: Arc<Mirror>,
    book: Arc<KeptBook>,
    client: reqwest::Client,
    options: Options,
    states: Mutex<HashMap<String, State>>,
    #[expect(dead_code, reason = "ends the tasks when it is dropped")]
    tasks: Tasks,
}

impl Balancer {
    /// Watches the registry at this URL. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When no HTTP client can be set up.
    pub fn watch(registry: &str) -> Result<Self, reqwest::Error> {
        Self::builder(registry).build()
    }

    /// As [`Balancer::watch`], with more to say.
    pub fn builder(registry: &str) -> Builder {
        let options =
            Options { policy: Policy::LeastLatency, timeout: Duration::from_secs(10), attempts_max: 3 };
        Builder { registry: registry.to_owned(), monitor: None, client: None, options }
    }

    /// A service by its name, whether or not it is registered now.
    pub fn service(&self, name: &str) -> Service {
        Service::new(self.clone(), name)
    }

    /// The watched copy of the registry.
    pub fn fleet(&self) -> Arc<Fleet> {
        self.0.mirror.fleet()
    }

    /// Waits for the first copy; whether there is one in time.
    async fn is_ready(&self) -> bool {
        let mut fleets = self.0.mirror.subscribe();
        let known = tokio::time::timeout(READY_MAX, fleets.wait_for(|fleet| fleet.known)).await;
        matches!(known, Ok(Ok(_)))
    }

    fn states(&self) -> MutexGuard<'_, HashMap<String, State>> {
        self.0.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Chooses an instance that was not tried, and counts a call under way there.
    /// Only of what is registered anything is remembered: the names of services
    /// may be those that users of this program give.
    fn choose(&self, fleet: &Fleet, service: &str, tried: &[String]) -> Option<(Flight, String)> {
        let instances = fleet.services.get(service)?;
        let book = self.0.book.book();
        let candidates: Vec<Candidate<'_>> = instances
            .values()
            .filter(|r| is_http(&r.service_url) && book.is_in_use(service, &r.instance_id))
            .map(|r| Candidate {
                instance: &r.instance_id,
                weight: weight(r),
                healthy: book.is_healthy(service, &r.instance_id),
                tried: tried.contains(&r.instance_id),
            })
            .collect();
        let mut states = self.states();
        if states.len() > fleet.services.len() + GONE_MAX {
            states.retain(|name, _| name == service || fleet.services.contains_key(name));
        }
        let now = Instant::now();
        let state = states.entry(service.to_owned()).or_insert_with(|| State::new(now));
        if tried.is_empty() {
            state.budget.earn(now);
        }
        let place = state.choose(&candidates, self.0.options.policy, fastrand::u64(..), now)?;
        let chosen = instances.get(candidates.get(place)?.instance)?;
        let flight = Flight {
            balancer: self.clone(),
            service: service.to_owned(),
            instance: chosen.instance_id.clone(),
            began: now,
            outcome: Outcome::Unknown,
        };
        Some((flight, chosen.service_url.clone()))
    }

    /// Whether a call may be repeated; it is counted then.
    fn may_repeat(&self, service: &str) -> bool {
        self.states().get_mut(service).is_some_and(|state| state.budget.spend())
    }
}

fn is_http(url: &str) -> bool {
    // Schemes are case-insensitive (RFC 3986, 3.1).
    url.split_once("://").is_some_and(|(scheme, _)| {
        scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
    })
}

/// A call under way; when it is dropped, it has ended.
struct Flight {
    balancer: Balancer,
    service: String,
    instance: String,
    began: Instant,
    outcome: Outcome,
}

impl Drop for Flight {
    fn drop(&mut self) {
        let now = Instant::now();
        if let Some(state) = self.balancer.states().get_mut(&self.service) {
            state.end(&self.instance, self.outcome, self.began, now);
        }
    }
}
