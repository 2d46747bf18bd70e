//! Which failures are one: from who requires whom, and how each does, to the
//! services that are to blame. Pure.
//!
//! * A service that is down is a *root* when nothing that it requires, directly
//!   or over others that do not do well, is down too. All that are down and
//!   require it are *affected*. Where services require each other in a circle,
//!   the one that failed first is the root.
//! * A service that is down while something it requires is *wavering* (its last
//!   probes failed, but not yet often enough) waits: soon the one or the other
//!   is known to be the root.
//! * A service that was affected is *excused* for a while after its root is
//!   well, for it needs a few probes to be well itself.

use chrono::{DateTime, Utc};
use shared::wire::monitor::{Incident, Phase, Status};
use std::collections::{BTreeMap, BTreeSet};

/// A service as far as blame goes.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// Its status.
    pub status: Status,
    /// Whether the last probe of each of its instances failed.
    pub wavering: bool,
    /// Whether it may still be down for a root that is well again.
    pub excused: bool,
    /// Since when it has this status.
    pub since: Option<DateTime<Utc>>,
    /// The services that it requires.
    pub requires: BTreeSet<&'a str>,
    /// The phase that failed.
    pub reason: Option<Phase>,
    /// The failure in words.
    pub detail: Option<&'a str>,
}

impl Node<'_> {
    fn is_down(&self) -> bool {
        self.status == Status::Unhealthy
    }
}

/// All services that are listed.
pub type Graph<'a> = BTreeMap<&'a str, Node<'a>>;

/// What lies behind a service: what it requires, and what those require that
/// do not do well.
struct Behind<'a> {
    down: BTreeSet<&'a str>,
    wavering: bool,
}

fn behind<'a>(graph: &Graph<'a>, service: &'a str) -> Behind<'a> {
    let mut found = Behind { down: BTreeSet::new(), wavering: false };
    let mut seen = BTreeSet::from([service]);
    let mut waiting = vec![service];
    while let Some(name) = waiting.pop() {
        let Some(node) = graph.get(name) else { continue };
        for required in node.requires.iter().filter(|required| !seen.contains(*required)).collect::<Vec<_>>()
        {
            seen.insert(required);
            let Some(node) = graph.get(required) else { continue };
            if node.is_down() {
                found.down.insert(required);
            } else if node.wavering {
                found.wavering = true;
            } else if node.status == Status::Healthy {
                // What does well passes nothing on.
                continue;
            }
            waiting.push(required);
        }
    }
    found
}

/// The roots, each with those that it affects. `open` are the services for
/// which an incident is open: they need not wait.
pub fn roots<'a>(graph: &Graph<'a>, open: &BTreeSet<&str>) -> BTreeMap<&'a str, Vec<&'a str>> {
    let down: BTreeMap<&str, Behind> = graph
        .iter()
        .filter(|(_, node)| node.is_down())
        .map(|(name, _)| (*name, behind(graph, name)))
        .collect();
    let reaches = |from: &str, to: &str| down.get(from).is_some_and(|behind| behind.down.contains(to));
    // The one to blame in a circle: an incident that is open stays with its
    // service; else the one that failed first.
    let rank = |name: &'a str| {
        let since = graph.get(name).and_then(|node| node.since);
        (!open.contains(name), since.unwrap_or(DateTime::<Utc>::MAX_UTC), name)
    };
    let is_root = |name: &'a str, behind: &Behind<'a>| {
        let at_the_bottom = behind.down.iter().all(|other| reaches(other, name) && rank(name) < rank(other));
        let excused = graph.get(name).is_some_and(|node| node.excused);
        at_the_bottom && (open.contains(name) || (!behind.wavering && !excused))
    };
    let mut roots: BTreeMap<&str, Vec<&str>> = down
        .iter()
        .filter(|(name, behind)| is_root(name, behind))
        .map(|(root, _)| (*root, Vec::new()))
        .collect();
    for (name, behind) in &down {
        for root in &behind.down {
            if let Some(affected) = roots.get_mut(root) {
                affected.push(*name);
            }
        }
    }
    roots
}

/// What becomes of the open incidents: those that are new or changed.
///
/// When a service that is required turns out to be down after those that
/// require it, their oldest incident becomes its own, and the others end as
/// part of it.
pub fn reconcile(
    open: &BTreeMap<u64, Incident>,
    graph: &Graph<'_>,
    now: DateTime<Utc>,
    mut next_id: impl FnMut() -> u64,
) -> Vec<Incident> {
    let holders: BTreeSet<&str> = open.values().map(|incident| incident.service.as_str()).collect();
    let roots = roots(graph, &holders);
    let mut left: BTreeMap<u64, &Incident> = open.iter().map(|(id, incident)| (*id, incident)).collect();
    // A service has one open incident at most.
    let by_service: BTreeMap<&str, u64> = open.iter().map(|(id, i)| (i.service.as_str(), *id)).collect();
    let mut changed = Vec::new();
    let mut homes: BTreeMap<&str, u64> = BTreeMap::new();
    for (root, affected) in &roots {
        let own = by_service.get(root).copied();
        let taken_over = || {
            let theirs = affected.iter().filter_map(|name| by_service.get(name).copied());
            theirs.filter(|id| left.contains_key(id)).min()
        };
        let before = own.or_else(taken_over).and_then(|id| left.remove(&id));
        let node = graph.get(root);
        let same = before.filter(|incident| incident.service == *root);
        let incident = Incident {
            id: before.map_or_else(&mut next_id, |incident| incident.id),
            service: (*root).to_owned(),
            opened_at: before.map_or(now, |incident| incident.opened_at),
            resolved_at: None,
            reason: same.map_or_else(|| node.and_then(|node| node.reason), |incident| incident.reason),
            detail: same.map_or_else(
                || node.and_then(|node| node.detail).map(str::to_owned),
                |incident| incident.detail.clone(),
            ),
            // Whoever has failed with it stays listed, also when it is well again first.
            affected: same
                .into_iter()
                .flat_map(|incident| incident.affected.iter().map(String::as_str))
                .chain(affected.iter().copied())
                .collect::<BTreeSet<&str>>()
                .into_iter()
                .map(str::to_owned)
                .collect(),
        };
        homes.insert(root, incident.id);
        homes.extend(affected.iter().map(|name| (*name, incident.id)));
        if before != Some(&incident) {
            changed.push(incident);
        }
    }
    for incident in left.into_values() {
        let detail = match graph.get(incident.service.as_str()).map(|node| node.status) {
            // Not known to be well: whether it is over will be known soon.
            Some(Status::Unknown) => continue,
            Some(Status::Unhealthy) => match homes.get(incident.service.as_str()) {
                Some(home) => Some(format!("part of incident {home}")),
                None => continue,
            },
            Some(Status::Maintenance) => Some("under maintenance".to_owned()),
            Some(Status::Draining) => Some("taken out of use".to_owned()),
            None => Some("deregistered".to_owned()),
            Some(Status::Healthy) => incident.detail.clone(),
        };
        changed.push(Incident { resolved_at: Some(now), detail, ..incident.clone() });
    }
    changed
}

#[cfg(test)]
mod tests;
