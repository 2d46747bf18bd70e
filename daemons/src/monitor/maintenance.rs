//! Who is under maintenance or drained, as a whole or in part. Pure.
//!
//! A maintenance is an operator's word: no probe can undo it. It is kept by
//! name, so that it holds for an instance that goes and comes back meanwhile.

use chrono::{DateTime, Utc};
use shared::wire::monitor::{Maintenance, MaintenanceMode, Status};
use std::collections::BTreeMap;

/// A service, and one of its instances or all of them.
pub type Key = (String, Option<String>);

/// What is said of one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// What is done with it.
    pub mode: MaintenanceMode,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
}

impl Hold {
    /// What the instance is listed as.
    pub const fn status(self) -> Status {
        match self.mode {
            MaintenanceMode::Maintenance => Status::Maintenance,
            MaintenanceMode::Drain => Status::Draining,
        }
    }
}

/// Every maintenance, by service and instance. One that is scheduled has no effect
/// before its start.
#[derive(Debug, Default)]
pub struct Maintenances {
    by_service: BTreeMap<String, BTreeMap<Option<String>, Maintenance>>,
    /// The time up to which starts have been looked at; it never goes back.
    now: DateTime<Utc>,
}

impl Maintenances {
    /// Takes one up, in place of one of the same service or instance.
    pub fn insert(&mut self, maintenance: Maintenance, now: DateTime<Utc>) {
        self.now = self.now.max(now);
        let of_service = self.by_service.entry(maintenance.service.clone()).or_default();
        of_service.insert(maintenance.instance.clone(), maintenance);
    }

    /// Takes one away.
    pub fn remove(&mut self, (service, instance): &Key) {
        if let Some(of_service) = self.by_service.get_mut(service) {
            of_service.remove(instance);
            if of_service.is_empty() {
                self.by_service.remove(service);
            }
        }
    }

    /// Each of them, by service.
    pub fn iter(&self) -> impl Iterator<Item = &Maintenance> {
        self.by_service.values().flat_map(BTreeMap::values)
    }

    /// Those that concern a service or its instances.
    pub fn of(&self, service: &str) -> impl Iterator<Item = &Maintenance> {
        self.by_service.get(service).into_iter().flat_map(BTreeMap::values)
    }

    /// Moves the time on, and names the services of which one begins by that.
    pub fn advance(&mut self, now: DateTime<Utc>) -> Vec<String> {
        let before = self.now;
        self.now = before.max(now);
        let begins = |m: &&Maintenance| m.since.is_some_and(|since| before < since && since <= self.now);
        self.iter().filter(begins).map(|maintenance| maintenance.service.clone()).collect()
    }

    /// Those of a service or its instances that are in force.
    pub fn in_force(&self, service: &str) -> impl Iterator<Item = &Maintenance> {
        self.of(service).filter(|maintenance| maintenance.since.is_none_or(|since| since <= self.now))
    }

    /// Those whose end has come.
    pub fn over(&self, now: DateTime<Utc>) -> Vec<Key> {
        self.iter()
            .filter(|maintenance| maintenance.until.is_some_and(|until| until <= now))
            .map(|maintenance| (maintenance.service.clone(), maintenance.instance.clone()))
            .collect()
    }

    /// What is said of an instance, by itself or with its whole service. Of the
    /// two, maintenance goes before draining.
    pub fn hold(&self, service: &str, instance: &str) -> Option<Hold> {
        self.in_force(service)
            .filter(|maintenance| maintenance.instance.as_deref().is_none_or(|id| id == instance))
            .min_by_key(|maintenance| maintenance.mode == MaintenanceMode::Drain)
            .map(|maintenance| Hold { mode: maintenance.mode, since: maintenance.since })
    }

    /// The services of which anything is under maintenance.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.by_service.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maintenances(all: &[(Option<&str>, MaintenanceMode)]) -> Maintenances {
        let mut maintenances = Maintenances::default();
        for (instance, mode) in all {
            let maintenance = Maintenance {
                service: "S".to_owned(),
                instance: instance.map(str::to_owned),
                mode: *mode,
                ..Maintenance::default()
            };
            maintenances.insert(maintenance, Utc::now());
        }
        maintenances
    }

    #[test]
    fn what_is_said_of_a_service_holds_for_each_of_its_instances() {
        use MaintenanceMode::{Drain, Maintenance};
        let mode = |all: &[_], instance| maintenances(all).hold("S", instance).map(|hold| hold.mode);
        assert_eq!(mode(&[(None, Drain)], "a"), Some(Drain));
        assert_eq!(mode(&[(Some("a"), Drain)], "a"), Some(Drain));
        assert_eq!(mode(&[(Some("a"), Drain)], "b"), None);
        assert_eq!(mode(&[(None, Drain), (Some("a"), Maintenance)], "a"), Some(Maintenance));
        assert_eq!(mode(&[(None, Maintenance), (Some("a"), Drain)], "a"), Some(Maintenance));
    }

    #[test]
    fn a_scheduled_maintenance_has_no_effect_before_its_start() {
        let now = Utc::now();
        let since = Some(now + chrono::TimeDelta::seconds(60));
        let mut maintenances = Maintenances::default();
        maintenances.insert(Maintenance { service: "S".to_owned(), since, ..Maintenance::default() }, now);
        assert_eq!(maintenances.hold("S", "a"), None);
        assert!(maintenances.advance(now + chrono::TimeDelta::seconds(59)).is_empty());
        assert_eq!(maintenances.advance(now + chrono::TimeDelta::seconds(60)), ["S"]);
        assert!(maintenances.hold("S", "a").is_some());
        assert!(maintenances.advance(now + chrono::TimeDelta::seconds(61)).is_empty());
    }
}
