//! Services that are not listed any more: what is kept of them by name, for as
//! long as the history is. Whoever comes back goes on with its uptime, and that
//! it comes and goes counts as a change of its status.

use super::super::batch::Batch;
use super::super::incident::{Graph, Node};
use super::super::service::{Record, Service};
use super::State;
use chrono::{DateTime, TimeDelta, Utc};
use shared::wire::monitor::Status;

/// Services that are kept; those that went first are forgotten first.
const GONE_MAX: usize = 10_000;

impl State {
    /// Takes a service without instances from the list.
    pub(super) fn depart(&mut self, name: &str, now: DateTime<Utc>, batch: &mut Batch) {
        let Some(mut service) = self.services.remove(name) else { return };
        let mut flaps = service.record.flaps;
        if matches!(service.record.status, Status::Healthy | Status::Unhealthy) {
            flaps.changed(self.rules.flaps, now);
        }
        let listed = std::mem::take(&mut service.listed);
        service.record = Record { since: now, flaps, listed, ..Record::default() };
        self.gone.insert(name.to_owned(), service);
        batch.services.insert(name.to_owned());
        if self.gone.len() > GONE_MAX {
            let first = self.gone.iter().min_by_key(|(_, service)| service.record.since);
            if let Some(first) = first.map(|(name, _)| name.clone()) {
                self.gone.remove(&first);
                batch.services.insert(first);
            }
        }
    }

    /// The service of this name, listed from now on if it was not.
    pub(super) fn arrive(&mut self, name: &str, now: DateTime<Utc>, batch: &mut Batch) -> &mut Service {
        self.services.entry(name.to_owned()).or_insert_with(|| {
            let Some(mut service) = self.gone.remove(name) else { return Service::new(now) };
            batch.services.insert(name.to_owned());
            service.record = Record { since: now, flaps: service.record.flaps, ..Record::default() };
            service
        })
    }

    /// Forgets who has been gone for as long as the history is kept, and for a
    /// day at least, over which the uptime is drawn.
    pub(super) fn forget_gone(&mut self, now: DateTime<Utc>, batch: &mut Batch) {
        let horizon = now - self.rules.history.max(TimeDelta::days(1));
        let over = self.gone.extract_if(.., |_, service| service.record.since < horizon);
        batch.services.extend(over.map(|(name, _)| name));
    }

    /// Services that are gone, as far as blame goes: one that stands under
    /// maintenance, for whoever works on it has stopped it; and one that comes
    /// and goes too often.
    pub(super) fn graph_of_gone<'a>(&'a self, flapping: &'a str) -> Graph<'a> {
        let flaps = self.gone.iter().filter_map(|(name, service)| {
            let since = service.record.flaps.since()?;
            let (since, detail) = (Some(since), Some(flapping));
            Some((name.as_str(), Node { flapping: true, since, detail, ..Node::default() }))
        });
        let planned = self.maintenance.services().filter(|name| self.is_gone_planned(name));
        let planned = planned.map(|name| (name, Node { status: Status::Maintenance, ..Node::default() }));
        flaps.chain(planned).collect()
    }

    /// Whether a service that is gone stands under maintenance: by itself, or with
    /// all instances that it had last. That one of several is worked on says
    /// nothing of the others.
    pub(super) fn is_gone_planned(&self, name: &str) -> bool {
        if self.services.contains_key(name) {
            return false;
        }
        let mut listed =
            self.gone.get(name).into_iter().flat_map(|service| &service.record.listed).peekable();
        let whole = self.maintenance.in_force(name).any(|maintenance| maintenance.instance.is_none());
        whole || (listed.peek().is_some() && listed.all(|id| self.maintenance.hold(name, id).is_some()))
    }
}
