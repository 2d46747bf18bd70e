//! Who is registered, and whether expiry is held back.

use super::poll::Poll;
use crate::action::Action;
use shared::client::{ClientError, RegistryClient};
use tokio::sync::mpsc;

/// Of so many answers, one asks about the guard too: it holds for minutes.
const GUARD_EVERY: u32 = 3;

pub(super) async fn run(client: RegistryClient, mut poll: Poll, actions: mpsc::Sender<Action>) {
    let mut turn = 0_u32;
    while poll.turn(ask(&client, &actions, turn.is_multiple_of(GUARD_EVERY))).await {
        turn = turn.wrapping_add(1);
    }
}

async fn ask(
    client: &RegistryClient,
    actions: &mpsc::Sender<Action>,
    guard: bool,
) -> Result<Action, ClientError> {
    let (revision, registrations) = client.services().await?;
    if !guard {
        return Ok(Action::Registry { revision, registrations });
    }
    // A registry of an earlier version knows no guard: nothing is said of it.
    if let Ok(guard) = client.guard().await {
        // The receiver is gone only when the program ends.
        let _ = actions.send(Action::Guard(guard)).await;
    }
    Ok(Action::Registry { revision, registrations })
}
