//! Holds expiry back when many leases run out at once.
//!
//! Then the network, or this machine, is more likely at fault than each of the
//! instances. Looked at are the fleet and, by itself, each service: a *scope*.
//!
//! * A scope is engaged when a lease has run out and more than a share of its
//!   leases is *missing*: those that have run out, those that are about to, for
//!   they have missed a heartbeat, and those that expired within a window.
//!   Whoever fails together is seen one after the other, and yet the first one
//!   counts them all. A scope of few leases is never engaged: one of two is no
//!   mass.
//! * It ends by a bound: what it still holds is let go in one commit, and is
//!   never held again unless it renews in between.
//! * It ends before, when enough have renewed; not in that instant, but when
//!   each that is left has had time for one more heartbeat, for in a network
//!   that heals those who renew last are as healthy as the first.
//! * Who renews is not held any more, at once.
//!
//! Pure: times are milliseconds on the registry's clock, and are passed in.

use shared::span::Span;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// Fewer than this missing at once are no mass.
const MISSING_MIN: usize = 3;
/// A scope with fewer leases than this has no mass.
const LEASED_MIN: usize = 4;
/// What has expired within this is missing at once.
const WINDOW_MS: u64 = 60_000;
/// Heartbeats in the time of one lease, as clients are told to send them.
const HEARTBEATS_PER_LEASE: u64 = 3;

/// Whether an instance whose lease was renewed so long ago has missed a
/// heartbeat.
pub const fn is_silent(age_ms: u64, ttl_ms: u64) -> bool {
    age_ms > ttl_ms - ttl_ms / HEARTBEATS_PER_LEASE
}

/// When the guard engages and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// More than this share of the leases is a mass: from 0 to 1.
    pub share: f64,
    /// The longest time that expiry is held back.
    pub hold_ms: u64,
}

impl Bounds {
    /// As they are set.
    pub fn new(share: f64, hold: Span) -> Self {
        Self { share, hold_ms: u64::try_from(Duration::from(hold).as_millis()).unwrap_or(u64::MAX) }
    }
}

/// One service, or the fleet.
pub type Scope = Option<String>;

/// An instance: its service and its id.
pub type Key = (String, String);

/// An instance that has missed a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silent {
    /// Which.
    pub key: Key,
    /// The length of its lease.
    pub ttl_ms: u64,
    /// Whether its lease has run out.
    pub is_due: bool,
}

/// An engaged scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Engaged {
    /// Since when.
    pub since_ms: u64,
    /// When it ends at the latest.
    pub until_ms: u64,
    /// Since when there has been no mass any more.
    calm_since_ms: Option<u64>,
}

/// For how long an instance is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// Since when.
    pub since_ms: u64,
    /// When it is let go at the latest.
    pub until_ms: u64,
}

/// Why a scope is not engaged any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Enough have renewed.
    Calm,
    /// It has lasted as long as it may.
    Bound,
}

/// What one look has changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Scopes that are engaged from now on.
    pub began: Vec<Scope>,
    /// Scopes that no longer are.
    pub ended: Vec<(Scope, End)>,
    /// Instances that are held from now on.
    pub held: Vec<Key>,
}

/// The guard's memory.
#[derive(Debug, Default)]
pub struct Guard {
    engaged: BTreeMap<Scope, Engaged>,
    held: BTreeMap<Key, Hold>,
    /// Let go by a bound, and not yet gone.
    let_go: BTreeMap<Key, Hold>,
    /// Not held any more since their scope calmed down, and not yet gone.
    calmed: BTreeMap<Key, Hold>,
    /// The services whose instances expired of themselves within the window.
    gone: VecDeque<(u64, String)>,
}

/// What is counted in a scope.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    leased: usize,
    due: usize,
    /// Not due, but silent.
    silent: usize,
    gone: usize,
    ttl_max_ms: u64,
}

impl Count {
    #[expect(clippy::cast_precision_loss, reason = "no registry keeps 2^52 leases")]
    fn is_mass(self, share: f64) -> bool {
        let (missing, all) = (self.due + self.silent + self.gone, self.leased + self.gone);
        self.due > 0 && missing >= MISSING_MIN && all >= LEASED_MIN && missing as f64 > share * all as f64
    }
}

impl Guard {
    /// Decides who is held. `leased` counts the instances with a lease by
    /// service, `silent` are those of them that have missed a heartbeat. Whoever
    /// is due and not [held](Self::hold) after it is to expire now.
    pub fn look(
        &mut self,
        bounds: Bounds,
        leased: &BTreeMap<String, usize>,
        silent: &[Silent],
        now_ms: u64,
    ) -> Outcome {
        self.forget(silent, now_ms);
        let counts = self.count(leased, silent);
        let mut outcome = Outcome::default();
        for (scope, count) in &counts {
            self.turn(bounds, scope, *count, now_ms, &mut outcome);
        }
        for instance in silent.iter().filter(|instance| instance.is_due) {
            self.assign(&instance.key, now_ms, &mut outcome);
        }
        outcome
    }

    /// These have expired.
    pub fn expired<'a>(&mut self, keys: impl Iterator<Item = &'a Key>, now_ms: u64) {
        for key in keys {
            self.calmed.remove(key);
            if self.let_go.remove(key).is_none() {
                self.gone.push_back((now_ms, key.0.clone()));
            }
        }
    }

    /// How this instance is held; none when it is not.
    pub fn hold(&self, key: &Key) -> Option<Hold> {
        self.held.get(key).copied()
    }

    /// How this instance was held before it was let go.
    pub fn was_held(&self, key: &Key) -> Option<Hold> {
        self.let_go.get(key).or_else(|| self.calmed.get(key)).copied()
    }

    /// All that are held.
    pub fn held(&self) -> impl Iterator<Item = (&Key, Hold)> {
        self.held.iter().map(|(key, hold)| (key, *hold))
    }

    /// The engaged scopes, the fleet first.
    pub fn engaged(&self) -> impl Iterator<Item = (&Scope, Engaged)> {
        self.engaged.iter().map(|(scope, engaged)| (scope, *engaged))
    }

    /// Whether there is nothing to look at as long as nobody is due.
    pub fn is_idle(&self) -> bool {
        self.engaged.is_empty() && self.held.is_empty() && self.let_go.is_empty()
    }

    /// Who is not due has renewed, or is gone.
    fn forget(&mut self, silent: &[Silent], now_ms: u64) {
        let due: BTreeSet<&Key> =
            silent.iter().filter(|instance| instance.is_due).map(|instance| &instance.key).collect();
        self.held.retain(|key, _| due.contains(key));
        self.let_go.retain(|key, _| due.contains(key));
        self.calmed.retain(|key, _| due.contains(key));
        while self.gone.front().is_some_and(|(at_ms, _)| at_ms + WINDOW_MS < now_ms) {
            self.gone.pop_front();
        }
    }

    /// The fleet, the services of those that are missing, and what is engaged.
    fn count(&self, leased: &BTreeMap<String, usize>, silent: &[Silent]) -> BTreeMap<Scope, Count> {
        let mut counts: BTreeMap<Scope, Count> =
            self.engaged.keys().map(|scope| (scope.clone(), Count::default())).collect();
        for instance in silent.iter().filter(|instance| !self.let_go.contains_key(&instance.key)) {
            for scope in [None, Some(instance.key.0.clone())] {
                let count = counts.entry(scope).or_default();
                if instance.is_due {
                    count.due += 1;
                    count.ttl_max_ms = count.ttl_max_ms.max(instance.ttl_ms);
                } else {
                    count.silent += 1;
                }
            }
        }
        for (_, service) in &self.gone {
            for scope in [None, Some(service.clone())] {
                counts.entry(scope).or_default().gone += 1;
            }
        }
        for (scope, count) in &mut counts {
            count.leased = match scope {
                None => leased.values().sum(),
                Some(service) => leased.get(service).copied().unwrap_or(0),
            };
        }
        counts
    }

    /// Engages a scope, or ends it.
    fn turn(&mut self, bounds: Bounds, scope: &Scope, count: Count, now_ms: u64, outcome: &mut Outcome) {
        let is_mass = count.is_mass(bounds.share);
        let Some(engaged) = self.engaged.get_mut(scope) else {
            if is_mass && bounds.hold_ms > 0 {
                let until_ms = now_ms.saturating_add(bounds.hold_ms);
                let engaged = Engaged { since_ms: now_ms, until_ms, calm_since_ms: None };
                self.engaged.insert(scope.clone(), engaged);
                outcome.began.push(scope.clone());
            }
            return;
        };
        let end = if now_ms >= engaged.until_ms {
            Some(End::Bound)
        } else if is_mass {
            engaged.calm_since_ms = None;
            None
        } else {
            let calm_ms = now_ms.saturating_sub(*engaged.calm_since_ms.get_or_insert(now_ms));
            let over = count.due == 0 || calm_ms >= count.ttl_max_ms / HEARTBEATS_PER_LEASE;
            over.then_some(End::Calm)
        };
        if let Some(end) = end {
            self.engaged.remove(scope);
            if end == End::Bound {
                self.let_go(scope);
            }
            outcome.ended.push((scope.clone(), end));
        }
    }

    /// Whoever this scope held is never held again, by no other scope either.
    fn let_go(&mut self, scope: &Scope) {
        let of_scope = |key: &Key, _: &mut Hold| scope.as_ref().is_none_or(|service| key.0 == *service);
        self.let_go.extend(self.held.extract_if(.., of_scope));
    }

    /// Holds one that is due, or does not.
    fn assign(&mut self, key: &Key, now_ms: u64, outcome: &mut Outcome) {
        if self.let_go.contains_key(key) {
            return;
        }
        let until_ms = |scope: Scope| self.engaged.get(&scope).map(|engaged| engaged.until_ms);
        let until_ms = [until_ms(None), until_ms(Some(key.0.clone()))].into_iter().flatten().min();
        match (self.held.remove(key), until_ms) {
            // Another scope may last longer; the bound of the first one holds.
            (Some(hold), _) if now_ms >= hold.until_ms => {
                self.let_go.insert(key.clone(), hold);
            }
            (Some(hold), Some(until_ms)) => {
                let until_ms = until_ms.min(hold.until_ms);
                self.held.insert(key.clone(), Hold { until_ms, ..hold });
            }
            (None, Some(until_ms)) => {
                self.held.insert(key.clone(), Hold { since_ms: now_ms, until_ms });
                outcome.held.push(key.clone());
            }
            (Some(hold), None) => {
                self.calmed.insert(key.clone(), hold);
            }
            (None, None) => {}
        }
    }
}

#[cfg(test)]
mod tests;
