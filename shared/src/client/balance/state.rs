//! What the balancer knows of a service's instances, and whom it chooses: pure.

use super::budget::Budget;
use super::choice::{Turns, lesser_of_two, weighted};
use super::ewma::PeakEwma;
use super::outlier::Outlier;
use crate::wire::provider::Policy;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// A latency that was measured so long ago has lost most of its weight.
const DECAY: Duration = Duration::from_secs(10);
/// What one that was never measured and has calls under way is taken to cost,
/// in milliseconds: whether it answers at all is to be seen.
const UNMEASURED_MS: f64 = 1_000.0;
/// The least that a call is taken to cost in milliseconds, so that calls under
/// way count on a fast network too.
const LEAST_MS: f64 = 0.1;
/// Instances that are remembered beyond those that can be chosen.
const GONE_MAX: usize = 64;

/// An instance that may be called.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate<'a> {
    /// Its id.
    pub instance: &'a str,
    /// How much of the work it takes.
    pub weight: f64,
    /// Whether the monitor has nothing against it.
    pub healthy: bool,
    /// Whether this call was attempted there.
    pub tried: bool,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// With an answer.
    Answered,
    /// With a failure that is the instance's.
    Failed,
    /// Without a connection.
    Refused,
    /// Nobody waited for it any longer.
    Unknown,
}

#[derive(Debug, Clone, Default)]
struct Meter {
    under_way: u32,
    latency: Option<(PeakEwma, Instant)>,
    outlier: Outlier,
}

impl Meter {
    /// What one more call is taken to cost: its latency times those that share it.
    fn cost(&self, now: Instant) -> f64 {
        let calls = f64::from(self.under_way) + 1.0;
        match &self.latency {
            Some((latency, at)) => {
                latency.faded_ms(now.saturating_duration_since(*at), DECAY).max(LEAST_MS) * calls
            }
            // One that is new is tried, by one call at a time.
            None if self.under_way == 0 => 0.0,
            None => UNMEASURED_MS * calls,
        }
    }
}

/// What is known of one service.
#[derive(Debug, Clone)]
pub struct State {
    /// How many calls may be repeated.
    pub budget: Budget,
    turns: Turns,
    meters: HashMap<String, Meter>,
}

impl State {
    /// Nothing is known yet.
    pub fn new(now: Instant) -> Self {
        Self { budget: Budget::new(now), turns: Turns::default(), meters: HashMap::new() }
    }

    /// Chooses one that was not tried, and counts a call under way there. Who is
    /// set aside is left out, unless all are; then the unhealthy, unless all are.
    pub fn choose(
        &mut self,
        candidates: &[Candidate<'_>],
        policy: Policy,
        random: u64,
        now: Instant,
    ) -> Option<usize> {
        self.forget(candidates);
        let aside = |c: &Candidate<'_>| self.meters.get(c.instance).is_some_and(|m| m.outlier.is_aside(now));
        let tiers: [&dyn Fn(&Candidate<'_>) -> bool; 3] =
            [&|c| c.healthy && !aside(c), &|c| c.healthy, &|_| true];
        let places = tiers.iter().map(|tier| -> Vec<usize> {
            let here = candidates.iter().enumerate().filter(|(_, c)| !c.tried && c.weight > 0.0 && tier(c));
            here.map(|(place, _)| place).collect()
        });
        let places = places.into_iter().find(|places| !places.is_empty())?;
        let chosen: Vec<&Candidate<'_>> = places.iter().filter_map(|place| candidates.get(*place)).collect();
        let among = match policy {
            Policy::RoundRobin => self.turns.take(&chosen.iter().map(|c| c.instance).collect::<Vec<_>>()),
            Policy::Random => weighted(&chosen.iter().map(|c| c.weight).collect::<Vec<_>>(), random),
            Policy::LeastLatency => {
                let cost = |c: &&Candidate<'_>| self.meters.get(c.instance).map_or(0.0, |m| m.cost(now));
                lesser_of_two(&chosen.iter().map(cost).collect::<Vec<_>>(), random)
            }
        }?;
        let place = *places.get(among)?;
        let instance = candidates.get(place)?.instance;
        self.meters.entry(instance.to_owned()).or_default().under_way += 1;
        Some(place)
    }

    /// A call has ended that began then.
    pub fn end(&mut self, instance: &str, outcome: Outcome, began: Instant, now: Instant) {
        let Some(meter) = self.meters.get_mut(instance) else { return };
        meter.under_way = meter.under_way.saturating_sub(1);
        match outcome {
            Outcome::Unknown => {}
            Outcome::Failed => meter.outlier.fail(false, now),
            Outcome::Refused => meter.outlier.fail(true, now),
            Outcome::Answered => {
                meter.outlier.succeed(began);
                let took_ms = now.saturating_duration_since(began).as_secs_f64() * 1_000.0;
                let latency = match meter.latency {
                    None => PeakEwma::new(took_ms),
                    Some((mut latency, at)) => {
                        latency.observe(took_ms, now.saturating_duration_since(at), DECAY);
                        latency
                    }
                };
                meter.latency = Some((latency, now));
            }
        }
    }

    fn forget(&mut self, candidates: &[Candidate<'_>]) {
        if self.meters.len() > candidates.len() + GONE_MAX {
            let here: HashSet<&str> = candidates.iter().map(|c| c.instance).collect();
            self.meters.retain(|instance, meter| meter.under_way > 0 || here.contains(instance.as_str()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates<'a>(instances: &[&'a str]) -> Vec<Candidate<'a>> {
        let of = |instance: &&'a str| Candidate { instance, weight: 1.0, healthy: true, tried: false };
        instances.iter().map(of).collect()
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// A state with these latencies, measured now.
    fn measured(latencies: &[(&str, u64)], now: Instant) -> State {
        let mut state = State::new(now);
        for (instance, latency) in latencies {
            state.meters.entry((*instance).to_owned()).or_default().under_way = 1;
            state.end(instance, Outcome::Answered, now - ms(*latency), now);
        }
        state
    }

    #[test]
    fn a_slow_instance_has_less_to_do_and_a_busy_one_too() {
        let now = Instant::now();
        let all = candidates(&["fast", "slow"]);
        let mut state = measured(&[("fast", 10), ("slow", 100)], now);
        // Ten are under way at the fast one before one more there costs as much.
        let order: Vec<usize> =
            (0..11).map(|n| state.choose(&all, Policy::LeastLatency, n << 40, now).unwrap()).collect();
        assert_eq!(order.iter().filter(|place| **place == 0).count(), 10, "{order:?}");
    }

    #[test]
    fn one_that_is_new_is_tried_by_one_call_at_a_time() {
        let now = Instant::now();
        let all = candidates(&["known", "new"]);
        let mut state = measured(&[("known", 50)], now);
        let order: Vec<usize> =
            (0..4).map(|n| state.choose(&all, Policy::LeastLatency, n << 40, now).unwrap()).collect();
        assert_eq!(order, [1, 0, 0, 0]);
    }

    #[test]
    fn whoever_failed_is_left_out_until_all_have() {
        let now = Instant::now();
        let mut all = candidates(&["a", "b", "c"]);
        let mut state = State::new(now);
        let mut chosen = |all: &[Candidate<'_>], fail: Option<&str>| -> HashSet<usize> {
            if let Some(instance) = fail {
                state.meters.entry(instance.to_owned()).or_default();
                state.end(instance, Outcome::Refused, now, now);
            }
            (0..30).filter_map(|_| state.choose(all, Policy::RoundRobin, 0, now)).collect()
        };
        assert_eq!(chosen(&all, Some("a")), HashSet::from([1, 2]));
        all[1].healthy = false;
        assert_eq!(chosen(&all, None), HashSet::from([2]));
        assert_eq!(chosen(&all, Some("c")), HashSet::from([0, 2]), "the monitor has nothing against those");
        (all[0].tried, all[2].tried) = (true, true);
        assert_eq!(chosen(&all, None), HashSet::from([1]), "rather than none");
        all[1].tried = true;
        assert_eq!(chosen(&all, None), HashSet::new());
    }

    #[test]
    fn one_that_weighs_nothing_takes_no_work_although_the_others_failed() {
        let now = Instant::now();
        let mut all = candidates(&["a", "b"]);
        all[1].weight = 0.0;
        let mut state = measured(&[("a", 1)], now);
        state.end("a", Outcome::Refused, now, now);
        for policy in [Policy::Random, Policy::RoundRobin, Policy::LeastLatency] {
            assert_eq!(state.choose(&all, policy, 0, now), Some(0));
        }
    }
}
