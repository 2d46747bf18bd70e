//! Picking one instance out of those that may be picked: pure. A policy sees
//! the candidates (sorted by id, at least one), whom it picked last for the
//! service, and a random number.

use shared::wire::provider::Policy;

/// An instance that may be picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// Its id.
    pub instance: &'a str,
    /// Its last latency in milliseconds, if it is known.
    pub latency: Option<u64>,
}

/// The names of the policies, as they are asked for.
pub const NAMES: [(&str, Policy); 3] = [
    ("round_robin", Policy::RoundRobin),
    ("random", Policy::Random),
    ("least_latency", Policy::LeastLatency),
];

/// The place of the one that is picked; none when there is no candidate.
pub fn pick(policy: Policy, candidates: &[Candidate<'_>], last: Option<&str>, random: u64) -> Option<usize> {
    match policy {
        Policy::RoundRobin => round_robin(candidates, last),
        Policy::Random => among(candidates.len(), random),
        Policy::LeastLatency => least_latency(candidates, random),
    }
}

/// The one after the last, so that turns stay fair when instances come and go.
fn round_robin(candidates: &[Candidate<'_>], last: Option<&str>) -> Option<usize> {
    let after = last.and_then(|last| candidates.iter().position(|candidate| candidate.instance > last));
    after.or((!candidates.is_empty()).then_some(0))
}

/// The fastest; one that was never measured comes last; any of those alike.
fn least_latency(candidates: &[Candidate<'_>], random: u64) -> Option<usize> {
    let cost = |candidate: &Candidate<'_>| candidate.latency.unwrap_or(u64::MAX);
    let least = candidates.iter().map(cost).min()?;
    let alike: Vec<usize> =
        candidates.iter().enumerate().filter(|(_, c)| cost(c) == least).map(|(place, _)| place).collect();
    alike.get(among(alike.len(), random)?).copied()
}

/// A place among so many, each as likely as the others.
fn among(count: usize, random: u64) -> Option<usize> {
    let place = (u128::from(random) * u128::try_from(count).ok()?) >> 64;
    usize::try_from(place).ok().filter(|place| *place < count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(latencies: &[(&'static str, Option<u64>)]) -> Vec<Candidate<'static>> {
        latencies.iter().map(|(instance, latency)| Candidate { instance, latency: *latency }).collect()
    }

    #[test]
    fn round_robin_takes_turns_even_when_instances_come_and_go() {
        let all = candidates(&[("a", None), ("b", None), ("c", None)]);
        let turn = |candidates: &[Candidate<'static>], last| {
            pick(Policy::RoundRobin, candidates, last, 0).map(|place| candidates[place].instance)
        };
        assert_eq!(turn(&all, None), Some("a"));
        assert_eq!(turn(&all, Some("a")), Some("b"));
        assert_eq!(turn(&all, Some("c")), Some("a"));
        assert_eq!(turn(&all[..2], Some("b")), Some("a"), "c has gone");
        assert_eq!(turn(&all[2..], Some("a")), Some("c"), "b has gone");
        assert_eq!(turn(&[], Some("a")), None);
    }

    #[test]
    fn random_reaches_everyone_alike() {
        let all = candidates(&[("a", None), ("b", None), ("c", None)]);
        let mut counts = [0; 3];
        let mut source = fastrand::Rng::with_seed(7);
        for _ in 0..3_000 {
            counts[pick(Policy::Random, &all, None, source.u64(..)).unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| (900..1_100).contains(count)), "{counts:?}");
    }

    #[test]
    fn least_latency_takes_the_fastest_and_any_of_those_alike() {
        let all = candidates(&[("a", Some(9)), ("b", Some(3)), ("c", None), ("d", Some(3))]);
        assert_eq!(pick(Policy::LeastLatency, &all, None, 0), Some(1));
        assert_eq!(pick(Policy::LeastLatency, &all, None, u64::MAX), Some(3));
        let unmeasured = candidates(&[("a", None), ("b", None)]);
        assert_eq!(pick(Policy::LeastLatency, &unmeasured, None, u64::MAX), Some(1));
    }
}
