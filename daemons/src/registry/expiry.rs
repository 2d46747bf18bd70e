//! Leases that run out.

use super::core::{Core, Expiring, WriteError};
use super::guard::{self, End, Engaged, Guard, Hold, Key, Outcome, Scope, Silent};
use super::metrics::gauge;
use super::state::Entry;
use super::store;
use crate::runtime::health::Board;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// The time between two looks at the leases.
const LOOK: Duration = Duration::from_millis(500);
/// A look that comes later than this by more is late.
const LATE: Duration = Duration::from_millis(100);
/// A look that comes later than this was held up: the process was stopped, the
/// machine suspended or choked. Heartbeats were held up with it, so nobody may
/// expire for it.
const STALL: Duration = Duration::from_millis(2_000);
/// The part of `/health` that tells of held leases.
const HEALTH_PART: &str = "leases";

/// What time has done to the leases, decided from the clock alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// It has passed for them too.
    OnTime,
    /// So much of it they are given back, in milliseconds.
    Late(u64),
    /// Every lease is granted afresh.
    Stalled,
}

/// Times in milliseconds on the registry's clock. However late a look comes,
/// to the leases it is one look: heartbeats may still wait in their sockets.
fn pace(last_ms: u64, now_ms: u64) -> Pace {
    match Duration::from_millis(now_ms.saturating_sub(last_ms)) {
        gap if gap > STALL => Pace::Stalled,
        gap if gap > LOOK + LATE => Pace::Late(u64::try_from((gap - LOOK).as_millis()).unwrap_or(u64::MAX)),
        _ => Pace::OnTime,
    }
}

/// Whom the guard holds, and for which scopes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holds {
    /// The engaged scopes, the fleet first.
    pub scopes: Vec<(Scope, Engaged)>,
    /// The instances.
    pub held: BTreeMap<Key, Hold>,
}

/// Looks at the leases.
pub struct Looks {
    core: Arc<Core>,
    health: Arc<Board>,
    guard: Guard,
    last_ms: u64,
    /// Who is held without that being in the history yet, and in which words.
    unnoted: BTreeMap<Key, String>,
}

impl Looks {
    /// The first look counts from now.
    pub fn new(core: Arc<Core>, health: Arc<Board>) -> Self {
        health.pass(HEALTH_PART);
        let last_ms = core.now_ms();
        Self { core, health, guard: Guard::default(), last_ms, unnoted: BTreeMap::new() }
    }

    /// Looks for ever.
    pub async fn run(mut self) {
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            ticks.tick().await;
            let looked = self.look().await;
            match &looked {
                Err(error) if !failing => tracing::warn!("cannot expire leases now, retrying: {error}"),
                _ => {}
            }
            failing = looked.is_err();
        }
    }

    /// One look: expires whose lease has run out and who is not held.
    pub async fn look(&mut self) -> Result<(), WriteError> {
        let now_ms = self.core.now_ms();
        match pace(self.last_ms, now_ms) {
            Pace::OnTime => {}
            Pace::Late(by_ms) => {
                self.core.view().state.entries().for_each(|entry| entry.extend(by_ms));
            }
            Pace::Stalled => {
                let gap_ms = now_ms.saturating_sub(self.last_ms);
                tracing::warn!("stood still for {gap_ms} ms: all leases are granted afresh");
                self.core.view().state.entries().for_each(|entry| {
                    entry.renew(now_ms);
                });
            }
        }
        self.last_ms = now_ms;
        self.expire(now_ms).await
    }

    async fn expire(&mut self, now_ms: u64) -> Result<(), WriteError> {
        let silent = self.core.silent(now_ms);
        if self.guard.is_idle()
            && self.unnoted.is_empty()
            && !silent.iter().any(|entry| entry.has_expired(now_ms))
        {
            return Ok(());
        }
        let instances: Vec<Silent> = silent
            .iter()
            .map(|entry| Silent {
                key: key(entry),
                ttl_ms: entry.ttl_ms().unwrap_or_default(),
                is_due: entry.has_expired(now_ms),
            })
            .collect();
        let leased = self.core.leased();
        let outcome = self.guard.look(self.core.config.guard, &leased, &instances, now_ms);
        self.tell(&outcome, leased.values().sum(), now_ms);
        self.note().await?;
        let due: Vec<Arc<Entry>> = silent
            .into_iter()
            .zip(instances)
            .filter(|(_, instance)| instance.is_due && self.guard.hold(&instance.key).is_none())
            .map(|(entry, _)| entry)
            .collect();
        if due.is_empty() {
            return Ok(());
        }
        let expiring = due.into_iter().map(|entry| {
            let lease = format!("its lease of {} s ran out", entry.ttl_ms().unwrap_or_default() / 1_000);
            let detail = match self.guard.was_held(&key(&entry)) {
                None => lease,
                Some(hold) => {
                    let held_s = now_ms.saturating_sub(hold.since_ms) / 1_000;
                    format!("{lease}; expiry was held back for {held_s} s")
                }
            };
            Expiring { entry, detail }
        });
        let gone = self.core.expire(expiring.collect()).await?;
        for expired in &gone {
            tracing::info!(service = expired.service_name, instance = expired.instance_id, "lease expired");
        }
        let gone: Vec<Key> = gone.into_iter().map(|gone| (gone.service_name, gone.instance_id)).collect();
        self.guard.expired(gone.iter(), now_ms);
        Ok(())
    }

    /// Tells everyone whom it concerns what the guard does.
    fn tell(&mut self, outcome: &Outcome, leased: usize, now_ms: u64) {
        let holds = Holds {
            scopes: self.guard.engaged().map(|(scope, engaged)| (scope.clone(), engaged)).collect(),
            held: self.guard.held().map(|(key, hold)| (key.clone(), hold)).collect(),
        };
        let words = words(&holds, leased, now_ms);
        if !outcome.began.is_empty() {
            tracing::warn!("{words}");
        }
        for (scope, end) in &outcome.ended {
            let why = match end {
                End::Calm => "enough have renewed",
                End::Bound => "it has lasted as long as it may",
            };
            tracing::warn!("expiry is no longer held back for {}: {why}", scope_words(scope));
        }
        match holds.scopes.is_empty() {
            true => self.health.pass(HEALTH_PART),
            false => self.health.warn(HEALTH_PART, words.clone()),
        }
        self.core.metrics.guard_engaged.set(gauge(holds.scopes.len()));
        self.core.metrics.held.set(gauge(holds.held.len()));
        self.core.holds.send_if_modified(|known| {
            let news = **known != holds;
            if news {
                *known = Arc::new(holds);
            }
            news
        });
        self.unnoted.extend(outcome.held.iter().map(|key| (key.clone(), words.clone())));
    }

    /// Writes into the history who is held; what cannot be written now, later.
    /// Nobody expires before it is: expiry could not be written either.
    async fn note(&mut self) -> Result<(), WriteError> {
        if self.unnoted.is_empty() {
            return Ok(());
        }
        self.core.note_held(self.unnoted.clone()).await?;
        self.unnoted.clear();
        Ok(())
    }
}

impl Core {
    /// The instances that have missed a heartbeat, or more.
    fn silent(&self, now_ms: u64) -> Vec<Arc<Entry>> {
        let is_silent = |entry: &&Arc<Entry>| {
            entry.ttl_ms().is_some_and(|ttl_ms| guard::is_silent(entry.age_ms(now_ms), ttl_ms))
        };
        self.view().state.entries().filter(is_silent).cloned().collect()
    }

    /// How many instances have a lease, by service.
    fn leased(&self) -> BTreeMap<String, usize> {
        let view = self.view();
        let mut leased = BTreeMap::new();
        for entry in view.state.entries().filter(|entry| entry.ttl_ms().is_some()) {
            if let Some(count) = leased.get_mut(&entry.registration.service_name) {
                *count += 1;
            } else {
                leased.insert(entry.registration.service_name.clone(), 1);
            }
        }
        leased
    }

    /// Writes into the history that these are held.
    async fn note_held(&self, held: BTreeMap<Key, String>) -> Result<(), WriteError> {
        let revision = self.view().state.revision;
        let write = self.database().write(move |connection| {
            let held = held.iter().map(|(key, words)| (key, words.as_str()));
            Ok(store::hold(connection, revision, Utc::now().timestamp_millis(), held)?)
        });
        write.await
    }

    /// When it is, on the clock of the wall, that the registry's clock shows this.
    pub fn wall_time(&self, ms: u64) -> DateTime<Utc> {
        let ahead = i64::try_from(ms).unwrap_or(i64::MAX).saturating_sub_unsigned(self.now_ms());
        TimeDelta::try_milliseconds(ahead)
            .and_then(|ahead| Utc::now().checked_add_signed(ahead))
            .unwrap_or_default()
    }
}

/// "Expiry is held back until …: 40 of 100 leases of the fleet, …".
fn words(holds: &Holds, leased: usize, now_ms: u64) -> String {
    let scopes: Vec<String> = holds.scopes.iter().map(|(scope, _)| scope_words(scope)).collect();
    let until_ms = holds.scopes.iter().map(|(_, engaged)| engaged.until_ms).max().unwrap_or(now_ms);
    let left = TimeDelta::try_milliseconds(i64::try_from(until_ms.saturating_sub(now_ms)).unwrap_or(0));
    let until = Utc::now() + left.unwrap_or_default();
    let shown: Vec<&str> = scopes.iter().map(String::as_str).take(SCOPES_SHOWN).collect();
    let more = match scopes.len().saturating_sub(SCOPES_SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "too many leases ran out at once: expiry is held back for {}{more} until {} at the latest; {} of {leased} \
         leases are held",
        shown.join(", "),
        until.to_rfc3339_opts(SecondsFormat::Secs, true),
        holds.held.len(),
    )
}

/// Scopes that a sentence names.
const SCOPES_SHOWN: usize = 3;

fn scope_words(scope: &Scope) -> String {
    scope.as_ref().map_or_else(|| "the fleet".to_owned(), |service| format!("service '{service}'"))
}

fn key(entry: &Entry) -> Key {
    (entry.registration.service_name.clone(), entry.registration.instance_id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_that_was_held_up_expires_nobody() {
        assert_eq!(pace(1_000, 1_500), Pace::OnTime);
        assert_eq!(pace(1_000, 3_000), Pace::Late(1_500));
        assert_eq!(pace(1_000, 3_001), Pace::Stalled);
        assert_eq!(pace(3_000, 1_000), Pace::OnTime);
    }
}
