//! Who is registered, and what the monitor holds of them, as one table.

use super::graph::{Branch, Requirers, forest};
use shared::wire::monitor::{Maintenance, ServiceStatus, Status};
use shared::wire::registry::Registration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

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
    pub health: Option<Arc<ServiceStatus>>,
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
    pub registration: Arc<Registration>,
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
    /// Services that were not probed yet, or that are still starting.
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
    /// What operators say of services and instances.
    pub maintenances: Vec<Maintenance>,
    /// Who depends on whom, drawn.
    pub graph: Vec<Branch>,
    /// The services that are well and neither require anything nor are required.
    pub alone: Vec<String>,
    /// All services, the worst first, as places in [`Fleet::services`].
    worst_first: Vec<usize>,
    registrations: Vec<Arc<Registration>>,
    health: Vec<Arc<ServiceStatus>>,
    latencies: BTreeMap<String, VecDeque<Option<u64>>>,
}

impl Fleet {
    /// Takes over what the registry says. False where nothing is new.
    pub fn register(&mut self, revision: u64, registrations: Vec<Registration>) -> bool {
        let known = self.registrations.iter().map(AsRef::as_ref);
        if self.revision == revision && known.eq(&registrations) {
            return false;
        }
        self.revision = revision;
        self.registrations = registrations.into_iter().map(Arc::new).collect();
        self.join();
        true
    }

    /// Takes over what the monitor says, and remembers the latencies. False
    /// where nothing is new.
    pub fn observe(&mut self, health: Vec<ServiceStatus>) -> bool {
        if self.health.iter().map(AsRef::as_ref).eq(&health) {
            return false;
        }
        let known: BTreeMap<&str, &ServiceStatus> =
            self.health.iter().map(|before| (before.name.as_str(), before.as_ref())).collect();
        for now in &health {
            let before = known.get(now.name.as_str());
            let probed = now.last_check.is_some() && before.and_then(|b| b.last_check) != now.last_check;
            if probed {
                let samples = self.latencies.entry(now.name.clone()).or_default();
                samples.push_back(now.latency.filter(|_| now.status != Status::Unhealthy));
                if samples.len() > LATENCIES_MAX {
                    samples.pop_front();
                }
            }
        }
        let told: BTreeSet<&str> = health.iter().map(|service| service.name.as_str()).collect();
        self.latencies.retain(|name, _| told.contains(name.as_str()));
        self.health = health.into_iter().map(Arc::new).collect();
        self.join();
        true
    }

    /// Takes over what is under maintenance. False where nothing is new.
    pub fn maintain(&mut self, maintenances: Vec<Maintenance>) -> bool {
        let news = self.maintenances != maintenances;
        self.maintenances = maintenances;
        news
    }

    /// What an operator says of a service as a whole, or of one of its instances.
    pub fn maintenance(&self, service: &str, instance: Option<&str>) -> Option<&Maintenance> {
        self.maintenances.iter().find(|m| m.service == service && m.instance.as_deref() == instance)
    }

    /// One service.
    pub fn service(&self, name: &str) -> Option<&Service> {
        let at = self.services.binary_search_by(|service| service.name.as_str().cmp(name)).ok()?;
        self.services.get(at)
    }

    /// All services, the worst first, else by name.
    pub fn worst_first(&self) -> impl Iterator<Item = &Service> {
        self.worst_first.iter().filter_map(|at| self.services.get(*at))
    }

    /// One of them.
    pub fn worst(&self, row: usize) -> Option<&Service> {
        self.services.get(*self.worst_first.get(row)?)
    }

    /// The instances of a service, by id.
    pub fn instances_of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a Instance> {
        self.instances.iter().filter(move |instance| instance.registration.service_name == service)
    }

    /// Who requires whom, for each service that is required.
    pub fn requirers(&self) -> Requirers<'_> {
        let mut requirers = Requirers::new();
        let mut before: Option<&Registration> = None;
        for registration in &self.registrations {
            // Instances of one service stand together and require the same.
            let says = |it: &Registration| {
                it.service_name == registration.service_name
                    && it.required_services == registration.required_services
            };
            if before.replace(registration).is_some_and(says) {
                continue;
            }
            for required in &registration.required_services {
                requirers.entry(required.as_str()).or_default().insert(&registration.service_name);
            }
        }
        requirers
    }

    /// Who requires one service.
    pub fn requirers_of(&self, service: &str) -> BTreeSet<&str> {
        let requires =
            |r: &&Arc<Registration>| r.required_services.iter().any(|required| required == service);
        self.registrations.iter().filter(requires).map(|r| r.service_name.as_str()).collect()
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
                Status::Unknown | Status::Pending => tally.unknown += 1,
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
        let health: BTreeMap<&str, &Arc<ServiceStatus>> =
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
                health: health.get(name).map(|health| Arc::clone(health)),
            })
            .collect();
        self.worst_first = (0..self.services.len()).collect();
        // Stable: equals stay sorted by name.
        self.worst_first.sort_by_key(|at| self.services.get(*at).map(|service| rank(Some(service.status()))));
        self.instances = self
            .registrations
            .iter()
            .map(|registration| instance(registration, health.get(registration.service_name.as_str())))
            .collect();
        self.instances.sort_by(|a, b| a.key().cmp(&b.key()));
        let (graph, alone) = self.draw();
        self.graph = graph;
        self.alone = alone;
    }

    /// Who depends on whom, what is worst first; and who stands alone. One that
    /// stands alone and is not well is drawn like the others.
    fn draw(&self) -> (Vec<Branch>, Vec<String>) {
        let requirers = self.requirers();
        let mut required = Requirers::new();
        for (name, those) in &requirers {
            for requirer in those {
                required.entry(requirer).or_default().insert(name);
            }
        }
        let status = |name: &str| self.service(name).map(Service::status);
        let is_alone = |name: &str| !requirers.contains_key(name) && !required.contains_key(name);
        let (mut first, mut last, mut alone) = (Vec::new(), Vec::new(), Vec::new());
        for service in self.services.iter().filter(|service| is_alone(&service.name)) {
            let name = service.name.clone();
            match service.status() {
                Status::Healthy => alone.push(name),
                Status::Unhealthy => first.push(Branch::alone(name)),
                _ => last.push(Branch::alone(name)),
            }
        }
        first.extend(forest(&requirers, &required, |name| rank(status(name))));
        first.extend(last);
        (first, alone)
    }
}

/// The worst first. A service that is required and not registered is not there.
pub(super) const fn rank(status: Option<Status>) -> u8 {
    match status {
        Some(Status::Unhealthy) => 0,
        None => 1,
        Some(Status::Unknown | Status::Pending) => 2,
        Some(Status::Maintenance) => 3,
        Some(Status::Draining) => 4,
        Some(Status::Healthy) => 5,
    }
}

fn instance(registration: &Arc<Registration>, health: Option<&&Arc<ServiceStatus>>) -> Instance {
    let found = health.and_then(|h| h.instances.iter().find(|i| i.instance_id == registration.instance_id));
    Instance {
        registration: Arc::clone(registration),
        status: found.map_or(Status::Unknown, |found| found.status),
        latency: found.and_then(|found| found.latency),
        detail: found.and_then(|found| found.detail.clone()),
    }
}
