//! All services, and what each input makes of them: pure. What an input
//! changes is noted in a [`Batch`], to be written in one commit.

mod blame;
mod gone;
mod lease;
mod probing;
mod push;

pub use probing::Followed;
pub use push::Unheard;

use super::batch::{Batch, EventData, ProbeRow};
use super::check::Thresholds;
use super::configured::Configured;
use super::flap::{FlapRules, Flaps};
use super::maintenance::{self, Maintenances};
use super::service::{Instance, Service};
use super::uptime::spoken_for_ms;
use crate::runtime::probe::{Kind, Outcome};
use chrono::{DateTime, TimeDelta, Utc};
use shared::client::{Fleet, Instances};
use shared::wire::monitor::{Incident, Maintenance, ProbeRecord, ServiceStatus, Status, Transition};
use shared::wire::registry::Registration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// What the monitor goes by.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// When a status flips.
    pub thresholds: Thresholds,
    /// The usual time between two probes of one instance.
    pub interval: Duration,
    /// The time to the next probe of one that has just failed, where it is
    /// probed at that usual interval.
    pub confirm: Duration,
    /// For how long a service that is gone is kept by name.
    pub history: TimeDelta,
    /// For how long a service whose leases ran out stays listed.
    pub forget_after: TimeDelta,
    /// How long a service usually needs to be seen well again after its root is.
    pub recovery: TimeDelta,
    /// When a status changes too often.
    pub flaps: FlapRules,
}

impl Rules {
    /// How long this service needs to be seen well again after its root is.
    pub fn recovery_of(&self, service: &Service) -> TimeDelta {
        service.recovery(self.recovery, self.thresholds)
    }
}

/// The most that counts of the time between two looks: what is longer was a
/// standstill, and reports were held up with it.
const LOOK_MAX: Duration = Duration::from_secs(2);

/// The whole state; the part that is stored is read back by `store`.
#[derive(Debug)]
pub struct State {
    pub(super) rules: Rules,
    pub(super) services: BTreeMap<String, Service>,
    /// Those that are not listed any more; they have no instances.
    pub(super) gone: BTreeMap<String, Service>,
    pub(super) maintenance: Maintenances,
    configured: Configured,
    /// For how long reports were listened for, since the start.
    pub(super) listened: Duration,
    /// The time that was not yet counted of those known by their leases alone.
    uncounted: Duration,
    pub(super) open: BTreeMap<u64, Incident>,
    pub(super) next_event: u64,
    pub(super) next_incident: u64,
    /// The fleet that was taken up last.
    pub(super) fleet: Option<Arc<Fleet>>,
}

impl State {
    /// Nothing is known.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            services: BTreeMap::new(),
            gone: BTreeMap::new(),
            maintenance: Maintenances::default(),
            configured: Configured::default(),
            listened: Duration::ZERO,
            uncounted: Duration::ZERO,
            open: BTreeMap::new(),
            next_event: 1,
            next_incident: 1,
            fleet: None,
        }
    }

    /// Takes up who is registered now. An instance that is new is unknown; one
    /// that was deregistered is forgotten; one whose lease ran out stays listed
    /// as unhealthy when it was the last of its service, for a crashed daemon
    /// must be seen. What went while nobody watched counts as deregistered if
    /// it was well, as expired if it was not: in doubt, red stays red.
    pub fn sync(&mut self, fleet: &Arc<Fleet>, now: DateTime<Utc>, batch: &mut Batch) {
        if !fleet.known {
            return;
        }
        let before = self.fleet.replace(Arc::clone(fleet));
        let unseen = before.as_ref().is_none_or(|before| before.snapshots != fleet.snapshots);
        let none = Arc::new(Instances::new());
        let known = self.services.keys().chain(fleet.services.keys()).chain(self.configured.names());
        for name in known.cloned().collect::<BTreeSet<String>>() {
            let live = fleet.services.get(&name).unwrap_or(&none);
            let same = before.as_ref().and_then(|before| before.services.get(&name));
            if unseen || !same.is_some_and(|same| Arc::ptr_eq(same, live)) {
                self.sync_service(&name, live, fleet, unseen, now, batch);
            }
        }
    }

    fn sync_service(
        &mut self,
        name: &str,
        live: &Instances,
        fleet: &Fleet,
        unseen: bool,
        now: DateTime<Utc>,
        batch: &mut Batch,
    ) {
        for (id, registration) in live {
            self.take_up(name, id, registration, false, now, batch);
        }
        let Some(service) = self.services.get_mut(name) else { return };
        let last_went = live.is_empty();
        service.instances.retain(|id, instance| {
            if instance.configured || live.contains_key(id) || (last_went && instance.lost) {
                return true;
            }
            let expired = fleet.expired.contains_key(&(name.to_owned(), id.clone()))
                || (unseen && instance.check.status == Status::Unhealthy);
            batch.check(name, id);
            if last_went && expired {
                instance.lost = true;
                instance.check = instance.check.lost(now);
            }
            instance.lost && last_went
        });
        self.settle(name, now, batch);
    }

    fn take_up(
        &mut self,
        name: &str,
        id: &str,
        registration: &Registration,
        configured: bool,
        now: DateTime<Utc>,
        batch: &mut Batch,
    ) {
        let way = self.configured.way(name).filter(|_| !configured).cloned();
        let listened = self.listened;
        let service = self.arrive(name, now, batch);
        let instance = service
            .instances
            .entry(id.to_owned())
            .or_insert_with(|| Instance { heard: listened, ..Instance::new(now) });
        let mut changed = instance.update(registration, way.as_ref());
        changed |= std::mem::replace(&mut instance.configured, configured) != configured;
        if std::mem::replace(&mut instance.lost, false) {
            (instance.heard, instance.silent_before) = (listened, Duration::ZERO);
            instance.check = instance.check.returned(now);
            changed = true;
        }
        if matches!(instance.spec.kind, Kind::Lease) && instance.check.status != Status::Healthy {
            instance.check = instance.check.held(now);
            changed = true;
        }
        if changed {
            batch.check(name, id);
        }
    }

    /// Takes up what the configuration says is to be probed, and forgets what it
    /// said before and no longer says.
    pub fn configure(&mut self, configured: Configured, now: DateTime<Utc>, batch: &mut Batch) {
        self.configured = configured;
        for name in self.services.keys().cloned().collect::<Vec<_>>() {
            let Some(service) = self.services.get_mut(&name) else { continue };
            let own = self.configured.of(&name);
            service.instances.retain(|id, instance| {
                let stays = !instance.configured || own.is_some_and(|own| own.contains_key(id));
                if !stays {
                    batch.check(&name, id);
                }
                stays
            });
            self.settle(&name, now, batch);
        }
        for name in self.configured.names().cloned().collect::<Vec<_>>() {
            for (id, registration) in self.configured.of(&name).cloned().unwrap_or_default() {
                self.take_up(&name, &id, &registration, true, now, batch);
            }
            self.settle(&name, now, batch);
        }
    }

    /// Takes up what a probe found. A probe of what is no longer registered
    /// says nothing.
    pub fn observe(
        &mut self,
        name: &str,
        id: &str,
        outcome: &Outcome,
        now: DateTime<Utc>,
        batch: &mut Batch,
    ) {
        let Some(service) = self.services.get_mut(name) else { return };
        let Some(instance) = service.instances.get_mut(id).filter(|instance| !instance.lost) else { return };
        let thresholds = instance.thresholds(self.rules.thresholds);
        let interval = instance.spec.interval.unwrap_or(self.rules.interval);
        let for_ms = spoken_for_ms(instance.check.last_check, interval, now);
        let check = instance.check.after(outcome, thresholds, now);
        batch.probes.push(ProbeRow {
            service: name.to_owned(),
            number: instance.check.probes,
            record: ProbeRecord {
                at: now,
                instance_id: id.to_owned(),
                healthy: outcome.failure.is_none(),
                latency: check.latency,
                reason: check.reason,
                detail: check.detail.clone(),
            },
        });
        if instance.hold.is_none() && is_flip(instance.check.status, check.status) {
            instance.flaps.changed(self.rules.flaps, now);
        }
        instance.check = check;
        (instance.heard, instance.silent_before) = (self.listened, Duration::ZERO);
        batch.check(name, id);
        if instance.hold.is_none() {
            let bucket = service.uptime.count(outcome.failure.is_none(), for_ms, now);
            batch.uptime.insert((name.to_owned(), bucket.number), bucket);
        }
        self.settle(name, now, batch);
    }

    /// Puts a service or an instance under maintenance.
    pub fn begin_maintenance(&mut self, maintenance: Maintenance, now: DateTime<Utc>, batch: &mut Batch) {
        let name = maintenance.service.clone();
        self.maintenance.insert(maintenance, now);
        self.settle(&name, now, batch);
    }

    /// Ends it; whatever the probes say holds again.
    pub fn end_maintenance(&mut self, key: &maintenance::Key, now: DateTime<Utc>, batch: &mut Batch) {
        self.maintenance.remove(key);
        self.settle(&key.0, now, batch);
    }

    /// Draws what the operator says of each instance from the maintenances that
    /// were read back.
    pub(super) fn hold_all(&mut self) {
        for (name, service) in &mut self.services {
            service.hold(name, &self.maintenance);
        }
    }

    /// Whether a service, or an instance of it, is listed.
    pub fn is_listed(&self, (service, instance): &maintenance::Key) -> bool {
        self.services
            .get(service)
            .is_some_and(|service| instance.as_ref().is_none_or(|id| service.instances.contains_key(id)))
    }

    /// Does what time alone does: maintenance begins and ends, what flapped is steady,
    /// services that were lost long ago leave the list, excuses run out. `passed`
    /// is the time since the last look.
    pub fn tick(&mut self, passed: Duration, now: DateTime<Utc>, batch: &mut Batch) {
        for name in self.maintenance.advance(now) {
            self.settle(&name, now, batch);
        }
        for key in self.maintenance.over(now) {
            self.end_maintenance(&key, now, batch);
            batch.maintenance_ended.insert(key);
        }
        self.settle_flaps(now, batch);
        let passed = passed.min(LOOK_MAX);
        self.hear_silence(passed, now, batch);
        self.count_leases(passed, now, batch);
        let horizon = now - self.rules.forget_after;
        let stale: Vec<String> = self
            .services
            .iter()
            .filter(|(_, service)| service.is_lost() && service.record.since < horizon)
            .map(|(name, _)| name.clone())
            .collect();
        for name in stale {
            self.forget(&name, now, batch);
        }
        self.forget_gone(now, batch);
    }

    /// Takes a service whose leases ran out from the list; whether it was one.
    pub fn forget(&mut self, name: &str, now: DateTime<Utc>, batch: &mut Batch) -> bool {
        let Some(service) = self.services.get_mut(name).filter(|service| service.is_lost()) else {
            return false;
        };
        std::mem::take(&mut service.instances).keys().for_each(|id| batch.check(name, id));
        self.settle(name, now, batch);
        true
    }

    /// Draws a service's status from its instances.
    fn settle(&mut self, name: &str, now: DateTime<Utc>, batch: &mut Batch) {
        let Some(service) = self.services.get_mut(name) else { return };
        if service.instances.is_empty() {
            return self.depart(name, now, batch);
        }
        service.hold(name, &self.maintenance);
        let to = service.status();
        let failure = service.failure(to);
        let record = &mut service.record;
        let from = record.status;
        let (reason, detail) = match to {
            // A success on the way back does not hide why it is down.
            Status::Unhealthy if failure == (None, None) => (record.reason, record.detail.clone()),
            Status::Unhealthy | Status::Pending => failure,
            _ => (None, None),
        };
        if to == from && record.reason == reason && record.detail == detail {
            return;
        }
        (record.status, record.reason, record.detail) = (to, reason, detail);
        batch.services.insert(name.to_owned());
        if to == from {
            return;
        }
        record.since = now;
        if to == Status::Healthy {
            record.excused_until = None;
        }
        if matches!(to, Status::Maintenance | Status::Draining) {
            record.flaps = Flaps::default();
        } else if is_flip(from, to) {
            record.flaps.changed(self.rules.flaps, now);
        }
        let id = self.next_event;
        self.next_event += 1;
        let transition = Transition {
            id,
            at: now,
            name: name.to_owned(),
            from,
            to,
            reason: record.reason,
            detail: record.detail.clone(),
        };
        batch.event(id, EventData::Transition(transition));
    }

    /// Every service as it is listed.
    pub fn report(&self, now: DateTime<Utc>) -> Vec<ServiceStatus> {
        self.services.iter().map(|(name, service)| service.report(name, now)).collect()
    }

    /// One service as it is listed.
    pub fn report_one(&self, name: &str, now: DateTime<Utc>) -> Option<ServiceStatus> {
        self.services.get(name).map(|service| service.report(name, now))
    }

    /// The status of each service.
    pub fn statuses(&self) -> Vec<Status> {
        self.services.values().map(|service| service.record.status).collect()
    }

    /// Every maintenance.
    pub fn maintenances(&self) -> Vec<Maintenance> {
        self.maintenance.iter().cloned().collect()
    }
}

/// Whether a change of status is one that probes made.
fn is_flip(from: Status, to: Status) -> bool {
    matches!((from, to), (Status::Healthy, Status::Unhealthy) | (Status::Unhealthy, Status::Healthy))
}

#[cfg(test)]
mod tests;
