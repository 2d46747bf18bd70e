//! From who requires whom, and how each does, to those who are to blame.
//!
//! All of it is linear in services and requirements, but for the lists that are
//! made: what lies below a circle is summed up once, from what it requires.

use super::graph::{Graph, Node, circles, reached, requirers};
use chrono::{DateTime, Utc};
use shared::wire::monitor::{Dependent, Effect, Status};
use std::collections::{BTreeMap, BTreeSet};

/// Why a service that is down has no incident yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait<'a> {
    /// Its cause is gone, and it is given time to recover.
    Excused,
    /// The last probes of this one, which is required, failed as well.
    Wavering(&'a str),
    /// This one is required, and was not probed since the service began to fail.
    Unseen(&'a str),
    /// This one is required and under maintenance or drained.
    Planned(&'a str),
}

/// What depends on a root.
#[derive(Debug, Clone, Default)]
pub struct Behind<'a> {
    /// Those that are down with it.
    pub affected: Vec<&'a str>,
    /// All of them.
    pub dependents: Vec<Dependent>,
}

/// Who is to blame.
#[derive(Debug, Clone, Default)]
pub struct Verdict<'a> {
    /// The roots, each with what depends on it.
    pub roots: BTreeMap<&'a str, Behind<'a>>,
    /// Why those wait who are down and have no root that is known.
    pub waits: BTreeMap<&'a str, Wait<'a>>,
}

/// What is found at a service that does not do well, and below it.
#[derive(Debug, Clone, Copy, Default)]
struct Below<'a> {
    /// Whether something is down; and of all that is, when the first was seen
    /// well last.
    down: Option<DateTime<Utc>>,
    wavering: Option<&'a str>,
    planned: Option<&'a str>,
    /// The one of those that do well that was probed longest ago.
    unseen: Option<(DateTime<Utc>, &'a str)>,
    /// Why what is down at the bottom has no incident.
    wait: Option<Wait<'a>>,
}

impl<'a> Below<'a> {
    fn and(self, other: Self) -> Self {
        Self {
            down: [self.down, other.down].into_iter().flatten().min(),
            wavering: self.wavering.or(other.wavering),
            planned: self.planned.or(other.planned),
            unseen: [self.unseen, other.unseen].into_iter().flatten().min(),
            wait: self.wait.or(other.wait),
        }
    }

    /// What the service itself adds to it.
    fn with(self, name: &'a str, node: &Node<'_>) -> Self {
        let here = Self {
            down: node.is_down().then(|| node.last_good.unwrap_or(DateTime::<Utc>::MIN_UTC)),
            wavering: (!node.is_down() && node.wavering).then_some(name),
            planned: node.is_planned().then_some(name),
            ..Self::default()
        };
        self.and(here)
    }
}

/// Who is to blame. `open` are the services for which an incident is open: they
/// need not wait.
pub fn judge<'a>(graph: &Graph<'a>, open: &BTreeSet<&str>, now: DateTime<Utc>) -> Verdict<'a> {
    let mut verdict = Verdict::default();
    let mut found: BTreeMap<&str, Below<'a>> = BTreeMap::new();
    for circle in circles(graph) {
        let members: Vec<(&str, &Node<'_>)> =
            circle.iter().filter_map(|name| Some((*name, graph.get(name)?))).collect();
        let mut below = Below::default();
        for required in members.iter().flat_map(|(_, node)| &node.requires) {
            let Some((required, node)) = graph.get_key_value(required) else { continue };
            // What is not found yet is of this circle itself.
            below = below.and(if node.does_well() {
                Below { unseen: node.last_good.map(|good| (good, *required)), ..Below::default() }
            } else {
                found.get(required).copied().unwrap_or_default()
            });
        }
        let up = members.iter().filter(|(_, node)| !node.is_down());
        let beside = up.fold(below, |below, (name, node)| below.with(name, node));
        let mut whole = members.iter().fold(below, |below, (name, node)| below.with(name, node));
        if let Some((first, node)) = first_down(&members, open) {
            let its_own = match below.down {
                None => true,
                Some(seen_well) => {
                    open.contains(first) && node.recovered_by.is_some_and(|recovered| recovered < seen_well)
                }
            };
            let wait = if open.contains(first) { None } else { wait(node, &beside, now) };
            match wait {
                _ if !its_own => {}
                None => drop(verdict.roots.insert(first, Behind::default())),
                Some(wait) => whole.wait = Some(wait),
            }
        }
        for (name, node) in &members {
            found.insert(name, whole);
            if let Some(wait) = whole.wait.filter(|_| node.is_down() && !verdict.roots.contains_key(name)) {
                verdict.waits.insert(name, wait);
            }
        }
    }
    list(graph, &mut verdict);
    verdict
}

/// The one to blame of those that are down and require each other: an incident
/// that is open stays with its service; else the one that failed first.
fn first_down<'a, 'g>(
    members: &[(&'a str, &'g Node<'g>)],
    open: &BTreeSet<&str>,
) -> Option<(&'a str, &'g Node<'g>)> {
    let rank = |name: &str, node: &Node<'_>| {
        (!open.contains(name), node.since.unwrap_or(DateTime::<Utc>::MAX_UTC), name.to_owned())
    };
    let down = members.iter().filter(|(_, node)| node.is_down());
    down.min_by_key(|(name, node)| rank(name, node)).copied()
}

fn wait<'a>(node: &Node<'_>, beside: &Below<'a>, now: DateTime<Utc>) -> Option<Wait<'a>> {
    if node.excused {
        return Some(Wait::Excused);
    }
    if let Some(name) = beside.wavering {
        return Some(Wait::Wavering(name));
    }
    // For no longer than a recovery takes, should the probe never come.
    let unseen = beside.unseen.filter(|(good, _)| {
        node.failing_since.is_some_and(|failing| *good < failing)
            && node.recovered_by.is_some_and(|recovered| now < recovered)
    });
    unseen.map(|(_, name)| Wait::Unseen(name)).or(beside.planned.map(Wait::Planned))
}

/// Lists who depends on each root, and tells those that failed with it from
/// those that are down for another cause.
fn list<'a>(graph: &Graph<'a>, verdict: &mut Verdict<'a>) {
    let requirers = requirers(graph);
    let unwell = |name: &str| graph.get(name).is_some_and(|node| !node.does_well());
    let failed_before = |name: &str, root: &str| {
        graph.get(name).zip(graph.get(root)).is_some_and(|(node, root)| node.failed_before(root))
    };
    let is_down = |name: &str| graph.get(name).is_some_and(Node::is_down);
    let with: BTreeMap<&str, BTreeSet<&str>> = verdict
        .roots
        .keys()
        .map(|root| {
            let mut with = reached(&requirers, root, unwell);
            with.retain(|name| is_down(name));
            (*root, with)
        })
        .collect();
    // Those whose failure another root, or their own incident, accounts for.
    let mut explained: BTreeSet<&str> = verdict.roots.keys().copied().collect();
    for (root, with) in &with {
        explained.extend(with.iter().filter(|name| !failed_before(name, root)));
    }
    let own: BTreeSet<&str> = verdict.roots.keys().copied().collect();
    for (root, behind) in &mut verdict.roots {
        let with_root = with.get(root);
        for name in reached(&requirers, root, |_| true) {
            let Some(node) = graph.get(name) else { continue };
            let affected = with_root.is_some_and(|with| with.contains(name))
                && !(failed_before(name, root) && explained.contains(name));
            // Whoever waits may be down for this root all the same.
            let elsewhere = || own.contains(name) || with.values().any(|with| with.contains(name));
            if affected {
                behind.affected.push(name);
            }
            behind.dependents.push(Dependent {
                service: name.to_owned(),
                effect: if node.is_planned() {
                    Effect::Maintenance
                } else if node.is_down() {
                    Effect::Down
                } else if matches!(node.status, Status::Unknown | Status::Pending) {
                    Effect::Unknown
                } else {
                    Effect::AtRisk
                },
                since: node.since,
                reason: node.reason,
                own_cause: node.is_down() && !affected && elsewhere(),
            });
        }
    }
}
