//! The watched copy of the registry, for the daemons that work from one.

use super::Context;
use shared::client::{Fleet, Mirror, RegistryClient, Steps};
use shared::daemon::Daemon;
use shared::span::age;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often `/health` is told how old the copy is.
const REPORT: Duration = Duration::from_secs(1);

/// Keeps a copy in the background, and tells `/health` while it is out of date.
pub fn keep(context: &Context) -> Arc<Mirror> {
    run(Mirror::default(), context)
}

/// As [`keep`], from a copy that was kept on disk, and with every step from there.
pub fn resume(kept: Fleet, context: &Context) -> (Arc<Mirror>, Steps) {
    let (mirror, steps) = Mirror::stepping(kept);
    (run(mirror, context), steps)
}

fn run(mirror: Mirror, context: &Context) -> Arc<Mirror> {
    let mirror = Arc::new(mirror);
    let registry = RegistryClient::new(context.peer(Daemon::Registry), context.client.clone());
    let kept = Arc::clone(&mirror);
    context.spawn(async move { kept.run(registry).await });
    let (watched, health) = (Arc::clone(&mirror), Arc::clone(&context.health));
    context.spawn(async move {
        loop {
            match complaint(&watched.fleet(), Instant::now()) {
                None => health.pass("registry"),
                Some(words) => health.warn("registry", words),
            }
            tokio::time::sleep(REPORT).await;
        }
    });
    mirror
}

fn complaint(fleet: &Fleet, now: Instant) -> Option<String> {
    fleet.lost_at?;
    let away = age(fleet.age(now));
    let words = if fleet.known {
        format!("the registry has been away for {away}; what it said last is used")
    } else {
        format!("the registry has not answered yet, for {away}")
    };
    Some(match &fleet.trouble {
        Some(trouble) => format!("{words}: {trouble}"),
        None => words,
    })
}
