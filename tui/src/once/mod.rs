//! `--once`: one snapshot of the fleet, for scripts and for a quick look.

mod print;

use crate::cli::{Endpoint, Endpoints, Format};
use crate::feed::{Clients, OPEN_MAX};
use crate::model::{Fleet, Service};
use crate::{output, text};
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::client::ClientError;
use shared::wire::monitor::{Incident, Phase, Status};
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
    log: Source,
    library: Source,
    services: Vec<Row>,
    /// Newest first; null where the monitor does not tell.
    open_incidents: Option<Vec<Incident>>,
    /// How many are open, also those beyond the first 10,000.
    open_incidents_total: Option<usize>,
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

impl Snapshot {
    /// Each daemon by its name.
    fn daemons(&self) -> [(&'static str, &Source); 4] {
        [
            ("registry", &self.registry),
            ("monitor", &self.monitor),
            ("log", &self.log),
            ("library", &self.library),
        ]
    }
}

/// Asks, prints, and says by the exit status how the fleet is.
pub(crate) async fn run(endpoints: &Endpoints, format: Format) -> io::Result<ExitCode> {
    let clients = Clients::new(endpoints)?;
    let (registrations, monitored, log, library) = tokio::join!(
        ask(clients.registry.services()),
        ask(async { tokio::try_join!(clients.monitor.health(), clients.monitor.open_incidents(OPEN_MAX)) }),
        ask(clients.log.last_seq()),
        ask(clients.library.is_there()),
    );
    let registry = source(&endpoints.registry, registrations.as_ref().err());
    let monitor = source(&endpoints.monitor, monitored.as_ref().err());
    let log = source(&endpoints.log, log.as_ref().err());
    let library = source(&endpoints.library, library.as_ref().err());
    let mut fleet = Fleet::default();
    if let Ok((revision, registrations)) = registrations {
        fleet.register(revision, registrations);
    }
    let open = monitored.ok().map(|(health, mut open)| {
        fleet.observe(health);
        open.rows.sort_by_key(|incident| std::cmp::Reverse((incident.opened_at, incident.id)));
        open
    });
    let open_incidents_total = open.as_ref().map(|open| open.total);
    let open_incidents = open.map(|open| open.rows);
    let services: Vec<Row> = fleet.services.into_iter().map(row).collect();
    let all_well = services.iter().all(|row| is_well(row.status));
    let healthy = registry.reachable && monitor.reachable && all_well;
    let as_of = Utc::now();
    let snapshot = Snapshot {
        as_of,
        healthy,
        registry,
        monitor,
        log,
        library,
        services,
        open_incidents,
        open_incidents_total,
    };
    for (name, source) in snapshot.daemons() {
        if let Some(error) = &source.error {
            output::say(format_args!("the {name} cannot be reached: {}", text::clean(error)));
        }
    }
    if !snapshot.registry.reachable && !snapshot.monitor.reachable {
        output::say(format_args!(
            "start the daemons with 'distlogd all{}', or say where they are with --registry-url",
            endpoints.port_flags()
        ));
        return Ok(ExitCode::FAILURE);
    }
    let printed = match format {
        Format::Json => serde_json::to_string_pretty(&snapshot).map_err(io::Error::other)? + "\n",
        Format::Text => print::text(&snapshot, output::Looks::found()),
    };
    output::print(printed)?;
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::from(NOT_HEALTHY) })
}

/// What a daemon answers in time, or why it does not.
async fn ask<T>(call: impl Future<Output = Result<T, ClientError>>) -> Result<T, String> {
    match tokio::time::timeout(ANSWER_MAX, call).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", ANSWER_MAX.as_secs())),
    }
}

/// Whether a service is as it is meant to be. One that is being worked on or is
/// taken out of use is, for somebody has said so; one of which nobody knows is
/// not, for a script that waits for a fleet must not go on before it is there.
const fn is_well(status: Status) -> bool {
    match status {
        Status::Healthy | Status::Maintenance | Status::Draining => true,
        Status::Unhealthy | Status::Unknown | Status::Pending => false,
    }
}

fn source(endpoint: &Endpoint, error: Option<&String>) -> Source {
    Source { url: endpoint.as_str().to_owned(), reachable: error.is_none(), error: error.cloned() }
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
