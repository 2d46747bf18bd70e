//! Incidents: what failed, what follows from it, and who looks after it.

use super::Phase;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an incident is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum IncidentKind {
    /// The root is down.
    #[default]
    Down,
    /// The root goes up and down: one incident until it has been steady for a while.
    Flapping,
}

/// How something that depends on the root of an incident is affected by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It is down.
    Down,
    /// It is still healthy.
    AtRisk,
    /// It is not known how it does.
    Unknown,
    /// Its operator works on it, or takes it out of use.
    Maintenance,
}

impl Effect {
    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::AtRisk => "at_risk",
            Self::Unknown => "unknown",
            Self::Maintenance => "maintenance",
        }
    }
}

/// A service that depends on the root of an incident, directly or over others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Dependent {
    /// Which service.
    pub service: String,
    /// How it is affected.
    pub effect: Effect,
    /// Since when it has been so.
    pub since: Option<DateTime<Utc>>,
    /// The phase that failed, where it is down.
    pub reason: Option<Phase>,
    /// Whether it is down for another cause than this root: it has an incident
    /// of its own, or is part of another.
    pub own_cause: bool,
}

/// A time during which a service did not work.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Incident {
    /// Its number.
    pub id: u64,
    /// What it is about.
    #[serde(default)]
    pub kind: IncidentKind,
    /// The service that failed: the root.
    pub service: String,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// When it was resolved; null while it is open.
    pub resolved_at: Option<DateTime<Utc>>,
    /// The phase that failed.
    pub reason: Option<Phase>,
    /// The failure in words.
    pub detail: Option<String>,
    /// The services that need the root and have failed with it, also those that
    /// are well again before it.
    #[serde(default)]
    pub affected: Vec<String>,
    /// Everything that depends on the root, and how it does now.
    #[serde(default)]
    pub dependents: Vec<Dependent>,
    /// Who has taken it up; null while nobody has.
    #[serde(default)]
    pub acknowledged: Option<Acknowledgement>,
}

/// Somebody has taken an incident up: `POST /monitor/incidents/{id}/ack`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Acknowledgement {
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// What is sent to take an incident up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acknowledge {
    /// Who takes it up.
    pub by: String,
}
