//! How leases and the guard stand, for those who ask and those who watch.

use super::core::Core;
use super::expiry::Holds;
use super::watch::Watched;
use shared::wire::registry::{GuardEvent, GuardScope, GuardStatus, HeldLease, LeaseStatus};

impl Core {
    /// How an instance's lease stands; none when it is unknown.
    pub fn lease(&self, service: &str, instance: &str) -> Option<LeaseStatus> {
        let (view, now_ms) = (self.view(), self.now_ms());
        let entry = view.state.get(service, instance)?;
        let age_ms = entry.age_ms(now_ms);
        let held = self.holds.borrow().held.get(&(service.to_owned(), instance.to_owned())).copied();
        Some(LeaseStatus {
            service_name: service.to_owned(),
            instance_id: instance.to_owned(),
            ttl_seconds: entry.registration.ttl_seconds,
            renewed_at: self.wall_time(now_ms.saturating_sub(age_ms)),
            age_seconds: in_seconds(age_ms),
            expires_in_seconds: entry.ttl_ms().map(|ttl_ms| in_seconds(ttl_ms.saturating_sub(age_ms))),
            held_until: held.map(|hold| self.wall_time(hold.until_ms)),
        })
    }

    /// Whom the guard holds, and why.
    pub fn guard_status(&self, holds: &Holds) -> GuardStatus {
        let held = holds.held.iter().map(|((service, instance), hold)| HeldLease {
            service: service.clone(),
            instance_id: instance.clone(),
            since: self.wall_time(hold.since_ms),
            until: self.wall_time(hold.until_ms),
        });
        GuardStatus {
            engaged: !holds.scopes.is_empty(),
            scopes: self.guard_scopes(holds, &None),
            held: held.collect(),
        }
    }

    /// What a watcher of one service, or of all, is told of the guard.
    pub fn guard_event(&self, holds: &Holds, watched: &Watched) -> GuardEvent {
        let concerns = |service: &String| watched.as_ref().is_none_or(|watched| watched == service);
        GuardEvent {
            held: holds.held.keys().filter(|(service, _)| concerns(service)).count(),
            scopes: self.guard_scopes(holds, watched),
        }
    }

    fn guard_scopes(&self, holds: &Holds, watched: &Watched) -> Vec<GuardScope> {
        let concerns = |scope: &Watched| watched.is_none() || scope.is_none() || scope == watched;
        let engaged = holds.scopes.iter().filter(|(scope, _)| concerns(scope));
        engaged
            .map(|(scope, engaged)| GuardScope {
                service: scope.clone(),
                since: self.wall_time(engaged.since_ms),
                until: self.wall_time(engaged.until_ms),
            })
            .collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a lease is at most a day")]
fn in_seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}
