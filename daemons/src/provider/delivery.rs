//! One subscriber's notices, one after the other.

use super::desk::{Desk, Served};
use super::store;
use super::subscription::Pending;
use crate::runtime::lanes::PATIENCE;
use rusqlite::Connection;
use shared::client::{Instances, backoff, root_cause};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How long a subscriber may take to accept a notice.
const ACCEPT_MAX: Duration = Duration::from_secs(5);
/// The longest pause between two attempts.
const RETRY_MAX: Duration = Duration::from_secs(60);
/// The pause after a write that failed.
pub const STORE_RETRY: Duration = Duration::from_secs(1);
/// The longest error that is kept, in characters.
const ERROR_MAX: usize = 200;

/// Delivers for as long as the subscription is there.
pub async fn deliver(desk: Arc<Desk>, served: Arc<Served>) {
    let gone = served.gone.clone();
    let _ = gone.run_until_cancelled(run(&desk, &served)).await;
}

async fn run(desk: &Desk, served: &Served) {
    let mut fleets = desk.mirror.subscribe();
    // The instances that are known to be told: what is the same pointer need
    // not be compared again.
    let mut told: Option<Option<Arc<Instances>>> = None;
    loop {
        if served.standing().pending.is_none() {
            let fleet = Arc::clone(&fleets.borrow_and_update());
            let (now, next) = {
                let standing = served.standing();
                let now = fleet.services.get(&standing.wish.service).cloned();
                let same = told.as_ref().is_some_and(|told| match (told, &now) {
                    (Some(told), Some(now)) => Arc::ptr_eq(told, now),
                    (told, now) => told.is_none() && now.is_none(),
                });
                let next = if same || !fleet.known { None } else { standing.next_notice(&fleet) };
                (now, next)
            };
            let Some(notice) = next else {
                told = fleet.known.then_some(now);
                if fleets.changed().await.is_err() {
                    return;
                }
                continue;
            };
            told = None;
            let body = serde_json::to_string(&notice).unwrap_or_default();
            begin(desk, served, Pending { notice, body }).await;
        }
        send(desk, served).await;
    }
}

/// Writes a notice down, before it is first sent.
async fn begin(desk: &Desk, served: &Served, pending: Pending) {
    let (id, number) = {
        let standing = served.standing();
        (standing.id.clone(), standing.number + 1)
    };
    let body = pending.body.clone();
    write(desk, move |connection| store::begin(connection, &id, number, &body)).await;
    served.standing().begin(pending);
}

/// Sends the pending notice until it is accepted, and writes down that it was.
async fn send(desk: &Desk, served: &Served) {
    let mut pauses = backoff(RETRY_MAX);
    let (id, url, key, pending) = {
        let standing = served.standing();
        let Some(pending) = standing.pending.clone() else { return };
        let url = standing.wish.callback_url.clone();
        (standing.id.clone(), url, standing.key(), pending)
    };
    let call = async || {
        let began = Instant::now();
        let result = attempt(desk, &url, &key, &pending.body).await;
        served.slow.store(began.elapsed() > PATIENCE, Ordering::Relaxed);
        result
    };
    while let Err(error) = desk.lanes.run(served.slow.load(Ordering::Relaxed), call).await {
        desk.count("failed");
        let error: String = error.chars().take(ERROR_MAX).collect();
        let news = served.standing().last_error.replace(error.clone()).as_ref() != Some(&error);
        if news {
            tracing::info!(subscription = id, url, "notice not accepted, retrying: {error}");
            let id = id.clone();
            // It is for the eye only: when it cannot be written now, no matter.
            let _ = desk.database.write(move |connection| store::failed(connection, &id, &error)).await;
        }
        tokio::time::sleep(pauses.next().unwrap_or(RETRY_MAX)).await;
    }
    desk.count("accepted");
    let notice = pending.notice;
    write(desk, move |connection| store::accepted(connection, &id, &notice)).await;
    served.standing().accepted();
}

/// One attempt: accepted is any status of success.
async fn attempt(desk: &Desk, url: &str, key: &str, body: &str) -> Result<(), String> {
    let request = desk
        .client
        .post(url)
        .timeout(ACCEPT_MAX)
        .header("content-type", "application/json")
        .header("idempotency-key", key)
        .body(body.to_owned());
    match request.send().await {
        Ok(response) if response.status().is_success() => Ok(()),
        Ok(response) => Err(format!("it answered {}", response.status())),
        Err(error) if error.is_timeout() => Err(format!("no answer within {} s", ACCEPT_MAX.as_secs())),
        Err(error) => Err(format!("not reachable: {}", root_cause(&error))),
    }
}

/// Writes, trying until it is on disk: a notice must not be sent, nor followed
/// by another, before that.
async fn write(
    desk: &Desk,
    operation: impl FnOnce(&Connection) -> rusqlite::Result<()> + Clone + Send + 'static,
) {
    while let Err(error) = desk.database.write(operation.clone()).await {
        tracing::warn!("cannot write how a delivery stands, retrying: {error}");
        tokio::time::sleep(STORE_RETRY).await;
    }
}
