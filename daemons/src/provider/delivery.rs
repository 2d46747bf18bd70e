//! One subscriber's notices, one after the other.

use super::desk::{Desk, STORE_RETRY, Served};
use super::outbox::{self, Head};
use crate::runtime::lanes::PATIENCE;
use crate::runtime::probe::address;
use chrono::Utc;
use reqwest::Url;
use shared::client::{backoff, root_cause};
use shared::credentials::without_password;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How long a subscriber may take to accept a notice.
const ACCEPT_MAX: Duration = Duration::from_secs(5);
/// The longest pause between two attempts.
const RETRY_MAX: Duration = Duration::from_secs(60);
/// The longest error that is kept, in characters.
const ERROR_MAX: usize = 200;

/// Delivers for as long as the subscription is there.
pub async fn deliver(desk: Arc<Desk>, served: Arc<Served>) {
    let gone = served.gone.clone();
    let _ = gone.run_until_cancelled(run(&desk, &served)).await;
}

async fn run(desk: &Desk, served: &Served) {
    loop {
        let id = served.id.clone();
        match desk.database.read(move |connection| outbox::head(connection, &id)).await {
            Ok(head) => {
                desk.unread.store(false, Ordering::Relaxed);
                match head {
                    Some(head) => send(desk, served, head).await,
                    None => served.news.notified().await,
                }
            }
            Err(error) => {
                // Once for all subscriptions, until one can be read again.
                if !desk.unread.swap(true, Ordering::Relaxed) {
                    tracing::warn!("cannot read what is to be delivered, retrying: {error}");
                }
                tokio::time::sleep(STORE_RETRY).await;
            }
        }
    }
}

/// Sends the notice until it is accepted, and writes down that it was.
async fn send(desk: &Desk, served: &Served, head: Head) {
    let mut pauses = backoff(RETRY_MAX);
    let key = format!("{}-{}", served.id, head.number);
    let call = async || {
        let began = Instant::now();
        let result = attempt(desk, &served.url, &key, &head.body).await;
        served.slow.store(began.elapsed() > PATIENCE, Ordering::Relaxed);
        result
    };
    while let Err(error) = desk.lanes.run(served.slow.load(Ordering::Relaxed), call).await {
        desk.count("failed");
        let error: String = error.chars().take(ERROR_MAX).collect();
        let pause = pauses.next().unwrap_or(RETRY_MAX);
        if served.tries().fail(&error, Utc::now() + pause) {
            tracing::info!(
                subscription = served.id,
                url = %without_password(&served.url),
                "notice not accepted, retrying: {error}"
            );
            let id = served.id.clone();
            // When it cannot be written now, it is given up the later; no matter.
            let write =
                move |connection: &rusqlite::Connection| outbox::failed(connection, &id, &error, Utc::now());
            let _ = desk.database.write(write).await;
        }
        // A receiver that has just been seen need not wait for its turn.
        let _ = tokio::time::timeout(pause, served.present.notified()).await;
    }
    desk.count("accepted");
    loop {
        let (id, head) = (served.id.clone(), head.clone());
        let write =
            move |connection: &rusqlite::Connection| outbox::accepted(connection, &id, &head, Utc::now());
        match desk.database.write(write).await {
            Ok(()) => break,
            // The next one must not be sent before: it would be told twice in disorder.
            Err(error) => tracing::warn!("cannot write how a delivery stands, retrying: {error}"),
        }
        tokio::time::sleep(STORE_RETRY).await;
    }
    served.tries().succeed();
}

/// One attempt: accepted is any status of success.
async fn attempt(desk: &Desk, url: &str, key: &str, body: &str) -> Result<(), String> {
    let url = Url::parse(url).map_err(|error| format!("not a URL: {error}"))?;
    // A name is looked at when the client resolves it.
    address::check(&url).map_err(|refusal| refusal.to_string())?;
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
