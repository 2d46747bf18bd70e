//! Choosing one of several: pure. Whoever is not to be chosen is left out
//! beforehand; chance comes as a number that is drawn elsewhere.

use crate::wire::registry::Registration;
use std::collections::{HashMap, HashSet};

/// The key in an instance's metadata that says how much of the work it takes.
const WEIGHT: &str = "weight";
/// The most that one instance may take, compared with one that says nothing.
const WEIGHT_MAX: f64 = 1_000.0;
/// Instances that are remembered beyond those that can be chosen.
const GONE_MAX: usize = 64;

/// How much of the work an instance takes: the number in its `weight`, at most
/// a thousand; 1 where it has none, or something else than a number. One with 0
/// takes no work at all, however the others are chosen.
pub fn weight(registration: &Registration) -> f64 {
    let said = registration.metadata.get(WEIGHT).and_then(|text| text.trim().parse::<f64>().ok());
    said.filter(|weight| *weight >= 0.0).map_or(1.0, |weight| weight.min(WEIGHT_MAX))
}

/// One of these, each as likely as its weight; none when they weigh nothing.
pub fn weighted(weights: &[f64], random: u64) -> Option<usize> {
    let total: f64 = weights.iter().sum();
    // From 0 up to, but not, 1.
    let share = f64::from(u32::try_from(random >> 32).unwrap_or(0)) / (f64::from(u32::MAX) + 1.0);
    let mut left = share * total;
    let mut last = None;
    for (place, weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
        if left < *weight {
            return Some(place);
        }
        left -= weight;
        // What rounding leaves over goes to the last.
        last = Some(place);
    }
    last
}

/// Of any two of these the one that costs less; any of those alike.
///
/// Two are enough: the load of the busiest grows as log log n, where one drawn
/// blindly has log n / log log n, and unlike the cheapest of all they are not
/// the same for everyone who chooses at the same time. (M. Mitzenmacher, The
/// Power of Two Choices in Randomized Load Balancing, 2001.)
pub fn lesser_of_two(costs: &[f64], random: u64) -> Option<usize> {
    let one = among(costs.len(), random >> 32)?;
    let Some(other) = among(costs.len() - 1, random & u64::from(u32::MAX)) else { return Some(one) };
    let other = if other < one { other } else { other + 1 };
    let cost = |place: usize| costs.get(place).copied().unwrap_or(f64::INFINITY);
    Some(if cost(other) < cost(one) { other } else { one })
}

/// A place among so many, by a random number of 32 bits.
fn among(count: usize, random: u64) -> Option<usize> {
    let place = (u128::from(random) * u128::try_from(count).ok()?) >> 32;
    usize::try_from(place).ok().filter(|place| *place < count)
}

/// Whose turn it is: his who has waited longest.
///
/// While the same can be chosen, that is one after the other, each exactly as
/// often as the others. When they come and go, still nobody is chosen twice
/// while another waits, and one who is new, or was away, has one turn and not
/// all those that he missed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turns {
    taken: u64,
    /// The number of the last turn that each has had.
    last: HashMap<String, u64>,
}

impl Turns {
    /// Whose turn it is among these; it is his then.
    pub fn take(&mut self, names: &[&str]) -> Option<usize> {
        let last = |name: &&str| self.last.get(*name).copied().unwrap_or(0);
        let (place, name) = names.iter().enumerate().min_by_key(|(_, name)| last(name))?;
        self.taken += 1;
        match self.last.get_mut(*name) {
            Some(last) => *last = self.taken,
            None => {
                self.last.insert((*name).to_owned(), self.taken);
            }
        }
        if self.last.len() > names.len() + GONE_MAX {
            let here: HashSet<&str> = names.iter().copied().collect();
            self.last.retain(|name, _| here.contains(name.as_str()));
        }
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: u32 = 60_000;

    /// How often each place is chosen, as a share of all draws.
    fn shares<const N: usize>(choose: impl Fn(u64) -> Option<usize>) -> [f64; N] {
        let mut source = fastrand::Rng::with_seed(11);
        let mut counts = [0_u32; N];
        (0..DRAWS).for_each(|_| counts[choose(source.u64(..)).unwrap()] += 1);
        counts.map(|count| f64::from(count) / f64::from(DRAWS))
    }

    #[track_caller]
    fn assert_near<const N: usize>(found: [f64; N], wanted: [f64; N]) {
        for (found, wanted) in found.into_iter().zip(wanted) {
            // Five standard deviations; the seed is fixed.
            let error = 5.0 * (wanted * (1.0 - wanted) / f64::from(DRAWS)).sqrt();
            assert!((found - wanted).abs() <= error, "{found} is not {wanted} ± {error}");
        }
    }

    #[test]
    fn each_is_chosen_as_often_as_it_weighs() {
        assert_near(shares(|random| weighted(&[1.0, 1.0, 1.0, 1.0], random)), [0.25; 4]);
        let wanted = [0.1, 0.0, 0.65, 0.25];
        assert_near(shares(|random| weighted(&[1.0, 0.0, 6.5, 2.5], random)), wanted);
        for random in [0, u64::MAX] {
            assert_eq!(weighted(&[0.0, 3.0, 0.0], random), Some(1));
            assert_eq!(weighted(&[0.0, 0.0], random), None);
            assert_eq!(weighted(&[], random), None);
        }
    }

    #[test]
    fn a_weight_is_a_number_and_anything_else_counts_as_one() {
        let weigh = |said: Option<&str>| {
            let mut registration: Registration = serde_json::from_value(serde_json::json!({
                "serviceName": "S", "serviceUrl": "http://h:1", "instanceId": "a",
                "registeredAt": "2026-01-01T00:00:00Z", "revision": 1,
            }))
            .unwrap();
            registration.metadata.extend(said.map(|said| ("weight".to_owned(), said.to_owned())));
            weight(&registration)
        };
        let weights = [None, Some("2.5"), Some(" 3 "), Some("0"), Some("1e9"), Some("inf")].map(weigh);
        assert_eq!(weights, [1.0, 2.5, 3.0, 0.0, 1_000.0, 1_000.0]);
        assert_eq!([Some("much"), Some(""), Some("-1"), Some("NaN")].map(weigh), [1.0; 4]);
    }

    #[test]
    fn of_two_the_lesser_is_chosen_and_so_never_the_dearest() {
        // Of n, the one of rank r is the lesser of 2 (n - r) / (n (n - 1)) of all pairs.
        let wanted = [1.0 / 6.0, 1.0 / 2.0, 0.0, 1.0 / 3.0];
        assert_near(shares(|random| lesser_of_two(&[30.0, 10.0, f64::INFINITY, 20.0], random)), wanted);
        assert_near(shares(|random| lesser_of_two(&[5.0; 3], random)), [1.0 / 3.0; 3]);
        assert_eq!((lesser_of_two(&[], 7), lesser_of_two(&[9.0], u64::MAX)), (None, Some(0)));
    }

    #[test]
    fn while_the_same_are_there_each_has_exactly_its_share() {
        let mut turns = Turns::default();
        let names = ["a", "b", "c"];
        let order: Vec<&str> = (0..9).map(|_| names[turns.take(&names).unwrap()]).collect();
        assert_eq!(order, ["a", "b", "c", "a", "b", "c", "a", "b", "c"]);
        assert_eq!(turns.take(&[]), None);
    }

    #[test]
    fn nobody_has_a_second_turn_while_another_waits_however_they_come_and_go() {
        let mut source = fastrand::Rng::with_seed(3);
        let names: Vec<String> = (0..8).map(|n| n.to_string()).collect();
        let mut turns = Turns::default();
        // For each, who has had a turn since its own last one while it was there.
        let mut since: HashMap<&str, HashSet<&str>> = HashMap::new();
        for _ in 0..20_000 {
            let here: Vec<&str> = names.iter().map(String::as_str).filter(|_| source.u8(..) < 160).collect();
            let Some(place) = turns.take(&here) else { continue };
            let chosen = here[place];
            for waiting in here.iter().filter(|name| **name != chosen) {
                let seen = since.entry(waiting).or_default();
                assert!(seen.insert(chosen), "{chosen} had two turns while {waiting} waited");
            }
            since.insert(chosen, HashSet::new());
        }
    }

    #[test]
    fn those_who_have_gone_are_forgotten() {
        let mut turns = Turns::default();
        for n in 0..10_000 {
            let name = n.to_string();
            turns.take(&["stays", &name]);
        }
        assert!(turns.last.len() <= 2 + GONE_MAX);
    }
}
