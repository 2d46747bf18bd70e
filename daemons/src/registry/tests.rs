//! A naive model beside the registry: what both say is the same, whatever is
//! registered, renewed, removed, left to expire, killed or restarted.

use super::config::Config;
use super::core::Core;
use super::expiry::Looks;
use super::guard::Bounds;
use super::history::{At, Which};
use super::state::{Capacity, Selector};
use super::store::Kept;
use crate::runtime::OwnDir;
use crate::runtime::health::Board;
use crate::runtime::metrics::Metrics;
use proptest::prelude::*;
use shared::daemon::Daemon;
use shared::wire::registry::{Cause, HistoryEntry, Register, Registration};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

const LOOK_MS: u64 = 500;
const HOLD_MS: u64 = 3_000;

/// What can happen.
#[derive(Debug, Clone)]
enum Step {
    Register {
        service: u8,
        port: u16,
        ttl_s: Option<u32>,
        tag: u8,
    },
    /// Each of the first so many instances, in the order of the listing.
    Renew(usize),
    /// The instance at this place of the listing, modulo its length.
    RemoveInstance(usize),
    RemoveService(u8),
    RemoveUrl(u16),
    /// So many looks at the leases, in their time.
    Pass(u64),
    /// The process stands still for so many milliseconds.
    Stall(u64),
    Restart,
    Kill,
}

fn register() -> impl Strategy<Value = Step> {
    let ttl = prop_oneof![1 => Just(None), 6 => (1..4_u32).prop_map(Some)];
    (0..3_u8, 0..8_u16, ttl, 0..3_u8).prop_map(|(service, port, ttl_s, tag)| Step::Register {
        service,
        port,
        ttl_s,
        tag,
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => register(),
        4 => (0..20_usize).prop_map(Step::Renew),
        2 => (0..20_usize).prop_map(Step::RemoveInstance),
        1 => (0..3_u8).prop_map(Step::RemoveService),
        1 => (0..8_u16).prop_map(Step::RemoveUrl),
        4 => (1..10_u64).prop_map(Step::Pass),
        1 => (2_001..20_000_u64).prop_map(Step::Stall),
        1 => Just(Step::Restart),
        1 => Just(Step::Kill),
    ]
}

/// The registry under test.
struct Real {
    core: Arc<Core>,
    looks: Looks,
    clock: Arc<AtomicU64>,
    dir: TempDir,
}

impl Real {
    fn open(dir: TempDir, clock: Arc<AtomicU64>) -> Self {
        let config = Config {
            capacity: Capacity { registrations_max: 100, leaseless_max: 100 },
            changes_kept: 100,
            kept: Kept { age_ms: 86_400_000, count: 100_000 },
            guard: Bounds { share: 0.3, hold_ms: HOLD_MS },
        };
        let health = Arc::new(Board::new(Daemon::Registry));
        let reading = Arc::clone(&clock);
        let core = Core::open(
            OwnDir::open(dir.path().to_owned()).unwrap(),
            config,
            Box::new(move || reading.load(Ordering::Relaxed)),
            Arc::clone(&health),
            &Metrics::default(),
        );
        let core = Arc::new(core.unwrap());
        Self { looks: Looks::new(Arc::clone(&core), health), core, clock, dir }
    }

    async fn restart(self) -> Self {
        self.core.close().await;
        drop((self.core, self.looks));
        Self::open(self.dir, self.clock)
    }

    /// As `kill -9` leaves it: what is in the files now, and nothing that a
    /// process would still do to them.
    fn kill(self) -> Self {
        let image = TempDir::new().unwrap();
        let copy = |name: &str| copy_if_there(&self.dir.path().join(name), &image.path().join(name));
        ["registry.db", "registry.db-wal"].into_iter().for_each(copy);
        Self::open(image, self.clock)
    }

    fn list(&self) -> (u64, Vec<Registration>) {
        let (revision, entries) = self.core.list(None);
        (revision, entries.iter().map(|entry| entry.registration.clone()).collect())
    }

    async fn history(&self) -> Vec<HistoryEntry> {
        let which = Which { ascending: true, limit: 100_000, ..Which::default() };
        self.core.history(which).await.unwrap()
    }
}

fn copy_if_there(from: &Path, to: &Path) {
    if from.exists() {
        std::fs::copy(from, to).unwrap();
    }
}

/// An instance as the model knows it.
#[derive(Debug, Clone)]
struct Known {
    registration: Registration,
    renewed_ms: u64,
}

impl Known {
    fn due_ms(&self) -> Option<u64> {
        self.registration.ttl_seconds.map(|ttl| self.renewed_ms + u64::from(ttl) * 1_000)
    }
}

/// The model: a map, and every change with the state after it.
#[derive(Debug, Default)]
struct Model {
    known: BTreeMap<(String, String), Known>,
    changes: Vec<(Cause, Registration)>,
    states: Vec<Vec<Registration>>,
    now_ms: u64,
}

impl Model {
    fn list(&self) -> Vec<Registration> {
        self.known.values().map(|known| known.registration.clone()).collect()
    }

    fn revision(&self) -> u64 {
        self.changes.len() as u64
    }

    fn instance(&self, at: usize) -> Option<(String, String)> {
        self.known.keys().nth(at.checked_rem(self.known.len())?).cloned()
    }

    fn renew_all(&mut self) {
        self.known.values_mut().for_each(|known| known.renewed_ms = self.now_ms);
    }

    fn made(&mut self, cause: Cause, registration: Registration) {
        assert_eq!(registration.revision, self.revision() + 1, "revisions count up by one");
        let key = (registration.service_name.clone(), registration.instance_id.clone());
        if matches!(cause, Cause::Deregistered | Cause::Expired) {
            self.known.remove(&key).expect("only who is there is removed");
        } else {
            let known = Known { registration: registration.clone(), renewed_ms: self.now_ms };
            self.known.insert(key, known);
        }
        self.changes.push((cause, registration));
        self.states.push(self.list());
    }

    fn registered(&mut self, request: &Register, stored: Registration) {
        assert_eq!(
            Register { instance_id: None, ..stored.to_register() },
            Register { instance_id: None, ..request.clone() }
        );
        let key = (stored.service_name.clone(), stored.instance_id.clone());
        let at_url = |known: &&Known| {
            known.registration.service_name == request.service_name
                && known.registration.service_url == request.service_url
        };
        let before = self.known.values().find(at_url).cloned();
        match before {
            Some(before) if before.registration == stored => {
                self.known.insert(key, Known { renewed_ms: self.now_ms, ..before });
            }
            Some(before) => {
                assert_eq!(before.registration.instance_id, stored.instance_id);
                assert_eq!(before.registration.registered_at, stored.registered_at);
                self.made(Cause::Updated, stored);
            }
            None => self.made(Cause::Registered, stored),
        }
    }

    fn removed(&mut self, selected: impl Fn(&Registration) -> bool, removed: Vec<Registration>) {
        let want: Vec<_> = self
            .known
            .values()
            .filter(|known| selected(&known.registration))
            .map(|k| &k.registration)
            .collect();
        let ids = |list: &[&Registration]| list.iter().map(|r| r.instance_id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&want), ids(&removed.iter().collect::<Vec<_>>()));
        removed.into_iter().for_each(|registration| self.made(Cause::Deregistered, registration));
    }

    /// Who has expired was due; and who was due for long enough has expired.
    fn looked(&mut self, expired: Vec<Registration>) {
        for registration in expired {
            let key = (registration.service_name.clone(), registration.instance_id.clone());
            let due_ms = self.known.get(&key).and_then(Known::due_ms).expect("it has a lease");
            assert!(self.now_ms > due_ms, "{key:?} expired before its lease ran out");
            self.made(Cause::Expired, registration);
        }
        for known in self.known.values() {
            let overdue_ms = known.due_ms().map_or(0, |due_ms| self.now_ms.saturating_sub(due_ms));
            assert!(overdue_ms <= HOLD_MS + LOOK_MS, "the guard does not end: {known:?}");
        }
    }
}

async fn run(steps: Vec<Step>) {
    let clock = Arc::new(AtomicU64::new(1_000_000));
    let mut real = Real::open(TempDir::new().unwrap(), Arc::clone(&clock));
    let mut model = Model { now_ms: 1_000_000, ..Model::default() };
    for step in steps {
        match step {
            Step::Register { service, port, ttl_s, tag } => {
                let register = Register {
                    service_name: format!("S{service}"),
                    service_url: format!("http://localhost:{}", 1_000 + port),
                    tags: (0..tag).map(|n| n.to_string()).collect(),
                    ttl_seconds: ttl_s,
                    ..Register::default()
                };
                let stored = real.core.register(register.clone()).await.unwrap();
                model.registered(&register, stored);
            }
            Step::Renew(count) => {
                for (key, known) in model.known.iter_mut().take(count) {
                    assert!(real.core.heartbeat(&key.0, &key.1, None).is_ok());
                    known.renewed_ms = model.now_ms;
                }
                assert!(real.core.heartbeat("S0", "nobody", None).is_err());
            }
            Step::RemoveInstance(at) => {
                let Some((service, instance)) = model.instance(at) else { continue };
                let selector = Selector::Instance(service.clone(), instance.clone());
                let (removed, _) = real.core.deregister(selector).await.unwrap();
                model.removed(|r| r.service_name == service && r.instance_id == instance, removed);
            }
            Step::RemoveService(service) => {
                let name = format!("S{service}");
                let removed = real.core.deregister(Selector::Service(name.clone())).await;
                model.removed(|r| r.service_name == name, removed.map_or_else(|_| Vec::new(), |done| done.0));
            }
            Step::RemoveUrl(port) => {
                let url = format!("http://localhost:{}", 1_000 + port);
                let removed = real.core.deregister(Selector::Url(None, url.clone())).await;
                model.removed(|r| r.service_url == url, removed.map_or_else(|_| Vec::new(), |done| done.0));
            }
            Step::Pass(looks) => {
                for _ in 0..looks {
                    model.now_ms += LOOK_MS;
                    look(&mut real, &mut model).await;
                }
            }
            Step::Stall(ms) => {
                model.now_ms += ms;
                model.renew_all();
                look(&mut real, &mut model).await;
            }
            Step::Restart => {
                real = real.restart().await;
                model.renew_all();
            }
            Step::Kill => {
                real = real.kill();
                model.renew_all();
            }
        }
        assert_eq!(real.list(), (model.revision(), model.list()));
    }
    past_is_the_same(&real, &model).await;
    let real = real.kill();
    assert_eq!(real.list(), (model.revision(), model.list()));
    past_is_the_same(&real, &model).await;
    real.core.close().await;
}

/// One look at the leases. Who expired is read from the registry, and judged.
async fn look(real: &mut Real, model: &mut Model) {
    real.clock.store(model.now_ms, Ordering::Relaxed);
    real.looks.look().await.unwrap();
    let revision = model.revision();
    let expired = real.history().await.into_iter().filter(|entry| entry.revision > revision);
    let expired: Vec<_> = expired
        .filter(|entry| entry.cause != Cause::Held)
        .map(|entry| {
            assert_eq!(entry.cause, Cause::Expired);
            entry.registration.unwrap()
        })
        .collect();
    model.looked(expired);
}

async fn past_is_the_same(real: &Real, model: &Model) {
    let told = real.history().await.into_iter().filter(|entry| entry.cause != Cause::Held);
    let told: Vec<_> = told.map(|entry| (entry.cause, entry.registration.unwrap())).collect();
    assert_eq!(told, model.changes);
    for (revision, state) in (1..).zip(&model.states) {
        let (at, entries) = real.core.list_at(None, At::Revision(revision)).await.unwrap();
        let entries: Vec<_> = entries.iter().map(|entry| entry.registration.clone()).collect();
        assert_eq!((at, &entries), (revision, state));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 200, ..ProptestConfig::default() })]
    #[test]
    fn the_registry_is_what_a_map_and_a_list_say(
        fleet in proptest::collection::vec(register(), 0..12),
        steps in proptest::collection::vec(step(), 1..50)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run([fleet, steps].concat()));
    }
}
