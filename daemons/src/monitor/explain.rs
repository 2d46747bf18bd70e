//! Why a service has the status that it has: drawn from the state, with the
//! last probes from the store. Pure.

mod words;

use super::incident::{Wait, holders, judge};
use super::service::Instance;
use super::state::State;
use crate::runtime::probe::Kind;
use chrono::{DateTime, TimeDelta, Utc};
use shared::credentials::without_password;
use shared::span::age;
use shared::wire::monitor::{Explanation, InstanceExplanation, Part, ProbeRecord, Required, Status};
use std::time::Duration;

/// Probes that are told of one instance.
pub const PROBES_TOLD: usize = 5;

impl State {
    /// Why a service has its status, if it is listed. `probes` are its last
    /// ones, newest first.
    pub fn explain(&self, name: &str, probes: &[ProbeRecord], now: DateTime<Utc>) -> Option<Explanation> {
        let service = self.services.get(name)?;
        let record = &service.record;
        let requires = service.requires().into_iter().map(|required| Required {
            service: required.to_owned(),
            status: self.services.get(required).map(|required| required.record.status),
        });
        let part = self.open.values().find(|incident| incident.service == name).or_else(|| {
            let down_with = |dependent: &shared::wire::monitor::Dependent| {
                dependent.service == name
                    && dependent.effect == shared::wire::monitor::Effect::Down
                    && !dependent.own_cause
            };
            self.open.values().find(|incident| incident.dependents.iter().any(down_with))
        });
        let mut explanation = Explanation {
            service: name.to_owned(),
            status: record.status,
            since: record.since,
            flapping: record.flaps.since().is_some(),
            words: Vec::new(),
            instances: service
                .instances
                .iter()
                .map(|(id, instance)| self.explain_instance((name, id), instance, probes, now))
                .collect(),
            requires: requires.collect(),
            incident: part.map(|incident| Part {
                id: incident.id,
                kind: incident.kind,
                root: incident.service.clone(),
                opened_at: incident.opened_at,
            }),
            waits_for: if part.is_none() { self.waits_for(name, now) } else { None },
            maintenance: self.maintenance.of(name).cloned().collect(),
        };
        explanation.words = words::of(&explanation, self, service, now);
        Some(explanation)
    }

    fn explain_instance(
        &self,
        (name, id): (&str, &str),
        instance: &Instance,
        probes: &[ProbeRecord],
        now: DateTime<Utc>,
    ) -> InstanceExplanation {
        let check = &instance.check;
        let thresholds = instance.thresholds(self.rules.thresholds);
        let registration = self.fleet.as_ref().and_then(|fleet| fleet.get(name, id));
        let lease_seconds = registration.and_then(|registration| registration.ttl_seconds);
        let span = |span| TimeDelta::from_std(span).unwrap_or_default();
        let next = match instance.spec.kind {
            _ if instance.lost => None,
            Kind::Lease => None,
            Kind::Push => Some(now + span(self.may_be_silent(instance))),
            // It is due by when the last one began; one in between, by when that ended.
            _ => check.last_check.map(|at| {
                let took = check.took.and_then(|ms| TimeDelta::try_milliseconds(i64::try_from(ms).ok()?));
                let usual = at - took.unwrap_or_default() + span(self.interval(instance));
                self.confirm(instance).map_or(usual, |pause| usual.min(at + span(pause)))
            }),
        };
        InstanceExplanation {
            instance_id: id.to_owned(),
            url: without_password(&instance.probe_url).into_owned(),
            probe: instance.spec.kind.as_str().to_owned(),
            status: instance.status(),
            probed: check.status,
            since: check.since,
            lease: match (instance.lost, instance.configured, lease_seconds) {
                (true, ..) => "expired",
                (_, true, _) => "configured",
                (.., Some(_)) => "held",
                _ => "none",
            }
            .to_owned(),
            lease_seconds,
            streak: check.streak,
            pending_until: check.pending_until(thresholds).filter(|_| check.status == Status::Pending),
            failures_needed: thresholds.failures,
            successes_needed: thresholds.successes,
            next,
            probes: probes.iter().filter(|p| p.instance_id == id).take(PROBES_TOLD).cloned().collect(),
        }
    }

    /// Why there is no incident although the service is down.
    fn waits_for(&self, name: &str, now: DateTime<Utc>) -> Option<String> {
        let flapping = self.words_of_flapping();
        let graph = self.graph(&flapping, now);
        let verdict = judge(&graph, &holders(&self.open), now);
        let record = self.services.get(name).map(|service| &service.record);
        Some(match verdict.waits.get(name)? {
            Wait::Excused => {
                let left = record.and_then(|record| record.excused_until).map(|until| in_words(until, now));
                let for_how_long = left.map_or_else(String::new, |left| format!(" for {left}"));
                format!("the cause is gone, and it is given time to recover{for_how_long}")
            }
            Wait::Wavering(other) => {
                format!("{other}, which it requires, fails too, but not yet often enough to be called down")
            }
            Wait::Unseen(other) => {
                format!("{other}, which it requires, has not been probed since the failures began")
            }
            Wait::Planned(other) => {
                format!(
                    "{other}, which it requires, is under maintenance or drained: nobody is paged for that"
                )
            }
        })
    }
}

/// From now to a moment that is to come, in words.
fn in_words(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    age((at - now).to_std().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests;
