//! The dead-man's switch: a URL outside is called for as long as the monitor
//! does its work. When the calls stop, whoever watches that URL pages.
//!
//! It works while probes are made in time and the store can be written: what is
//! not written pages nobody.

use super::core::Core;
use crate::runtime::Context;
use chrono::{DateTime, TimeDelta, Utc};
use prometheus_client::metrics::counter::Counter;
use shared::client::root_cause;
use shared::wire::health;
use shared::wire::monitor::ServiceStatus;
use std::sync::Arc;
use std::time::Duration;

/// For how long one call may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The health check that tells how calls go.
const PART: &str = "heartbeat";

/// Calls the URL for ever, if there is one.
pub fn spawn(context: &Context, core: Arc<Core>) {
    if context.settings.monitor.heartbeat_url.is_empty() {
        return;
    }
    let sent = Counter::default();
    context.metrics.register(|registry| {
        registry.register(
            "monitor_heartbeats",
            "Calls of the dead-man's switch that were answered",
            sent.clone(),
        );
    });
    context.spawn(run(context.clone(), core, sent));
}

async fn run(context: Context, core: Arc<Core>, sent: Counter) {
    let settings = &context.settings.monitor;
    // A probe may be due a whole interval after the last one, and take its time.
    let quiet_max =
        TimeDelta::from_std(settings.interval.0.saturating_mul(3).saturating_add(settings.timeout.0));
    let quiet_max = quiet_max.unwrap_or(TimeDelta::MAX).max(TimeDelta::seconds(5));
    let began = Utc::now();
    let mut ticks = tokio::time::interval(settings.heartbeat_interval.0);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let probes = in_time(&core.report(), began, quiet_max, Utc::now());
        let result = match probes.and_then(|()| schedule(&context)) {
            Ok(()) => match core.tidy().await {
                Ok(()) => call(&context).await,
                Err(error) => Err(format!("not called, for nothing can be written: {error}")),
            },
            Err(why) => Err(format!("not called: {why}")),
        };
        match result {
            Ok(()) => {
                sent.inc();
                context.health.pass(PART);
            }
            Err(why) => context.health.warn(PART, why),
        }
    }
}

fn schedule(context: &Context) -> Result<(), String> {
    let report = context.health.report();
    match report.checks.get("schedule") {
        Some(check) if check.status != health::Status::Pass => Err("probes are late".to_owned()),
        _ => Ok(()),
    }
}

/// Whether somebody was probed lately, where there is somebody to probe.
fn in_time(
    services: &[ServiceStatus],
    began: DateTime<Utc>,
    quiet_max: TimeDelta,
    now: DateTime<Utc>,
) -> Result<(), String> {
    if services.is_empty() {
        return Ok(());
    }
    let newest = services.iter().filter_map(|service| service.last_check).max();
    let quiet = now - newest.map_or(began, |newest| newest.max(began));
    if quiet > quiet_max {
        return Err(format!("no probe was made for {} s", quiet.num_seconds()));
    }
    Ok(())
}

async fn call(context: &Context) -> Result<(), String> {
    let url = context.settings.monitor.heartbeat_url.reveal();
    match context.client.get(url).timeout(TIMEOUT).send().await {
        Ok(response) if response.status().is_success() => Ok(()),
        Ok(response) => Err(format!("it answered {}", response.status())),
        Err(error) => Err(format!("not reachable: {}", root_cause(&error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_monitor_that_has_somebody_to_probe_and_does_not_is_not_alive() {
        let now = Utc::now();
        let minute = TimeDelta::minutes(1);
        let service = |last: Option<DateTime<Utc>>| ServiceStatus {
            name: "S".to_owned(),
            url: String::new(),
            status: shared::wire::monitor::Status::Healthy,
            last_check: last,
            latency: None,
            instances: Vec::new(),
            reason: None,
            detail: None,
            since: None,
            uptime: None,
            flapping: false,
            warnings: Vec::new(),
        };
        for (services, began, alive) in [
            (vec![], now - minute * 9, true),
            (vec![service(Some(now)), service(None)], now - minute * 9, true),
            (vec![service(Some(now - minute * 2))], now - minute * 9, false),
            (vec![service(None)], now - minute * 9, false),
            // It has only just started.
            (vec![service(Some(now - minute * 99))], now, true),
        ] {
            assert_eq!(in_time(&services, began, minute, now).is_ok(), alive, "{services:?}");
        }
    }
}
