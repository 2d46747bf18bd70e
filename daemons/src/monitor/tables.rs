//! The monitor's lists as they stand on a terminal.

use crate::runtime::listing::{TableRow, ago, or_dash, shortened};
use chrono::{DateTime, Utc};
use shared::share;
use shared::span::age;
use shared::wire::monitor::{
    Incident, Maintenance, MaintenanceMode, ProbeRecord, ServiceStatus, UptimeReport,
};

fn percent(share: f64) -> String {
    format!("{}%", share::percent(share, 2))
}

/// The widest failure in a table.
const WHY_MAX: usize = 44;

impl TableRow for ServiceStatus {
    const HEADS: &'static [&'static str] =
        &["service", "status", "latency", "uptime", "since", "instances", "why"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.status.to_string(),
            or_dash(self.latency.map(|ms| format!("{ms} ms"))),
            or_dash(self.uptime.map(percent)),
            or_dash(self.since.map(ago)),
            self.instances.len().to_string(),
            why(self.reason.map(|phase| phase.as_str()), self.detail.as_deref()),
        ]
    }
}

impl TableRow for UptimeReport {
    const HEADS: &'static [&'static str] = &["service", "day", "week", "month"];

    fn cells(&self) -> Vec<String> {
        let share = |share: Option<f64>| or_dash(share.map(percent));
        vec![self.service.clone(), share(self.day), share(self.week), share(self.month)]
    }
}

impl TableRow for ProbeRecord {
    const HEADS: &'static [&'static str] = &["at", "instance", "result", "latency", "why"];

    fn cells(&self) -> Vec<String> {
        vec![
            second(self.at),
            self.instance_id.clone(),
            if self.healthy { "good" } else { "failed" }.to_owned(),
            or_dash(self.latency.map(|ms| format!("{ms} ms"))),
            why(self.reason.map(|phase| phase.as_str()), self.detail.as_deref()),
        ]
    }
}

impl TableRow for Incident {
    const HEADS: &'static [&'static str] = &["id", "service", "opened", "lasted", "state", "affected", "why"];

    fn cells(&self) -> Vec<String> {
        let lasted = self.resolved_at.unwrap_or_else(Utc::now) - self.opened_at;
        vec![
            self.id.to_string(),
            self.service.clone(),
            second(self.opened_at),
            age(lasted.to_std().unwrap_or_default()),
            if self.resolved_at.is_some() { "resolved" } else { "open" }.to_owned(),
            affected(&self.affected),
            why(self.reason.map(|phase| phase.as_str()), self.detail.as_deref()),
        ]
    }
}

impl TableRow for Maintenance {
    const HEADS: &'static [&'static str] =
        &["service", "instance", "mode", "since", "until", "owner", "reason"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.service.clone(),
            self.instance.clone().unwrap_or_else(|| "all".to_owned()),
            match self.mode {
                MaintenanceMode::Maintenance => "maintenance",
                MaintenanceMode::Drain => "drain",
            }
            .to_owned(),
            or_dash(self.since.map(second)),
            self.until.map_or_else(|| "taken away".to_owned(), second),
            self.owner.clone(),
            self.reason.clone(),
        ]
    }
}

fn second(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The first of them, and how many more there are.
fn affected(services: &[String]) -> String {
    match services {
        [] => "-".to_owned(),
        [one] => one.clone(),
        [first, others @ ..] => format!("{first} +{}", others.len()),
    }
}

/// A failure, as far as there is room for it; the whole of it is in the JSON, and
/// in the explanation.
fn why(phase: Option<&'static str>, detail: Option<&str>) -> String {
    match (phase, detail) {
        (None, None) => "-".to_owned(),
        (None, Some(text)) | (Some(text), None) => shortened(text, WHY_MAX).into_owned(),
        (Some(phase), Some(detail)) => shortened(&format!("{phase}: {detail}"), WHY_MAX).into_owned(),
    }
}
