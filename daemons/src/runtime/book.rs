//! What the monitor says of everyone, kept for when it is away.

use super::Context;
use shared::client::MonitorClient;
use shared::daemon::Daemon;
use shared::span::age;
use shared::wire::monitor::{InstanceStatus, ServiceStatus, Status};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How often the monitor is asked.
const ASK: Duration = Duration::from_secs(2);

/// The monitor's last word.
#[derive(Debug, Default)]
pub struct Book(HashMap<String, Entry>);

#[derive(Debug)]
struct Entry {
    status: Status,
    instances: HashMap<String, InstanceStatus>,
}

impl Book {
    /// Writes down what the monitor said.
    pub fn new(said: Vec<ServiceStatus>) -> Self {
        let entry = |service: ServiceStatus| {
            let instances = service.instances.into_iter().map(|i| (i.instance_id.clone(), i)).collect();
            (service.name, Entry { status: service.status, instances })
        };
        Self(said.into_iter().map(entry).collect())
    }

    /// What it holds of a service.
    pub fn status(&self, service: &str) -> Status {
        self.0.get(service).map_or(Status::Unknown, |entry| entry.status)
    }

    /// What it holds of an instance, if it knows it.
    pub fn instance(&self, service: &str, instance: &str) -> Option<&InstanceStatus> {
        self.0.get(service)?.instances.get(instance)
    }

    /// Whether an instance may be picked: one that was not probed yet may; one
    /// that its operator takes out of use may not.
    pub fn is_healthy(&self, service: &str, instance: &str) -> bool {
        self.instance(service, instance)
            .is_none_or(|instance| matches!(instance.status, Status::Healthy | Status::Unknown))
    }
}

/// The book, kept up to date in the background.
#[derive(Debug, Default)]
pub struct Health(RwLock<Arc<Book>>);

impl Health {
    /// The book as it is now.
    pub fn book(&self) -> Arc<Book> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks the monitor for ever, and tells `/health` while it is away.
    pub fn keep(context: &Context) -> Arc<Self> {
        let health = Arc::new(Self::default());
        let monitor = MonitorClient::new(context.peer(Daemon::Monitor), context.client.clone());
        let (kept, board) = (Arc::clone(&health), Arc::clone(&context.health));
        context.spawn(async move {
            let mut heard = None;
            let began = Instant::now();
            loop {
                match monitor.health().await {
                    Ok(said) => {
                        *kept.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Book::new(said));
                        heard = Some(Instant::now());
                        board.pass("monitor");
                    }
                    Err(error) => {
                        let away = age(heard.unwrap_or(began).elapsed());
                        let then = if heard.is_some() {
                            "what it said last is used"
                        } else {
                            "every instance counts as healthy"
                        };
                        board.warn("monitor", format!("no word for {away}, {then}: {error}"));
                    }
                }
                tokio::time::sleep(ASK).await;
            }
        });
        health
    }
}
