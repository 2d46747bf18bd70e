//! Who is registered and how they do, put together: pure.

use shared::client::balance::{Turns, lesser_of_two, weight, weighted};
use shared::client::{Book, Fleet};
use shared::wire::provider::{Discovered, Discovery, Edge, Graph, Node, Policy};
use shared::wire::registry::Registration;
use std::collections::{BTreeMap, BTreeSet};

/// An instance and how it does.
pub fn discovered(registration: &Registration, book: &Book) -> Discovered {
    let (service, instance) = (&registration.service_name, &registration.instance_id);
    let said = book.instance(service, instance);
    Discovered {
        registration: registration.clone(),
        healthy: book.is_healthy(service, instance),
        latency: said.and_then(|said| said.latency),
        last_check: said.and_then(|said| said.last_check),
    }
}

/// Every service and its instances.
pub fn discovery(fleet: &Fleet, book: &Book) -> Discovery {
    let instances = |registrations: &shared::client::Instances| {
        registrations.values().map(|registration| discovered(registration, book)).collect()
    };
    fleet.services.iter().map(|(name, registrations)| (name.clone(), instances(registrations))).collect()
}

/// One healthy instance of a service that takes work; none when there is none.
///
/// What a probe measured stands for the latency: how much an instance has to do
/// is not known here. One that was never measured comes last.
pub fn pick(
    fleet: &Fleet,
    book: &Book,
    service: &str,
    policy: Policy,
    turns: &mut Turns,
    random: u64,
) -> Option<Discovered> {
    let instances = fleet.services.get(service)?;
    let healthy: Vec<(&str, &Registration)> = instances
        .iter()
        .filter(|(instance, registration)| book.is_healthy(service, instance) && weight(registration) > 0.0)
        .map(|(instance, registration)| (instance.as_str(), registration.as_ref()))
        .collect();
    let place = match policy {
        Policy::RoundRobin => turns.take(&healthy.iter().map(|(id, _)| *id).collect::<Vec<_>>()),
        Policy::Random => weighted(&healthy.iter().map(|(_, r)| weight(r)).collect::<Vec<_>>(), random),
        Policy::LeastLatency => {
            let cost = |(id, _): &(&str, _)| book.latency_ms(service, id).unwrap_or(f64::INFINITY);
            lesser_of_two(&healthy.iter().map(cost).collect::<Vec<_>>(), random)
        }
    };
    healthy.get(place?).map(|(_, registration)| discovered(registration, book))
}

/// Who requires whom.
pub fn graph(fleet: &Fleet, book: &Book) -> Graph {
    let mut nodes: BTreeMap<&str, usize> =
        fleet.services.iter().map(|(name, instances)| (name.as_str(), instances.len())).collect();
    let edges: BTreeSet<(&str, &str)> = fleet
        .registrations()
        .flat_map(|r| r.required_services.iter().map(|to| (r.service_name.as_str(), to.as_str())))
        .collect();
    for (_, to) in &edges {
        nodes.entry(to).or_insert(0);
    }
    let satisfied = |name: &str| {
        fleet
            .services
            .get(name)
            .is_some_and(|instances| instances.keys().any(|instance| book.is_healthy(name, instance)))
    };
    Graph {
        nodes: nodes
            .into_iter()
            .map(|(name, instances)| Node { name: name.to_owned(), status: book.status(name), instances })
            .collect(),
        edges: edges
            .into_iter()
            .map(|(from, to)| Edge { from: from.to_owned(), to: to.to_owned(), satisfied: satisfied(to) })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::change::tests::fleet;
    use super::*;
    use shared::wire::monitor::{InstanceStatus, ServiceStatus, Status};

    fn book(statuses: &[(&str, Status, u64)]) -> Book {
        let instances = statuses
            .iter()
            .map(|(id, status, latency)| InstanceStatus {
                instance_id: (*id).to_owned(),
                status: *status,
                last_check: Some(chrono::DateTime::UNIX_EPOCH).filter(|_| *status != Status::Unknown),
                latency: Some(*latency),
                ..InstanceStatus::default()
            })
            .collect();
        Book::default().after(vec![ServiceStatus {
            name: "S".to_owned(),
            status: Status::Healthy,
            instances,
            ..ServiceStatus::default()
        }])
    }

    #[test]
    fn only_healthy_instances_are_picked_and_unknown_ones_count_as_healthy() {
        let fleet = fleet(&[("S", "a", 1), ("S", "b", 2), ("S", "new", 3)]);
        let book = book(&[("a", Status::Unhealthy, 1), ("b", Status::Healthy, 9)]);
        let mut turns = Turns::default();
        let mut pick = |policy, random| {
            let found = pick(&fleet, &book, "S", policy, &mut turns, random);
            found.map(|found| found.registration.instance_id)
        };
        assert_eq!(pick(Policy::RoundRobin, 0).as_deref(), Some("b"));
        assert_eq!(pick(Policy::RoundRobin, 0).as_deref(), Some("new"));
        for random in [0, u64::MAX] {
            assert_eq!(pick(Policy::LeastLatency, random).as_deref(), Some("b"), "the other is not measured");
        }
        assert_eq!(pick(Policy::Random, u64::MAX).as_deref(), Some("new"));
        assert_eq!(super::pick(&fleet, &book, "nobody", Policy::Random, &mut turns, 0), None);
    }

    #[test]
    fn one_that_weighs_nothing_is_not_picked_by_any_policy() {
        let mut fleet = fleet(&[("S", "a", 1), ("S", "b", 2)]);
        let mut idle = (**fleet.get("S", "a").unwrap()).clone();
        idle.metadata.insert("weight".to_owned(), "0".to_owned());
        fleet.put(idle);
        for policy in [Policy::Random, Policy::RoundRobin, Policy::LeastLatency] {
            for random in [0, u64::MAX] {
                let picked = pick(&fleet, &book(&[]), "S", policy, &mut Turns::default(), random);
                assert_eq!(picked.map(|picked| picked.registration.instance_id).as_deref(), Some("b"));
            }
        }
    }

    #[test]
    fn a_service_that_is_only_required_is_in_the_graph() {
        let mut fleet = fleet(&[("S", "a", 1), ("T", "t", 2)]);
        let mut registration = (**fleet.get("T", "t").unwrap()).clone();
        registration.required_services = vec!["S".to_owned(), "missing".to_owned()];
        let instances = std::sync::Arc::new(BTreeMap::from([("t".to_owned(), registration.into())]));
        fleet.services.insert("T".to_owned(), instances);
        let graph = graph(&fleet, &book(&[]));
        let nodes: Vec<_> = graph.nodes.iter().map(|node| (node.name.as_str(), node.instances)).collect();
        assert_eq!(nodes, [("S", 1), ("T", 1), ("missing", 0)]);
        let edges: Vec<_> = graph.edges.iter().map(|edge| (edge.to.as_str(), edge.satisfied)).collect();
        assert_eq!(edges, [("S", true), ("missing", false)]);
    }
}
