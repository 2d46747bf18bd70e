//! An explanation in sentences.

use super::super::service::Service;
use super::super::state::State;
use super::in_words;
use crate::runtime::listing::counted;
use chrono::{DateTime, Utc};
use shared::span::age;
use shared::wire::monitor::{
    Explanation, IncidentKind, InstanceExplanation, Maintenance, MaintenanceMode, Part, Status,
};

pub fn of(explanation: &Explanation, state: &State, service: &Service, now: DateTime<Utc>) -> Vec<String> {
    let record = &service.record;
    let mut words = Vec::new();
    let ago = age((now - record.since).to_std().unwrap_or_default());
    let why = match (record.reason, &record.detail) {
        (Some(phase), Some(detail)) => format!(", for {}: {detail}", phase.as_str()),
        (None, Some(detail)) => format!(", for {detail}"),
        _ => String::new(),
    };
    words.push(format!("{} has been {} for {ago}{why}.", explanation.service, record.status));
    if let Some(steady) = record.flaps.steady_at(state.rules.flaps) {
        words.push(format!(
            "It flaps: {}; it is steady if nothing changes for {}.",
            state.words_of_flapping(),
            in_words(steady, now)
        ));
    }
    words.extend(explanation.maintenance.iter().map(|maintenance| of_maintenance(maintenance, now)));
    words.extend(explanation.instances.iter().flat_map(|instance| of_instance(instance, now)));
    for required in &explanation.requires {
        words.push(match required.status {
            Some(status) => format!("It requires {}, which is {status}.", required.service),
            None => format!("It requires {}, which is not listed.", required.service),
        });
    }
    match (&explanation.incident, &explanation.waits_for) {
        (Some(part), _) => words.push(of_part(part, &explanation.service, state)),
        (None, Some(wait)) => words.push(format!("It has no incident: {wait}.")),
        (None, None) => {}
    }
    words
}

fn of_maintenance(maintenance: &Maintenance, now: DateTime<Utc>) -> String {
    let whose =
        maintenance.instance.as_ref().map_or_else(|| "It".to_owned(), |id| format!("Its instance {id}"));
    let starts = maintenance.since.filter(|since| *since > now);
    let what = match (maintenance.mode, starts) {
        (MaintenanceMode::Maintenance, None) => "is under maintenance".to_owned(),
        (MaintenanceMode::Drain, None) => "is drained".to_owned(),
        (MaintenanceMode::Maintenance, Some(at)) => {
            format!("will be under maintenance in {}", in_words(at, now))
        }
        (MaintenanceMode::Drain, Some(at)) => format!("will be drained in {}", in_words(at, now)),
    };
    let mut text = format!("{whose} {what}");
    if !maintenance.owner.is_empty() {
        text.push_str(&format!(" by {}", maintenance.owner));
    }
    if !maintenance.reason.is_empty() {
        text.push_str(&format!(": {}", maintenance.reason));
    }
    match maintenance.until {
        Some(until) => text.push_str(&format!("; that ends in {}.", in_words(until, now))),
        None => text.push_str("; until that is taken away."),
    }
    text
}

fn of_instance(instance: &InstanceExplanation, now: DateTime<Utc>) -> Vec<String> {
    let id = &instance.instance_id;
    let lease = match (instance.lease.as_str(), instance.lease_seconds) {
        ("held", Some(seconds)) => format!("its lease of {seconds}s is held"),
        ("expired", _) => "its lease expired, so that it is not probed".to_owned(),
        ("configured", _) => "the configuration names it".to_owned(),
        _ => "it is registered without a lease".to_owned(),
    };
    let how = match instance.probe.as_str() {
        "lease" => "is not probed".to_owned(),
        "push" => "reports by itself".to_owned(),
        "config" => "has a probe that makes no sense".to_owned(),
        kind => format!("is probed by {kind} at {}", instance.url),
    };
    let mut words = vec![format!("Instance {id} {how}; {lease}.")];
    // Whoever has lost its lease is down whatever its last probes found.
    if let Some(streak) = streak(instance, now).filter(|_| instance.lease != "expired") {
        words.push(format!("Instance {id}: {streak}."));
    }
    if let Some(last) = instance.probes.first() {
        let ago = age((now - last.at).to_std().unwrap_or_default());
        let result = match (last.reason, &last.detail, last.latency) {
            (Some(phase), Some(detail), _) => format!("failed in phase {}: {detail}", phase.as_str()),
            (_, _, Some(ms)) => format!("went well in {ms} ms"),
            _ => "went well".to_owned(),
        };
        words.push(format!("Instance {id}: the last probe, {ago} ago, {result}."));
    }
    if let Some(next) = instance.next {
        let left = in_words(next, now);
        words.push(match instance.probe.as_str() {
            "push" => format!("Instance {id}: it may be silent for {left} more."),
            _ => format!("Instance {id}: the next probe is in about {left}."),
        });
    }
    words
}

/// How many of how many, and what then.
fn streak(instance: &InstanceExplanation, now: DateTime<Utc>) -> Option<String> {
    let (failures, successes) = (instance.failures_needed, instance.successes_needed);
    let count = instance.streak.unsigned_abs();
    let make = |count: u32| if count == 1 { "makes" } else { "make" };
    match (instance.probed, instance.streak) {
        (_, 0) => None,
        (Status::Pending, _) => Some(format!(
            "{} in a row; it has not been well since it came, and can be unhealthy in {} at the earliest",
            counted(count, "failure", "failures"),
            instance.pending_until.map_or_else(String::new, |until| in_words(until, now)),
        )),
        (Status::Unhealthy, streak) if streak > 0 => Some(format!(
            "{count} of {} in a row that {} it healthy again",
            counted(successes, "success", "successes"),
            make(successes)
        )),
        (Status::Unhealthy, _) => Some(format!(
            "{} in a row, {failures} {} it unhealthy",
            counted(count, "failure", "failures"),
            make(failures)
        )),
        (_, streak) if streak < 0 => Some(format!(
            "{count} of {} in a row that {} it unhealthy",
            counted(failures, "failure", "failures"),
            make(failures)
        )),
        _ => Some(format!("{} in a row", counted(count, "success", "successes"))),
    }
}

fn of_part(part: &Part, service: &str, state: &State) -> String {
    let about = match part.kind {
        IncidentKind::Down => "incident",
        IncidentKind::Flapping => "incident (flapping)",
    };
    if part.root == service {
        let with = state.open.get(&part.id).map_or(0, |incident| incident.affected.len());
        let with = if with == 0 {
            String::new()
        } else {
            format!("; {} failed with it", counted(with, "has", "have"))
        };
        format!("It is the root of {about} {}{with}.", part.id)
    } else {
        format!("It is part of {about} {}, whose root is {}.", part.id, part.root)
    }
}
