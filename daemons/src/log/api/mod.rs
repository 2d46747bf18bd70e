//! The log's routes.

mod answer;
mod append;
mod bodies;
mod context;
mod count;
mod cursor;
mod held_body;
mod retention;
mod search;
mod tail;

use self::cursor::Cursor;
use super::query::Filter;
use super::retention::Policy;
use super::search::{Budget, QueryMemory};
use super::store::Store;
use super::tail::{Views, relay};
use super::time;
use crate::log::limits::{ANSWERS_PART, PAUSED_MAX};
use crate::runtime::Context;
use crate::runtime::error::ApiError;
use crate::runtime::peer::ClientId;
use crate::runtime::slots::{Slot, Slots};
use shared::wire::log::Level;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// One pointer: it is copied many times a request.
type App = Arc<Shared>;

struct Shared {
    store: Arc<Store>,
    bodies: bodies::Bodies,
    tails: Arc<Semaphore>,
    views: Arc<Views>,
    /// How far the log is, for tails.
    next_seqs: watch::Receiver<u64>,
    stop: CancellationToken,
    body_max: usize,
    query_timeout: Duration,
    queries: Arc<Slots>,
    /// What searches hold, and what their answers hold until they are read.
    memory: Arc<QueryMemory>,
    answers: Arc<QueryMemory>,
    paused: Arc<Semaphore>,
    retention: Arc<Policy>,
}

/// All routes.
pub fn routes(store: Arc<Store>, context: &Context) -> OpenApiRouter {
    let settings = &context.settings.log;
    let (relayed, next_seqs) = watch::channel(store.next_seq());
    let relaying = relay(store.next_seqs(), relayed);
    context.streams.spawn(context.stop.clone().run_until_cancelled_owned(relaying));
    let query_memory = settings.query_memory.as_usize();
    let answers = query_memory / ANSWERS_PART;
    let app = Shared {
        store,
        bodies: bodies::Bodies::default(),
        tails: Arc::new(Semaphore::new(settings.tails_max)),
        views: Arc::new(Views::register(&context.metrics)),
        next_seqs,
        stop: context.stop.clone(),
        body_max: settings.body_max.as_usize(),
        query_timeout: settings.query_timeout.0,
        queries: Slots::new(settings.queries_max),
        memory: QueryMemory::new(query_memory - answers),
        answers: QueryMemory::new(answers),
        paused: Arc::new(Semaphore::new(PAUSED_MAX)),
        retention: Arc::new(Policy::new(settings)),
    };
    OpenApiRouter::new()
        .routes(routes!(search::search, append::append))
        .routes(routes!(tail::tail))
        .routes(routes!(count::hits))
        .routes(routes!(count::stats))
        .routes(routes!(context::context))
        .routes(routes!(retention::retention))
        .with_state(Arc::new(app))
}

impl Shared {
    /// A place among the queries that run.
    async fn admit(&self, client: ClientId) -> Result<Admitted, ApiError> {
        let slot = self
            .queries
            .acquire(client)
            .await
            .ok_or_else(|| ApiError::unavailable("too many searches run at the same time", 1))?;
        let left = Arc::new(AtomicBool::new(false));
        let deadline = Instant::now() + self.query_timeout;
        let budget = Budget { deadline, left: Arc::clone(&left), memory: Arc::clone(&self.memory) };
        Ok(Admitted { slot, budget, waiting: Waiting(left) })
    }
}

/// A query that may run.
struct Admitted {
    /// Its place, given back when it has ended.
    slot: Slot,
    budget: Budget,
    waiting: Waiting,
}

/// Held by whoever waits for the answer: a client that leaves drops it, and the
/// query ends.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The parameters that say which records are meant, as they come.
#[derive(Debug, Default)]
struct Which {
    q: Option<String>,
    service: Option<String>,
    level: Option<String>,
    since: Option<String>,
    until: Option<String>,
    after: Option<String>,
    before: Option<String>,
}

/// The parameters that every query has. Serde cannot refuse unknown ones in a
/// struct that is a part of another, so each query names them itself.
macro_rules! which {
    ($query:ident) => {
        $crate::log::api::Which {
            q: $query.q,
            service: $query.service,
            level: $query.level,
            since: $query.since,
            until: $query.until,
            after: None,
            before: None,
        }
    };
}
use which;

impl Which {
    /// The filter; made beside the runtime's threads, for a regular expression
    /// takes its time to compile.
    async fn filter(self) -> Result<Filter, ApiError> {
        tokio::task::spawn_blocking(move || self.compile()).await.map_err(ApiError::internal)?
    }

    fn compile(&self) -> Result<Filter, ApiError> {
        let mut filter = Filter::parse(self.q.as_deref().unwrap_or_default()).map_err(|error| {
            ApiError::malformed(format!("the query is wrong {error}")).field("q").position(error.position)
        })?;
        if let Some(level) = level(self.level.as_deref())? {
            filter = filter.min_level(level);
        }
        if let Some(service) = self.service.as_deref().filter(|service| !service.is_empty()) {
            filter = filter.service(service);
        }
        if let Some(since) = &self.since {
            filter.bounds.since_ns = moment("since", since)?;
        }
        if let Some(until) = &self.until {
            filter.bounds.until_ns = moment("until", until)?;
        }
        match self.after.as_deref().map(|text| Cursor::parse("after", text)).transpose()? {
            None => {}
            Some(Cursor::Seq(seq)) => filter.bounds.seqs.0 = seq.saturating_add(1),
            Some(Cursor::Time(ts_ns, seq)) => filter.bounds.cursors.0 = Some((ts_ns, seq)),
        }
        match self.before.as_deref().map(|text| Cursor::parse("before", text)).transpose()? {
            None => {}
            Some(Cursor::Seq(seq)) => filter.bounds.seqs.1 = seq,
            Some(Cursor::Time(ts_ns, seq)) => filter.bounds.cursors.1 = Some((ts_ns, seq)),
        }
        Ok(filter)
    }
}

/// A level in any of its spellings.
fn level(text: Option<&str>) -> Result<Option<Level>, ApiError> {
    text.filter(|text| !text.is_empty())
        .map(|text| text.parse().map_err(|e| ApiError::malformed(format!("level: {e}")).field("level")))
        .transpose()
}

/// A time as RFC 3339, or a span ago.
fn moment(field: &str, text: &str) -> Result<i64, ApiError> {
    time::parse_moment(text).ok_or_else(|| {
        let text: String = text.chars().take(40).collect();
        ApiError::malformed(format!(
            "{field}: '{text}' is neither a time such as 2026-11-22T10:00:00Z nor a span ago such as 15m, 2h or 7d"
        ))
        .field(field)
    })
}

fn bounded(field: &str, value: usize, max: usize) -> Result<usize, ApiError> {
    if (1..=max).contains(&value) {
        Ok(value)
    } else {
        Err(ApiError::malformed(format!("{field} must be from 1 to {max} here")).field(field))
    }
}

impl Admitted {
    /// Runs the query beside the runtime's threads.
    async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&Budget) -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let Self { slot, budget, waiting } = self;
        let work = move || {
            let result = work(&budget);
            drop(slot);
            result
        };
        let result = tokio::task::spawn_blocking(work).await.map_err(ApiError::internal);
        drop(waiting);
        result
    }
}
