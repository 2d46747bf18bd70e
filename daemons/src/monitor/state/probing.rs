//! Who is to be probed, how, and who soon.

use super::super::schedule::{Key, Target};
use super::super::service::Instance;
use super::State;
use crate::runtime::lanes::PATIENCE_MS;
use crate::runtime::probe::Spec;
use shared::wire::monitor::{Phase, Status};
use std::sync::Arc;
use std::time::Duration;

/// The pause between two probes of an instance that only its grace keeps from
/// being unhealthy.
const PENDING: Duration = Duration::from_secs(1);
/// No pause is shorter, however often an instance is probed.
const CONFIRM_MIN: Duration = Duration::from_millis(100);

/// Who is to be probed soon after a probe.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Followed {
    /// The instance itself, after this pause.
    pub again: Option<Duration>,
    /// Instances that it requires, at once.
    pub others: Vec<Key>,
}

impl State {
    /// Every instance that is to be probed.
    pub fn targets(&self) -> Vec<Target> {
        let mut targets = Vec::new();
        for (name, service) in &self.services {
            let name: Arc<str> = name.as_str().into();
            let asked = |instance: &&Instance| !instance.lost && instance.spec.is_asked();
            for (id, instance) in service.instances.iter().filter(|(_, instance)| asked(instance)) {
                targets.push(Target {
                    key: (Arc::clone(&name), id.as_str().into()),
                    // One that came back has no streak: it is probed as soon as one that is new.
                    probed: instance.check.streak != 0,
                    interval: instance.spec.interval,
                });
            }
        }
        targets
    }

    /// How an instance is probed, and whether its last probe took long; none
    /// when it is no longer there. A probe that failed in time took no time.
    pub fn probe_of(&self, name: &str, id: &str) -> Option<(Arc<Spec>, bool)> {
        let instance = self.services.get(name)?.instances.get(id).filter(|instance| !instance.lost)?;
        let timed_out = instance.check.reason == Some(Phase::Timeout);
        let slow = instance.check.latency.is_some_and(|ms| ms > PATIENCE_MS);
        Some((Arc::clone(&instance.spec), timed_out || slow))
    }

    /// The time between two probes of an instance.
    pub(in super::super) fn interval(&self, instance: &Instance) -> Duration {
        instance.spec.interval.unwrap_or(self.rules.interval)
    }

    /// The pause to the next probe of an instance whose failures are not enough
    /// to call it unhealthy. Whoever asks for fewer probes than usual is not asked
    /// more often than that now: the pause is as long a part of its interval.
    pub(in super::super) fn confirm(&self, instance: &Instance) -> Option<Duration> {
        let check = &instance.check;
        if !check.is_failing() || check.status == Status::Unhealthy {
            return None;
        }
        let interval = self.interval(instance);
        let enough = i64::from(instance.thresholds(self.rules.thresholds).failures);
        if check.status == Status::Pending && check.streak <= -enough {
            return Some(PENDING.min(interval));
        }
        let part = interval.as_secs_f64() / self.rules.interval.as_secs_f64().max(0.001);
        let pause = Duration::try_from_secs_f64(self.rules.confirm.as_secs_f64() * part).unwrap_or(interval);
        Some(pause.max(CONFIRM_MIN).min(interval))
    }

    /// Who is to be probed soon after an instance was: itself, while its failures
    /// are not enough to call it unhealthy; and when it has just begun to fail,
    /// what it requires, for the fault may be there.
    pub fn followed(&self, name: &str, id: &str) -> Followed {
        let Some(service) = self.services.get(name) else { return Followed::default() };
        let Some(instance) = service.instances.get(id) else { return Followed::default() };
        let check = &instance.check;
        let required = service.requires().into_iter().filter(|_| check.streak == -1);
        let others = required
            .filter_map(|name| Some((name, self.services.get(name)?)))
            .flat_map(|(name, service)| service.instances.iter().map(move |one| (name, one)))
            .filter(|(_, (_, one))| one.check.last_check < check.failing_since)
            .map(|(name, (id, _))| (name.into(), id.as_str().into()))
            .collect();
        Followed { again: self.confirm(instance), others }
    }
}
