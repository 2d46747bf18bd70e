//! A mass is held, and for no longer than the bound; everyone else expires.

use super::*;

const HOLD_MS: u64 = 120_000;
const TTL_MS: u64 = 15_000;
const LOOK_MS: u64 = 500;
const BOUNDS: Bounds = Bounds { share: 0.3, hold_ms: HOLD_MS };

fn ten(is_due: impl Fn(usize) -> bool) -> (BTreeMap<String, usize>, Vec<Silent>) {
    let key = |n: usize| ("S".to_owned(), n.to_string());
    let silent = |n| Silent { key: key(n), ttl_ms: TTL_MS, is_due: is_due(n) };
    (BTreeMap::from([("S".to_owned(), 10)]), (0..10).map(silent).collect())
}

/// A registry without storage: who is leased, who has stopped to renew.
struct Fleet {
    guard: Guard,
    alive: BTreeSet<Key>,
    dead: BTreeSet<Key>,
    now_ms: u64,
}

impl Fleet {
    fn new(services: &[(&str, usize)]) -> Self {
        let key = |service: &str, n| (service.to_owned(), format!("{n:03}"));
        let alive = services.iter().flat_map(|(service, count)| (0..*count).map(move |n| key(service, n)));
        Self { guard: Guard::default(), alive: alive.collect(), dead: BTreeSet::new(), now_ms: 1_000_000 }
    }

    fn kill(&mut self, service: &str, count: usize) {
        let dying: Vec<_> = self.alive.iter().filter(|key| key.0 == service).take(count).cloned().collect();
        for key in dying {
            self.alive.remove(&key);
            self.dead.insert(key);
        }
    }

    fn renew(&mut self, count: usize) {
        for _ in 0..count {
            self.alive.extend(self.dead.pop_first());
        }
    }

    /// One look: what it changed, and how many expired.
    fn look(&mut self) -> (Outcome, usize) {
        let mut leased = BTreeMap::new();
        for (service, _) in self.alive.iter().chain(&self.dead) {
            *leased.entry(service.clone()).or_default() += 1;
        }
        let silent = |key: &Key| Silent { key: key.clone(), ttl_ms: TTL_MS, is_due: true };
        let silent: Vec<Silent> = self.dead.iter().map(silent).collect();
        let outcome = self.guard.look(BOUNDS, &leased, &silent, self.now_ms);
        let expired: Vec<Key> = self.dead.extract_if(.., |key| self.guard.hold(key).is_none()).collect();
        self.guard.expired(expired.iter(), self.now_ms);
        self.now_ms += LOOK_MS;
        (outcome, expired.len())
    }

    /// Looks until this time has passed: how many expired, look by look.
    fn looks(&mut self, ms: u64) -> Vec<usize> {
        (0..ms / LOOK_MS).map(|_| self.look().1).collect()
    }
}

#[test]
fn one_of_two_and_two_of_four_and_three_of_ten_expire_at_once() {
    for (size, dead) in [(1, 1), (2, 1), (2, 2), (3, 3), (4, 2), (10, 3)] {
        let mut fleet = Fleet::new(&[("S", size)]);
        fleet.kill("S", dead);
        assert_eq!(fleet.look(), (Outcome::default(), dead), "{dead} of {size}");
    }
}

#[test]
fn a_mass_is_held_until_the_bound_and_then_goes_as_one() {
    let mut fleet = Fleet::new(&[("A", 20), ("B", 20)]);
    fleet.kill("A", 8);
    fleet.kill("B", 8);
    let (outcome, expired) = fleet.look();
    assert_eq!(outcome.began, [None, Some("A".to_owned()), Some("B".to_owned())]);
    assert_eq!((outcome.held.len(), expired), (16, 0));
    assert_eq!(fleet.looks(HOLD_MS - LOOK_MS).iter().sum::<usize>(), 0);
    let (outcome, expired) = fleet.look();
    assert_eq!((outcome.ended.len(), expired), (3, 16));
    assert!(outcome.ended.iter().all(|(_, end)| *end == End::Bound));
    assert_eq!((fleet.looks(HOLD_MS), fleet.guard.is_idle()), (vec![0; 240], true));
}

#[test]
fn a_service_of_a_large_fleet_is_a_mass_of_its_own() {
    let mut fleet = Fleet::new(&[("A", 5), ("B", 95)]);
    fleet.kill("A", 4);
    fleet.kill("B", 1);
    let (outcome, expired) = fleet.look();
    assert_eq!(outcome.began, [Some("A".to_owned())]);
    assert_eq!((outcome.held.len(), expired), (4, 1));
}

#[test]
fn a_mass_that_is_seen_lease_by_lease_is_caught() {
    let mut fleet = Fleet::new(&[("S", 100)]);
    let mut expired = 0;
    for _ in 0..40 {
        fleet.kill("S", 1);
        expired += fleet.look().1;
    }
    assert_eq!((expired, fleet.guard.held().count()), (30, 10));
}

#[test]
fn the_first_of_a_mass_counts_those_that_have_missed_a_heartbeat_too() {
    let mut guard = Guard::default();
    let (leased, silent) = ten(|n| n == 0);
    let outcome = guard.look(BOUNDS, &leased, &silent, 0);
    assert_eq!((outcome.began.len(), guard.held().count()), (2, 1));
    assert!(is_silent(10_001, TTL_MS) && !is_silent(10_000, TTL_MS));
}

#[test]
fn nothing_is_engaged_before_a_lease_has_run_out() {
    let (leased, silent) = ten(|_| false);
    assert_eq!(Guard::default().look(BOUNDS, &leased, &silent, 0), Outcome::default());
}

#[test]
fn losses_that_are_far_apart_are_no_mass() {
    let mut fleet = Fleet::new(&[("S", 100)]);
    for _ in 0..70 {
        fleet.kill("S", 1);
        assert_eq!(fleet.look().1, 1);
        fleet.now_ms += 10_000;
    }
}

#[test]
fn whoever_renews_is_let_off_at_once_and_the_rest_have_time_for_one_more_heartbeat() {
    let mut fleet = Fleet::new(&[("S", 100)]);
    fleet.kill("S", 40);
    fleet.look();
    fleet.renew(35);
    let (outcome, expired) = fleet.look();
    assert_eq!((outcome, expired, fleet.guard.held().count()), (Outcome::default(), 0, 5));
    assert_eq!(fleet.looks(TTL_MS / 3 - LOOK_MS).iter().sum::<usize>(), 0);
    let (outcome, expired) = fleet.look();
    assert_eq!((outcome.ended, expired), (vec![(None, End::Calm), (Some("S".to_owned()), End::Calm)], 5));
}

#[test]
fn it_ends_at_once_when_everyone_has_renewed() {
    let mut fleet = Fleet::new(&[("S", 100)]);
    fleet.kill("S", 100);
    fleet.look();
    fleet.renew(100);
    assert_eq!(fleet.look().0.ended.len(), 2);
    assert!(fleet.guard.is_idle());
}

#[test]
fn a_second_mass_is_held_in_its_turn() {
    let mut fleet = Fleet::new(&[("S", 100)]);
    fleet.kill("S", 40);
    fleet.looks(HOLD_MS + LOOK_MS);
    fleet.kill("S", 30);
    assert_eq!((fleet.look().0.began.len(), fleet.guard.held().count()), (2, 30));
}

#[test]
fn what_was_let_go_and_could_not_be_removed_is_not_held_again() {
    let mut guard = Guard::default();
    let (leased, due) = ten(|_| true);
    guard.look(BOUNDS, &leased, &due, 0);
    for look in 0..1_000 {
        // The disk is full: nobody goes.
        let outcome = guard.look(BOUNDS, &leased, &due, HOLD_MS + look * LOOK_MS);
        assert!(outcome.began.is_empty() && guard.held().count() == 0);
    }
}

#[test]
fn nobody_is_held_for_longer_than_the_bound_however_scopes_begin_and_end() {
    proptest::proptest!(|(deaths in proptest::collection::vec((0..2_usize, 0..5_usize, 0..5_usize), 1..400))| {
        let mut fleet = Fleet::new(&[("A", 12), ("B", 30)]);
        for (service, dead, renewed) in deaths {
            fleet.kill(["A", "B"][service], dead);
            fleet.renew(renewed);
            fleet.look();
            for (_, hold) in fleet.guard.held() {
                assert!(hold.until_ms > hold.since_ms && hold.until_ms <= hold.since_ms + HOLD_MS);
                assert!(hold.until_ms > fleet.now_ms - LOOK_MS);
            }
        }
    });
}

#[test]
fn one_that_goes_after_a_calm_is_known_to_have_been_held() {
    let (guard, mut now_ms) = (&mut Guard::default(), 1_000_000);
    let mut look = |guard: &mut Guard, dead: usize| {
        let (leased, silent) = ten(|_| true);
        guard.look(BOUNDS, &leased, &silent[..dead], now_ms);
        now_ms += LOOK_MS;
    };
    look(guard, 5);
    let key = ("S".to_owned(), "0".to_owned());
    let hold = guard.hold(&key).unwrap();
    (0..TTL_MS / LOOK_MS).for_each(|_| look(guard, 1));
    assert_eq!((guard.hold(&key), guard.was_held(&key)), (None, Some(hold)));
    guard.expired([&key].into_iter(), now_ms);
    assert_eq!((guard.was_held(&key), guard.gone.len()), (None, 1), "it has gone of itself");
}
