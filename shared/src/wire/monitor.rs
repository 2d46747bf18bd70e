//! Health as the monitor sees it.

mod explanation;
mod incident;

pub use explanation::{Explanation, InstanceExplanation, Part, Required};
pub use incident::{Acknowledge, Acknowledgement, Dependent, Effect, Incident, IncidentKind};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// What the monitor holds of a service or an instance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It answers well.
    Healthy,
    /// It does not.
    Unhealthy,
    /// Not probed yet, or not often enough to say.
    #[default]
    Unknown,
    /// Its probes fail, but it has not been well since it registered and is given
    /// time to start.
    Pending,
    /// Its operator said that it is being worked on.
    Maintenance,
    /// Its operator takes it out of use: it works, and gets no new work.
    Draining,
}

impl Status {
    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Unknown => "unknown",
            Self::Pending => "pending",
            Self::Maintenance => "maintenance",
            Self::Draining => "draining",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The phase in which a probe failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The name was not resolved.
    Dns,
    /// No connection.
    Connect,
    /// No secure session.
    Tls,
    /// No answer in time.
    Timeout,
    /// An answer with a bad status.
    Http,
    /// A good status with a body that says otherwise.
    Body,
    /// Its lease ran out: nobody renews it.
    Lease,
    /// It was to report by itself and did not, or reported that it fails.
    Push,
    /// Its probe goes where no probe may go.
    Policy,
    /// Its probe is set up wrongly.
    Config,
}

impl Phase {
    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Http => "http",
            Self::Body => "body",
            Self::Lease => "lease",
            Self::Push => "push",
            Self::Policy => "policy",
            Self::Config => "config",
        }
    }
}

/// A service's health, as `GET /monitor/health` lists it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ServiceStatus {
    /// The service.
    pub name: String,
    /// The URL of one of its instances, a healthy one if there is one.
    pub url: String,
    /// Healthy while at least one instance is.
    pub status: Status,
    /// When one of its instances was probed last; null before the first probe.
    pub last_check: Option<DateTime<Utc>>,
    /// The fastest healthy instance's last latency in whole milliseconds.
    pub latency: Option<u64>,
    /// Each instance.
    pub instances: Vec<InstanceStatus>,
    /// Why it is unhealthy: the phase that failed.
    pub reason: Option<Phase>,
    /// The failure in words.
    pub detail: Option<String>,
    /// Since when it has this status.
    pub since: Option<DateTime<Utc>>,
    /// The share of the last day in which its probes went well, 0 to 1; null
    /// before the first. A probe speaks for the time since the one before it.
    pub uptime: Option<f64>,
    /// Whether its status changes too often to go by.
    #[serde(default)]
    pub flapping: bool,
    /// What is well and will not stay so, such as a certificate that ends soon.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// One instance's part of a [`ServiceStatus`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InstanceStatus {
    /// The instance.
    pub instance_id: String,
    /// Where it is.
    pub url: String,
    /// What the monitor holds of it.
    pub status: Status,
    /// When it was probed last.
    pub last_check: Option<DateTime<Utc>>,
    /// The last latency in whole milliseconds.
    pub latency: Option<u64>,
    /// The phase in which the last probe failed.
    pub reason: Option<Phase>,
    /// The failure in words.
    pub detail: Option<String>,
    /// Since when it has this status.
    pub since: Option<DateTime<Utc>>,
    /// How many probes in a row went as the last one did; negative for failures.
    pub streak: i64,
    /// What its probes say, also while it is under maintenance or drained.
    #[serde(default)]
    pub probed: Status,
    /// Whether its status changes too often to go by.
    #[serde(default)]
    pub flapping: bool,
    /// What is well and will not stay so, such as a certificate that ends soon.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// One probe, as `GET /monitor/history/{name}` lists it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProbeRecord {
    /// When.
    pub at: DateTime<Utc>,
    /// Which instance.
    pub instance_id: String,
    /// Whether it went well.
    pub healthy: bool,
    /// How long it took, in whole milliseconds.
    pub latency: Option<u64>,
    /// The phase that failed.
    pub reason: Option<Phase>,
    /// The failure in words.
    pub detail: Option<String>,
}

/// A change of a service's status.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Transition {
    /// The id of its event: it counts up with every event, transition or incident.
    pub id: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// The service.
    pub name: String,
    /// What it was.
    pub from: Status,
    /// What it is.
    pub to: Status,
    /// The phase that failed.
    pub reason: Option<Phase>,
    /// The failure in words.
    pub detail: Option<String>,
}

/// The history of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct History {
    /// The service.
    pub name: String,
    /// The share of the last day in which its probes went well, 0 to 1.
    pub uptime: Option<f64>,
    /// Its changes of status, newest first.
    pub transitions: Vec<Transition>,
    /// Its last probes, newest first.
    pub probes: Vec<ProbeRecord>,
}

/// How often a service did well, as `GET /monitor/uptime` lists it: shares of the
/// time in which its probes went well, or in which it held its lease where that is
/// all that is known of it, from 0 to 1, null where there was none.
/// What is older than the monitor's history is not counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UptimeReport {
    /// The service.
    pub service: String,
    /// Over the last 24 hours.
    pub day: Option<f64>,
    /// Over the last 7 times 24 hours.
    pub week: Option<f64>,
    /// Over the last 30 times 24 hours.
    pub month: Option<f64>,
    /// Each day (UTC) of the month that has probes, oldest first.
    pub days: Vec<DayUptime>,
}

/// One day of an [`UptimeReport`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DayUptime {
    /// The day, in UTC.
    pub day: NaiveDate,
    /// The share of it in which the probes went well, 0 to 1.
    pub share: f64,
}

/// What an operator does with a service or an instance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MaintenanceMode {
    /// It is being worked on: whatever its probes say, it is not to be used.
    #[default]
    Maintenance,
    /// It is taken out of use: it works, and gets no new work.
    Drain,
}

/// A time during which a service or one of its instances is being worked on or
/// taken out of use: nobody picks it, no incident is opened for it, and its
/// uptime stands still.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Maintenance {
    /// The service.
    pub service: String,
    /// Which of its instances; without it, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// What is done.
    #[serde(default)]
    pub mode: MaintenanceMode,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// Who says so.
    #[serde(default)]
    pub owner: String,
    /// Since when: the time of the request, unless it names another; before a
    /// start in the future it has no effect.
    #[serde(default)]
    pub since: Option<DateTime<Utc>>,
    /// When it ends by itself; without it, when it is taken away.
    #[serde(default)]
    pub until: Option<DateTime<Utc>>,
}

impl Maintenance {
    /// Whether it has begun and not ended.
    pub fn is_in_force(&self, now: DateTime<Utc>) -> bool {
        self.since.is_none_or(|since| since <= now) && self.until.is_none_or(|until| now < until)
    }
}
