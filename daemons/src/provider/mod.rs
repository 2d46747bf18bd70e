//! The provider: discovery, and notices to those who depend on a service.
//!
//! * It answers from a watched copy of the registry, also while the registry is
//!   away, and says on every answer how old the copy is (`x-distlog-age`).
//!   Before the first copy ever it answers 503.
//! * How an instance does is the monitor's word; while that is away, its last
//!   one. An instance that the monitor does not know counts as healthy.
//! * A subscriber is posted every difference between what it was told last and
//!   what is: at least once, in order, with a key that is the same on every
//!   attempt, also over restarts. One that is dead delays no other.
//! * A registration with `requiredServices` and `serviceUpdateUrl` is a
//!   subscriber for as long as it is registered.
//!
//! [`catalog`] puts registrations and the [`book`] of the monitor's words
//! together, [`pick`] chooses. The path of a change: the mirror → [`delivery`],
//! a task for each subscriber, asks its [`subscription`] for the next notice →
//! written to the [`store`] → posted → written that it was accepted.

mod api;
mod catalog;
mod change;
mod delivery;
mod desk;
mod pick;
mod store;
mod stream;
mod subscription;
mod tables;

use crate::runtime::{Context, Service, StartError, book, mirror};
use shared::daemon::Daemon;
use std::sync::Arc;

/// Starts the provider.
///
/// # Errors
/// When its directory or its database cannot be used.
pub async fn start(context: Context) -> Result<Service, StartError> {
    let mirror = mirror::keep(&context);
    let desk = desk::Desk::open(&context, Arc::clone(&mirror))?;
    let health = book::Health::keep(&context);
    Ok(Service {
        api: api::routes(mirror, health, Arc::clone(&desk), &context),
        patient: &[],
        tags: &["discovery", "core"],
        requires: &[Daemon::Registry],
        finish: Box::pin(desk.close()),
    })
}
