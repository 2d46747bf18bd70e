//! When each instance is probed: pure.
//!
//! Each has a phase of its own in the interval, derived from its name, so that
//! probes are spread evenly and stay where they are over a restart. Only an
//! instance that was never probed has its first probe sooner; and one may be
//! probed once more in between, where somebody has to know soon.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The pace of first probes when many instances appear at once.
const FIRST_PACE: Duration = Duration::from_millis(50);

/// An instance: its service and its id.
pub type Key = (Arc<str>, Arc<str>);

/// What there is to probe.
#[derive(Debug, Clone)]
pub struct Target {
    /// Which instance.
    pub key: Key,
    /// Whether it was ever probed.
    pub probed: bool,
    /// The time between two probes, if it is its own.
    pub interval: Option<Duration>,
}

#[derive(Debug)]
struct Entry {
    /// Tells an entry of the queue from those of an earlier life of the key.
    life: u64,
    interval: Duration,
    in_flight: bool,
    /// Whether a probe between two of its times waits in the queue.
    between: bool,
}

/// A place in the queue. The order of the fields is that of the queue.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Instant,
    life: u64,
    /// Whether it is between two of the instance's times.
    between: bool,
    key: Key,
}

/// The instances and when each is due.
#[derive(Debug)]
pub struct Schedule {
    interval: Duration,
    entries: HashMap<Key, Entry>,
    queue: BinaryHeap<Reverse<Due>>,
    lives: u64,
}

impl Schedule {
    /// Nothing to probe yet.
    pub fn new(interval: Duration) -> Self {
        Self { interval, entries: HashMap::new(), queue: BinaryHeap::new(), lives: 0 }
    }

    /// Takes up what is new and drops what is gone. `wall` is the time since
    /// 1970, to which phases are tied.
    pub fn update(&mut self, targets: Vec<Target>, now: Instant, wall: Duration) {
        let fresh = targets.iter().filter(|t| !t.probed && !self.entries.contains_key(&t.key)).count();
        let spread = FIRST_PACE.saturating_mul(u32::try_from(fresh).unwrap_or(u32::MAX)).min(self.interval);
        let mut before = std::mem::take(&mut self.entries);
        for Target { key, probed, interval } in targets {
            let interval = interval.unwrap_or(self.interval);
            let same = before.remove(&key).filter(|entry| entry.interval == interval);
            let entry = same.unwrap_or_else(|| {
                self.lives += 1;
                let wait = if probed {
                    until_phase(phase(&key, interval), wall, interval)
                } else {
                    phase(&key, spread)
                };
                let (at, life) = (now + wait, self.lives);
                self.queue.push(Reverse(Due { at, life, between: false, key: key.clone() }));
                Entry { life, interval, in_flight: false, between: false }
            });
            self.entries.insert(key, entry);
        }
    }

    /// When the next one is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.queue.peek().map(|Reverse(due)| due.at)
    }

    /// One that is due, and since when; it counts as in flight until it is
    /// [`Schedule::done`]. Whatever is in flight when it is due again is left
    /// out this time, so that nothing piles up behind an instance that hangs.
    pub fn take_due(&mut self, now: Instant) -> Option<(Key, Instant)> {
        while self.next_due()? <= now {
            let Reverse(Due { at, life, between, key }) = self.queue.pop()?;
            let Some(entry) = self.entries.get_mut(&key).filter(|entry| entry.life == life) else { continue };
            if between {
                entry.between = false;
            } else {
                let at = next(at, now, entry.interval);
                self.queue.push(Reverse(Due { at, life, between, key: key.clone() }));
            }
            if !std::mem::replace(&mut entry.in_flight, true) {
                return Some((key, at));
            }
        }
        None
    }

    /// Probes it once more after a wait, beside its own times and no later than
    /// one of them would come. One such probe waits at a time.
    pub fn soon(&mut self, key: &Key, now: Instant, wait: Duration) {
        let Some(entry) = self.entries.get_mut(key).filter(|entry| !entry.between) else { return };
        entry.between = true;
        let (at, life) = (now + wait.min(entry.interval), entry.life);
        self.queue.push(Reverse(Due { at, life, between: true, key: key.clone() }));
    }

    /// Its probe has ended.
    pub fn done(&mut self, key: &Key) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.in_flight = false;
        }
    }
}

/// The place of an instance in a span of time.
fn phase((service, instance): &Key, span: Duration) -> Duration {
    // FNV-1a, then a mix (MurmurHash3's fmix64), for FNV's high bits differ
    // little between short names. It must not change: phases outlive versions.
    let bytes = service.bytes().chain([0]).chain(instance.bytes());
    let mut hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ hash >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^= hash >> 33;
    let nanos = (u128::from(hash) * span.as_nanos()) >> 64;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// From a time since 1970 to the next moment of a phase.
fn until_phase(phase: Duration, wall: Duration, interval: Duration) -> Duration {
    let length = interval.as_nanos().max(1);
    let into = wall.as_nanos() % length;
    let wait = (phase.as_nanos() + length - into) % length;
    Duration::from_nanos(u64::try_from(wait).unwrap_or(0))
}

/// The first moment after now that is whole intervals after `due`.
fn next(due: Instant, now: Instant, interval: Duration) -> Instant {
    let late = now.saturating_duration_since(due);
    let missed = late.as_nanos() / interval.as_nanos().max(1);
    due + interval.saturating_mul(u32::try_from(missed + 1).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(10);

    fn targets(count: usize, probed: bool) -> Vec<Target> {
        let key = |n| ("S".into(), format!("S-host-{n}").into());
        (0..count).map(|n| Target { key: key(n), probed, interval: None }).collect()
    }

    /// How many are due in each tenth of the first interval.
    fn tenths(schedule: &mut Schedule, start: Instant) -> Vec<usize> {
        (1..=10)
            .map(|tenth| {
                let mut count = 0;
                while let Some((key, _)) = schedule.take_due(start + INTERVAL / 10 * tenth) {
                    schedule.done(&key);
                    count += 1;
                }
                count
            })
            .collect()
    }

    #[test]
    fn probes_are_spread_over_the_interval_after_a_restart() {
        let (mut schedule, now) = (Schedule::new(INTERVAL), Instant::now());
        schedule.update(targets(1_000, true), now, Duration::from_secs(1_234_567));
        let counts = tenths(&mut schedule, now);
        assert!(counts.iter().all(|count| (60..=140).contains(count)), "{counts:?}");
        assert_eq!(tenths(&mut schedule, now + INTERVAL), counts, "and every interval alike");
    }

    #[test]
    fn a_restart_leaves_each_where_it_was() {
        let (key, wall) = (("S".into(), "one".into()), Duration::from_secs(77_777));
        let phase = phase(&key, INTERVAL);
        let first = wall + until_phase(phase, wall, INTERVAL);
        let later = wall + Duration::from_millis(33_333);
        let again = later + until_phase(phase, later, INTERVAL);
        assert_eq!((again - first).as_nanos() % INTERVAL.as_nanos(), 0);
    }

    #[test]
    fn what_is_new_is_probed_soon_but_not_in_a_burst() {
        let (mut schedule, now) = (Schedule::new(INTERVAL), Instant::now());
        schedule.update(targets(1, false), now, Duration::ZERO);
        assert!(schedule.next_due().unwrap() <= now + FIRST_PACE);
        let mut schedule = Schedule::new(INTERVAL);
        schedule.update(targets(1_000, false), now, Duration::ZERO);
        assert!(tenths(&mut schedule, now).iter().all(|count| *count < 150));
    }

    #[test]
    fn nothing_piles_up_behind_one_that_hangs() {
        let (mut schedule, now) = (Schedule::new(INTERVAL), Instant::now());
        schedule.update(targets(1, false), now, Duration::ZERO);
        let (key, _) = schedule.take_due(now + INTERVAL).unwrap();
        assert_eq!(schedule.take_due(now + INTERVAL * 5), None);
        schedule.done(&key);
        assert!(schedule.take_due(now + INTERVAL * 6).is_some());
        assert_eq!(schedule.take_due(now + INTERVAL * 6), None);
    }

    #[test]
    fn one_with_an_interval_of_its_own_is_due_by_that() {
        let (mut schedule, now) = (Schedule::new(INTERVAL), Instant::now());
        let mut own = targets(1, true);
        own[0].interval = Some(INTERVAL * 6);
        schedule.update(own.clone(), now, Duration::ZERO);
        let count = |schedule: &mut Schedule, until| {
            std::iter::from_fn(|| {
                let (key, _) = schedule.take_due(until)?;
                schedule.done(&key);
                Some(())
            })
            .count()
        };
        assert_eq!(count(&mut schedule, now + INTERVAL * 6), 1);
        own[0].interval = None;
        schedule.update(own, now + INTERVAL * 6, Duration::ZERO);
        assert_eq!(count(&mut schedule, now + INTERVAL * 7), 1, "from now on as usual");
    }

    #[test]
    fn a_probe_in_between_is_made_once_and_moves_no_other() {
        let (mut schedule, now) = (Schedule::new(INTERVAL), Instant::now());
        schedule.update(targets(1, false), now, Duration::ZERO);
        let (key, first) = schedule.take_due(now + FIRST_PACE).unwrap();
        schedule.done(&key);
        let (wait, long) = (Duration::from_millis(400), INTERVAL * 9);
        schedule.soon(&key, now, wait);
        schedule.soon(&key, now, wait);
        assert_eq!(schedule.take_due(now + wait), Some((key.clone(), now + wait)));
        schedule.done(&key);
        assert_eq!(schedule.take_due(now + INTERVAL - wait), None);
        assert_eq!(schedule.next_due(), Some(first + INTERVAL));
        schedule.soon(&key, now, long);
        assert_eq!(schedule.next_due(), Some(now + INTERVAL).min(Some(first + INTERVAL)));
    }

    #[test]
    fn what_is_gone_is_due_no_more() {
        let (mut schedule, now) = (Schedule::new(INTERVAL), Instant::now());
        schedule.update(targets(2, false), now, Duration::ZERO);
        schedule.update(targets(1, false), now, Duration::ZERO);
        assert!(schedule.take_due(now + INTERVAL).is_some());
        assert_eq!(schedule.take_due(now + INTERVAL), None);
    }
}
