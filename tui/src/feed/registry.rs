//! Who is registered, and whether expiry is held back.

use super::poll::Poll;
use crate::action::Action;
use crate::model::SourceName;
use shared::client::{ClientError, RegistryClient};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use tokio::sync::mpsc;

/// Of so many answers, one asks about the guard too: it holds for minutes.
const GUARD_EVERY: u32 = 3;

pub(super) async fn run(client: RegistryClient, mut poll: Poll, actions: mpsc::Sender<Action>) {
    let (mut turn, mut known) = (0_u32, None);
    while poll.turn(ask(&client, &actions, turn.is_multiple_of(GUARD_EVERY), &mut known)).await {
        turn = turn.wrapping_add(1);
    }
}

/// An answer like the one before, which `known` tells by its hash, only says that
/// the registry is there: that of a large fleet takes long to read.
async fn ask(
    client: &RegistryClient,
    actions: &mpsc::Sender<Action>,
    guard: bool,
    known: &mut Option<u64>,
) -> Result<Action, ClientError> {
    let (revision, body) = client.services_bytes().await?;
    // A registry of an earlier version knows no guard: nothing is said of it.
    if guard && let Ok(guard) = client.guard().await {
        // The receiver is gone only when the program ends.
        let _ = actions.send(Action::Guard(guard)).await;
    }
    let mut hasher = DefaultHasher::new();
    (revision, &body).hash(&mut hasher);
    if *known == Some(hasher.finish()) {
        return Ok(Action::Heard(SourceName::Registry));
    }
    let registrations = serde_json::from_slice(&body).map_err(|error| ClientError::Unexpected {
        url: client.base().to_owned(),
        cause: error.to_string(),
    })?;
    *known = Some(hasher.finish());
    Ok(Action::Registry { revision, registrations })
}
