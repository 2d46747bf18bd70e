//! Leases, and what the guard against mass expiry does to them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an instance's lease says after a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lease {
    /// The service.
    pub service_name: String,
    /// The instance.
    pub instance_id: String,
    /// For how long it is granted from now, in seconds; none for a registration without a lease.
    pub ttl_seconds: Option<u32>,
    /// The revision of the registration that is renewed.
    #[serde(default)]
    pub revision: u64,
}

/// How an instance's lease stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeaseStatus {
    /// The service.
    pub service_name: String,
    /// The instance.
    pub instance_id: String,
    /// Its length in seconds; none for a registration without a lease.
    pub ttl_seconds: Option<u32>,
    /// When it was last renewed.
    pub renewed_at: DateTime<Utc>,
    /// How long ago that was, in seconds.
    pub age_seconds: f64,
    /// When it runs out, in seconds from now; 0 when it has. None for a
    /// registration without a lease.
    pub expires_in_seconds: Option<f64>,
    /// Until when the guard holds expiry back at the latest; none when it does not.
    #[serde(default)]
    pub held_until: Option<DateTime<Utc>>,
}

/// Whether the guard holds expiry back: `GET /services/guard`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GuardStatus {
    /// Whether it does.
    pub engaged: bool,
    /// For whom.
    pub scopes: Vec<GuardScope>,
    /// The instances whose lease has run out and that do not expire now.
    pub held: Vec<HeldLease>,
}

/// What the events `held` and `released` of a watch tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GuardEvent {
    /// How many instances are held.
    pub held: usize,
    /// For whom expiry is held back.
    pub scopes: Vec<GuardScope>,
}

/// The fleet, or one service, for which expiry is held back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GuardScope {
    /// The service; null for the whole fleet.
    pub service: Option<String>,
    /// Since when.
    pub since: DateTime<Utc>,
    /// When that ends at the latest.
    pub until: DateTime<Utc>,
}

/// An instance whose lease has run out and that does not expire now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeldLease {
    /// The service.
    pub service: String,
    /// The instance.
    pub instance_id: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// When it expires at the latest, unless it renews.
    pub until: DateTime<Utc>,
}
