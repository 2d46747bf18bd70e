//! Who is registered, and what the monitor holds of them, as one table.

use shared::wire::monitor::{ServiceStatus, Status};
use shared::wire::registry::Registration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How many latencies are kept of each service: what the widest sparkline shows.
pub const LATENCIES_MAX: usize = 120;

/// One service: a name, and what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// How many instances are registered.
    pub instances: usize,
    /// Its health; none where the monitor has not said.
    pub health: Option<ServiceStatus>,
}

impl Service {
    /// Its status; unknown where the monitor has not said.
    pub fn status(&self) -> Status {
        self.health.as_ref().map_or(Status::Unknown, |health| health.status)
    }
}

/// One registered instance and its status.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// The registration.
    pub registration: Registration,
    /// What the monitor holds of it.
    pub status: Status,
    /// Its last latency in whole milliseconds.
    pub latency: Option<u64>,
    /// Why it is not healthy, in words.
    pub detail: Option<String>,
}

impl Instance {
    /// Its service and its id: what tells it from all others.
    pub fn key(&self) -> (&str, &str) {
        (&self.registration.service_name, &self.registration.instance_id)
    }
}

/// How many services have each status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Services that answer well.
    pub healthy: usize,
    /// Services that do not.
    pub unhealthy: usize,
    /// Services that were not probed yet.
    pub unknown: usize,
    /// Services that are being worked on.
    pub maintenance: usize,
    /// Services that are being taken out of use.
    pub draining: usize,
}

/// The fleet: registrations joined with health, sorted by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fleet {
    /// The registry's revision.
    pub revision: u64,
    /// Every service that is registered or watched by the monitor.
    pub services: Vec<Service>,
    /// Every registered instance.
    pub instances: Vec<Instance>,
    registrations: Vec<Registration>,
    health: Vec<ServiceStatus>,
    latencies: BTreeMap<String, VecDeque<Option<u64>>>,
}

impl Fleet {
    /// Takes over what the registry says. False where nothing is new.
    pub fn register(&mut self, revision: u64, registrations: Vec<Registration>) -> bool {
        if self.revision == revision && self.registrations == registrations {
            return false;
        }
        self.revision = revision;
        self.registrations = registrations;
        self.join();
        true
    }

    /// Takes over what the monitor says, and remembers the latencies. False
    /// where nothing is new.
    pub fn observe(&mut self, health: Vec<ServiceStatus>) -> bool {
        if self.health == health {
            return false;
        }
        for now in &health {
            let before = self.health.iter().find(|before| before.name == now.name);
            let probed = now.last_check.is_some() && before.and_then(|b| b.last_check) != now.last_check;
            if probed {
                let samples = self.latencies.entry(now.name.clone()).or_default();
                samples.push_back(now.latency.filter(|_| now.status != Status::Unhealthy));
                if samples.len() > LATENCIES_MAX {
                    samples.pop_front();
                }
            }
        }
        self.latencies.retain(|name, _| health.iter().any(|service| service.name == *name));
        self.health = health;
        self.join();
        true
    }

    /// The latencies of a service, oldest first; none for a probe that failed.
    pub fn latencies(&self, service: &str) -> impl DoubleEndedIterator<Item = Option<u64>> + Clone {
        self.latencies.get(service).into_iter().flatten().copied()
    }

    /// How many services have each status.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for service in &self.services {
            match service.status() {
                Status::Healthy => tally.healthy += 1,
                Status::Unhealthy => tally.unhealthy += 1,
                Status::Unknown => tally.unknown += 1,
                Status::Maintenance => tally.maintenance += 1,
                Status::Draining => tally.draining += 1,
            }
        }
        tally
    }

    fn join(&mut self) {
        let names: BTreeSet<&str> = (self.registrations.iter().map(|r| r.service_name.as_str()))
            .chain(self.health.iter().map(|health| health.name.as_str()))
            .collect();
        let health: BTreeMap<&str, &ServiceStatus> =
            self.health.iter().map(|health| (health.name.as_str(), health)).collect();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for registration in &self.registrations {
            *counts.entry(&registration.service_name).or_default() += 1;
        }
        self.services = names
            .into_iter()
            .map(|name| Service {
                name: name.to_owned(),
                instances: counts.get(name).copied().unwrap_or(0),
                health: health.get(name).map(|health| (*health).clone()),
            })
            .collect();
        self.instances = self
            .registrations
            .iter()
            .map(|registration| instance(registration, health.get(registration.service_name.as_str())))
            .collect();
        self.instances.sort_by(|a, b| a.key().cmp(&b.key()));
    }
}

fn instance(registration: &Registration, health: Option<&&ServiceStatus>) -> Instance {
    let found = health.and_then(|h| h.instances.iter().find(|i| i.instance_id == registration.instance_id));
    Instance {
        registration: registration.clone(),
        status: found.map_or(Status::Unknown, |found| found.status),
        latency: found.and_then(|found| found.latency),
        detail: found.and_then(|found| found.detail.clone()),
    }
}
