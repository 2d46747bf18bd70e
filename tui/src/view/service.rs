//! One instance, and the service that it is part of: all that is known of them.

use super::{Canvas, evidence, panel, when};
use crate::figures;
use crate::model::{Instance, SourceName};
use crate::text;
use crate::theme;
use ratatui::layout::Rect;
use ratatui::text::Line;
use shared::span;
use shared::wire::monitor::{Maintenance, MaintenanceMode};
use std::time::Duration;

/// ```text
/// ┌ LibraryService-localhost-5000 ───────────────────────────────────────┐
/// │Status      ● healthy, 3 ms                                           │
/// │URL         http://localhost:5000                                     │
/// │Lease       12s left of 15s, renewed 3s ago                           │
/// │Tags        books, core                                               │
/// │Metadata    rack=7                                                    │
/// │            zone=a                                                    │
/// │Requires    ● LogService                                              │
/// │Instances                                                             │
/// │● LibraryService-localhost-5000  3 ms                                 │
/// │Why                                                                   │
/// │LibraryService is healthy since 10:37:57.                             │
/// └──────────────────────────────────────────────────────────────────────┘
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let model = canvas.model;
    let Some((service, id)) = &model.services.detail else { return };
    let inner = panel::of_source(canvas, area, id, SourceName::Registry);
    let (subject, scroll) = (model.services.subject(&model.fleet), model.services.scroll);
    let left = |canvas: &Canvas<'_>, cells| {
        let own = match subject {
            Some(instance) => facts(canvas, instance, cells),
            None => {
                let gone = format!("○ {id} is not registered any more");
                vec![Line::styled(text::clip(&gone, cells), model.theme.muted)]
            }
        };
        vec![own, siblings(canvas, service, id, cells), evidence::why(canvas, service, cells)]
    };
    let right = |canvas: &Canvas<'_>, cells| {
        vec![
            evidence::uptime(canvas, service, cells),
            evidence::latency(canvas, service, Some(id), cells),
            evidence::timeline(canvas, service, cells),
            evidence::last_probes(canvas, service, Some(id), cells),
        ]
    };
    evidence::columns(canvas, inner, scroll, left, right);
}

fn facts(canvas: &Canvas<'_>, instance: &Instance, cells: usize) -> evidence::Block {
    let (model, theme, now) = (canvas.model, canvas.model.theme, canvas.now);
    let it = &instance.registration;
    let mut lines = Vec::new();
    let status = instance.status;
    let latency = instance.latency.map_or_else(String::new, |ms| format!(", {ms} ms"));
    let said = format!("{} {status}{latency}", theme::glyph(status));
    lines.push(panel::labelled("Status", &said, theme.status(status), theme.muted, cells));
    let mut fact = |label: &str, value: &str| {
        if !value.is_empty() {
            lines.extend(panel::labelled_lines(label, value, theme.text, theme.muted, cells));
        }
    };
    fact("Reason", instance.detail.as_deref().unwrap_or_default());
    let held = |id| model.fleet.maintenance(&it.service_name, id);
    for maintenance in [held(None), held(Some(it.instance_id.as_str()))].into_iter().flatten() {
        fact("Maintenance", &maintained(canvas, maintenance));
    }
    fact("Service", &it.service_name);
    fact("Instance", &it.instance_id);
    fact("URL", &it.service_url);
    fact("Probed at", it.probe_url());
    fact("Version", it.service_version.as_deref().unwrap_or_default());
    fact("Lease", &lease(canvas, instance));
    fact("Registered", &format!("{}, revision {}", when::moment(it.registered_at, now), it.revision));
    fact("Tags", &it.tags.join(", "));
    let metadata = it.metadata.iter().map(|(key, value)| format!("{key}={value}"));
    for (at, pair) in metadata.enumerate() {
        fact(if at == 0 { "Metadata" } else { "" }, &pair);
    }
    let requires: Vec<String> = it.required_services.iter().map(|name| listed(canvas, name)).collect();
    fact("Requires", &requires.join(", "));
    let required_by = model.fleet.requirers_of(&it.service_name);
    let required_by: Vec<String> = required_by.into_iter().map(|name| listed(canvas, name)).collect();
    fact("Required by", &required_by.join(", "));
    fact("Told at", it.service_update_url.as_deref().unwrap_or_default());
    lines
}

/// A service's name with its state, as glyph and word.
fn listed(canvas: &Canvas<'_>, name: &str) -> String {
    match canvas.model.fleet.service(name).map(crate::model::Service::status) {
        Some(status) => format!("{} {name} ({status})", theme::glyph(status)),
        None => format!("✗ {name} (not registered)"),
    }
}

/// What an operator says of it.
fn maintained(canvas: &Canvas<'_>, maintenance: &Maintenance) -> String {
    let (glyph, what) = match maintenance.mode {
        MaintenanceMode::Maintenance => ("◆", "under maintenance"),
        MaintenanceMode::Drain => ("▽", "drained"),
    };
    let whose = if maintenance.instance.is_some() { "" } else { ", the whole service" };
    let mut said = format!("{glyph} {what}{whose}");
    if !maintenance.owner.is_empty() {
        said = format!("{said}, by {}", maintenance.owner);
    }
    if let Some(until) = maintenance.until {
        said = format!("{said}, until {}", when::moment(until, canvas.now));
    }
    if !maintenance.reason.is_empty() {
        said = format!("{said}: {}", maintenance.reason);
    }
    said
}

/// How the lease stands, counted down.
fn lease(canvas: &Canvas<'_>, instance: &Instance) -> String {
    let Some(ttl) = instance.registration.ttl_seconds else {
        return "none: stays until it is removed".to_owned();
    };
    let Some(lease) = &canvas.model.services.lease else {
        return format!("{ttl}s after each heartbeat");
    };
    let renewed = when::between(lease.status.renewed_at, canvas.now);
    match (lease.left(canvas.now), lease.status.held_until) {
        (Some(left), None) if left > 0.0 => {
            let left = span::age(Duration::from_secs_f64(left));
            format!("{left} left of {ttl}s, renewed {renewed} ago")
        }
        (_, Some(until)) => {
            let until = when::moment(until, canvas.now);
            format!("▲ over, held by the registry until {until}; renewed {renewed} ago")
        }
        (_, None) => format!("✗ over, renewed {renewed} ago"),
    }
}

/// All instances of the service, this one marked.
fn siblings(canvas: &Canvas<'_>, service: &str, id: &str, cells: usize) -> evidence::Block {
    let theme = canvas.model.theme;
    let mut lines = vec![Line::styled("Instances", theme.title)];
    for instance in canvas.model.fleet.instances_of(service) {
        let (status, of) = (instance.status, &instance.registration.instance_id);
        let mark = if of == id { "▸" } else { " " };
        let latency = figures::millis(instance.latency);
        let said = format!("{mark}{} {status:<11} {latency:>7}  {of}", theme::glyph(status));
        lines.push(Line::styled(text::clip(&said, cells), theme.status(status)));
    }
    lines
}
