//! How the fleet is, and what went wrong.

use super::poll::Poll;
use crate::action::Action;
use shared::client::{ClientError, MonitorClient};

pub(super) async fn run(client: MonitorClient, mut poll: Poll) {
    while poll.turn(ask(&client)).await {}
}

async fn ask(client: &MonitorClient) -> Result<Action, ClientError> {
    let (health, incidents, maintenances) =
        tokio::try_join!(client.health(), client.incidents(), client.maintenances())?;
    Ok(Action::Monitor { health, incidents, maintenances })
}
