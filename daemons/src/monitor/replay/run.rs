//! Goes through the past with the rules of the present: pure.

use super::super::batch::Batch;
use super::super::service::Instance;
use super::super::state::{Rules, State};
use super::record::{Happened, Record, is_planned};
use crate::runtime::probe::{Failure, Outcome};
use chrono::{DateTime, TimeDelta, Utc};
use shared::client::{Fleet, Instances};
use shared::wire::monitor::{Incident, Maintenance, Phase, Status, Transition};
use shared::wire::registry::Registration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// What happens within so long is looked at once, as the monitor itself does.
const LOOK: TimeDelta = TimeDelta::milliseconds(500);
/// The instance of a service of which none is known any more.
const PAST: &str = "past";

struct Run {
    state: State,
    fleet: Fleet,
    incidents: BTreeMap<u64, Incident>,
    looked: DateTime<Utc>,
}

/// Every incident that the rules open, oldest first.
pub fn run(record: Record, rules: Rules, now: DateTime<Utc>) -> Vec<Incident> {
    let fleet = fleet(&record);
    let happened = record.happened();
    let begin = happened.first().map_or(now, Happened::at);
    let mut run = Run { state: State::new(rules), fleet, incidents: BTreeMap::new(), looked: begin };
    run.state.sync(&Arc::new(run.fleet.clone()), begin, &mut Batch::default());
    for event in happened {
        run.pass_to(event.at());
        match event {
            Happened::Probe(service, probe) => {
                let latency = Duration::from_millis(probe.latency.unwrap_or(0));
                let detail = probe.detail.unwrap_or_default();
                let failure = probe.reason.map(|phase| Failure { phase, detail });
                let outcome = Outcome { latency, failure, warning: None };
                let mut batch = Batch::default();
                run.state.observe(&service, &probe.instance_id, &outcome, probe.at, &mut batch);
                // What is over within less than the time between two looks is an
                // incident too: a change of a status is written at once.
                if batch.is_urgent() {
                    run.look(probe.at);
                }
            }
            Happened::Transition(transition) => {
                run.change(&transition);
                run.look(transition.at);
            }
            Happened::Gone(at, service, id) => {
                run.go(&service, id.as_deref().unwrap_or(PAST), at);
                run.look(at);
            }
        }
    }
    run.pass_to(now);
    run.look(now);
    run.incidents.into_values().collect()
}

/// The services as they are now, and those that are gone.
fn fleet(record: &Record) -> Fleet {
    let mut fleet = Fleet { known: true, ..Fleet::default() };
    let recorded = record.transitions.iter().map(|transition| &transition.name);
    let names: BTreeSet<&String> =
        recorded.chain(record.probes.keys()).chain(record.instances.keys()).collect();
    for name in names {
        let mut known = record.instances.get(name).cloned().unwrap_or_default();
        for probe in record.probes.get(name).into_iter().flatten() {
            known.entry(probe.instance_id.clone()).or_default();
        }
        if known.is_empty() {
            known.insert(PAST.to_owned(), Instance::default());
        }
        let registration = |(id, instance): (String, Instance)| {
            let registration = Registration {
                service_name: name.clone(),
                service_url: instance.url,
                instance_id: id.clone(),
                service_version: None,
                tags: Vec::new(),
                metadata: instance.way,
                health_check_url: Some(instance.probe_url).filter(|url| !url.is_empty()),
                required_services: instance.requires.into_iter().collect(),
                service_update_url: None,
                ttl_seconds: None,
                registered_at: DateTime::UNIX_EPOCH,
                revision: 0,
            };
            (id, Arc::new(registration))
        };
        let instances: Instances = known.into_iter().map(registration).collect();
        fleet.services.insert(name.clone(), Arc::new(instances));
    }
    fleet
}

impl Run {
    /// Lets time pass up to a moment: what only time does is seen when it is done.
    fn pass_to(&mut self, to: DateTime<Utc>) {
        if to - self.looked < LOOK {
            return;
        }
        let from = self.looked;
        let rules = self.state.rules;
        for after in [LOOK, rules.recovery + LOOK, rules.recovery * 2 + LOOK, rules.flaps.window + LOOK] {
            let at = from + after;
            if at > self.looked && at < to {
                self.look(at);
            }
        }
        self.look(to);
    }

    fn look(&mut self, at: DateTime<Utc>) {
        let mut batch = Batch::default();
        // Silence is among what is recorded.
        self.state.tick(Duration::ZERO, at, &mut batch);
        self.state.blame(at, &mut batch);
        self.incidents.extend(batch.incidents);
        self.looked = at;
    }

    /// An instance is there no more.
    fn go(&mut self, name: &str, id: &str, at: DateTime<Utc>) {
        let Some(listed) = self.fleet.services.get_mut(name) else { return };
        Arc::make_mut(listed).remove(id);
        if listed.is_empty() {
            self.fleet.services.remove(name);
        }
        self.state.sync(&Arc::new(self.fleet.clone()), at, &mut Batch::default());
    }

    /// As many outcomes as it takes to make this change.
    fn change(&mut self, transition: &Transition) {
        let (name, at) = (transition.name.as_str(), transition.at);
        let batch = &mut Batch::default();
        let key = (name.to_owned(), None);
        if is_planned(transition.to) {
            let maintenance = Maintenance { service: name.to_owned(), ..Maintenance::default() };
            return self.state.begin_maintenance(maintenance, at, batch);
        }
        if is_planned(transition.from) {
            self.state.end_maintenance(&key, at, batch);
        }
        let failure = match transition.to {
            Status::Unhealthy => {
                let phase = transition.reason.unwrap_or(Phase::Lease);
                Some(Failure { phase, detail: transition.detail.clone().unwrap_or_default() })
            }
            Status::Healthy => None,
            _ => return,
        };
        let outcome = Outcome { failure, ..Outcome::default() };
        let instances = self.state.services.get(name).into_iter().flat_map(|service| &service.instances);
        let needed = instances.map(|(id, instance)| {
            let thresholds = instance.thresholds(self.state.rules.thresholds);
            let count = if outcome.failure.is_some() { thresholds.failures } else { thresholds.successes };
            (id.clone(), count)
        });
        for (id, count) in needed.collect::<Vec<_>>() {
            for _ in 0..count {
                self.state.observe(name, &id, &outcome, at, batch);
            }
        }
    }
}
