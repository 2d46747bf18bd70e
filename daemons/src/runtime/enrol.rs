//! A daemon's own registration: made, kept by heartbeats, made again when the
//! registry has lost it, removed at the end.

use super::health::Board;
use super::{Context, Service, announce};
use shared::client::{RegistryClient, backoff};
use shared::daemon::Daemon;
use shared::wire::registry::{Register, Registration};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The longest pause between two tries to reach the registry.
const RETRY_MAX: Duration = Duration::from_secs(5);

/// What a daemon registers, and where.
pub struct Enrolment {
    daemon: Daemon,
    registry: RegistryClient,
    register: Register,
    lease: Duration,
}

/// A registration that is kept; [`Enrolled::leave`] removes it.
pub struct Enrolled {
    registry: RegistryClient,
    /// Ends with the registration that is held then, when it is told to stop.
    keeping: JoinHandle<Option<Registration>>,
}

impl Enrolment {
    /// What `service` registers.
    pub fn new(context: &Context, service: &Service) -> Self {
        let url = &context.url;
        let lease = context.settings.general.lease.0;
        let register = Register {
            service_name: context.daemon.service_name().to_owned(),
            service_url: url.clone(),
            service_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            tags: service.tags.iter().map(|tag| (*tag).to_owned()).collect(),
            health_check_url: Some(format!("{url}/health")),
            required_services: service
                .requires
                .iter()
                .map(|daemon| daemon.service_name().to_owned())
                .collect(),
            ttl_seconds: Some(u32::try_from(lease.as_secs()).unwrap_or(u32::MAX)),
            ..Register::default()
        };
        Self {
            daemon: context.daemon,
            registry: RegistryClient::new(context.peer(Daemon::Registry), context.client.clone()),
            register,
            lease,
        }
    }

    /// Keeps it registered in the background until `stop`.
    pub fn spawn(self, stop: CancellationToken, context: &Context) -> Enrolled {
        let registry = self.registry.clone();
        let health = Arc::clone(&context.health);
        health.warn("registration", "not registered: the registry has not answered yet");
        Enrolled { registry, keeping: context.tasks.spawn(self.keep(stop, health)) }
    }

    /// Registers, renews the lease, and registers again when the registration was
    /// lost or another client replaced it.
    /// It stops between two calls, never in one: a registration whose answer is
    /// not waited for could not be removed.
    async fn keep(self, stop: CancellationToken, health: Arc<Board>) -> Option<Registration> {
        let mut held: Option<Registration> = None;
        let mut pauses = backoff(RETRY_MAX);
        let mut told = false;
        let mut pause = Duration::ZERO;
        while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            let outcome = match &held {
                None => self.registry.register(&self.register).await.map(Some),
                Some(held) => {
                    let Registration { service_name, instance_id, revision, .. } = held;
                    self.registry.heartbeat(service_name, instance_id, *revision).await.map(|_| None)
                }
            };
            pause = match outcome {
                Ok(registration) => {
                    if let Some(registration) = registration {
                        announce(&format!("{} registered successfully", self.daemon.title()));
                        health.pass("registration");
                        held = Some(registration);
                    }
                    pauses = backoff(RETRY_MAX);
                    told = false;
                    self.lease / 3
                }
                Err(error) if held.is_some() && matches!(error.status(), Some(404 | 409)) => {
                    tracing::warn!("{}: registering again: {error}", self.daemon.title());
                    held = None;
                    Duration::ZERO
                }
                // An absent registry is retried; a refusal that stays needs somebody.
                Err(error) if error.is_temporary() => {
                    if !std::mem::replace(&mut told, true) {
                        tracing::warn!("{}: the registry is away, retrying: {error}", self.daemon.title());
                    }
                    pauses.next().unwrap_or(RETRY_MAX)
                }
                Err(error) => {
                    health.warn("registration", error.to_string());
                    tracing::warn!("{}: registration: {error}", self.daemon.title());
                    self.lease
                }
            };
        }
        held
    }
}

impl Enrolled {
    /// Removes the registration, if there is one and the registry is there.
    pub async fn leave(self) {
        if let Ok(Some(held)) = self.keeping.await
            && let Err(error) = self.registry.deregister(&held.service_name, &held.instance_id).await
        {
            tracing::info!("{} stays registered until its lease ends: {error}", held.service_name);
        }
    }
}
