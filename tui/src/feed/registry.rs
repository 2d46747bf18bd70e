//! Who is registered.

use super::poll::Poll;
use crate::action::Action;
use shared::client::{ClientError, RegistryClient};

pub(super) async fn run(client: RegistryClient, mut poll: Poll) {
    while poll.turn(ask(&client)).await {}
}

async fn ask(client: &RegistryClient) -> Result<Action, ClientError> {
    let (revision, registrations) = client.services().await?;
    Ok(Action::Registry { revision, registrations })
}
