//! What waits to be written, all of it in one commit: what has changed since
//! the last one, and what is told of it once it is on disk.

use super::maintenance;
use super::uptime::Bucket;
use serde::Serialize;
use shared::wire::monitor::{Incident, ProbeRecord, Transition};
use std::collections::{BTreeMap, BTreeSet};

/// Probes that may wait for the disk; the oldest are dropped first. Everything
/// else that waits is bounded by how many services there are, but for events.
const PROBES_MAX: usize = 20_000;
/// Events that may wait for the disk.
const EVENTS_MAX: usize = 20_000;

/// What an event tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum EventData {
    /// A service's status changed.
    Transition(Transition),
    /// An incident was opened, changed or resolved.
    Incident(Incident),
}

impl EventData {
    /// The name of the event.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Transition(_) => "transition",
            Self::Incident(_) => "incident",
        }
    }
}

/// A probe and its number among those of its instance.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeRow {
    /// The service.
    pub service: String,
    /// How many there were before it.
    pub number: u64,
    /// The probe.
    pub record: ProbeRecord,
}

/// What one commit writes. Checks and services are named here and read from the
/// state when they are written, so that each is written once however often it
/// changed.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Instances whose check changed or that are gone.
    pub checks: BTreeSet<(String, String)>,
    /// Services whose record changed or that are gone.
    pub services: BTreeSet<String>,
    /// Probes.
    pub probes: Vec<ProbeRow>,
    /// Sums of what probes speak for.
    pub uptime: BTreeMap<(String, i64), Bucket>,
    /// Events, in order.
    pub events: Vec<(u64, EventData)>,
    /// Incidents as they are now.
    pub incidents: BTreeMap<u64, Incident>,
    /// Maintenances that ended by themselves.
    pub maintenance_ended: BTreeSet<maintenance::Key>,
}

impl Batch {
    /// An instance's check changed.
    pub fn check(&mut self, service: &str, instance: &str) {
        self.checks.insert((service.to_owned(), instance.to_owned()));
    }

    /// Something is to be told.
    pub fn event(&mut self, id: u64, data: EventData) {
        self.events.push((id, data));
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.checks.is_empty()
            && self.services.is_empty()
            && self.probes.is_empty()
            && self.events.is_empty()
            && self.incidents.is_empty()
            && self.maintenance_ended.is_empty()
    }

    /// Whether something is in it that somebody waits to be told.
    pub fn is_urgent(&self) -> bool {
        !self.events.is_empty()
    }

    /// Puts a batch that could not be written before this one. What is too much
    /// is dropped, oldest first; how many events were is told.
    pub fn put_back(&mut self, earlier: Self) -> usize {
        let later = std::mem::replace(self, earlier);
        self.checks.extend(later.checks);
        self.services.extend(later.services);
        self.probes.extend(later.probes);
        self.uptime.extend(later.uptime);
        self.events.extend(later.events);
        self.incidents.extend(later.incidents);
        self.maintenance_ended.extend(later.maintenance_ended);
        self.probes.drain(..self.probes.len().saturating_sub(PROBES_MAX));
        let dropped = self.events.len().saturating_sub(EVENTS_MAX);
        self.events.drain(..dropped);
        dropped
    }
}
