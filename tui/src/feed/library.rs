//! Books and loans, while they are seen; else only whether the library is there.

use super::poll::Poll;
use crate::action::Action;
use crate::model::{ROWS_MAX, SourceName, Tab};
use shared::client::{ClientError, LibraryClient};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// The pause between two questions whether the library is there.
const PULSE_EVERY: Duration = Duration::from_secs(5);

/// With `returned`, loans that have ended are asked for too.
pub(super) async fn run(
    client: LibraryClient,
    returned: Arc<AtomicBool>,
    shown: watch::Receiver<Tab>,
    mut poll: Poll,
) {
    let mut is_told = false;
    loop {
        let is_seen = *shown.borrow() == Tab::Library;
        let listening = if is_seen || !is_told {
            let active = !returned.load(Ordering::Relaxed);
            poll.turn(async { ask(&client, active).await.inspect(|_| is_told = true) }).await
        } else {
            poll.turn_every(PULSE_EVERY, is_there(&client)).await
        };
        if !listening {
            return;
        }
    }
}

async fn ask(client: &LibraryClient, active: bool) -> Result<Action, ClientError> {
    let (books, loans) = tokio::try_join!(client.books(ROWS_MAX), client.loans(active, ROWS_MAX))?;
    Ok(Action::Library { books, loans })
}

async fn is_there(client: &LibraryClient) -> Result<Action, ClientError> {
    client.is_there().await?;
    Ok(Action::Heard(SourceName::Library))
}
