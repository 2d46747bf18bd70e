//! Books and loans.

use super::poll::Poll;
use crate::action::Action;
use shared::client::{ClientError, LibraryClient};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// With `returned`, loans that have ended are asked for too.
pub(super) async fn run(client: LibraryClient, returned: Arc<AtomicBool>, mut poll: Poll) {
    while poll.turn(ask(&client, !returned.load(Ordering::Relaxed))).await {}
}

async fn ask(client: &LibraryClient, active: bool) -> Result<Action, ClientError> {
    let (books, loans) = tokio::try_join!(client.books(), client.loans(active))?;
    Ok(Action::Library { books, loans })
}
