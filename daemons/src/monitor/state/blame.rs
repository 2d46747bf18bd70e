//! From the services to the incidents: who is to blame, who is excused.

use super::super::batch::{Batch, EventData};
use super::super::incident::{self, Graph, Node, Verdict, Wait, holders, judge};
use super::super::service::Service;
use super::State;
use chrono::{DateTime, Utc};
use shared::span::Span;
use shared::wire::monitor::{Acknowledgement, Effect, Incident, Status};
use std::collections::BTreeSet;

/// What follows from how all services do.
struct Outcome {
    /// Services whose root is well while what lies between is too: they are given time.
    left_behind: Vec<String>,
    /// The incidents that are new or changed.
    incidents: Vec<Incident>,
    next_incident: u64,
    /// Whose wait for a maintenance began or ended, and for which service.
    planned: Vec<(String, Option<String>)>,
}

impl State {
    /// Draws the incidents from who is down and who requires whom. It looks at
    /// all services, and time alone changes what it finds, so it is done once for
    /// all that one commit writes; while nobody is down it is done at once.
    pub fn blame(&mut self, now: DateTime<Utc>, batch: &mut Batch) {
        let is_down = |service: &Service| {
            service.record.status == Status::Unhealthy
                || service.record.planned.is_some()
                || service.record.flaps.since().is_some()
        };
        if self.open.is_empty() && !self.services.values().chain(self.gone.values()).any(is_down) {
            return;
        }
        self.excuse(now, batch);
        let mut outcome = self.outcome(now);
        if !outcome.left_behind.is_empty() {
            for name in std::mem::take(&mut outcome.left_behind) {
                self.give_time(name, now, batch);
            }
            outcome = self.outcome(now);
        }
        self.next_incident = outcome.next_incident;
        for (name, planned) in outcome.planned {
            if let Some(service) = self.services.get_mut(&name) {
                service.record.planned = planned;
                batch.services.insert(name);
            }
        }
        for incident in outcome.incidents {
            self.take_up_incident(incident, batch);
        }
    }

    /// Notes who looks after an open incident. One that is over meanwhile keeps
    /// what is on disk.
    pub fn acknowledge(&mut self, id: u64, acknowledged: Acknowledgement, batch: &mut Batch) {
        if let Some(incident) = self.open.get(&id).cloned() {
            self.take_up_incident(Incident { acknowledged: Some(acknowledged), ..incident }, batch);
        }
    }

    fn take_up_incident(&mut self, incident: Incident, batch: &mut Batch) {
        let id = self.next_event;
        self.next_event += 1;
        if incident.resolved_at.is_some() {
            self.open.remove(&incident.id);
        } else {
            self.open.insert(incident.id, incident.clone());
        }
        batch.event(id, EventData::Incident(incident.clone()));
        batch.incidents.insert(incident.id, incident);
    }

    fn outcome(&self, now: DateTime<Utc>) -> Outcome {
        let words = self.words_of_flapping();
        let graph = self.graph(&words, now);
        let verdict = judge(&graph, &holders(&self.open), now);
        let mut next_incident = self.next_incident;
        let incidents = incident::reconcile(&self.open, &graph, &verdict, now, || {
            next_incident += 1;
            next_incident - 1
        });
        let planned = self.services.iter().filter_map(|(name, service)| {
            let planned = planned(&verdict, name);
            (planned != service.record.planned.as_deref()).then(|| (name.clone(), planned.map(str::to_owned)))
        });
        let planned = planned.collect();
        Outcome { left_behind: self.left_behind(&verdict), incidents, next_incident, planned }
    }

    /// All services as far as blame goes.
    pub(in super::super) fn graph<'a>(&'a self, flapping: &'a str, now: DateTime<Utc>) -> Graph<'a> {
        let mut graph = self.graph_of_gone(flapping);
        graph.extend(self.services.iter().map(|(name, service)| {
            let record = &service.record;
            let flaps = record.flaps.since();
            let since = flaps.unwrap_or(record.since);
            let node = Node {
                status: record.status,
                flapping: flaps.is_some(),
                wavering: service.is_wavering(),
                excused: record.excused_until.is_some_and(|until| until > now),
                since: Some(since),
                failing_since: service.failing_since(),
                last_good: service.last_good(),
                recovered_by: Some(since + self.rules.recovery_of(service)),
                requires: service.requires(),
                reason: record.reason,
                detail: if flaps.is_some() { Some(flapping) } else { record.detail.as_deref() },
            };
            (name.as_str(), node)
        }));
        graph
    }

    pub(in super::super) fn words_of_flapping(&self) -> String {
        let rules = self.rules.flaps;
        let window = Span(rules.window.to_std().unwrap_or_default());
        format!("its status changed more than {} times within {window}", rules.changes)
    }

    /// Whether a service is under maintenance or drained, or was stopped for it.
    fn is_planned(&self, name: &str) -> bool {
        self.services.get(name).map_or_else(
            || self.is_gone_planned(name),
            |service| matches!(service.record.status, Status::Maintenance | Status::Draining),
        )
    }

    /// Whoever was affected by a root that is down no more is given time, and
    /// whoever was down for a maintenance that is over.
    fn excuse(&mut self, now: DateTime<Utc>, batch: &mut Batch) {
        let rules = self.rules;
        let until = |service: &Service| Some(now + rules.recovery_of(service));
        let planned = self.services.iter().filter_map(|(name, service)| {
            let over = service.record.planned.as_deref().is_some_and(|planned| !self.is_planned(planned));
            over.then(|| name.clone())
        });
        for name in planned.collect::<Vec<_>>() {
            if let Some(service) = self.services.get_mut(&name) {
                service.record.planned = None;
                service.record.excused_until = until(service);
                batch.services.insert(name);
            }
        }
        for incident in self.open.values() {
            let root = self.services.get(&incident.service).or_else(|| self.gone.get(&incident.service));
            let root = root.map(|service| &service.record);
            let is_over = root.is_none_or(|record| match record.status {
                Status::Unhealthy => false,
                Status::Unknown | Status::Pending if self.services.contains_key(&incident.service) => false,
                Status::Unknown | Status::Pending | Status::Healthy => record.flaps.since().is_none(),
                Status::Maintenance | Status::Draining => true,
            });
            if !is_over {
                continue;
            }
            // One that is down for another cause is not given time for this one.
            let own: BTreeSet<&str> =
                incident.dependents.iter().filter(|d| d.own_cause).map(|d| d.service.as_str()).collect();
            for name in incident.affected.iter().filter(|name| !own.contains(name.as_str())) {
                if let Some(service) = self.services.get_mut(name)
                    && service.record.status == Status::Unhealthy
                {
                    service.record.excused_until = until(service);
                    batch.services.insert(name.clone());
                }
            }
        }
    }

    /// Whoever has failed with a root over another service, and is still down
    /// when that one is well again. That is so once.
    fn left_behind(&self, verdict: &Verdict<'_>) -> Vec<String> {
        let failed_with = self.open.values().flat_map(|incident| &incident.dependents);
        let failed_with: BTreeSet<&str> = failed_with
            .filter(|dependent| dependent.effect == Effect::Down && !dependent.own_cause)
            .map(|dependent| dependent.service.as_str())
            .collect();
        let holders = holders(&self.open);
        let is_new = |name: &&&str| !holders.contains(*name) && failed_with.contains(*name);
        let has_had_none = |name: &&&str| {
            self.services.get(**name).is_some_and(|service| service.record.excused_until.is_none())
        };
        let roots = verdict.roots.keys().filter(is_new).filter(has_had_none);
        roots.map(|name| (*name).to_owned()).collect()
    }

    fn give_time(&mut self, name: String, now: DateTime<Utc>, batch: &mut Batch) {
        let rules = self.rules;
        if let Some(service) = self.services.get_mut(&name) {
            service.record.excused_until = Some(now + rules.recovery_of(service));
            batch.services.insert(name);
        }
    }

    /// What flapped and has been steady for long enough does so no more.
    pub(super) fn settle_flaps(&mut self, now: DateTime<Utc>, batch: &mut Batch) {
        let rules = self.rules.flaps;
        for (name, service) in self.services.iter_mut().chain(&mut self.gone) {
            if service.record.flaps.settle(rules, now) {
                batch.services.insert(name.clone());
            }
            for (id, instance) in &mut service.instances {
                if instance.flaps.settle(rules, now) {
                    batch.check(name, id);
                }
            }
        }
    }
}

/// The service under maintenance for which this one is down and has no incident.
fn planned<'a>(verdict: &Verdict<'a>, name: &str) -> Option<&'a str> {
    match verdict.waits.get(name) {
        Some(Wait::Planned(service)) => Some(service),
        _ => None,
    }
}
