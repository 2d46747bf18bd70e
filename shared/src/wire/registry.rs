//! The registry's registrations and the events of its watch.

mod history;
mod lease;

pub use history::{Cause, Effect, HistoryEntry, HistoryId, HistoryIdError};
pub use lease::{GuardEvent, GuardScope, GuardStatus, HeldLease, Lease, LeaseStatus};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;

/// The header that carries the registry's revision on every answer.
pub const INDEX_HEADER: &str = "x-distlog-index";

/// What a client sends to register an instance of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Register {
    /// The service: a name that many instances share.
    pub service_name: String,
    /// Where this instance is reached: `http://`, `https://` or `tcp://`.
    pub service_url: String,
    /// This instance; derived from name and URL when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// The version of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_version: Option<String>,
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Whatever else is to be known of it.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// What to probe; the service URL when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check_url: Option<String>,
    /// The services without which it cannot work.
    #[serde(default)]
    pub required_services: Vec<String>,
    /// Where it wants to be told of changes of those services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_update_url: Option<String>,
    /// For how long a heartbeat keeps it registered, in seconds; without it the
    /// registration has no lease and stays until it is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u32>,
}

/// A registration as the registry keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Registration {
    /// The service: a name that many instances share.
    pub service_name: String,
    /// Where this instance is reached.
    pub service_url: String,
    /// This instance, unique within its service.
    pub instance_id: String,
    /// The version of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_version: Option<String>,
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Whatever else is to be known of it.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// What to probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check_url: Option<String>,
    /// The services without which it cannot work.
    #[serde(default)]
    pub required_services: Vec<String>,
    /// Where it wants to be told of changes of those services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_update_url: Option<String>,
    /// The length of its lease in seconds; none means that it never expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u32>,
    /// When it was first registered.
    pub registered_at: DateTime<Utc>,
    /// The revision of its last change.
    pub revision: u64,
}

impl Registration {
    /// What a probe of this instance asks.
    pub fn probe_url(&self) -> &str {
        self.health_check_url.as_deref().unwrap_or(&self.service_url)
    }

    /// The request that would register it again as it stands.
    pub fn to_register(&self) -> Register {
        Register {
            service_name: self.service_name.clone(),
            service_url: self.service_url.clone(),
            instance_id: Some(self.instance_id.clone()),
            service_version: self.service_version.clone(),
            tags: self.tags.clone(),
            metadata: self.metadata.clone(),
            health_check_url: self.health_check_url.clone(),
            required_services: self.required_services.clone(),
            service_update_url: self.service_update_url.clone(),
            ttl_seconds: self.ttl_seconds,
        }
    }
}

/// What deregistering removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Deregistered {
    /// The registrations that are gone.
    pub removed: Vec<Registration>,
    /// The revision after it.
    pub revision: u64,
}

/// The answer of a probe made on request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceHealth {
    /// The service.
    pub service_name: String,
    /// Whether at least one instance answered well.
    pub healthy: bool,
    /// The fastest good answer in whole milliseconds; null when there was none.
    pub latency: Option<u64>,
    /// Each instance that was probed.
    #[serde(default)]
    pub instances: Vec<InstanceHealth>,
}

/// One instance's part of a [`ServiceHealth`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstanceHealth {
    /// The instance.
    pub instance_id: String,
    /// Whether it answered well.
    pub healthy: bool,
    /// How long it took, in whole milliseconds.
    pub latency: Option<u64>,
    /// Why it is not healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A place in the registry's history: which history, and how far.
///
/// The epoch is drawn when a registry's store is created. A place that bears
/// another epoch means nothing to this store, whatever its revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The history.
    pub epoch: u64,
    /// The last revision that was seen.
    pub revision: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{}", self.epoch, self.revision)
    }
}

/// A text that is no [`Place`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a place in the history is written <epoch>-<revision>, as in the id of an event")]
pub struct PlaceError;

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let (epoch, revision) = text.split_once('-').ok_or(PlaceError)?;
        Ok(Self {
            epoch: u64::from_str_radix(epoch, 16).map_err(|_| PlaceError)?,
            revision: revision.parse().map_err(|_| PlaceError)?,
        })
    }
}

/// How a registration changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// A new instance.
    Registered,
    /// A known instance with other contents.
    Updated,
    /// Removed by request.
    Deregistered,
    /// Removed because its lease ran out.
    Expired,
}

impl ChangeKind {
    /// The name of the event that carries it.
    pub const fn event_name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Updated => "updated",
            Self::Deregistered => "deregistered",
            Self::Expired => "expired",
        }
    }

    /// Whether the instance is gone after it.
    pub const fn removes(self) -> bool {
        matches!(self, Self::Deregistered | Self::Expired)
    }
}

/// One change of one registration; its revision is the registration's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The registration after it (before it, where it was removed), with the
    /// revision of this change.
    pub registration: Registration,
}

/// The first event of a watch that does not resume: all there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// The revision of this state.
    pub revision: u64,
    /// All registrations that the watch covers.
    pub services: Vec<Registration>,
}

/// An event that only moves the place: no change of what is watched up to here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Bookmark {
    /// The revision up to which everything has been told.
    pub revision: u64,
}
