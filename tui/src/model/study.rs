//! What the monitor tells of one service: fetched while a screen shows it.

use chrono::{DateTime, TimeDelta, Utc};
use shared::wire::log::Record;
use shared::wire::monitor::{Explanation, History, Incident, UptimeReport};
use shared::wire::registry::LeaseStatus;

/// How long before an incident was opened its log is looked at, in seconds.
const BEFORE_S: i64 = 60;
/// How long after it.
const AFTER_S: i64 = 120;

/// One service, looked at closely.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Study {
    /// The service.
    pub service: String,
    /// Its transitions and probes; none where the monitor knows nothing of it.
    pub history: Option<History>,
    /// Why it has the status that it has; none where it is not listed.
    pub explanation: Option<Explanation>,
    /// How often it did well.
    pub uptime: Option<UptimeReport>,
}

/// The log of a service around the moment at which its incident was opened.
#[derive(Debug, Clone, PartialEq)]
pub struct Around {
    /// The incident.
    pub incident: u64,
    /// The service.
    pub service: String,
    /// The records, oldest first; or why there are none.
    pub records: Result<Vec<Record>, String>,
}

/// The time that the log is looked at for an incident.
pub fn around(incident: &Incident) -> (DateTime<Utc>, DateTime<Utc>) {
    let before = incident.opened_at - TimeDelta::seconds(BEFORE_S);
    (before, incident.opened_at + TimeDelta::seconds(AFTER_S))
}

/// An instance's lease, as it stood at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Lease {
    /// How it stood.
    pub status: LeaseStatus,
    /// When that was said.
    pub at: DateTime<Utc>,
}

impl Lease {
    /// The seconds that are left of it; none where it has no end.
    pub fn left(&self, now: DateTime<Utc>) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a lease are few")]
        let since = (now - self.at).num_milliseconds() as f64 / 1_000.0;
        Some((self.status.expires_in_seconds? - since).max(0.0))
    }
}
