//! What holds of any graph, circles included.

use super::super::graph::Node;
use super::super::*;
use chrono::TimeDelta;
use proptest::prelude::*;

const COUNT: usize = 14;
const NAMES: [&str; COUNT] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n"];

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
}

prop_compose! {
    fn node()(
        status in prop_oneof![
            5 => Just(Status::Unhealthy), 3 => Just(Status::Healthy), 1 => Just(Status::Unknown),
            1 => Just(Status::Maintenance), 1 => Just(Status::Draining),
        ],
        (flapping, wavering, excused) in (prop::bool::weighted(0.1), prop::bool::weighted(0.1), prop::bool::weighted(0.1)),
        (since, failing, good, recovered) in (0..100_i64, 0..100_i64, 0..100_i64, 0..100_i64),
        requires in prop::collection::btree_set(prop::sample::select(&NAMES[..]), 0..4),
    ) -> Node<'static> {
        Node {
            status, flapping, wavering, excused, requires,
            since: Some(at(since)),
            failing_since: Some(at(failing)),
            last_good: (good > 20).then(|| at(good)),
            recovered_by: Some(at(since + recovered)),
            ..Node::default()
        }
    }
}

prop_compose! {
    fn graph()(nodes in prop::collection::vec(node(), 1..=COUNT)) -> Graph<'static> {
        NAMES.into_iter().zip(nodes).collect()
    }
}

/// The incidents after a verdict on the graph.
fn next(open: &BTreeMap<u64, Incident>, graph: &Graph<'_>) -> (BTreeMap<u64, Incident>, usize) {
    let mut id = open.keys().max().map_or(1, |id| id + 1);
    let verdict = judge(graph, &holders(open), at(50));
    let changed = reconcile(open, graph, &verdict, at(50), || {
        id += 1;
        id
    });
    let mut after = open.clone();
    let count = changed.len();
    after.extend(changed.into_iter().map(|incident| (incident.id, incident)));
    after.retain(|_, incident| incident.resolved_at.is_none());
    (after, count)
}

proptest! {
    #[test]
    fn whoever_is_down_is_a_root_or_affected_or_waits(graph in graph(), earlier in self::graph()) {
        let (open, _) = next(&BTreeMap::new(), &earlier);
        let verdict = judge(&graph, &holders(&open), at(50));
        let affected: BTreeSet<&str> =
            verdict.roots.values().flat_map(|behind| behind.affected.iter().copied()).collect();
        for (name, node) in &graph {
            let placed = verdict.roots.contains_key(name)
                || affected.contains(name)
                || verdict.waits.contains_key(name);
            prop_assert_eq!(node.is_down(), placed, "{}", name);
        }
        prop_assert!(affected.iter().all(|name| !verdict.roots.contains_key(name)));
    }

    #[test]
    fn nobody_has_two_incidents_and_a_second_look_changes_nothing(
        graph in graph(), earlier in self::graph(),
    ) {
        let (open, _) = next(&BTreeMap::new(), &earlier);
        let (open, _) = next(&open, &graph);
        let services: BTreeSet<&str> = holders(&open);
        prop_assert_eq!(services.len(), open.len());
        let (again, changed) = next(&open, &graph);
        prop_assert_eq!((again, changed), (open, 0));
    }

    #[test]
    fn what_hangs_together_and_waits_for_nothing_has_a_root(mut graph in graph()) {
        for node in graph.values_mut() {
            (node.status, node.wavering, node.excused) = (Status::Unhealthy, false, false);
        }
        let verdict = judge(&graph, &BTreeSet::new(), at(50));
        for name in graph.keys() {
            let mut region = BTreeSet::from([*name]);
            loop {
                let near = |other: &&str| {
                    graph[*other].requires.iter().any(|r| region.contains(r))
                        || region.iter().any(|inside| graph[inside].requires.contains(*other))
                };
                let more: BTreeSet<&str> =
                    graph.keys().copied().filter(|other| !region.contains(other) && near(other)).collect();
                if more.is_empty() {
                    break;
                }
                region.extend(more);
            }
            prop_assert!(region.iter().any(|name| verdict.roots.contains_key(name)));
        }
    }
}

#[test]
fn a_chain_of_thousands_that_are_all_down_is_one_incident() {
    let names: Vec<String> = (0..5_000).map(|n| format!("s{n:04}")).collect();
    let graph: Graph<'_> = names
        .iter()
        .enumerate()
        .map(|(n, name)| {
            let requires = names.get(n + 1).map(String::as_str).into_iter().collect();
            (name.as_str(), Node { status: Status::Unhealthy, requires, ..Node::default() })
        })
        .collect();
    let (open, _) = next(&BTreeMap::new(), &graph);
    let incident = open.values().next().unwrap();
    assert_eq!((open.len(), incident.service.as_str(), incident.affected.len()), (1, "s4999", 4_999));
}
