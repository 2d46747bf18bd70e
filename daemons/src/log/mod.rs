//! The log: durable at the acknowledgement, searched, followed.
//!
//! * A record is acknowledged when it is on disk; then the next query finds it
//!   and every tail that wants it is told.
//! * Records are numbered in the order in which they are stored; a number is
//!   never used twice.
//! * The file is plain text, one record a line ([`mod@line`] has the grammar,
//!   [`store`] the life of the files).
//!
//! The path of a record: [`api`] → [`ingest`] makes lines of the body
//! ([`batch`]), with [`read`] for times and levels in other forms → [`store`]'s writer puts them on disk → readers: [`search`] and
//! [`count`] over a snapshot, [`tail`] over what comes, all through [`query`].
//! What a message and its fields are made of is said in [`words`] and [`fields`];
//! what is known of records without reading them is the [`index`].
//!
//! [`tool`] is the other side of the table: commands that talk to a running log
//! service, as `curl` does, or look after its files.

mod api;
mod assumed;
mod batch;
mod codec;
mod count;
mod decimal;
mod disk;
mod fields;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod index;
mod ingest;
mod limits;
mod line;
mod lines;
mod output;
mod query;
mod read;
mod retention;
mod scan;
mod search;
mod store;
mod tail;
mod time;
pub mod tool;
mod words;

use crate::runtime::{Context, CrossSite, Service, StartError};
use std::sync::Arc;

/// Starts the log.
///
/// # Errors
/// When a file cannot be used.
pub async fn start(context: Context) -> Result<Service, StartError> {
    let dir = context.own_dir()?;
    let opening = context.clone();
    let open = move || store::Store::open(dir, &opening.settings.log, opening.health, &opening.metrics);
    let store = tokio::task::spawn_blocking(open).await.map_err(|e| StartError::Other(e.to_string()))?;
    let store = Arc::new(store?);
    Ok(Service {
        api: api::routes(Arc::clone(&store), &context),
        patient: &[],
        cross_site: CrossSite::default(),
        tags: &["log", "core"],
        requires: &[],
        finish: Box::pin(async move { store.close().await }),
    })
}
