//! Subscriptions of receivers that are dead: ended, and said so in the log, where
//! an operator sees it.

use super::desk::Desk;
use super::outbox::Effects;
use super::store;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use shared::client::{LogClient, backoff};
use shared::credentials::without_password;
use shared::daemon::Daemon;
use shared::wire::log::{Level, NewRecord};
use shared::wire::provider::Subscription;
use std::sync::Arc;
use std::time::Duration;

/// A subscription whose receiver has accepted nothing for so long ends.
const GIVE_UP: TimeDelta = TimeDelta::days(1);
/// How often it is looked for such ones.
const LOOK: Duration = Duration::from_secs(3_600);
/// While the log is away, the longest pause between two tries to tell it.
const RETRY_MAX: Duration = Duration::from_secs(60);

/// Ends the subscriptions of receivers that are dead. After a start each has an
/// hour to show that it is not.
pub async fn look_for(desk: Arc<Desk>, log: LogClient) {
    loop {
        tokio::time::sleep(LOOK).await;
        let given_up = desk.change(|connection| {
            let mut effects = Effects::default();
            let dead = store::give_up(connection, Utc::now() - GIVE_UP, &mut effects)?;
            Ok::<_, rusqlite::Error>((dead, effects))
        });
        match given_up.await {
            Ok(dead) => {
                for subscription in &dead {
                    desk.count_given_up();
                    tracing::warn!(subscription = subscription.id, "{}", message(subscription));
                }
                for subscription in &dead {
                    tell(&log, subscription).await;
                }
            }
            Err(error) => tracing::warn!("cannot give up dead subscriptions, trying later: {error}"),
        }
    }
}

/// Writes the log record, once, however often it has to be tried.
async fn tell(log: &LogClient, subscription: &Subscription) {
    let (record, key) = (record(subscription, Utc::now()), format!("given-up-{}", subscription.id));
    for pause in backoff(RETRY_MAX) {
        match log.append(std::slice::from_ref(&record), Some(&key)).await {
            Err(error) if error.is_temporary() => tokio::time::sleep(pause).await,
            Err(error) => return tracing::warn!("cannot tell the log of it: {error}"),
            Ok(_) => return,
        }
    }
}

fn message(subscription: &Subscription) -> String {
    let (service, url) = (&subscription.service, without_password(&subscription.callback_url));
    format!("subscription given up: {url} has accepted no notice of '{service}' for a day")
}

fn record(subscription: &Subscription, now: DateTime<Utc>) -> NewRecord {
    let fields = [
        ("event", json!("subscription_given_up")),
        ("subscription", json!(subscription.id)),
        ("subscribed_to", json!(subscription.service)),
        ("callback_url", json!(without_password(&subscription.callback_url))),
        ("failing_since", json!(subscription.failing_since)),
        ("last_error", json!(subscription.last_error)),
        ("pending", json!(subscription.pending)),
    ];
    NewRecord {
        ts: Some(now),
        level: Some(Level::Warn),
        service: Some(Daemon::Provider.service_name().to_owned()),
        message: message(subscription),
        fields: fields
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect::<Map<String, Value>>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Bytes;
    use axum::http::{HeaderMap, StatusCode};
    use axum::routing::post;
    use shared::client::http;
    use tokio::sync::mpsc;

    fn dead() -> Subscription {
        serde_json::from_value(json!({
            "id": "17", "service": "Checkout", "callbackUrl": "http://ann:secret@h/told", "automatic": false,
            "createdAt": "2026-11-01T00:00:00Z", "pending": 3, "deliveredRevision": 9,
            "lastError": "it answered 500", "failingSince": "2026-11-02T00:00:00Z",
        }))
        .unwrap()
    }

    /// A log that is busy at first, and then says what it was told.
    #[tokio::test]
    async fn the_log_is_told_who_was_given_up_and_why_also_when_it_is_away_at_first() {
        let (calls, mut called) = mpsc::channel(9);
        let log = post(async move |headers: HeaderMap, body: Bytes| {
            let key = headers.get("idempotency-key").map(|key| key.to_str().unwrap().to_owned());
            let is_first = calls.capacity() == 9;
            calls.send((key, body)).await.unwrap();
            let accepted = axum::Json(json!({ "accepted": 1, "first": 1, "last": 1 }));
            if is_first { Err(StatusCode::SERVICE_UNAVAILABLE) } else { Ok(accepted) }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/log", log)).await });
        tell(&LogClient::new(&base, http::build(|builder| builder).unwrap()), &dead()).await;
        let (first, second) = (called.recv().await.unwrap(), called.recv().await.unwrap());
        assert_eq!(first, second, "the same, with the same key");
        assert_eq!(first.0.as_deref(), Some("given-up-17"));
        let told: Value = serde_json::from_slice(&second.1).unwrap();
        assert_eq!((&told[0]["level"], &told[0]["service"]), (&json!("warn"), &json!("ProviderService")));
        assert_eq!(
            told[0]["message"],
            "subscription given up: http://ann:***@h/told has accepted no notice of 'Checkout' for a day"
        );
        assert_eq!(told[0]["last_error"], "it answered 500");
    }
}
