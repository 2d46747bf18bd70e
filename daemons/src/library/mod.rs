//! The library: books to borrow, and the sample of how a business service
//! uses the log.
//!
//! * A book has copies. A copy is lent to a borrower and comes back. A borrower
//!   may hold several copies of one book (a teacher fetches them for a class);
//!   what comes back is the oldest loan of that borrower and book.
//! * Start, add, borrow and return each write a record to the log. The record
//!   is committed in the transaction of the change itself, into the *outbox*,
//!   and shipped afterwards, in order, by one task. With the log away the
//!   library works on; when it is back every record arrives exactly once,
//!   whatever was killed in between ([`outbox`] says why).
//! * A request with an `Idempotency-Key` is carried out once, however often it
//!   is sent: of the last 10,000 such requests the answers are kept.
//! * Nothing grows without a bound: [`lending`] and [`valid`] hold the limits.
//!
//! The path of a change: [`api`] → [`valid`] → [`core`], on the writing thread
//! → [`lending`] decides → [`store`] writes the change and its record
//! ([`record`]) → committed → answered → [`outbox`] ships.

mod api;
mod core;
mod lending;
mod outbox;
mod queue;
mod record;
mod store;
mod valid;

use crate::runtime::{Context, CrossSite, Service, StartError};
use shared::client::LogClient;
use shared::daemon::Daemon;
use std::sync::Arc;

/// Starts the library.
///
/// # Errors
/// When its directory or its database cannot be used.
pub async fn start(context: Context) -> Result<Service, StartError> {
    let dir = context.own_dir()?;
    let library = Arc::new(core::Library::open(&context, dir)?);
    context.spawn(Arc::clone(&library).note_start());
    let log = LogClient::new(context.peer(Daemon::Log), context.client.clone());
    context.spawn_part("outbox", outbox::run(Arc::clone(&library), log, Arc::clone(&context.health)));
    Ok(Service {
        api: api::routes(Arc::clone(&library)),
        patient: &[],
        cross_site: CrossSite::default(),
        tags: &["library", "business"],
        requires: &[Daemon::Log],
        finish: Box::pin(async move { library.close().await }),
    })
}
