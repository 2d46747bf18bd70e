//! What is measured of alerts, and what `/health` tells of them.

use super::outbox::{self, Standing};
use crate::monitor::core::Core;
use crate::runtime::health::Board;
use crate::runtime::metrics::Metrics;
use chrono::{DateTime, TimeDelta, Utc};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use shared::span::age;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// How often `/health` and the gauges are told.
const REPORT: Duration = Duration::from_secs(2);
/// For how long `/health` tells that a notification was given up.
const GIVEN_UP_TOLD: TimeDelta = TimeDelta::days(1);
/// The health check.
const PART: &str = "alerts";

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Attempt {
    channel: String,
    /// `delivered`, `failed`, `refused` or `given_up`.
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfChannel {
    channel: String,
}

/// What is measured.
#[derive(Clone)]
pub struct Measures {
    attempts: Family<Attempt, Counter>,
    pending: Family<OfChannel, Gauge>,
    waiting: Family<OfChannel, Gauge<f64, AtomicU64>>,
    lag: Histogram,
}

impl Measures {
    /// Registers it.
    pub fn register(metrics: &Metrics) -> Self {
        let own = Self {
            attempts: Family::default(),
            pending: Family::default(),
            waiting: Family::default(),
            // 1 ms to 18 h, each bucket four times the one before.
            lag: Histogram::new(exponential_buckets(0.001, 4.0, 14)),
        };
        metrics.register(|registry| {
            registry.register(
                "monitor_notification_attempts",
                "Attempts to deliver a notification, by how they ended",
                own.attempts.clone(),
            );
            registry.register(
                "monitor_notifications_pending",
                "Notifications that wait, those for the end of quiet hours too",
                own.pending.clone(),
            );
            registry.register(
                "monitor_notification_waiting_seconds",
                "For how long the oldest notification that is due has waited",
                own.waiting.clone(),
            );
            registry.register(
                "monitor_notification_lag_seconds",
                "From when a notification was due to its delivery",
                own.lag.clone(),
            );
        });
        own
    }

    /// An attempt has ended.
    pub fn attempted(&self, channel: &str, outcome: &'static str) {
        self.attempts.get_or_create(&Attempt { channel: channel.to_owned(), outcome }).inc();
    }

    /// A notification was delivered so long after it was due.
    pub fn delivered(&self, lag: TimeDelta) {
        self.lag.observe(lag.to_std().unwrap_or_default().as_secs_f64());
    }

    fn stands(&self, channel: &str, standing: &Standing, now: DateTime<Utc>) {
        let channel = OfChannel { channel: channel.to_owned() };
        self.pending.get_or_create(&channel).set(i64::try_from(standing.pending).unwrap_or(i64::MAX));
        self.waiting.get_or_create(&channel).set(waited(standing, now).as_secs_f64());
    }
}

fn waited(standing: &Standing, now: DateTime<Utc>) -> Duration {
    standing.waiting_since.and_then(|since| (now - since).to_std().ok()).unwrap_or_default()
}

/// Tells `/health` and the gauges how the channels stand, for ever.
pub async fn report(core: Arc<Core>, measures: Measures, health: Arc<Board>) {
    let names: Vec<String> = core.desk().channels.all.iter().map(|channel| channel.name.clone()).collect();
    if names.is_empty() {
        return;
    }
    loop {
        let now = Utc::now();
        let asked = names.clone();
        let standings = core.database().read(move |connection| {
            asked
                .iter()
                .map(|name| outbox::standing(connection, name, now))
                .collect::<rusqlite::Result<Vec<_>>>()
        });
        if let Ok(standings) = standings.await {
            let complaints: Vec<String> = names
                .iter()
                .zip(&standings)
                .inspect(|(name, standing)| measures.stands(name, standing, now))
                .filter_map(|(name, standing)| complaint(name, standing, now))
                .collect();
            if complaints.is_empty() {
                health.pass(PART);
            } else {
                health.warn(PART, complaints.join("; "));
            }
        }
        tokio::time::sleep(REPORT).await;
    }
}

fn complaint(name: &str, standing: &Standing, now: DateTime<Utc>) -> Option<String> {
    if let Some(error) = &standing.last_error {
        let (waiting, since) = (standing.pending, age(waited(standing, now)));
        return Some(format!(
            "channel {name} takes nothing, {waiting} waiting, the oldest for {since}: {error}"
        ));
    }
    let given_up = standing.last_given_up.filter(|at| now - at < GIVEN_UP_TOLD)?;
    let at = given_up.format("%Y-%m-%dT%H:%M:%SZ");
    Some(format!("channel {name}: a notification was given up at {at}; see /monitor/alerts?state=given_up"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_that_fails_is_told_and_so_is_what_was_given_up_today() {
        let now = Utc::now();
        let well = Standing::default();
        assert_eq!(complaint("ops", &well, now), None);
        let waiting_since = Some(now - TimeDelta::seconds(90));
        let failing =
            Standing { pending: 2, waiting_since, last_error: Some("500".to_owned()), ..well.clone() };
        let told = complaint("ops", &failing, now).unwrap();
        assert_eq!(told, "channel ops takes nothing, 2 waiting, the oldest for 1m 30s: 500");
        let quiet = Standing { pending: 2, waiting_since: None, ..well.clone() };
        assert_eq!(complaint("ops", &quiet, now), None, "quiet hours are no trouble");
        let lost = Standing { last_given_up: Some(now - TimeDelta::hours(3)), ..well };
        assert!(complaint("ops", &lost, now).unwrap().contains("given up"));
        assert_eq!(complaint("ops", &lost, now + TimeDelta::days(2)), None);
    }
}
