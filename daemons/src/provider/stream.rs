//! Changes of the fleet as server-sent events.
//!
//! A stream begins with a `snapshot`, always: the provider keeps states, not a
//! history, so that it cannot resume after a `Last-Event-ID` (the registry's
//! own watch can). Each event after it leads one step from what was told to the
//! newest state. A reader that is slow skips states in between, but never a
//! difference, and nothing queues up for it.

use super::change::{Change, changes};
use crate::runtime::sse::event;
use axum::response::sse::Event;
use futures_util::Stream;
use futures_util::stream::{self, StreamExt};
use shared::client::{Fleet, Instances};
use shared::wire::registry::Snapshot;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::watch::Receiver;

/// The events of one service, or of all.
pub fn events(mut fleets: Receiver<Arc<Fleet>>, service: Option<String>) -> impl Stream<Item = Event> + Send {
    let first = Arc::clone(&fleets.borrow_and_update());
    let watched = |name: &str| service.as_ref().is_none_or(|service| service == name);
    let services = first.registrations().filter(|r| watched(&r.service_name)).map(|r| (**r).clone());
    let snapshot = Snapshot { revision: first.revision, services: services.collect() };
    let snapshot = event("snapshot", first.revision, &snapshot);
    let then = stream::unfold((fleets, first, service), |(mut fleets, mut told, service)| async move {
        loop {
            fleets.changed().await.ok()?;
            let fleet = Arc::clone(&fleets.borrow_and_update());
            let events = difference(&told, &fleet, service.as_deref());
            if !events.is_empty() {
                return Some((stream::iter(events), (fleets, fleet, service)));
            }
            told = fleet;
        }
    });
    stream::iter([snapshot]).chain(then.flatten())
}

fn difference(before: &Fleet, after: &Fleet, service: Option<&str>) -> Vec<Event> {
    let mut found: Vec<Change> = match service {
        Some(name) => of_service(before, after, name),
        None => {
            let names: BTreeSet<&String> = before.services.keys().chain(after.services.keys()).collect();
            names.into_iter().flat_map(|name| of_service(before, after, name)).collect()
        }
    };
    found.sort_by_key(|change| change.revision(after.revision));
    let tell =
        |change: &Change| event(change.name(), change.revision(after.revision), &**change.registration());
    found.iter().map(tell).collect()
}

fn of_service(before: &Fleet, after: &Fleet, name: &str) -> Vec<Change> {
    let none = Instances::new();
    match (before.services.get(name), after.services.get(name)) {
        (Some(before), Some(after)) if Arc::ptr_eq(before, after) => Vec::new(),
        (before, after) => changes(before.map_or(&none, |b| b.as_ref()), after.map_or(&none, |a| a.as_ref())),
    }
}
