//! Alerts: what a notification says, and how its delivery stands.

use super::log::Record;
use super::monitor::{Incident, Phase, Status};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// What a notification is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum NotificationKind {
    /// An incident was opened.
    Opened,
    /// An incident of which this channel was told is over.
    Resolved,
    /// Somebody tries whether notifications arrive.
    Test,
}

impl NotificationKind {
    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Resolved => "resolved",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for NotificationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A notification: the default body of a webhook, the standard input of a
/// command, and what a template is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Notification {
    /// The same on every attempt, also after a crash: a receiver that has seen
    /// it has seen this notification.
    pub key: String,
    /// What it is about.
    pub kind: NotificationKind,
    /// The channel.
    pub channel: String,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// In one line.
    pub title: String,
    /// In words: what failed, how, since when, and the last log records.
    pub text: String,
    /// The service that failed, as it was named when the incident was opened.
    pub service: String,
    /// The incident as it was then; its `service` is the root that is known by now.
    pub incident: Incident,
    /// Where the monitor lists its incidents.
    pub url: String,
    /// What is known of the failure; null where nothing is.
    pub evidence: Option<Evidence>,
}

/// What the monitor knows of a service that failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Evidence {
    /// Its status.
    pub status: Status,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
    /// The phase that failed.
    pub phase: Option<Phase>,
    /// The status or the error in words.
    pub detail: Option<String>,
    /// How long the failing probe took, in milliseconds.
    pub latency: Option<u64>,
    /// How long the last good one took, in milliseconds.
    pub last_good_latency: Option<u64>,
    /// Probes in a row that went as the last one did; negative for failures.
    pub streak: i64,
    /// What its leases say, beside what its probes say, in words.
    pub verdict: String,
    /// Its instances, the first twenty.
    pub instances: Vec<InstanceEvidence>,
    /// Its last log records at that moment, oldest first.
    #[serde(default)]
    pub log: Vec<Record>,
    /// Why there are none, where that is not because it wrote none.
    #[serde(default)]
    pub log_missing: Option<String>,
}

/// One instance's part of an [`Evidence`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InstanceEvidence {
    /// The instance.
    pub instance_id: String,
    /// Where it is.
    pub url: String,
    /// What the monitor holds of it.
    pub status: Status,
    /// What the registry holds of it.
    pub lease: Lease,
    /// Since when it has this status.
    pub since: Option<DateTime<Utc>>,
    /// The phase in which its last probe failed.
    pub phase: Option<Phase>,
    /// The failure in words.
    pub detail: Option<String>,
    /// Probes in a row that went as the last one did; negative for failures.
    pub streak: i64,
}

/// What the registry holds of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Lease {
    /// Somebody renews it.
    Held,
    /// Nobody did.
    Expired,
    /// It was registered without one.
    None,
    /// The registry is away.
    Unknown,
}

impl Lease {
    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Expired => "expired",
            Self::None => "none",
            Self::Unknown => "unknown",
        }
    }
}

/// How the delivery of a notification stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It is tried, or waits.
    Pending,
    /// The receiver has accepted it.
    Delivered,
    /// It was tried for too long.
    GivenUp,
    /// Its incident was over before quiet hours were.
    Suppressed,
}

impl DeliveryState {
    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::GivenUp => "given_up",
            Self::Suppressed => "suppressed",
        }
    }
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A notification in the outbox, as `GET /monitor/alerts` lists it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// Its number.
    pub id: u64,
    /// The incident.
    pub incident: u64,
    /// The channel.
    pub channel: String,
    /// How it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was to be sent: later than it was made where hours are quiet.
    pub due_at: DateTime<Utc>,
    /// When it was delivered, given up or suppressed.
    pub settled_at: Option<DateTime<Utc>>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// The channel that could not deliver it in time.
    pub fallback_of: Option<String>,
    /// What is sent.
    pub notification: Notification,
}

/// A channel, as `GET /monitor/channels` lists it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChannelStatus {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it leads, without what is secret.
    pub target: String,
    /// How many notifications wait, those for the end of quiet hours among them.
    pub pending: u64,
    /// Since when the oldest that is due waits.
    pub waiting_since: Option<DateTime<Utc>>,
    /// Why the oldest that waits could not be delivered.
    pub last_error: Option<String>,
    /// When one was delivered last.
    pub last_delivered: Option<DateTime<Utc>>,
    /// Until when new incidents wait.
    pub quiet_until: Option<DateTime<Utc>>,
    /// The channel that gets what this one could not deliver in time.
    pub fallback: Option<String>,
}

/// Which channels to try.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertTest {
    /// One channel; without it, all.
    #[serde(default)]
    pub channel: Option<String>,
}

/// How a try of a channel went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertTested {
    /// The channel.
    pub channel: String,
    /// Whether it accepted the notification.
    pub ok: bool,
    /// Why not.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub latency: u64,
}
