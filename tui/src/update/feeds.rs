//! What the feeds bring: each answer also says that its daemon is there.

use crate::model::{Histogram, IncidentLists, Model, SourceName};
use chrono::{DateTime, Utc};
use shared::client::Part;
use shared::wire::library::{Book, Loan};
use shared::wire::log::Hits;
use shared::wire::monitor::{Maintenance, ServiceStatus};
use shared::wire::registry::{GuardStatus, Registration};

pub(super) fn registry(
    model: &mut Model,
    revision: u64,
    registrations: Vec<Registration>,
    now: DateTime<Utc>,
) -> bool {
    let back = model.sources.get_mut(SourceName::Registry).heard(now);
    let news = model.fleet.register(revision, registrations);
    if news {
        arrange(model, now);
    }
    back || news
}

/// Whether expiry is held back: drawn only where that changed.
pub(super) fn guard(model: &mut Model, guard: GuardStatus) -> bool {
    let shown = |guard: Option<&GuardStatus>| guard.filter(|guard| guard.engaged).cloned();
    let changed = shown(model.guard.as_ref()) != shown(Some(&guard));
    model.guard = Some(guard);
    changed
}

pub(super) fn monitor(
    model: &mut Model,
    health: Vec<ServiceStatus>,
    incidents: IncidentLists,
    maintenances: Vec<Maintenance>,
    now: DateTime<Utc>,
) -> bool {
    let back = model.sources.get_mut(SourceName::Monitor).heard(now);
    let observed = model.fleet.observe(health);
    let maintained = model.fleet.maintain(maintenances);
    let incidents = model.incidents.set(incidents);
    let news = observed || maintained || incidents;
    if news {
        arrange(model, now);
    }
    back || news
}

/// Draws the lists anew that are made of the fleet.
fn arrange(model: &mut Model, now: DateTime<Utc>) {
    model.services.arrange(&model.fleet);
    model.incidents.arrange(&model.fleet, now);
    let keys: Vec<String> = model.fleet.worst_first().map(|service| service.name.clone()).collect();
    model.overview.keep(&keys);
}

pub(super) fn volume(model: &mut Model, hits: &Hits, now: DateTime<Utc>) -> bool {
    let volume = Some(Histogram::until(now, hits));
    let news = model.volume != volume;
    model.volume = volume;
    news
}

pub(super) fn library(model: &mut Model, books: Part<Book>, loans: Part<Loan>, now: DateTime<Utc>) -> bool {
    let source = model.sources.get_mut(SourceName::Library);
    let back = source.heard(now) | source.stale(now).is_some();
    source.refreshed();
    back | model.library.set(books, loans)
}
