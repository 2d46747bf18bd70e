//! `--once`: one snapshot of the fleet, for scripts and for a quick look.

use crate::cli::{Endpoints, Format};
use crate::feed::Clients;
use crate::figures;
use crate::model::{Fleet, Service};
use crate::output;
use crate::text;
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::wire::monitor::{Phase, Status};
use std::fmt::Write as _;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

/// An answer that takes longer is none.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// Something is not as it is meant to be.
const NOT_HEALTHY: u8 = 2;

/// The snapshot as JSON.
#[derive(Debug, Serialize)]
struct Snapshot {
    as_of: DateTime<Utc>,
    healthy: bool,
    registry: Source,
    monitor: Source,
    services: Vec<Row>,
}

/// Whether a daemon answered.
#[derive(Debug, Serialize)]
struct Source {
    url: String,
    reachable: bool,
    error: Option<String>,
}

/// One service.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    status: Status,
    instances: usize,
    latency: Option<u64>,
    uptime: Option<f64>,
    since: Option<DateTime<Utc>>,
    reason: Option<Phase>,
    detail: Option<String>,
}

/// Asks, prints, and says by the exit status how the fleet is.
pub(crate) async fn run(endpoints: &Endpoints, format: Format) -> io::Result<ExitCode> {
    let clients = Clients::new(endpoints)?;
    let (registrations, health) = tokio::join!(
        tokio::time::timeout(ANSWER_MAX, clients.registry.services()),
        tokio::time::timeout(ANSWER_MAX, clients.monitor.health()),
    );
    let late = |_| format!("no answer within {} s", ANSWER_MAX.as_secs());
    let registrations = registrations.map_err(late).and_then(|answer| answer.map_err(|e| e.to_string()));
    let health = health.map_err(late).and_then(|answer| answer.map_err(|e| e.to_string()));
    let registry = source(endpoints.registry.as_str(), registrations.as_ref().err());
    let monitor = source(endpoints.monitor.as_str(), health.as_ref().err());
    for (name, source) in [("registry", &registry), ("monitor", &monitor)] {
        if let Some(error) = &source.error {
            output::say(format!("the {name} cannot be reached: {}", text::clean(error)));
        }
    }
    if registrations.is_err() && health.is_err() {
        output::say(format!(
            "start the daemons with 'distlogd all{}', or say where they are with --registry-url",
            endpoints.port_flags()
        ));
        return Ok(ExitCode::FAILURE);
    }
    let mut fleet = Fleet::default();
    if let Ok((revision, registrations)) = registrations {
        fleet.register(revision, registrations);
    }
    if let Ok(health) = health {
        fleet.observe(health);
    }
    let services: Vec<Row> = fleet.services.into_iter().map(row).collect();
    let all_well = services.iter().all(|row| is_well(row.status));
    let healthy = registry.reachable && monitor.reachable && all_well;
    let snapshot = Snapshot { as_of: Utc::now(), healthy, registry, monitor, services };
    let printed = match format {
        Format::Json => serde_json::to_string_pretty(&snapshot).map_err(io::Error::other)? + "\n",
        Format::Text => table(&snapshot),
    };
    output::print(printed)?;
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::from(NOT_HEALTHY) })
}

/// Whether a service is as it is meant to be. One that is being worked on or is
/// taken out of use is, for somebody has said so; one of which nobody knows is
/// not, for a script that waits for a fleet must not go on before it is there.
const fn is_well(status: Status) -> bool {
    match status {
        Status::Healthy | Status::Maintenance | Status::Draining => true,
        Status::Unhealthy | Status::Unknown => false,
    }
}

fn source(url: &str, error: Option<&String>) -> Source {
    Source { url: url.to_owned(), reachable: error.is_none(), error: error.cloned() }
}

fn row(service: Service) -> Row {
    let status = service.status();
    let health = service.health;
    Row {
        name: service.name,
        status,
        instances: service.instances,
        latency: health.as_ref().and_then(|h| h.latency),
        uptime: health.as_ref().and_then(|h| h.uptime),
        since: health.as_ref().and_then(|h| h.since),
        reason: health.as_ref().and_then(|h| h.reason),
        detail: health.as_ref().and_then(|h| h.detail.clone()),
    }
}

/// The snapshot as aligned text: whatever the services are called, a line each.
fn table(snapshot: &Snapshot) -> String {
    if snapshot.services.is_empty() {
        return "no service is registered\n".to_owned();
    }
    let name_cells = |row: &Row| text::width(&text::clean(&row.name)).min(40);
    let cells = snapshot.services.iter().map(name_cells).max().unwrap_or(0).max(7);
    let mut out = format!("{} STATUS      INST LATENCY UPTIME  WHY\n", text::fit("SERVICE", cells));
    for row in &snapshot.services {
        let latency = figures::millis(row.latency);
        let uptime = figures::percent_or_none(row.uptime);
        let why = match row.status {
            Status::Healthy => String::new(),
            _ => figures::reason(row.reason, row.detail.as_deref()),
        };
        let line = format!(
            "{} {:<11} {:>4} {latency:>7} {uptime:>7} {}",
            text::fit(&row.name, cells),
            row.status,
            row.instances,
            text::clean(&why)
        );
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}
