//! The addresses of instances, whose URLs may name a host.
//!
//! * A host is looked up once at a time, however many ask for it, and so many
//!   hosts at a time in all: each takes a thread of the system's resolver for as
//!   long as that takes.
//! * Whoever asks waits for the first look-up alone, and for all hosts of a
//!   question together no longer than [`WAIT_MAX`]. Later what was found is told
//!   while it is looked up again.

use super::zone::Instance;
use futures_util::future::{BoxFuture, join_all};
use hickory_proto::rr::Name;
use reqwest::Url;
use shared::client::balance::weight;
use shared::wire::registry::Registration;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::lookup_host;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout_at};

/// How long an address is believed before it is looked up again.
const FRESH: Duration = Duration::from_secs(30);
/// How long after that it is still told meanwhile.
const STALE_MAX: Duration = Duration::from_secs(300);
/// How long a question waits for addresses; a client of DNS waits little longer.
const WAIT_MAX: Duration = Duration::from_secs(1);
/// Host names that are remembered.
const HOSTS_MAX: usize = 10_000;
/// Host names that are looked up at a time.
const LOOKUPS_MAX: usize = 64;

type Found = Arc<[IpAddr]>;
/// Asks for the addresses of a host; none when it has none or cannot be found.
type Resolve = Box<dyn Fn(String) -> BoxFuture<'static, Found> + Send + Sync>;

/// What is known of one host.
struct Host {
    /// None until the first look-up has ended.
    found: watch::Sender<Option<Found>>,
    /// Until when that is believed.
    until: Instant,
    /// Whether it is being looked up.
    is_sought: bool,
}

/// The addresses of host names. One that cannot be found is remembered as well.
#[derive(Clone)]
pub struct Hosts(Arc<Inner>);

struct Inner {
    known: Mutex<HashMap<String, Host>>,
    slots: Semaphore,
    resolve: Resolve,
}

impl Default for Hosts {
    fn default() -> Self {
        Self::new(Box::new(|host| {
            Box::pin(async move {
                let found = lookup_host((host, 0)).await;
                found.map(|found| found.map(|address| address.ip()).collect()).unwrap_or_default()
            })
        }))
    }
}

impl Hosts {
    fn new(resolve: Resolve) -> Self {
        Self(Arc::new(Inner { known: Mutex::default(), slots: Semaphore::new(LOOKUPS_MAX), resolve }))
    }

    /// Where instances are.
    pub async fn locate(&self, registered: impl Iterator<Item = &Registration>) -> Vec<Instance> {
        let until = Instant::now() + WAIT_MAX;
        let located = join_all(registered.map(|registration| self.locate_one(registration, until))).await;
        located.into_iter().flatten().collect()
    }

    async fn locate_one(&self, registration: &Registration, until: Instant) -> Option<Instance> {
        let url = Url::parse(&registration.service_url).ok()?;
        let (port, weight) = (url.port_or_known_default()?, share(registration));
        let host = url.host_str()?.trim_matches(['[', ']']);
        if let Ok(address) = host.parse() {
            return Some(Instance { host: None, addresses: vec![address], port, weight });
        }
        let addresses = self.addresses(host, until).await.to_vec();
        let mut name = Name::from_utf8(host).ok()?;
        name.set_fqdn(true);
        // Only this machine's own resolver knows who that is to itself.
        let host = (host != "localhost").then_some(name);
        Some(Instance { host, addresses, port, weight })
    }

    /// The addresses of a host; none when they are not found by then.
    async fn addresses(&self, host: &str, until: Instant) -> Found {
        let Some(mut found) = self.ask(host, Instant::now()) else { return Found::default() };
        let found = timeout_at(until, found.wait_for(Option::is_some)).await;
        found.ok().and_then(|found| found.ok()?.clone()).unwrap_or_default()
    }

    /// What is known of a host, or will be; it is looked up where that is due.
    /// None when no more hosts can be remembered.
    fn ask(&self, host: &str, now: Instant) -> Option<watch::Receiver<Option<Found>>> {
        let mut known = self.lock();
        if !known.contains_key(host) {
            if known.len() >= HOSTS_MAX {
                known.retain(|_, host| host.is_sought || now < host.until);
            }
            if known.len() >= HOSTS_MAX {
                return None;
            }
            let unknown = Host { found: watch::Sender::default(), until: now, is_sought: false };
            known.insert(host.to_owned(), unknown);
        }
        let entry = known.get_mut(host)?;
        if now >= entry.until + STALE_MAX {
            entry.found.send_replace(None);
        }
        if now >= entry.until && !entry.is_sought {
            entry.is_sought = true;
            tokio::spawn(self.clone().look_up(host.to_owned()));
        }
        Some(entry.found.subscribe())
    }

    /// Waits for its turn, and for the system as long as that takes: its thread
    /// cannot be stopped.
    async fn look_up(self, host: String) {
        let Ok(_slot) = self.0.slots.acquire().await else { return };
        let found = (self.0.resolve)(host.clone()).await;
        if let Some(entry) = self.lock().get_mut(&host) {
            entry.is_sought = false;
            entry.until = Instant::now() + FRESH;
            entry.found.send_replace(Some(found));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An instance's weight as DNS has them: whole numbers, and 0 would say that it
/// is picked now and then.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 1 to 1,000")]
fn share(registration: &Registration) -> u16 {
    weight(registration).round().max(1.0) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Hosts that are found once a permit is given for each look-up, with the
    /// number of that look-up as the address.
    struct Gate {
        hosts: Hosts,
        open: Arc<Semaphore>,
        count: Arc<AtomicUsize>,
    }

    impl Gate {
        fn new() -> Self {
            let (open, count) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
            let (gate, counted) = (Arc::clone(&open), Arc::clone(&count));
            let resolve = move |_| -> BoxFuture<'static, Found> {
                let (gate, number) = (Arc::clone(&gate), counted.fetch_add(1, Ordering::SeqCst));
                Box::pin(async move {
                    gate.acquire().await.unwrap().forget();
                    address(number)
                })
            };
            Self { hosts: Hosts::new(Box::new(resolve)), open, count }
        }

        fn known(&self, now: Instant) -> Option<Found> {
            self.hosts.ask("h", now).unwrap().borrow().clone()
        }

        /// Lets one look-up end.
        async fn find(&self) {
            let mut found = self.hosts.ask("h", Instant::now()).unwrap();
            found.mark_unchanged();
            self.open.add_permits(1);
            found.changed().await.unwrap();
        }
    }

    fn address(number: usize) -> Found {
        Found::from([IpAddr::from([10, 0, 0, u8::try_from(number).unwrap_or(u8::MAX)])])
    }

    fn far() -> Instant {
        Instant::now() + Duration::from_secs(3_600)
    }

    #[tokio::test]
    async fn a_host_is_looked_up_once_however_many_ask() {
        let gate = Gate::new();
        let asked = join_all((0..1_000).map(|_| gate.hosts.addresses("h", far())));
        let (answers, ()) = tokio::join!(asked, gate.find());
        assert_eq!(answers, vec![address(0); 1_000]);
        assert_eq!(gate.count.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn nobody_waits_longer_than_he_may_and_few_are_looked_up_at_a_time() {
        let gate = Gate::new();
        let names: Vec<String> = (0..500).map(|n| n.to_string()).collect();
        let answers = join_all(names.iter().map(|name| gate.hosts.addresses(name, Instant::now()))).await;
        assert!(answers.iter().all(|found| found.is_empty()));
        // On this runtime's one thread every look-up that may begin has begun by then.
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(gate.count.load(Ordering::SeqCst), LOOKUPS_MAX);
    }

    #[tokio::test]
    async fn what_was_found_is_told_while_it_is_looked_up_again_but_not_for_ever() {
        let gate = Gate::new();
        let fresh = Duration::from_secs(1);
        assert_eq!(gate.known(Instant::now()), None);
        gate.find().await;
        assert_eq!(gate.known(Instant::now()), Some(address(0)));
        assert_eq!(gate.known(Instant::now() + FRESH + fresh), Some(address(0)), "it is looked up again");
        gate.find().await;
        assert_eq!(gate.known(Instant::now()), Some(address(1)));
        assert_eq!(gate.known(Instant::now() + FRESH + STALE_MAX + fresh), None);
    }
}
