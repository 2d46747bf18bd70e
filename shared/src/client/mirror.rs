//! A watched copy of the registry.

use super::{RegistryClient, WatchEvent, backoff};
use crate::wire::registry::{Place, Registration};
use futures_util::StreamExt;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The longest pause between two tries to reach the registry.
const RETRY_MAX: Duration = Duration::from_secs(5);

/// All registrations at one revision, by service and instance.
#[derive(Debug, Clone, Default)]
pub struct Fleet {
    /// The revision; 0 before the first snapshot.
    pub revision: u64,
    /// The services, each with its instances.
    pub services: BTreeMap<String, BTreeMap<String, Arc<Registration>>>,
    /// When the registry was lost; none while it is watched.
    pub lost_at: Option<Instant>,
    /// Whether a snapshot has ever arrived.
    pub known: bool,
}

impl Fleet {
    /// For how long the copy has not been kept up to date.
    pub fn age(&self, now: Instant) -> Duration {
        self.lost_at.map_or(Duration::ZERO, |lost| now.saturating_duration_since(lost))
    }

    /// Every registration, service by service.
    pub fn registrations(&self) -> impl Iterator<Item = &Arc<Registration>> {
        self.services.values().flat_map(BTreeMap::values)
    }

    fn put(&mut self, registration: Registration) {
        self.services
            .entry(registration.service_name.clone())
            .or_default()
            .insert(registration.instance_id.clone(), Arc::new(registration));
    }

    fn remove(&mut self, registration: &Registration) {
        if let Some(instances) = self.services.get_mut(&registration.service_name) {
            instances.remove(&registration.instance_id);
            if instances.is_empty() {
                self.services.remove(&registration.service_name);
            }
        }
    }

    fn apply(&mut self, event: WatchEvent) -> Place {
        let place = match event {
            WatchEvent::Snapshot(place, snapshot) => {
                self.services.clear();
                snapshot.services.into_iter().for_each(|registration| self.put(registration));
                self.known = true;
                place
            }
            WatchEvent::Change(place, change) if change.kind.removes() => {
                self.remove(&change.registration);
                place
            }
            WatchEvent::Change(place, change) => {
                self.put(change.registration);
                place
            }
            WatchEvent::Bookmark(place) => place,
        };
        self.revision = place.revision;
        place
    }
}

/// The copy, kept up to date by [`Mirror::run`]. It answers while the registry
/// is away, and says for how long that has been so.
#[derive(Debug)]
pub struct Mirror {
    fleet: watch::Sender<Arc<Fleet>>,
}

impl Default for Mirror {
    fn default() -> Self {
        let fleet = Fleet { lost_at: Some(Instant::now()), ..Fleet::default() };
        Self { fleet: watch::Sender::new(Arc::new(fleet)) }
    }
}

impl Mirror {
    /// The copy as it is now.
    pub fn fleet(&self) -> Arc<Fleet> {
        self.fleet.borrow().clone()
    }

    /// Tells of every new copy.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Fleet>> {
        self.fleet.subscribe()
    }

    /// Watches the registry for ever, resuming where it was cut off. Drop the
    /// future to stop.
    pub async fn run(&self, registry: RegistryClient) {
        let mut place = None;
        let mut pauses = backoff(RETRY_MAX);
        loop {
            if self.follow(&registry, &mut place).await {
                pauses = backoff(RETRY_MAX);
            }
            self.change(|fleet| {
                fleet.lost_at.get_or_insert_with(Instant::now);
            });
            tokio::time::sleep(pauses.next().unwrap_or(RETRY_MAX)).await;
        }
    }

    /// Follows one watch to its end; whether it told anything.
    async fn follow(&self, registry: &RegistryClient, place: &mut Option<Place>) -> bool {
        let events = match registry.watch(*place).await {
            Ok(events) => events,
            Err(error) => {
                if error.status() == Some(410) {
                    *place = None;
                }
                return false;
            }
        };
        let mut events = pin!(events);
        let mut heard = false;
        while let Some(Ok(event)) = events.next().await {
            heard = true;
            self.change(|fleet| {
                *place = Some(fleet.apply(event));
                fleet.lost_at = None;
            });
        }
        heard
    }

    fn change(&self, change: impl FnOnce(&mut Fleet)) {
        self.fleet.send_modify(|fleet| change(Arc::make_mut(fleet)));
    }
}
