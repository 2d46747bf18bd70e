//! Who is registered, and whether expiry is held back.

use super::poll::Poll;
use crate::action::Action;
use shared::client::{ClientError, RegistryClient};
use tokio::sync::mpsc;

pub(super) async fn run(client: RegistryClient, mut poll: Poll, actions: mpsc::Sender<Action>) {
    while poll.turn(ask(&client, &actions)).await {}
}

async fn ask(client: &RegistryClient, actions: &mpsc::Sender<Action>) -> Result<Action, ClientError> {
    let (revision, registrations) = client.services().await?;
    // A registry of an earlier version knows no guard: nothing is said of it.
    if let Ok(guard) = client.guard().await {
        // The receiver is gone only when the program ends.
        let _ = actions.send(Action::Guard(guard)).await;
    }
    Ok(Action::Registry { revision, registrations })
}
