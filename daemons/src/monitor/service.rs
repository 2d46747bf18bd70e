//! One service: its instances, and what they make of it. Pure.

use super::check::{Check, Thresholds};
use super::flap::Flaps;
use super::maintenance::{Hold, Maintenances};
use super::uptime::Uptime;
use crate::runtime::probe::{Kind, Spec, concerns};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use shared::credentials::without_password;
use shared::wire::monitor::{InstanceStatus, MaintenanceMode, Phase, ServiceStatus, Status};
use shared::wire::registry::Registration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// An instance, and what is known of it. What an older version stored lacks the
/// fields that are newer than it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Instance {
    /// Where it is.
    pub url: String,
    /// What is probed.
    pub probe_url: String,
    /// The services that it requires.
    pub requires: BTreeSet<String>,
    /// How it is probed, as metadata.
    pub way: BTreeMap<String, String>,
    /// The same, read; drawn from it.
    #[serde(skip)]
    pub spec: Arc<Spec>,
    /// Whether it is here because the configuration says so.
    pub configured: bool,
    /// When it was seen first.
    pub seen: Option<DateTime<Utc>>,
    /// Whether its lease ran out: it is listed, and not probed.
    pub lost: bool,
    /// What its probes say.
    pub check: Check,
    /// When it was heard of last, by the time for which the monitor has listened.
    #[serde(skip)]
    pub heard: Duration,
    /// For how long it had been silent when the monitor started.
    #[serde(skip)]
    pub silent_before: Duration,
    /// The changes of what they say.
    pub flaps: Flaps,
    /// What its operator says; drawn from the maintenances.
    #[serde(skip)]
    pub hold: Option<Hold>,
}

impl Instance {
    /// What it is listed as: its operator's word goes before its probes'.
    pub fn status(&self) -> Status {
        self.hold.map_or(self.check.status, Hold::status)
    }

    /// An instance that was never probed.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self { seen: Some(now), check: Check::new(now), ..Self::default() }
    }

    /// Takes over what its registration says, or in its place the configuration
    /// says of its probe; whether that is anything new.
    pub fn update(&mut self, registration: &Registration, way: Option<&BTreeMap<String, String>>) -> bool {
        let ours = |(key, _): &(&String, &String)| concerns(key);
        let way = way.unwrap_or(&registration.metadata).iter().filter(ours);
        let after = Self {
            url: registration.service_url.clone(),
            probe_url: registration.probe_url().to_owned(),
            requires: registration.required_services.iter().cloned().collect(),
            way: way.map(|(key, value)| (key.clone(), value.clone())).collect(),
            ..Self::default()
        };
        let said = |instance: &Self| {
            (
                instance.url.clone(),
                instance.probe_url.clone(),
                instance.requires.clone(),
                instance.way.clone(),
            )
        };
        if said(self) == said(&after) {
            return false;
        }
        (self.url, self.probe_url, self.requires, self.way) = said(&after);
        self.read();
        true
    }

    /// Reads how it is probed from what is stored.
    pub fn read(&mut self) {
        self.spec = Arc::new(Spec::of(&self.probe_url, &self.way));
    }

    /// When its status flips. One that reports by itself has said it all when
    /// it says that it failed.
    pub fn thresholds(&self, usual: Thresholds) -> Thresholds {
        let is_push = matches!(self.spec.kind, Kind::Push);
        let usual =
            if is_push { Thresholds { failures: 1, successes: 1, grace: TimeDelta::zero() } } else { usual };
        Thresholds {
            failures: self.spec.failures.unwrap_or(usual.failures),
            successes: self.spec.successes.unwrap_or(usual.successes),
            grace: usual.grace,
        }
    }

    fn report(&self, id: &str) -> InstanceStatus {
        let check = &self.check;
        InstanceStatus {
            instance_id: id.to_owned(),
            url: without_password(&self.url).into_owned(),
            status: self.status(),
            last_check: check.last_check,
            latency: check.latency,
            reason: check.reason,
            detail: check.detail.clone(),
            since: self.hold.map_or(check.since, |hold| hold.since.or(check.since)),
            streak: check.streak,
            probed: check.status,
            flapping: self.flaps.since().is_some(),
            warnings: check.warning.iter().cloned().collect(),
        }
    }
}

/// What outlives the probes of a service: kept on disk as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Its status.
    pub status: Status,
    /// Since when.
    pub since: DateTime<Utc>,
    /// The phase that failed, while it is unhealthy.
    pub reason: Option<Phase>,
    /// The failure in words.
    pub detail: Option<String>,
    /// Until when it may be down for a cause that is gone.
    pub excused_until: Option<DateTime<Utc>>,
    /// The service under maintenance for which it may be down.
    pub planned: Option<String>,
    /// The changes of its status.
    pub flaps: Flaps,
    /// Of a service that is gone, the instances that it had last.
    pub listed: BTreeSet<String>,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            status: Status::Unknown,
            since: DateTime::default(),
            reason: None,
            detail: None,
            excused_until: None,
            planned: None,
            flaps: Flaps::default(),
            listed: BTreeSet::new(),
        }
    }
}

/// A service.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its instances.
    pub instances: BTreeMap<String, Instance>,
    /// Its status.
    pub record: Record,
    /// The share of the time in which it did well.
    pub uptime: Uptime,
    /// The instances that it had when it was looked at last.
    pub listed: BTreeSet<String>,
}

impl Service {
    /// A service of which nothing is known yet.
    pub fn new(now: DateTime<Utc>) -> Self {
        let record = Record { since: now, ..Record::default() };
        Self { instances: BTreeMap::new(), record, uptime: Uptime::default(), listed: BTreeSet::new() }
    }

    /// Takes over what its operator says of its instances, and notes which there are.
    pub fn hold(&mut self, name: &str, maintenances: &Maintenances) {
        for (id, instance) in &mut self.instances {
            instance.hold = maintenances.hold(name, id);
        }
        if !self.listed.iter().eq(self.instances.keys()) {
            self.listed = self.instances.keys().cloned().collect();
        }
    }

    /// Its instances that are neither under maintenance nor drained: those that
    /// say how it does.
    fn usable(&self) -> impl Iterator<Item = &Instance> {
        self.instances.values().filter(|instance| instance.hold.is_none())
    }

    /// Healthy while one instance is; unhealthy when all that are known are; else
    /// pending while one is, or unknown. Without a usable one it is what its operator says.
    pub fn status(&self) -> Status {
        let has = |status| self.usable().any(|instance| instance.check.status == status);
        let modes = || self.instances.values().filter_map(|instance| instance.hold).map(|hold| hold.mode);
        if has(Status::Healthy) {
            Status::Healthy
        } else if has(Status::Unhealthy) {
            Status::Unhealthy
        } else if has(Status::Pending) {
            Status::Pending
        } else if self.usable().next().is_some() || modes().next().is_none() {
            Status::Unknown
        } else if modes().all(|mode| mode == MaintenanceMode::Drain) {
            Status::Draining
        } else {
            Status::Maintenance
        }
    }

    /// What failed: of the instances of this status, one that told a phase first.
    pub fn failure(&self, status: Status) -> (Option<Phase>, Option<String>) {
        let failing = || self.usable().map(|i| &i.check).filter(|check| check.status == status);
        let told = failing().find(|check| check.reason.is_some()).or_else(|| failing().next());
        told.map_or((None, None), |check| (check.reason, check.detail.clone()))
    }

    /// Whether the last probe of each usable instance failed.
    pub fn is_wavering(&self) -> bool {
        self.usable().next().is_some() && self.usable().all(|instance| instance.check.is_failing())
    }

    /// When the last of its usable instances began to fail.
    pub fn failing_since(&self) -> Option<DateTime<Utc>> {
        self.usable().filter_map(|instance| instance.check.failing_since).max()
    }

    /// When one of its usable instances was probed and seen well last.
    pub fn last_good(&self) -> Option<DateTime<Utc>> {
        let probed = self.usable().filter(|instance| instance.spec.is_asked());
        probed.filter_map(|instance| instance.check.last_good).max()
    }

    /// How long it needs to be seen well again: what is usual, or longer where
    /// it is probed less often.
    pub fn recovery(&self, usual: TimeDelta, thresholds: Thresholds) -> TimeDelta {
        let own = self.usable().filter(|instance| instance.spec.is_asked()).filter_map(|instance| {
            let Thresholds { failures, successes, .. } = instance.thresholds(thresholds);
            let probes = failures.saturating_add(successes);
            TimeDelta::from_std(instance.spec.interval?.saturating_mul(probes)).ok()
        });
        own.max().map_or(usual, |own| own.max(usual))
    }

    /// Whether no instance is registered any more: all leases ran out.
    pub fn is_lost(&self) -> bool {
        self.instances.values().all(|instance| instance.lost)
    }

    /// The services that its instances require.
    pub fn requires(&self) -> BTreeSet<&str> {
        self.instances.values().flat_map(|instance| instance.requires.iter().map(String::as_str)).collect()
    }

    /// As it is listed.
    pub fn report(&self, name: &str, now: DateTime<Utc>) -> ServiceStatus {
        let instances: Vec<InstanceStatus> =
            self.instances.iter().map(|(id, instance)| instance.report(id)).collect();
        let healthy = || instances.iter().filter(|instance| instance.status == Status::Healthy);
        let shown = healthy().next().or(instances.first());
        ServiceStatus {
            name: name.to_owned(),
            url: shown.map(|instance| instance.url.clone()).unwrap_or_default(),
            status: self.record.status,
            last_check: instances.iter().filter_map(|instance| instance.last_check).max(),
            latency: healthy().filter_map(|instance| instance.latency).min(),
            reason: self.record.reason,
            detail: self.record.detail.clone(),
            since: Some(self.record.since),
            uptime: self.uptime.share(now),
            flapping: self.record.flaps.since().is_some(),
            warnings: instances.iter().flat_map(|instance| instance.warnings.clone()).collect(),
            instances,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_version_with_fewer_fields_stored_can_be_read() {
        let instance: Instance = serde_json::from_str(r#"{"url":"http://h","check":{"probes":7}}"#).unwrap();
        assert_eq!((instance.url.as_str(), instance.lost, instance.check.probes), ("http://h", false, 7));
        let record: Record = serde_json::from_str(r#"{"status":"unhealthy"}"#).unwrap();
        assert_eq!((record.status, record.excused_until), (Status::Unhealthy, None));
    }
}
