//! The snapshot as aligned text: whatever things are called, a line each.

use super::{Row, Snapshot};
use crate::output::Looks;
use crate::{figures, text, theme};
use chrono::SecondsFormat;
use shared::span;
use shared::wire::monitor::{Incident, Status};
use std::fmt::Write as _;

/// The widest that names may be, in cells.
const NAME_CELLS_MAX: usize = 40;

/// ```text
/// SERVICE        STATUS        INST LATENCY UPTIME  WHY
/// LibraryService ● healthy        1    3 ms   100 %
/// LogService     ✗ unhealthy      1       -  98.7 % connect: Connection refused
///
/// INCIDENT       SINCE                      WHY
/// LogService     2026-11-22T10:37:57Z (4m)  Connection refused; with it LibraryService
///
/// registry ● answers
/// monitor  ● answers
/// log      ✗ does not answer: Connection refused
/// library  ● answers
/// ```
pub(super) fn text(snapshot: &Snapshot, looks: Looks) -> String {
    let mut out = String::new();
    services(&mut out, &snapshot.services, looks);
    if let Some(open @ [_, ..]) = snapshot.open_incidents.as_deref() {
        incidents(&mut out, open, snapshot, looks);
    }
    out.push('\n');
    for (name, source) in snapshot.daemons() {
        let (status, said) = match &source.error {
            None => (Status::Healthy, "answers".to_owned()),
            Some(error) => (Status::Unhealthy, format!("does not answer: {}", text::clean(error))),
        };
        line(&mut out, &format!("{name:<8} {}", marked(status, &said, looks)));
    }
    out
}

fn services(out: &mut String, services: &[Row], looks: Looks) {
    if services.is_empty() {
        line(out, "no service is registered");
        return;
    }
    let cells = name_cells(services.iter().map(|row| row.name.as_str()));
    let status_cells = if looks.glyphs { 13 } else { 11 };
    let head =
        format!("{} {:<status_cells$} INST LATENCY UPTIME  WHY", text::fit("SERVICE", cells), "STATUS");
    line(out, &head);
    for row in services {
        let latency = figures::millis(row.latency);
        let uptime = figures::percent_or_none(row.uptime);
        let why = match row.status {
            Status::Healthy => String::new(),
            _ => figures::reason(row.reason, row.detail.as_deref()),
        };
        let status = marked(row.status, &format!("{:<11}", row.status), looks);
        let (name, why) = (text::fit(&row.name, cells), text::clean(&why));
        line(out, &format!("{name} {status} {:>4} {latency:>7} {uptime:>7} {why}", row.instances));
    }
}

fn incidents(out: &mut String, open: &[Incident], snapshot: &Snapshot, looks: Looks) {
    let cells = name_cells(open.iter().map(|incident| incident.service.as_str()));
    out.push('\n');
    line(out, &format!("{} {:<27} WHY", text::fit("INCIDENT", cells), "SINCE"));
    for incident in open {
        let age = (snapshot.as_of - incident.opened_at).to_std().unwrap_or_default();
        let at = incident.opened_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let since = format!("{at} ({})", span::age(age));
        let reason = incident.reason.map(|reason| reason.as_str());
        let mut why = incident.detail.as_deref().or(reason).unwrap_or_default().to_owned();
        if !incident.affected.is_empty() {
            let _ = write!(why, "; with it {}", incident.affected.join(", "));
        }
        if let Some(taken_up) = &incident.acknowledged {
            let _ = write!(why, "; {} looks after it", taken_up.by);
        }
        let name = painted(Status::Unhealthy, &text::fit(&incident.service, cells), looks);
        line(out, &format!("{name} {since:<27} {}", text::clean(&why)));
    }
    if let Some(total) = snapshot.open_incidents_total.filter(|total| *total > open.len()) {
        line(out, &format!("({} of {total} open incidents)", open.len()));
    }
}

fn name_cells<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    names.map(|name| text::width(&text::clean(name)).min(NAME_CELLS_MAX)).max().unwrap_or(0).max(8)
}

/// Nothing stands at the end of a line that is not seen.
fn line(out: &mut String, line: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(out, "{}", line.trim_end());
}

fn marked(status: Status, said: &str, looks: Looks) -> String {
    if looks.glyphs {
        painted(status, &format!("{} {said}", theme::glyph(status)), looks)
    } else {
        painted(status, said, looks)
    }
}

fn painted(status: Status, said: &str, looks: Looks) -> String {
    let colour = match status {
        Status::Healthy => "\x1b[32m",
        Status::Unhealthy => "\x1b[1;31m",
        Status::Unknown => "\x1b[2m",
        Status::Pending => "\x1b[33m",
        Status::Maintenance => "\x1b[35m",
        Status::Draining => "\x1b[33m",
    };
    if looks.colours { format!("{colour}{said}\x1b[0m") } else { said.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::{Row, Snapshot, Source};
    use super::*;
    use serde_json::json;

    fn snapshot() -> Snapshot {
        let source = |error: Option<&str>| Source {
            url: "http://localhost:1".to_owned(),
            reachable: error.is_none(),
            error: error.map(ToOwned::to_owned),
        };
        let row = |name: &str, status| Row {
            name: name.to_owned(),
            status,
            instances: 1,
            latency: Some(3),
            uptime: Some(0.987),
            since: None,
            reason: None,
            detail: Some("Connection\x1b refused".to_owned()),
        };
        let incident = json!({
            "id": 3, "service": "LogService", "opened_at": "2026-11-22T10:37:57Z", "resolved_at": null,
            "reason": null, "detail": "Connection refused", "affected": ["Library\x1bService"],
            "acknowledged": {"by": "ann", "at": "2026-11-22T10:40:00Z"},
        });
        Snapshot {
            as_of: "2026-11-22T10:41:57Z".parse().unwrap(),
            healthy: false,
            registry: source(None),
            monitor: source(None),
            log: source(Some("Connection refused")),
            library: source(None),
            services: vec![row("LibraryService", Status::Healthy), row("LogService", Status::Unhealthy)],
            open_incidents: Some(vec![serde_json::from_value(incident).unwrap()]),
            open_incidents_total: Some(1),
        }
    }

    #[test]
    fn a_pipe_gets_words_and_a_terminal_glyphs_and_colours_too() {
        let want = "\
SERVICE        STATUS      INST LATENCY UPTIME  WHY
LibraryService healthy        1    3 ms  98.7 %
LogService     unhealthy      1    3 ms  98.7 % Connection\\x1b refused

INCIDENT   SINCE                       WHY
LogService 2026-11-22T10:37:57Z (4m)   Connection refused; with it Library\\x1bService; ann looks after it

registry answers
monitor  answers
log      does not answer: Connection refused
library  answers
";
        let plain = text(&snapshot(), Looks { glyphs: false, colours: false });
        assert_eq!(plain, want);
        let with_glyphs = text(&snapshot(), Looks { glyphs: true, colours: false });
        assert!(with_glyphs.contains("LogService     ✗ unhealthy      1"), "{with_glyphs}");
        let coloured = text(&snapshot(), Looks { glyphs: true, colours: true });
        assert!(coloured.contains("log      \x1b[1;31m✗ does not answer: Connection refused\x1b[0m"));
    }
}
