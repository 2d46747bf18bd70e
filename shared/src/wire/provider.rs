//! Discovery, the graph of requirements, subscriptions.

use crate::wire::monitor::Status;
use crate::wire::registry::Registration;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How one healthy instance is picked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Each in its turn.
    #[default]
    RoundRobin,
    /// Any, as often as the `weight` in its metadata says.
    Random,
    /// Of any two the one that answers faster, by its measured latency.
    LeastLatency,
}

/// An instance and how it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Discovered {
    /// The registration.
    #[serde(flatten)]
    pub registration: Registration,
    /// Whether the monitor holds it to be healthy; an instance that was not
    /// probed yet counts as healthy.
    pub healthy: bool,
    /// Its last latency in whole milliseconds.
    pub latency: Option<u64>,
    /// When it was probed last.
    pub last_check: Option<DateTime<Utc>>,
}

/// `GET /discovery`: every service and its instances.
pub type Discovery = BTreeMap<String, Vec<Discovered>>;

/// `GET /providers/graph`: who requires whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Graph {
    /// Every service that is registered or required.
    pub nodes: Vec<Node>,
    /// Every requirement.
    pub edges: Vec<Edge>,
}

/// A service in the graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Node {
    /// The service.
    pub name: String,
    /// How it does; unknown where nothing was probed.
    pub status: Status,
    /// How many instances are registered; none for a service that is only required.
    pub instances: usize,
}

/// One requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Edge {
    /// Who requires.
    pub from: String,
    /// Whom.
    pub to: String,
    /// Whether a healthy instance of it is there.
    pub satisfied: bool,
}

/// A wish to be told of changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSubscription {
    /// The service to hear of.
    pub service: String,
    /// Where to post the changes.
    pub callback_url: String,
}

/// A subscription and how its deliveries go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// The service.
    pub service: String,
    /// Where the changes are posted.
    pub callback_url: String,
    /// Whether a registration's `serviceUpdateUrl` made it, rather than a request.
    pub automatic: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Notices that wait.
    pub pending: u64,
    /// The revision of the last notice that was delivered.
    pub delivered_revision: u64,
    /// When that was.
    #[serde(default)]
    pub last_delivered_at: Option<DateTime<Utc>>,
    /// What went wrong with the last attempt; null when it went well.
    pub last_error: Option<String>,
    /// How often the notice that is next was attempted in vain, since the
    /// provider was started.
    #[serde(default)]
    pub attempts: u64,
    /// When it is attempted again; null while nothing failed.
    #[serde(default)]
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// Since when every attempt has failed; null while none has. After a week of
    /// it a subscription that a request made is ended.
    #[serde(default)]
    pub failing_since: Option<DateTime<Utc>>,
    /// Notices that were folded into others, because too many changes waited.
    #[serde(default)]
    pub folded: u64,
}

/// What is posted to a subscriber.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Notice {
    /// The service that changed.
    pub service: String,
    /// Instances that are new.
    pub added: Vec<Registration>,
    /// Instances that are gone.
    pub removed: Vec<Registration>,
    /// Instances that changed.
    pub updated: Vec<Registration>,
    /// The revision after the change.
    pub revision: u64,
    /// Whether this tells what exists rather than what has changed: so begins a
    /// subscription, in as many notices as it takes, and so it begins again when
    /// the registration that asks for it is renewed with a change.
    #[serde(default)]
    pub initial: bool,
}
