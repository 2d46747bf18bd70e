//! What is recorded of the past, in the order in which it happened.

use super::super::service::{self, Instance};
use super::super::store::{each, probe};
use crate::runtime::database::columns::json;
use chrono::{DateTime, Utc};
use rusqlite::Connection;
use shared::wire::monitor::{Incident, Phase, ProbeRecord, Status, Transition};
use std::collections::BTreeMap;

/// The past.
#[derive(Debug, Default)]
pub struct Record {
    /// The instances as they are now, by service.
    pub instances: BTreeMap<String, BTreeMap<String, Instance>>,
    /// Services that have no instance any more, and since when.
    pub gone: BTreeMap<String, DateTime<Utc>>,
    /// Probes, by service, oldest first.
    pub probes: BTreeMap<String, Vec<ProbeRecord>>,
    /// Transitions, oldest first.
    pub transitions: Vec<Transition>,
    /// The incidents that are kept, oldest first.
    pub incidents: Vec<Incident>,
}

/// What happened.
#[derive(Debug)]
pub enum Happened {
    /// An instance was probed.
    Probe(String, ProbeRecord),
    /// A service's status changed.
    Transition(Transition),
    /// An instance was there for the last time; without one, its service.
    Gone(DateTime<Utc>, String, Option<String>),
}

impl Happened {
    /// When.
    pub const fn at(&self) -> DateTime<Utc> {
        match self {
            Self::Probe(_, probe) => probe.at,
            Self::Transition(transition) => transition.at,
            Self::Gone(at, ..) => *at,
        }
    }
}

impl Record {
    /// Since when the probes of a service are known, of all its instances.
    fn known_since(&self, service: &str) -> Option<DateTime<Utc>> {
        let mut first: BTreeMap<&str, DateTime<Utc>> = BTreeMap::new();
        for probe in self.probes.get(service).into_iter().flatten() {
            first.entry(&probe.instance_id).or_insert(probe.at);
        }
        first.into_values().max()
    }

    /// Since when the probes of every service are known.
    pub fn probes_since(&self) -> Option<DateTime<Utc>> {
        self.probes.keys().filter_map(|service| self.known_since(service)).max()
    }

    /// What happened, each once: where the probes are known, of the transitions
    /// only those that no probe makes.
    pub fn happened(mut self) -> Vec<Happened> {
        let known: BTreeMap<String, DateTime<Utc>> = self
            .probes
            .keys()
            .filter_map(|service| Some((service.clone(), self.known_since(service)?)))
            .collect();
        let mut all = self.failing_before();
        all.extend(self.went());
        for transition in std::mem::take(&mut self.transitions) {
            let by_probes = known.get(&transition.name).is_some_and(|known| *known <= transition.at);
            let planned = [transition.from, transition.to].into_iter().any(is_planned);
            if !by_probes || planned || transition.reason == Some(Phase::Lease) {
                all.push(Happened::Transition(transition));
            }
        }
        for (service, probes) in self.probes {
            let known = known.get(&service).copied().unwrap_or_default();
            let later = probes.into_iter().filter(|probe| probe.at >= known);
            all.extend(later.map(|probe| Happened::Probe(service.clone(), probe)));
        }
        // At one moment, who goes goes after what was seen of it.
        all.sort_by_key(|event| (event.at(), matches!(event, Happened::Gone(..))));
        all
    }

    /// What had failed before anything that is recorded, and still does: that is
    /// no news of the first probe that is.
    fn failing_before(&self) -> Vec<Happened> {
        let mut all = Vec::new();
        for (name, instances) in &self.instances {
            let first = [
                self.probes.get(name).and_then(|probes| probes.first()).map(|probe| probe.at),
                self.transitions.iter().find(|transition| transition.name == *name).map(|first| first.at),
            ];
            let Some(first) = first.into_iter().flatten().min() else { continue };
            let failing = |instance: &Instance| instance.check.status == Status::Unhealthy;
            let since = instances.values().map(|instance| instance.check.since.filter(|_| failing(instance)));
            let Some(at) = since.collect::<Option<Vec<_>>>().and_then(|since| since.into_iter().max()) else {
                continue;
            };
            if at < first {
                all.push(Happened::Transition(Transition {
                    id: 0,
                    at,
                    name: name.clone(),
                    from: Status::Unknown,
                    to: Status::Unhealthy,
                    reason: None,
                    detail: None,
                }));
            }
        }
        all
    }

    /// Who is not there any more, and when it was last.
    fn went(&self) -> Vec<Happened> {
        let mut last: BTreeMap<(&String, Option<&String>), DateTime<Utc>> = BTreeMap::new();
        for (name, probes) in &self.probes {
            let present = self.instances.get(name);
            for probe in probes.iter().filter(|p| present.is_none_or(|of| !of.contains_key(&p.instance_id))) {
                last.insert((name, Some(&probe.instance_id)), probe.at);
            }
        }
        for transition in self.transitions.iter().filter(|t| !self.instances.contains_key(&t.name)) {
            last.insert((&transition.name, None), transition.at);
        }
        let gone = |((name, id), at): ((&String, Option<&String>), DateTime<Utc>)| {
            // Of an instance the last probe says more.
            let gone = self.gone.get(name).filter(|_| id.is_none());
            let at = gone.map_or(at, |gone| at.max(*gone));
            Happened::Gone(at, name.clone(), id.cloned())
        };
        last.into_iter().map(gone).collect()
    }
}

pub const fn is_planned(status: Status) -> bool {
    matches!(status, Status::Maintenance | Status::Draining)
}

/// Reads all that is kept. What was before the time that is asked for counts: of
/// what had failed by then nobody is told anew.
pub fn read(connection: &Connection) -> rusqlite::Result<Record> {
    let mut record = Record::default();
    each(connection, "SELECT service, instance, body FROM checks", |row| {
        let of_service = record.instances.entry(row.get(0)?).or_default();
        of_service.insert(row.get(1)?, json(row, 2)?);
        Ok(())
    })?;
    each(connection, "SELECT name, record FROM services", |row| {
        let (name, service): (String, service::Record) = (row.get(0)?, json(row, 1)?);
        if !record.instances.contains_key(&name) {
            record.gone.insert(name, service.since);
        }
        Ok(())
    })?;
    let probes = "SELECT at, instance, latency, reason, detail, service FROM probes ORDER BY at";
    each(connection, probes, |row| {
        record.probes.entry(row.get(5)?).or_default().push(probe(row)?);
        Ok(())
    })?;
    record.transitions = connection
        .prepare("SELECT data FROM events WHERE name = 'transition' ORDER BY id")?
        .query_map([], |row| json(row, 0))?
        .collect::<Result<_, _>>()?;
    record.incidents = connection
        .prepare("SELECT body FROM incidents ORDER BY id")?
        .query_map([], |row| json(row, 0))?
        .collect::<Result<_, _>>()?;
    Ok(record)
}
