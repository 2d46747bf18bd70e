//! A daemon's own registration: made, kept by heartbeats, made again when the
//! registry has lost it, removed at the end.

use super::{Context, Service, announce};
use shared::client::{ClientError, RegistryClient, backoff};
use shared::daemon::Daemon;
use shared::wire::registry::{Register, Registration};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The longest pause between two tries to reach the registry.
const RETRY_MAX: Duration = Duration::from_secs(5);

/// What a daemon registers, and where.
pub struct Enrolment {
    daemon: Daemon,
    registry: RegistryClient,
    register: Register,
    lease: Duration,
    /// The registration as the registry holds it, for whoever ends it.
    held: Arc<Mutex<Option<Registration>>>,
}

/// A registration that is kept; [`Enrolled::leave`] removes it.
#[derive(Clone)]
pub struct Enrolled {
    registry: RegistryClient,
    held: Arc<Mutex<Option<Registration>>>,
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
            held: Arc::default(),
        }
    }

    /// Keeps it registered in the background until `stop`.
    pub fn spawn(self, stop: CancellationToken, context: &Context) -> Enrolled {
        let enrolled = Enrolled { registry: self.registry.clone(), held: Arc::clone(&self.held) };
        let health = Arc::clone(&context.health);
        health.warn("registration", "not registered: the registry has not answered yet");
        context.tasks.spawn(stop.run_until_cancelled_owned(async move {
            loop {
                let error = match self.enrol().await {
                    Ok(registration) => {
                        health.pass("registration");
                        match self.keep(&registration).await {
                            // Forgotten: register again.
                            error if error.status() == Some(404) => continue,
                            error => error,
                        }
                    }
                    Err(error) => error,
                };
                // An absent registry is retried; a refusal that stays needs somebody.
                if !error.is_temporary() {
                    health.warn("registration", error.to_string());
                    tracing::warn!("registration: {error}");
                    tokio::time::sleep(self.lease).await;
                }
            }
        }));
        enrolled
    }

    /// Registers, trying until the registry answers.
    async fn enrol(&self) -> Result<Registration, ClientError> {
        let mut pauses = backoff(RETRY_MAX);
        let mut told = false;
        loop {
            match self.registry.register(&self.register).await {
                Ok(registration) => {
                    *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(registration.clone());
                    announce(&format!("{} registered successfully", self.daemon.title()));
                    return Ok(registration);
                }
                Err(error) if error.is_temporary() => {
                    if !std::mem::replace(&mut told, true) {
                        tracing::warn!("{}: not registered yet, retrying: {error}", self.daemon.title());
                    }
                    tokio::time::sleep(pauses.next().unwrap_or(RETRY_MAX)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Renews the lease until the registry no longer knows it.
    async fn keep(&self, registration: &Registration) -> ClientError {
        let mut pauses = backoff(RETRY_MAX);
        let mut pause = self.lease / 3;
        loop {
            tokio::time::sleep(pause).await;
            match self.registry.heartbeat(&registration.service_name, &registration.instance_id).await {
                Ok(_) => {
                    pauses = backoff(RETRY_MAX);
                    pause = self.lease / 3;
                }
                Err(error) if error.is_temporary() => pause = pauses.next().unwrap_or(RETRY_MAX),
                Err(error) => return error,
            }
        }
    }
}

impl Enrolled {
    /// Removes the registration, if there is one and the registry is there.
    pub async fn leave(self) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(registration) = held {
            let left = self.registry.deregister(&registration.service_name, &registration.instance_id).await;
            if let Err(error) = left {
                tracing::info!(
                    "{} stays registered until its lease ends: {error}",
                    registration.service_name
                );
            }
        }
    }
}
