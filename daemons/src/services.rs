//! The six services by name.

use crate::runtime::{Context, Service, StartError};
use crate::{library, log, monitor, provider, registry, web};
use shared::daemon::Daemon;

/// Starts the service that the context is for.
///
/// # Errors
/// What the service says.
pub async fn start(context: Context) -> Result<Service, StartError> {
    match context.daemon {
        Daemon::Registry => registry::start(context).await,
        Daemon::Log => log::start(context).await,
        Daemon::Library => library::start(context).await,
        Daemon::Provider => provider::start(context).await,
        Daemon::Web => web::start(context).await,
        Daemon::Monitor => monitor::start(context).await,
    }
}
