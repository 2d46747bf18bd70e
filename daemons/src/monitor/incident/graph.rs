//! Who requires whom, and how each does.

use chrono::{DateTime, Utc};
use shared::wire::monitor::{Phase, Status};
use std::collections::{BTreeMap, BTreeSet};

/// A service as far as blame goes.
#[derive(Debug, Clone, Default)]
pub struct Node<'a> {
    /// Its status.
    pub status: Status,
    /// Whether its status changes too often to go by.
    pub flapping: bool,
    /// Whether the last probe of each of its instances failed.
    pub wavering: bool,
    /// Whether it may still be down for a cause that is gone.
    pub excused: bool,
    /// Since when it has this status, or flaps.
    pub since: Option<DateTime<Utc>>,
    /// When its probes began to fail.
    pub failing_since: Option<DateTime<Utc>>,
    /// When it was seen well last; none for one that is never probed.
    pub last_good: Option<DateTime<Utc>>,
    /// When it would be well again if its cause had gone just after it failed.
    pub recovered_by: Option<DateTime<Utc>>,
    /// The services that it requires.
    pub requires: BTreeSet<&'a str>,
    /// The phase that failed.
    pub reason: Option<Phase>,
    /// The failure in words.
    pub detail: Option<&'a str>,
}

impl Node<'_> {
    /// Down, or up and down.
    pub fn is_down(&self) -> bool {
        match self.status {
            Status::Unhealthy => true,
            Status::Healthy | Status::Unknown | Status::Pending => self.flapping,
            Status::Maintenance | Status::Draining => false,
        }
    }

    /// Whether its operator works on it or takes it out of use.
    pub const fn is_planned(&self) -> bool {
        matches!(self.status, Status::Maintenance | Status::Draining)
    }

    /// Whether no fault passes through it.
    pub fn does_well(&self) -> bool {
        self.status == Status::Healthy && !self.wavering && !self.flapping
    }

    /// Whether it was down long before `other` was: `other` was seen well when
    /// this one had had the time to recover, and had not.
    pub fn failed_before(&self, other: &Self) -> bool {
        match (self.recovered_by, other.last_good) {
            (Some(recovered_by), Some(last_good)) => recovered_by < last_good,
            _ => false,
        }
    }
}

/// All services that are listed.
pub type Graph<'a> = BTreeMap<&'a str, Node<'a>>;

/// Who is required by whom.
pub type Requirers<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// The graph with its arrows turned round.
pub fn requirers<'a>(graph: &Graph<'a>) -> Requirers<'a> {
    let mut requirers = Requirers::new();
    for (name, node) in graph {
        for required in &node.requires {
            requirers.entry(required).or_default().push(name);
        }
    }
    requirers
}

/// Whoever requires `root`, directly or over others that `passes` lets through;
/// in order of their names, without itself.
pub fn reached<'a>(
    requirers: &Requirers<'a>,
    root: &'a str,
    passes: impl Fn(&str) -> bool,
) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::from([root]);
    let mut waiting = vec![root];
    while let Some(name) = waiting.pop() {
        for requirer in requirers.get(name).into_iter().flatten() {
            if passes(requirer) && seen.insert(requirer) {
                waiting.push(requirer);
            }
        }
    }
    seen.remove(root);
    seen
}

/// The services that do not do well, in circles of those that require each
/// other (most of one member), what is required before whoever requires it:
/// Kosaraju's algorithm, without recursion, for a chain may be long.
pub fn circles<'a>(graph: &Graph<'a>) -> Vec<Vec<&'a str>> {
    let unwell = |name: &str| graph.get(name).is_some_and(|node| !node.does_well());
    let requires = |name: &str| graph.get(name).into_iter().flat_map(|node| node.requires.iter().copied());
    let requirers = requirers(graph);
    // Whoever requires comes after what it requires, but for circles.
    let mut order = Vec::new();
    let mut seen = BTreeSet::new();
    for start in graph.keys().copied().filter(|name| unwell(name)) {
        let mut waiting = vec![(start, false)];
        while let Some((name, done)) = waiting.pop() {
            if done {
                order.push(name);
            } else if seen.insert(name) {
                waiting.push((name, true));
                let next = requires(name).filter(|next| unwell(next) && !seen.contains(next));
                waiting.extend(next.map(|next| (next, false)));
            }
        }
    }
    // From the last, against the arrows: each start finds its own circle.
    let mut circles = Vec::new();
    let mut placed = BTreeSet::new();
    for start in order.into_iter().rev() {
        let mut circle = Vec::new();
        let mut waiting = vec![start];
        while let Some(name) = waiting.pop() {
            if placed.insert(name) {
                circle.push(name);
                let next = requirers.get(name).into_iter().flatten().copied();
                waiting.extend(next.filter(|next| unwell(next) && !placed.contains(next)));
            }
        }
        if !circle.is_empty() {
            circles.push(circle);
        }
    }
    circles.reverse();
    circles
}
