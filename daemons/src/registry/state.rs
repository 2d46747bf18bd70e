//! What is registered, and what a request makes of it: pure.

use chrono::{DateTime, Utc};
use shared::credentials::without_password;
use shared::wire::registry::{Change, ChangeKind, Register, Registration};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A registration and when its lease was last renewed.
///
/// Times are milliseconds on the registry's own monotonic clock.
#[derive(Debug)]
pub struct Entry {
    /// The registration.
    pub registration: Registration,
    /// The registration as JSON: written once, read by every listing.
    pub json: String,
    renewed_at_ms: AtomicU64,
}

impl Entry {
    /// A registration whose lease is granted now.
    pub fn new(registration: Registration, now_ms: u64) -> Self {
        let json = serde_json::to_string(&registration).unwrap_or_default();
        Self { registration, json, renewed_at_ms: AtomicU64::new(now_ms) }
    }

    /// Grants the lease afresh; false when it is too late for that.
    pub fn renew(&self, now_ms: u64) -> bool {
        self.change_lease(|_| now_ms)
    }

    /// Takes back time that the lease was not really given: nobody could renew.
    pub fn extend(&self, by_ms: u64) {
        self.change_lease(|renewed_at_ms| renewed_at_ms.saturating_add(by_ms));
    }

    /// Gives the instance up, if its lease has run out. No renewal is accepted
    /// after this: one that was would be followed by the instance's expiry.
    pub fn condemn(&self, now_ms: u64) -> bool {
        let over = |lease| self.is_over(lease, now_ms).then_some(lease | CONDEMNED);
        self.renewed_at_ms.fetch_update(Ordering::Relaxed, Ordering::Relaxed, over).is_ok()
    }

    /// Takes back that the instance was given up, if it was. Its lease is as old
    /// as it was: that could not be written that it ran out, and nobody renewed.
    pub fn spare(&self) {
        self.renewed_at_ms.fetch_and(!CONDEMNED, Ordering::Relaxed);
    }

    /// Whether the lease has run out.
    pub fn has_expired(&self, now_ms: u64) -> bool {
        self.is_over(self.renewed_at_ms.load(Ordering::Relaxed), now_ms)
    }

    /// Since when the lease has not been renewed, in milliseconds.
    pub fn age_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.renewed_at_ms.load(Ordering::Relaxed))
    }

    /// The length of the lease in milliseconds; none when there is no lease.
    pub fn ttl_ms(&self) -> Option<u64> {
        self.registration.ttl_seconds.map(|ttl| u64::from(ttl) * 1_000)
    }

    fn is_over(&self, renewed_at_ms: u64, now_ms: u64) -> bool {
        renewed_at_ms & CONDEMNED == 0
            && self.ttl_ms().is_some_and(|ttl_ms| now_ms.saturating_sub(renewed_at_ms) > ttl_ms)
    }

    fn change_lease(&self, change: impl Fn(u64) -> u64) -> bool {
        let change = |renewed_at_ms| (renewed_at_ms & CONDEMNED == 0).then(|| change(renewed_at_ms));
        self.renewed_at_ms.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change).is_ok()
    }
}

/// The bit beside the time of the last renewal that says that the instance is
/// about to expire. No clock comes that far.
const CONDEMNED: u64 = 1 << 63;

/// The registrations at one revision, by service and instance.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The revision of the last change.
    pub revision: u64,
    services: BTreeMap<String, BTreeMap<String, Arc<Entry>>>,
    count: usize,
    leaseless: usize,
}

/// Which registrations to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// All instances of a service.
    Service(String),
    /// One instance.
    Instance(String, String),
    /// Whatever is at a URL; of one service, if it is named.
    Url(Option<String>, String),
}

impl Selector {
    /// How it selects, for the history.
    pub const fn words(&self) -> &'static str {
        match self {
            Self::Service(_) => "by the name of the service",
            Self::Instance(..) => "by its id",
            Self::Url(..) => "by its URL",
        }
    }
}

/// Why a registration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// One registration too many.
    #[error("the registry is full: it keeps {max} registrations")]
    Full { max: usize },
    /// One registration without a lease too many.
    #[error(
        "the registry keeps {max} registrations without a lease: deregister some, or register with ttlSeconds \
         and renew the lease"
    )]
    LeaselessFull { max: usize },
    /// The instance is registered at another URL.
    #[error(
        "instance '{instance}' of '{service}' is registered at {url}: use another instanceId, or deregister it \
         first; {expiry}"
    )]
    OtherUrl { service: String, instance: String, url: String, expiry: &'static str },
}

/// How many registrations the registry keeps.
#[derive(Debug, Clone, Copy)]
pub struct Capacity {
    /// All of them.
    pub registrations_max: usize,
    /// Those without a lease, which stay until they are removed.
    pub leaseless_max: usize,
}

impl Capacity {
    /// What there is little room left for: from nine tenths on.
    pub fn shortage(&self, state: &State) -> Option<String> {
        let kinds = [
            (state.count(), self.registrations_max, "registrations"),
            (state.leaseless(), self.leaseless_max, "registrations without a lease"),
        ];
        let mut short = kinds.into_iter().filter(|(count, max, _)| *count >= max - max / 10);
        short.next().map(|(count, max, kind)| format!("{count} of at most {max} {kind}"))
    }
}

/// What registering amounts to.
#[derive(Debug)]
pub enum Registering {
    /// Already there, the same in every field: the lease is renewed.
    Renewed(Arc<Entry>),
    /// A change.
    Changed(Box<Change>),
}

impl State {
    /// One instance.
    pub fn get(&self, service: &str, instance: &str) -> Option<&Arc<Entry>> {
        self.services.get(service)?.get(instance)
    }

    /// All instances of one service.
    pub fn service(&self, name: &str) -> impl Iterator<Item = &Arc<Entry>> {
        self.services.get(name).into_iter().flat_map(BTreeMap::values)
    }

    /// All services by name, each with its instances by id.
    pub fn services(&self) -> impl Iterator<Item = (&String, &BTreeMap<String, Arc<Entry>>)> {
        self.services.iter()
    }

    /// All registrations, service by service.
    pub fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.services.values().flat_map(BTreeMap::values)
    }

    /// How many registrations there are.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// How many registrations have no lease.
    pub const fn leaseless(&self) -> usize {
        self.leaseless
    }

    /// What registering this would do: nothing but a renewal when nothing is
    /// different, so that a client may register again as often as it likes.
    ///
    /// An instance keeps its URL until it is deregistered or its lease has run
    /// out (`now_ms`, also while the guard holds expiry back).
    ///
    /// # Errors
    /// When the instance has another URL, or there are too many registrations.
    pub fn register(
        &self,
        register: Register,
        now: DateTime<Utc>,
        now_ms: u64,
        capacity: Capacity,
    ) -> Result<Registering, Refused> {
        let instance_id = self.instance_id(&register);
        let known = self.get(&register.service_name, &instance_id);
        if let Some(known) = known
            && known.registration.service_url != register.service_url
            && !known.has_expired(now_ms)
        {
            return Err(Refused::OtherUrl {
                service: register.service_name,
                instance: instance_id,
                url: without_password(&known.registration.service_url).into_owned(),
                expiry: match known.registration.ttl_seconds {
                    Some(_) => "the id is free as soon as its lease has run out",
                    None => "it has no lease and does not expire",
                },
            });
        }
        let was_leaseless = known.is_some_and(|known| known.registration.ttl_seconds.is_none());
        if register.ttl_seconds.is_none() && !was_leaseless && self.leaseless >= capacity.leaseless_max {
            return Err(Refused::LeaselessFull { max: capacity.leaseless_max });
        }
        let registration = Registration {
            service_name: register.service_name,
            service_url: register.service_url,
            instance_id,
            service_version: register.service_version,
            tags: register.tags,
            metadata: register.metadata,
            health_check_url: register.health_check_url,
            required_services: register.required_services,
            service_update_url: register.service_update_url,
            ttl_seconds: register.ttl_seconds,
            registered_at: known.map_or(now, |known| known.registration.registered_at),
            revision: known.map_or(0, |known| known.registration.revision),
        };
        match known {
            Some(known) if known.registration == registration => Ok(Registering::Renewed(Arc::clone(known))),
            Some(_) => Ok(Registering::Changed(self.change(ChangeKind::Updated, registration))),
            None if self.count >= capacity.registrations_max => {
                Err(Refused::Full { max: capacity.registrations_max })
            }
            None => Ok(Registering::Changed(self.change(ChangeKind::Registered, registration))),
        }
    }

    /// The changes that removing these makes, each with a revision of its own;
    /// none when nothing is selected.
    pub fn remove(&self, selector: &Selector, kind: ChangeKind) -> Vec<Change> {
        let matches = |entry: &&Arc<Entry>| match selector {
            Selector::Service(name) => entry.registration.service_name == *name,
            Selector::Instance(name, id) => {
                entry.registration.service_name == *name && entry.registration.instance_id == *id
            }
            Selector::Url(name, url) => {
                entry.registration.service_url == *url
                    && name.as_ref().is_none_or(|name| entry.registration.service_name == *name)
            }
        };
        let selected: Vec<&Arc<Entry>> = match selector {
            Selector::Instance(name, id) => self.get(name, id).into_iter().collect(),
            Selector::Service(name) | Selector::Url(Some(name), _) => {
                self.service(name).filter(matches).collect()
            }
            Selector::Url(None, _) => self.entries().filter(matches).collect(),
        };
        (self.revision + 1..)
            .zip(selected)
            .map(|(revision, entry)| Change {
                kind,
                registration: Registration { revision, ..entry.registration.clone() },
            })
            .collect()
    }

    /// Makes a change part of the state, which leads to this entry or takes it away.
    pub fn apply(&mut self, kind: ChangeKind, entry: &Arc<Entry>) {
        let registration = &entry.registration;
        self.revision = registration.revision;
        let instances = self.services.entry(registration.service_name.clone()).or_default();
        let before = instances.len();
        let replaced = if kind.removes() {
            instances.remove(&registration.instance_id)
        } else {
            self.leaseless += usize::from(registration.ttl_seconds.is_none());
            instances.insert(registration.instance_id.clone(), Arc::clone(entry))
        };
        self.leaseless -= usize::from(replaced.is_some_and(|old| old.registration.ttl_seconds.is_none()));
        self.count = self.count + instances.len() - before;
        if instances.is_empty() {
            self.services.remove(&registration.service_name);
        }
    }

    fn change(&self, kind: ChangeKind, registration: Registration) -> Box<Change> {
        Box::new(Change { kind, registration: Registration { revision: self.revision + 1, ..registration } })
    }

    /// The id under which an instance is kept: the one it gives; else that of
    /// the instance at the same URL; else one made of name, host and port, with
    /// a number where that is taken by another URL.
    fn instance_id(&self, register: &Register) -> String {
        if let Some(id) = &register.instance_id {
            return id.clone();
        }
        let same_url =
            self.service(&register.service_name).find(|e| e.registration.service_url == register.service_url);
        if let Some(entry) = same_url {
            return entry.registration.instance_id.clone();
        }
        let derived = derive_id(&register.service_name, &register.service_url);
        if self.get(&register.service_name, &derived).is_none() {
            return derived;
        }
        (2u64..)
            .map(|number| format!("{derived}-{number}"))
            .find(|id| self.get(&register.service_name, id).is_none())
            .unwrap_or(derived)
    }
}

/// `LogService-localhost-4000`; a path in the URL is part of it.
fn derive_id(name: &str, url: &str) -> String {
    let Ok(url) = reqwest::Url::parse(url) else { return name.to_owned() };
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let path = url.path().trim_matches('/').replace('/', "-");
    if path.is_empty() { format!("{name}-{host}-{port}") } else { format!("{name}-{host}-{port}-{path}") }
}

#[cfg(test)]
mod tests;
