//! Notices that wait, made into fewer that lead to the same: pure.

use super::change::{Change, notices};
use shared::wire::provider::Notice;
use shared::wire::registry::Registration;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a row of notices makes of one instance.
struct Net {
    /// Whether the receiver knows the instance from before them; none when it
    /// may, for the notices tell what exists to one who has perhaps forgotten.
    known: Option<bool>,
    here: bool,
    last: Registration,
}

/// The difference that these notices make, told in their order. What came and
/// went again in between is not told at all. What of it tells what exists,
/// rather than what has changed, goes on to say so.
pub fn fold(service: &str, waiting: Vec<Notice>) -> Vec<Notice> {
    let revision = waiting.last().map_or(0, |last| last.revision);
    let mut nets: BTreeMap<String, Net> = BTreeMap::new();
    let mut take = |registration: Registration, known: Option<bool>, here: bool| {
        let net = nets.entry(registration.instance_id.clone());
        let net = net.or_insert_with(|| Net { known, here, last: registration.clone() });
        // Once it is told anew, it is not known any more whether it was known.
        net.known = known.and(net.known);
        (net.here, net.last) = (here, registration);
    };
    for notice in waiting {
        let known = if notice.initial { None } else { Some(false) };
        notice.removed.into_iter().for_each(|registration| take(registration, Some(true), false));
        notice.added.into_iter().for_each(|registration| take(registration, known, true));
        notice.updated.into_iter().for_each(|registration| take(registration, Some(true), true));
    }
    let (mut existing, mut changed) = (Vec::new(), Vec::new());
    for net in nets.into_values() {
        let last = Arc::new(net.last);
        match (net.known, net.here) {
            (None, true) => existing.push(Change::Added(last)),
            (Some(true), true) => changed.push(Change::Updated(last)),
            (Some(false), true) => changed.push(Change::Added(last)),
            (Some(false), false) => {}
            (None | Some(true), false) => changed.push(Change::Removed(last)),
        }
    }
    let existing = notices(service, &existing, revision, true);
    existing.chain(notices(service, &changed, revision, false)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::change::tests::registration;
    use super::*;
    use proptest::prelude::*;

    fn notice(change: Change, revision: u64) -> Notice {
        notices("S", &[change], revision, false).next().unwrap()
    }

    /// What a receiver knows after the notices, by instance and revision.
    fn told(mut known: BTreeMap<String, u64>, notices: &[Notice]) -> BTreeMap<String, u64> {
        for notice in notices {
            for gone in &notice.removed {
                assert!(known.remove(&gone.instance_id).is_some(), "{} was not known", gone.instance_id);
            }
            for new in &notice.added {
                assert!(known.insert(new.instance_id.clone(), new.revision).is_none());
            }
            for changed in &notice.updated {
                assert!(known.insert(changed.instance_id.clone(), changed.revision).is_some());
            }
        }
        known
    }

    proptest! {
        #[test]
        fn the_folded_notices_lead_to_what_all_of_them_lead_to(
            before in proptest::collection::btree_set(0..6_u8, 0..6),
            steps in proptest::collection::vec((0..6_u8, any::<bool>()), 0..40),
        ) {
            let id = |n: u8| format!("i{n}");
            let before: BTreeMap<String, u64> = before.into_iter().map(|n| (id(n), 0)).collect();
            let mut here = before.clone();
            let mut waiting = Vec::new();
            for ((n, stays), revision) in steps.into_iter().zip(1..) {
                let now = Arc::new(registration("S", &id(n), revision));
                let change = match (here.contains_key(&id(n)), stays) {
                    (false, _) => Change::Added(now),
                    (true, true) => Change::Updated(now),
                    (true, false) => Change::Removed(now),
                };
                match &change {
                    Change::Removed(_) => here.remove(&id(n)),
                    _ => here.insert(id(n), revision),
                };
                waiting.push(notice(change, revision));
            }
            let last = waiting.last().map(|notice| notice.revision);
            let folded = fold("S", waiting.clone());
            prop_assert!(folded.len() <= 1 && folded.iter().all(|notice| Some(notice.revision) == last));
            prop_assert_eq!(told(before.clone(), &folded), told(before, &waiting));
        }
    }

    #[test]
    fn what_tells_what_exists_says_so_after_it_was_folded() {
        let at = |id: &str, revision| Arc::new(registration("S", id, revision));
        let existing = [Change::Added(at("a", 1)), Change::Added(at("b", 2))];
        let anew = notices("S", &existing, 2, true);
        let then = [Change::Updated(at("b", 3)), Change::Added(at("c", 4))];
        let then = (3..).zip(then).map(|(revision, change)| notice(change, revision));
        let folded = fold("S", anew.chain(then).collect());
        let told: Vec<_> = folded.iter().map(|n| (n.initial, n.added.len(), n.updated.len())).collect();
        assert_eq!(told, [(true, 2, 0), (false, 1, 0)]);
    }

    #[test]
    fn one_who_may_have_forgotten_is_told_of_what_is_gone_since_it_was_told_anew() {
        let one = Arc::new(registration("S", "a", 1));
        let anew = Notice { initial: true, ..notice(Change::Added(Arc::clone(&one)), 1) };
        let folded = fold("S", vec![anew, notice(Change::Removed(one), 2)]);
        assert_eq!(folded.first().map(|notice| notice.removed.len()), Some(1));
    }
}
