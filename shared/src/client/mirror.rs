//! A watched copy of the registry.

mod steps;

pub use steps::{Step, Steps};

use super::{ClientError, RegistryClient, WatchEvent, backoff};
use crate::wire::registry::{ChangeKind, Place, Registration};
use futures_util::StreamExt;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use steps::Teller;
use tokio::sync::watch;

/// The longest pause between two tries to reach the registry.
const RETRY_MAX: Duration = Duration::from_secs(5);
/// Expired instances that are remembered; the oldest are forgotten first.
const EXPIRED_MAX: usize = 10_000;

/// The instances of one service, by id.
pub type Instances = BTreeMap<String, Arc<Registration>>;

/// All registrations at one revision, by service and instance.
///
/// A copy shares with the one before it whatever did not change, so that
/// whoever compares the two may skip what is the same pointer.
#[derive(Debug, Clone, Default)]
pub struct Fleet {
    /// The revision; 0 before the first snapshot.
    pub revision: u64,
    /// Where in the registry's history this is; none when that is not known.
    pub place: Option<Place>,
    /// The services, each with its instances.
    pub services: BTreeMap<String, Arc<Instances>>,
    /// Instances whose lease was seen to run out and that have not come back,
    /// with the revision at which they went. Whatever else is gone was
    /// deregistered, or went while nobody watched.
    pub expired: Arc<BTreeMap<(String, String), u64>>,
    /// How many snapshots have arrived. When it counts up, what is missing may
    /// have gone unseen.
    pub snapshots: u64,
    /// When the registry was lost; none while it is watched.
    pub lost_at: Option<Instant>,
    /// Why it was lost, or could not be reached, the last time; none after that
    /// is over, and where it just ended.
    pub trouble: Option<Arc<str>>,
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
        self.services.values().flat_map(|instances| instances.values())
    }

    /// One instance.
    pub fn get(&self, service: &str, instance: &str) -> Option<&Arc<Registration>> {
        self.services.get(service)?.get(instance)
    }

    /// Makes a registration part of it, in place of the one that it follows.
    pub fn put(&mut self, registration: Registration) {
        let key = (registration.service_name.clone(), registration.instance_id.clone());
        if self.expired.contains_key(&key) {
            Arc::make_mut(&mut self.expired).remove(&key);
        }
        let (service, instance) = key;
        Arc::make_mut(self.services.entry(service).or_default()).insert(instance, Arc::new(registration));
    }

    fn remove(&mut self, kind: ChangeKind, registration: Registration) {
        if let Some(instances) = self.services.get_mut(&registration.service_name) {
            Arc::make_mut(instances).remove(&registration.instance_id);
            if instances.is_empty() {
                self.services.remove(&registration.service_name);
            }
        }
        if kind == ChangeKind::Expired {
            let expired = Arc::make_mut(&mut self.expired);
            expired.insert((registration.service_name, registration.instance_id), registration.revision);
            if expired.len() > EXPIRED_MAX {
                let oldest = expired.iter().min_by_key(|(_, revision)| **revision);
                if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                    expired.remove(&oldest);
                }
            }
        }
    }

    fn apply(&mut self, event: WatchEvent) {
        let place = match event {
            WatchEvent::Snapshot(place, snapshot) => {
                self.services.clear();
                snapshot.services.into_iter().for_each(|registration| self.put(registration));
                self.known = true;
                self.snapshots += 1;
                place
            }
            WatchEvent::Change(place, change) if change.kind.removes() => {
                self.remove(change.kind, change.registration);
                place
            }
            WatchEvent::Change(place, change) => {
                self.put(change.registration);
                place
            }
            WatchEvent::Bookmark(place) => place,
        };
        self.revision = place.revision;
        self.place = Some(place);
    }
}

/// The copy, kept up to date by [`Mirror::run`]. It answers while the registry
/// is away, and says for how long that has been so.
#[derive(Debug)]
pub struct Mirror {
    fleet: watch::Sender<Arc<Fleet>>,
    teller: Option<Teller>,
}

impl Default for Mirror {
    fn default() -> Self {
        Self::resuming(Fleet::default(), None)
    }
}

impl Mirror {
    fn resuming(fleet: Fleet, teller: Option<Teller>) -> Self {
        let fleet = Fleet { lost_at: Some(fleet.lost_at.unwrap_or_else(Instant::now)), ..fleet };
        Self { fleet: watch::Sender::new(Arc::new(fleet)), teller }
    }

    /// A mirror that resumes where a copy ended that was kept, and every step
    /// that it makes from there.
    pub fn stepping(kept: Fleet) -> (Self, Steps) {
        let (teller, steps) = Teller::new();
        (Self::resuming(kept, Some(teller)), steps)
    }

    /// The copy as it is now.
    pub fn fleet(&self) -> Arc<Fleet> {
        self.fleet.borrow().clone()
    }

    /// Tells of every new copy. A reader that is slow sees the newest one.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Fleet>> {
        self.fleet.subscribe()
    }

    /// Watches the registry for ever, resuming where it was cut off. Drop the
    /// future to stop.
    pub async fn run(&self, registry: RegistryClient) {
        let mut pauses = backoff(RETRY_MAX);
        loop {
            let mut heard = false;
            let ended = self.follow(&registry, &mut heard).await;
            // An event that cannot be read comes again however often it is asked for.
            if heard {
                pauses = backoff(RETRY_MAX);
            }
            self.change(|fleet| {
                fleet.lost_at.get_or_insert_with(Instant::now);
                fleet.trouble = ended.err().map(|error| error.to_string().into());
            });
            tokio::time::sleep(pauses.next().unwrap_or(RETRY_MAX)).await;
        }
    }

    /// Follows one watch to its end, and says why it ended; `heard` is set once
    /// an event has arrived.
    async fn follow(&self, registry: &RegistryClient, heard: &mut bool) -> Result<(), ClientError> {
        let place = self.fleet().place;
        let events = registry.watch(place).await.inspect_err(|error| {
            if error.status() == Some(410) {
                self.change(|fleet| fleet.place = None);
            }
        })?;
        // A watch that resumes says nothing until something changes: that it
        // was granted says that nothing is missing.
        if place.is_some() {
            self.change(|fleet| fleet.lost_at = None);
        }
        let mut events = pin!(events);
        while let Some(event) = events.next().await {
            let event = event?;
            *heard = true;
            let step = self.teller.as_ref().and_then(|teller| Some((teller, Step::of(&event)?)));
            self.change(|fleet| {
                fleet.apply(event);
                (fleet.lost_at, fleet.trouble) = (None, None);
            });
            if let Some((teller, step)) = step {
                teller.tell(step);
            }
        }
        Ok(())
    }

    fn change(&self, change: impl FnOnce(&mut Fleet)) {
        self.fleet.send_modify(|fleet| change(Arc::make_mut(fleet)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::registry::{Change, Snapshot};

    fn registration(instance: &str, revision: u64) -> Registration {
        serde_json::from_value(serde_json::json!({
            "serviceName": "S", "serviceUrl": "http://h:1", "instanceId": instance,
            "registeredAt": "2026-01-01T00:00:00Z", "revision": revision,
        }))
        .unwrap()
    }

    fn change(fleet: &mut Fleet, kind: ChangeKind, instance: &str, revision: u64) {
        let place = Place { epoch: 1, revision };
        let change = Change { kind, registration: registration(instance, revision) };
        fleet.apply(WatchEvent::Change(place, Box::new(change)));
    }

    #[test]
    fn an_expired_instance_is_told_from_a_deregistered_one_until_it_returns() {
        let mut fleet = Fleet::default();
        for (revision, instance) in [(1, "a"), (2, "b")] {
            change(&mut fleet, ChangeKind::Registered, instance, revision);
        }
        change(&mut fleet, ChangeKind::Expired, "a", 3);
        change(&mut fleet, ChangeKind::Deregistered, "b", 4);
        assert!(fleet.services.is_empty());
        assert_eq!(fleet.expired.keys().map(|(_, id)| id.as_str()).collect::<Vec<_>>(), ["a"]);
        change(&mut fleet, ChangeKind::Registered, "a", 5);
        assert!(fleet.expired.is_empty());
    }

    #[test]
    fn a_snapshot_replaces_what_was_known() {
        let mut fleet = Fleet::default();
        change(&mut fleet, ChangeKind::Registered, "a", 1);
        let snapshot = Snapshot { revision: 9, services: vec![registration("b", 9)] };
        fleet.apply(WatchEvent::Snapshot(Place { epoch: 2, revision: 9 }, snapshot));
        assert!(fleet.get("S", "a").is_none() && fleet.get("S", "b").is_some());
        assert_eq!((fleet.revision, fleet.snapshots), (9, 1));
    }
}
