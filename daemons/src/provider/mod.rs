//! The provider: discovery, and notices to those who depend on a service.
//!
//! * It answers from a watched copy of the registry, also while the registry is
//!   away and after a restart of its own, and says on every answer how old the copy is (`x-distlog-age`).
//!   Before the first copy ever it answers 503.
//! * How an instance does is the monitor's word; while that is away, its last
//!   one, and after a restart of the provider none: an instance of which the
//!   monitor has said nothing counts as healthy.
//! * A subscriber is posted what exists and then every change: at least once, in
//!   order, with a key that is the same on every attempt, also over restarts of
//!   either side. One that is dead delays no other, and after a day is given
//!   up if it was a request that subscribed it, which a log record says. When a thousand changes wait
//!   for one, they are folded into the difference that they make.
//! * A registration with `requiredServices` and `serviceUpdateUrl` is a
//!   subscriber for as long as it is registered, and is told anew what exists
//!   whenever it registers with a change. A process that restarts within its
//!   lease and registers exactly as before renews it: that changes no revision,
//!   nobody hears of it, and nothing is told anew. Let it put something of its
//!   own into its registration, such as its start in `metadata`.
//!
//! [`catalog`] puts registrations and the monitor's words together and picks by
//! the choices of [`shared::client::balance`]. The path of a change: a step of the mirror → [`intake`] → one commit
//! ([`copy`]) of the place reached, of the change, and of an [`outbox`] row for
//! every subscription of that service → [`delivery`], a task for each of them →
//! posted → the row deleted. What was not consumed is asked of the registry
//! again from the place reached; what that no longer knows (or the registry is
//! another) is told as the difference between the copy and what there is now.

mod api;
mod catalog;
mod change;
mod copy;
mod delivery;
mod desk;
mod fold;
mod given_up;
mod intake;
mod outbox;
mod store;
mod stream;
mod subscription;
mod tables;

use crate::runtime::{Context, CrossSite, Service, StartError, book, mirror};
use shared::daemon::Daemon;
use std::sync::Arc;

/// Starts the provider.
///
/// # Errors
/// When its directory or its database cannot be used.
pub async fn start(context: Context) -> Result<Service, StartError> {
    let (desk, copy) = desk::Desk::open(&context)?;
    let (mirror, steps) = mirror::resume(copy, &context);
    context.spawn_part("intake", intake::run(Arc::clone(&desk), Arc::clone(&mirror), steps));
    let health = book::keep(&context);
    Ok(Service {
        api: api::routes(mirror, health, Arc::clone(&desk), &context),
        patient: &[],
        cross_site: CrossSite::default(),
        tags: &["discovery", "core"],
        requires: &[Daemon::Registry],
        finish: Box::pin(desk.close()),
    })
}
