//! Why a service has the status that it has.

use super::{IncidentKind, Maintenance, ProbeRecord, Status};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a service has the status that it has, as `GET /monitor/explain/{name}` tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// The service.
    pub service: String,
    /// Its status.
    pub status: Status,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Whether its status changes too often to go by.
    pub flapping: bool,
    /// All of it in sentences.
    pub words: Vec<String>,
    /// Each instance.
    pub instances: Vec<InstanceExplanation>,
    /// The services that it requires, and how they do; null for one that is not listed.
    pub requires: Vec<Required>,
    /// The open incident that it is part of.
    pub incident: Option<Part>,
    /// What it waits for before an incident is opened.
    pub waits_for: Option<String>,
    /// What its operator says of it or of its instances.
    pub maintenance: Vec<Maintenance>,
}

/// One instance's part of an [`Explanation`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InstanceExplanation {
    /// The instance.
    pub instance_id: String,
    /// What is probed.
    pub url: String,
    /// How: `http`, `tcp`, `tls`, `dns`, `lease`, `push`, or `config` where that makes no sense.
    pub probe: String,
    /// What it is listed as.
    pub status: Status,
    /// What its probes say.
    pub probed: Status,
    /// Since when they say so.
    pub since: Option<DateTime<Utc>>,
    /// Whether it is registered: `held`, `none` (it never expires), `expired`,
    /// or `configured`.
    pub lease: String,
    /// The length of its lease in seconds.
    pub lease_seconds: Option<u32>,
    /// Probes in a row that went as the last one did; negative for failures.
    pub streak: i64,
    /// Until when it cannot be unhealthy, while it is pending.
    #[serde(default)]
    pub pending_until: Option<DateTime<Utc>>,
    /// Failures in a row that make it unhealthy.
    pub failures_needed: u32,
    /// Successes in a row that make it healthy again.
    pub successes_needed: u32,
    /// About when it is probed next, or has been silent for too long.
    pub next: Option<DateTime<Utc>>,
    /// Its last probes, newest first.
    pub probes: Vec<ProbeRecord>,
}

/// A service that is required.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Required {
    /// Which.
    pub service: String,
    /// How it does; null where it is not listed.
    pub status: Option<Status>,
}

/// A service's part in an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Part {
    /// The incident.
    pub id: u64,
    /// What it is about.
    pub kind: IncidentKind,
    /// Its root: the service itself, or one that it depends on.
    pub root: String,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
}
