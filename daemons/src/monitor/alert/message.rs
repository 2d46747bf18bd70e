//! A notification in words.

use shared::sanitize::sanitize;
use shared::span::age;
use shared::wire::alert::{Evidence, Notification, NotificationKind};
use shared::wire::monitor::{Dependent, Effect, IncidentKind, Status};
use std::fmt::Write as _;

/// Services of one kind that the text names.
const NAMED_MAX: usize = 30;

/// Writes title and text anew, from what else the notification says.
pub fn compose(notification: &mut Notification) {
    notification.title = title(notification);
    notification.text = text(notification);
}

fn title(notification: &Notification) -> String {
    let (incident, service) = (&notification.incident, &notification.service);
    let title = match notification.kind {
        NotificationKind::Test => format!("A test of the channel {}", notification.channel),
        NotificationKind::Opened => {
            let state = match incident.kind {
                IncidentKind::Down => "is down",
                IncidentKind::Flapping => "goes up and down",
            };
            let others = match incident.affected.len() {
                0 => String::new(),
                n => format!(", and {n} with it"),
            };
            format!("{service} {state}{others}{}", why(notification))
        }
        NotificationKind::Resolved => {
            let lasted = incident.resolved_at.unwrap_or(notification.at) - incident.opened_at;
            let lasted = age(lasted.to_std().unwrap_or_default());
            let is_well = notification.evidence.as_ref().is_some_and(|e| e.status == Status::Healthy);
            if is_well {
                format!("{service} is well again after {lasted}")
            } else {
                format!("{service}: the incident is over after {lasted}{}", why(notification))
            }
        }
    };
    sanitize(&title).into_owned()
}

fn why(notification: &Notification) -> String {
    let incident = &notification.incident;
    match (incident.reason, &incident.detail) {
        (_, Some(detail)) if notification.kind == NotificationKind::Resolved => format!(": {detail}"),
        (None, None) => String::new(),
        (None, Some(detail)) => format!(": {detail}"),
        (Some(phase), None) => format!(": {}", phase.as_str()),
        (Some(phase), Some(detail)) => format!(": {}: {detail}", phase.as_str()),
    }
}

fn text(notification: &Notification) -> String {
    let incident = &notification.incident;
    let mut lines = vec![notification.title.clone()];
    if incident.service != notification.service {
        lines.push(format!("The root turned out to be {}.", incident.service));
    }
    let of = |effect: Effect, own: bool| {
        let fits = move |d: &&Dependent| d.effect == effect && d.own_cause == own;
        incident.dependents.iter().filter(fits).map(|d| d.service.as_str()).collect::<Vec<_>>()
    };
    name("Down with it", &incident.affected.iter().map(String::as_str).collect::<Vec<_>>(), &mut lines);
    name("At risk", &of(Effect::AtRisk, false), &mut lines);
    name("Down for a cause of their own", &of(Effect::Down, true), &mut lines);
    if let Some(evidence) = &notification.evidence {
        describe(evidence, notification.kind, &mut lines);
    }
    lines.push(match notification.kind {
        NotificationKind::Test => "Nothing is wrong: somebody tries whether notifications arrive.".to_owned(),
        _ => format!("Incident {}, opened {}", incident.id, second(incident.opened_at)),
    });
    lines.push(notification.url.clone());
    let lines: Vec<_> = lines.iter().map(|line| sanitize(line)).collect();
    lines.join("\n")
}

fn name(what: &str, services: &[&str], lines: &mut Vec<String>) {
    let named: Vec<&str> = services.iter().take(NAMED_MAX).copied().collect();
    match services.len() - named.len() {
        _ if named.is_empty() => {}
        0 => lines.push(format!("{what}: {}", named.join(", "))),
        more => lines.push(format!("{what}: {} and {more} more", named.join(", "))),
    }
}

fn describe(evidence: &Evidence, kind: NotificationKind, lines: &mut Vec<String>) {
    let ms = |value: Option<u64>| value.map_or_else(|| "unknown".to_owned(), |ms| format!("{ms} ms"));
    let mut probe = match (evidence.phase, &evidence.detail) {
        (Some(phase), Some(detail)) => format!("Probe: failed in the phase {}: {detail}", phase.as_str()),
        (None, Some(detail)) => format!("Probe: {detail}"),
        _ => format!("Probe: {}", evidence.status),
    };
    let _ = write!(probe, "; latency {}, last good {}", ms(evidence.latency), ms(evidence.last_good_latency));
    let in_a_row = evidence.streak.unsigned_abs();
    let _ = write!(probe, "; {in_a_row} in a row");
    if let Some(since) = evidence.since {
        let _ = write!(probe, "; {} since {}", evidence.status, second(since));
    }
    lines.push(probe);
    lines.push(format!("Lease: {}", evidence.verdict));
    for instance in &evidence.instances {
        let why = instance.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
        let (id, url, status, lease) =
            (&instance.instance_id, &instance.url, instance.status, instance.lease.as_str());
        lines.push(format!("Instance {id} {url} {status}, lease {lease}{why}"));
    }
    if kind != NotificationKind::Opened {
        return;
    }
    match &evidence.log_missing {
        Some(why) => lines.push(format!("No log records: {why}")),
        None if evidence.log.is_empty() => lines.push("No log records of it before that.".to_owned()),
        None => lines.push("The last log records before that:".to_owned()),
    }
    for record in &evidence.log {
        let ts = record.ts.format("%Y-%m-%dT%H:%M:%S%.3fZ");
        lines.push(format!("  {ts} {:>5} {}", record.level.as_upper(), record.message));
    }
}

fn second(at: chrono::DateTime<chrono::Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// At most so many bytes of a text, whole characters and with a mark where it
/// was cut.
pub fn cut(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes_max.saturating_sub('…'.len_utf8()));
    format!("{}…", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_who_is_down_with_it_and_who_is_not_down_for_it() {
        let now = chrono::DateTime::UNIX_EPOCH;
        let mut sample = super::super::sample("ops", NotificationKind::Opened, "http://m".to_owned(), now);
        let dependent = |service: &str, effect, own_cause| Dependent {
            service: service.to_owned(),
            effect,
            since: None,
            reason: None,
            own_cause,
        };
        sample.incident.affected = (0..40).map(|n| format!("a{n}")).collect();
        sample.incident.dependents = vec![
            dependent("a0", Effect::Down, false),
            dependent("risky", Effect::AtRisk, false),
            dependent("own\x1b", Effect::Down, true),
        ];
        compose(&mut sample);
        assert_eq!(
            sample.title,
            "sample is down, and 40 with it: connect: Connection refused (os error 111)"
        );
        for said in
            ["a29 and 10 more", "At risk: risky\n", "Down for a cause of their own: own\\x1b\n", "Lease: "]
        {
            assert!(sample.text.contains(said), "{said}: {}", sample.text);
        }
        sample.incident.kind = IncidentKind::Flapping;
        compose(&mut sample);
        assert!(sample.title.starts_with("sample goes up and down, and 40"), "{}", sample.title);
    }
}
