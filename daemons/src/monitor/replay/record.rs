//! What is recorded of the past, in the order in which it happened.

use super::super::service::Instance;
use super::super::store::{each, json, probe};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};
use shared::wire::monitor::{Incident, Phase, ProbeRecord, Transition};
use std::collections::BTreeMap;

/// The past.
#[derive(Debug, Default)]
pub struct Record {
    /// The instances as they are now, by service.
    pub instances: BTreeMap<String, BTreeMap<String, Instance>>,
    /// Probes, by service, oldest first.
    pub probes: BTreeMap<String, Vec<ProbeRecord>>,
    /// Transitions, oldest first.
    pub transitions: Vec<Transition>,
    /// The incidents that were opened, oldest first.
    pub incidents: Vec<Incident>,
}

/// What happened.
#[derive(Debug)]
pub enum Happened {
    /// An instance was probed.
    Probe(String, ProbeRecord),
    /// A service's status changed.
    Transition(Transition),
}

impl Happened {
    /// When.
    pub const fn at(&self) -> DateTime<Utc> {
        match self {
            Self::Probe(_, probe) => probe.at,
            Self::Transition(transition) => transition.at,
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
        let mut all = Vec::new();
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
        all.sort_by_key(Happened::at);
        all
    }
}

pub const fn is_planned(status: shared::wire::monitor::Status) -> bool {
    use shared::wire::monitor::Status;
    matches!(status, Status::Maintenance | Status::Draining)
}

/// Reads what happened since a moment.
pub fn read(connection: &Connection, since: DateTime<Utc>) -> rusqlite::Result<Record> {
    let mut record = Record::default();
    each(connection, "SELECT service, instance, body FROM checks", |row| {
        let of_service = record.instances.entry(row.get(0)?).or_default();
        of_service.insert(row.get(1)?, json(row, 2)?);
        Ok(())
    })?;
    let ms = since.timestamp_millis();
    let mut probes = connection.prepare(
        "SELECT at, instance, latency, reason, detail, service FROM probes WHERE at >= ?1 ORDER BY at",
    )?;
    let mut rows = probes.query(params![ms])?;
    while let Some(row) = rows.next()? {
        record.probes.entry(row.get(5)?).or_default().push(probe(row)?);
    }
    record.transitions = connection
        .prepare("SELECT data FROM events WHERE at >= ?1 AND name = 'transition' ORDER BY id")?
        .query_map(params![ms], |row| json(row, 0))?
        .collect::<Result<_, _>>()?;
    record.incidents = connection
        .prepare("SELECT body FROM incidents WHERE opened_at >= ?1 ORDER BY id")?
        .query_map(params![ms], |row| json(row, 0))?
        .collect::<Result<_, _>>()?;
    Ok(record)
}
