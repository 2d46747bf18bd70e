//! The dead-man's switch: a URL outside is called for as long as the monitor
//! does its work. When the calls stop, whoever watches that URL pages.
//!
//! It works while probes begin when they are due, however seldom that is, and
//! what they find can be written: what is not written pages nobody.

use super::core::Core;
use crate::runtime::Context;
use prometheus_client::metrics::counter::Counter;
use shared::client::root_cause;
use std::sync::Arc;
use std::time::{Duration, Instant};

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
    let mut ticks = tokio::time::interval(settings.heartbeat_interval.0);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let result = match core.pulse().check(Instant::now()) {
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

async fn call(context: &Context) -> Result<(), String> {
    let url = context.settings.monitor.heartbeat_url.reveal();
    match context.client.get(url).timeout(TIMEOUT).send().await {
        Ok(response) if response.status().is_success() => Ok(()),
        Ok(response) => Err(format!("it answered {}", response.status())),
        Err(error) => Err(format!("not reachable: {}", root_cause(&error))),
    }
}
