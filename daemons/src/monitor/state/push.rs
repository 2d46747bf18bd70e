//! Instances that report by themselves: what they say, and their silence.

use super::super::batch::Batch;
use super::super::service::Instance;
use super::State;
use crate::runtime::probe::{Failure, Kind, Outcome};
use chrono::{DateTime, Utc};
use shared::span::Span;
use shared::wire::monitor::Phase;
use std::time::Duration;

/// The most time to repeat a report that was due while the monitor restarted.
const REPEAT_MAX: Duration = Duration::from_secs(30);

/// Why a report is not taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unheard {
    /// No such service is listed.
    UnknownService,
    /// It has no such instance, or the instance has to be named.
    UnknownInstance,
    /// It is probed, and does not report by itself.
    NotPush,
}

impl State {
    /// Takes up what an instance reports of itself; without a name it is the
    /// only one of its service that does so.
    pub fn hear(
        &mut self,
        name: &str,
        id: Option<&str>,
        failure: Option<Failure>,
        now: DateTime<Utc>,
        batch: &mut Batch,
    ) -> Result<(), Unheard> {
        let service = self.services.get(name).ok_or(Unheard::UnknownService)?;
        let is_push = |id: &&String| {
            service.instances.get(*id).is_some_and(|instance| matches!(instance.spec.kind, Kind::Push))
        };
        let id = match id {
            Some(id) => {
                let (id, _) = service.instances.get_key_value(id).ok_or(Unheard::UnknownInstance)?;
                Some(id).filter(is_push).ok_or(Unheard::NotPush)?
            }
            None => {
                let mut reporting = service.instances.keys().filter(is_push);
                let only = reporting.next().ok_or(Unheard::NotPush)?;
                if reporting.next().is_some() {
                    return Err(Unheard::UnknownInstance);
                }
                only
            }
        };
        let outcome = Outcome { latency: Duration::ZERO, failure, warning: None };
        self.observe(name, &id.clone(), &outcome, now, batch);
        Ok(())
    }

    /// How long an instance that reports by itself may be silent from now on.
    pub(in super::super) fn may_be_silent(&self, instance: &Instance) -> Duration {
        let silent = instance.silent_before + self.listened.saturating_sub(instance.heard);
        self.interval(instance).saturating_sub(silent)
    }

    /// Counts the silence of every instance from its last report, or the last time
    /// it was missed, over the restart of the monitor: one that restarts more often
    /// than a job reports still misses the job. A report that has just become due
    /// may have found the monitor away: it can be repeated for a tenth of the
    /// interval, at most [`REPEAT_MAX`], from when it was due.
    pub(in super::super) fn carry_silence(&mut self, now: DateTime<Utc>) {
        let usual = self.rules.interval;
        for instance in self.services.values_mut().flat_map(|service| service.instances.values_mut()) {
            let Some(last) = instance.check.last_check.or(instance.seen) else { continue };
            let interval = instance.spec.interval.unwrap_or(usual);
            let silent = (now - last).to_std().unwrap_or_default();
            let due = if silent < interval { interval } else { interval + (interval / 10).min(REPEAT_MAX) };
            instance.silent_before = interval.saturating_sub(due.saturating_sub(silent));
        }
    }

    /// An instance that has not reported for longer than it may has failed; and
    /// again after as long. Time that the process stood still does not count:
    /// `passed` is the time between two looks, and however long a look was held up
    /// it counts as little more than one.
    pub(super) fn hear_silence(&mut self, passed: Duration, now: DateTime<Utc>, batch: &mut Batch) {
        self.listened += passed;
        let mut silent = Vec::new();
        for (name, service) in &self.services {
            for (id, instance) in service.instances.iter().filter(|(_, instance)| !instance.lost) {
                let (Kind::Push, Some(period)) = (&instance.spec.kind, instance.spec.interval) else {
                    continue;
                };
                if self.may_be_silent(instance).is_zero() {
                    silent.push((name.clone(), id.clone(), period));
                }
            }
        }
        for (name, id, period) in silent {
            let detail = format!("it has not reported for {}", Span(period));
            let failure = Some(Failure::new(Phase::Push, detail));
            let outcome = Outcome { latency: Duration::ZERO, failure, warning: None };
            self.observe(&name, &id, &outcome, now, batch);
        }
    }
}
