//! The registry: who runs where.
//!
//! * A service is a name; it has many instances. A second URL never replaces
//!   the first: an instance is known by its id, and without one by its URL.
//! * Every change (registered, updated, deregistered, expired) has a revision
//!   of its own; revisions count up by one and never go back. A change is
//!   acknowledged, told to watchers and seen by readers only when it is on disk.
//! * A heartbeat changes no revision, touches no disk and wakes nobody.
//! * Leases run on a monotonic clock, are granted afresh on restart, and end
//!   for nobody while the registry itself stood still. When too many run out at
//!   once, [`guard`] holds expiry back, for a time that is bounded.
//! * The past is kept for a time: who did what and when, and how things stood.
//!
//! The path of a change: [`api`] → [`valid`] → [`core`] decides on the writing
//! thread of [`store`], in the transaction of the group commit → committed →
//! [`view`] applies it and tells the watchers.

mod api;
mod config;
mod core;
mod dns;
mod expiry;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod guard;
mod history;
mod metrics;
mod past;
mod prometheus;
mod standing;
mod state;
mod store;
mod stream;
mod valid;
mod view;
mod watch;

use crate::runtime::{Context, CrossSite, Service, StartError};
use std::sync::Arc;
use std::time::Instant;

/// Starts the registry.
///
/// # Errors
/// When its directory or its database cannot be used.
pub async fn start(context: Context) -> Result<Service, StartError> {
    let dir = context.own_dir()?;
    let config = config::Config::new(&context.settings.registry);
    let started = Instant::now();
    let clock = Box::new(move || u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
    let health = Arc::clone(&context.health);
    let core = Arc::new(core::Core::open(dir, config, clock, Arc::clone(&health), &context.metrics)?);
    context.spawn_part("expiry", expiry::Looks::new(Arc::clone(&core), health).run());
    context.spawn(past::tidy(Arc::clone(&core)));
    dns::spawn(&context, &core)?;
    Ok(Service {
        api: api::routes(Arc::clone(&core), &context)?,
        patient: &["/services", "/services/{name}", "/services/tag/{tag}"],
        cross_site: CrossSite::default(),
        tags: &["registry", "core"],
        requires: &[],
        finish: Box::pin(async move { core.close().await }),
    })
}

#[cfg(test)]
mod tests;
