//! Which failures are one: from who requires whom, and how each does, to the
//! services that are to blame. Pure.
//!
//! * A service that is down is a *root* when nothing that it requires, directly
//!   or over others that do not do well, is down too. All that are down and
//!   require it are *affected*. Where services require each other in a circle,
//!   the one that failed first is the root.
//! * A service that is down while something it requires is *wavering* (its last
//!   probes failed, but not yet often enough), or was not probed since, waits:
//!   soon the one or the other is known to be the root.
//! * A service that was affected is *excused* for a while after its root is
//!   well, for it needs a few probes to be well itself. If it is down after
//!   that, it has a cause of its own.
//! * By the same measure, a service that was down and did not recover while what
//!   it requires was well for as long keeps the incident that it has when that
//!   fails too: it has a cause of its own.
//! * A service that is down while something it requires is under maintenance or
//!   drained waits until that is over, and is excused then.

mod graph;
mod roots;

pub use graph::{Graph, Node};
pub use roots::{Verdict, Wait, judge};

use chrono::{DateTime, Utc};
use shared::wire::monitor::{Dependent, Effect, Incident, IncidentKind, Status};
use std::collections::{BTreeMap, BTreeSet};

/// The services for which an incident is open.
pub fn holders(open: &BTreeMap<u64, Incident>) -> BTreeSet<&str> {
    open.values().map(|incident| incident.service.as_str()).collect()
}

/// What becomes of the open incidents by a verdict: those that are new or changed.
///
/// When a service that is required turns out to be down after those that
/// require it, their oldest incident becomes its own, and the others end as
/// part of it.
pub fn reconcile(
    open: &BTreeMap<u64, Incident>,
    graph: &Graph<'_>,
    verdict: &Verdict<'_>,
    now: DateTime<Utc>,
    mut next_id: impl FnMut() -> u64,
) -> Vec<Incident> {
    let mut left: BTreeMap<u64, &Incident> = open.iter().map(|(id, incident)| (*id, incident)).collect();
    // A service has one open incident at most.
    let by_service: BTreeMap<&str, u64> = open.iter().map(|(id, i)| (i.service.as_str(), *id)).collect();
    let mut changed = Vec::new();
    let mut homes: BTreeMap<&str, u64> = BTreeMap::new();
    for (root, behind) in &verdict.roots {
        let own = by_service.get(root).copied();
        let taken_over = || {
            let theirs = behind.affected.iter().filter(|name| !verdict.roots.contains_key(*name));
            theirs.filter_map(|name| by_service.get(name)).copied().filter(|id| left.contains_key(id)).min()
        };
        let before = own.or_else(taken_over).and_then(|id| left.remove(&id));
        let Some(node) = graph.get(root) else { continue };
        let same = before.filter(|incident| incident.service == *root);
        let kind = if node.flapping { IncidentKind::Flapping } else { IncidentKind::Down };
        // What it was opened for stays, whatever fails later.
        let told = same.filter(|incident| incident.kind == kind);
        let incident = Incident {
            id: before.map_or_else(&mut next_id, |incident| incident.id),
            kind,
            service: (*root).to_owned(),
            opened_at: before.map_or(now, |incident| incident.opened_at),
            resolved_at: None,
            reason: told.map_or(node.reason, |incident| incident.reason),
            detail: told.map_or_else(|| node.detail.map(str::to_owned), |incident| incident.detail.clone()),
            // Whoever has failed with it stays listed, also when it is well again first.
            affected: same
                .into_iter()
                .flat_map(|incident| incident.affected.iter().map(String::as_str))
                .chain(behind.affected.iter().copied())
                .collect::<BTreeSet<&str>>()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            dependents: steady(same.map_or(&[], |incident| &incident.dependents), &behind.dependents),
            // Whoever looks after it does so whatever its root turns out to be.
            acknowledged: before.and_then(|incident| incident.acknowledged.clone()),
        };
        homes.insert(root, incident.id);
        homes.extend(behind.affected.iter().map(|name| (*name, incident.id)));
        if before != Some(&incident) {
            changed.push(incident);
        }
    }
    for incident in left.into_values() {
        let node = graph.get(incident.service.as_str());
        let detail = match node.map(|node| node.status) {
            Some(_) if node.is_some_and(Node::is_down) => match homes.get(incident.service.as_str()) {
                Some(home) => Some(format!("part of incident {home}")),
                None => continue,
            },
            // Not known to be well: whether it is over will be known soon.
            Some(Status::Unknown | Status::Pending | Status::Unhealthy) => continue,
            Some(Status::Maintenance) => Some("under maintenance".to_owned()),
            Some(Status::Draining) => Some("taken out of use".to_owned()),
            None => Some("deregistered".to_owned()),
            Some(Status::Healthy) => incident.detail.clone(),
        };
        changed.push(Incident { resolved_at: Some(now), detail, ..incident.clone() });
    }
    changed
}

/// The dependents as they are now; one that is down as it was keeps the reason
/// that was told, for a failure in other words is no news.
fn steady(before: &[Dependent], now: &[Dependent]) -> Vec<Dependent> {
    let before: BTreeMap<&str, &Dependent> = before.iter().map(|d| (d.service.as_str(), d)).collect();
    let same = |now: &Dependent| {
        let before = before.get(now.service.as_str())?;
        (now.effect == Effect::Down && before.effect == now.effect && before.since == now.since)
            .then_some(before.reason)
    };
    now.iter().map(|now| Dependent { reason: same(now).unwrap_or(now.reason), ..now.clone() }).collect()
}

#[cfg(test)]
mod tests;
