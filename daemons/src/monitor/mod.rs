//! The monitor: how every registered instance does, and why.
//!
//! * Each instance is probed once an interval, at a moment of its own. One that
//!   hangs delays others that hang, never one that answers.
//! * A status flips only after so many probes in a row. Statuses, streaks,
//!   uptime and history are on disk: after `kill -9` at most the probes of the
//!   last half second are missing, and nothing is probed in a burst.
//! * A transition, the incident that it makes and the event that tells of it
//!   are one commit; an event is told when it is on disk, and can be read again
//!   from its id on.
//! * One fault is one incident: it names the service that is to blame and lists
//!   those that are down with it ([`incident`]).
//! * A transition that opens or resolves an incident makes notifications in the
//!   same commit, and they are delivered at least once ([`alert`]).
//! * A service that deregisters leaves the list, and its incident is resolved;
//!   its history, its uptime and the changes of its status stay with its name:
//!   whoever comes back goes on with them. A service whose last lease ran out stays listed as
//!   unhealthy, for a crashed daemon must be seen: until it registers again, is
//!   removed from the list (`DELETE /monitor/health/{name}`), or `forget_after`
//!   has passed.
//! * Under maintenance, or drained, a service or an instance is neither well nor
//!   not: it is probed, but opens no incident and its uptime stands still
//!   ([`maintenance`]). That ends when it is taken away, at its end, or when its
//!   service has been gone for as long as the history is kept.
//! * A status that changes too often is one incident, until it is steady ([`flap`]).
//!
//! The path of a probe: [`schedule`] says when → [`rounds`] makes it → [`check`](mod@check)
//! judges it → [`state`] draws the service's status and the incidents → [`core`]
//! writes the [`batch`] to the [`store`] → [`events`] tells, [`alert`] pages.

mod alert;
mod api;
mod batch;
mod check;
mod configured;
mod core;
mod dead_man;
mod events;
mod explain;
mod flap;
mod incident;
mod maintenance;
mod measure;
mod picture;
mod prune;
mod pulse;
mod replay;
mod report;
mod rounds;
mod schedule;
mod schema;
mod service;
mod state;
mod store;
mod tables;
mod uptime;

#[cfg(fuzzing)]
pub use alert::any_template;
pub use replay::replay;

use crate::runtime::probe::Prober;
use crate::runtime::{Context, CrossSite, Service, StartError, mirror};
use crate::settings::Settings;
use shared::client::http;
use shared::daemon::Daemon;
use std::sync::Arc;

/// Whether the monitor could do what the settings ask for.
///
/// # Errors
/// When a probe makes no sense, or a channel cannot be used.
pub fn check(settings: &Settings) -> Result<(), StartError> {
    configured::Configured::new(&settings.probes)?;
    let client = http::build(|builder| builder)
        .map_err(|e| StartError::Other(format!("cannot set up the HTTP client: {e}")))?;
    alert::senders(settings, &client).map(drop)
}

/// Starts the monitor.
///
/// # Errors
/// When its directory or its database cannot be used.
pub async fn start(context: Context) -> Result<Service, StartError> {
    let prober = Prober::new().map_err(|e| StartError::Other(format!("cannot set up probes: {e}")))?;
    let senders = alert::senders(&context.settings, &context.client)?;
    let core = Arc::new(core::Core::open(&context, context.own_dir()?)?);
    let mirror = mirror::keep(&context);
    context.spawn_part("store", Arc::clone(&core).write_changes());
    context.spawn_part("time", Arc::clone(&core).keep_time());
    context.spawn(Arc::clone(&core).prune());
    rounds::spawn(&context, Arc::clone(&core), mirror, prober);
    dead_man::spawn(&context, Arc::clone(&core));
    let alerts = alert::spawn(&context, &core, senders);
    Ok(Service {
        api: api::routes(Arc::clone(&core), &context).merge(alert::routes(alerts)),
        patient: &[],
        cross_site: CrossSite {
            pages: &["/monitor/incidents"],
            images: &["/monitor/badge/{file}", "/monitor/chart/{file}"],
        },
        tags: &["monitoring", "core"],
        requires: &[Daemon::Registry],
        finish: Box::pin(core.close()),
    })
}
