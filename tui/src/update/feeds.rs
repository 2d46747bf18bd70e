//! What the feeds bring: each answer also says that its daemon is there.

use crate::action::{Effect, Failure};
use crate::model::{Model, SourceName};
use chrono::{DateTime, Utc};
use shared::wire::library::{Book, Loan};
use shared::wire::monitor::{History, Incident, ServiceStatus};
use shared::wire::registry::{GuardStatus, Registration};

pub(super) fn registry(
    model: &mut Model,
    revision: u64,
    registrations: Vec<Registration>,
    now: DateTime<Utc>,
) -> bool {
    let back = model.sources.get_mut(SourceName::Registry).heard(now);
    let selected = model
        .services
        .cursor
        .index(model.fleet.instances.len())
        .and_then(|at| model.fleet.instances.get(at))
        .map(|instance| (instance.key().0.to_owned(), instance.key().1.to_owned()));
    let news = model.fleet.register(revision, registrations);
    if news {
        model.services.keep(selected, &model.fleet);
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
    incidents: Vec<Incident>,
    now: DateTime<Utc>,
) -> bool {
    let back = model.sources.get_mut(SourceName::Monitor).heard(now);
    let observed = model.fleet.observe(health);
    let incidents = model.incidents.set(incidents);
    back || observed || incidents
}

/// Asks for the history that the screen shows, if it shows one.
pub(super) fn history(model: &Model) -> Vec<Effect> {
    model.history_wanted().map(|service| Effect::History(service.to_owned())).into_iter().collect()
}

/// A history that is not wanted any more is dropped. A failure leaves what is
/// shown: the monitor's feed says that it is away.
pub(super) fn told_history(model: &mut Model, service: &str, history: Result<History, Failure>) {
    if let Ok(history) = history
        && model.history_wanted() == Some(service)
    {
        model.history = Some(history);
    }
}

pub(super) fn library(model: &mut Model, books: Vec<Book>, loans: Vec<Loan>, now: DateTime<Utc>) -> bool {
    let back = model.sources.get_mut(SourceName::Library).heard(now);
    back | model.library.set(books, loans)
}
