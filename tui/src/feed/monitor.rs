//! How the fleet is, and what went wrong.

use super::poll::Poll;
use crate::action::Action;
use crate::model::IncidentLists;
use shared::client::{ClientError, MonitorClient};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many open incidents are fetched.
pub(crate) const OPEN_MAX: usize = 10_000;

/// `past` is how many resolved incidents are fetched.
pub(super) async fn run(client: MonitorClient, past: Arc<AtomicUsize>, mut poll: Poll) {
    while poll.turn(ask(&client, past.load(Ordering::Relaxed))).await {}
}

async fn ask(client: &MonitorClient, past: usize) -> Result<Action, ClientError> {
    let (health, incidents, maintenances) =
        tokio::try_join!(client.health(), incidents(client, past), client.maintenances())?;
    Ok(Action::Monitor { health, incidents, maintenances })
}

/// Every open incident, and the ones that were resolved last.
async fn incidents(client: &MonitorClient, past: usize) -> Result<IncidentLists, ClientError> {
    let open = client.open_incidents(OPEN_MAX).await?;
    let mut past = client.incidents(false, past, open.total).await?;
    past.rows.retain(|incident| incident.resolved_at.is_some());
    past.total = past.total.saturating_sub(open.total).max(past.rows.len());
    Ok(IncidentLists { open, past })
}
