//! One instance: all that is known of it.

use super::{Canvas, history, panel, when};
use crate::model::Instance;
use crate::theme;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// ```text
/// ┌ LibraryService-localhost-5000 ───────────────────────────────────────┐
/// │Status      ● healthy, 3 ms                                           │
/// │URL         http://localhost:5000                                     │
/// │Tags        books, core                                               │
/// │Metadata    zone=a                                                    │
/// │Requires    ● LogService                                              │
/// │History     uptime 99.8 %                                             │
/// │10:42:07  healthy → unhealthy  connect: refused                       │
/// └──────────────────────────────────────────────────────────────────────┘
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let model = canvas.model;
    let muted = model.theme.muted;
    let Some((service, id)) = &model.services.detail else { return };
    let inner = panel::of_source(canvas, area, id, crate::model::SourceName::Registry);
    let Some(instance) = model.services.subject(&model.fleet) else {
        let gone = format!("○ {id} is not registered any more");
        canvas.text(inner, &gone, muted);
        return;
    };
    let cells = usize::from(inner.width).saturating_sub(1);
    let mut lines = facts(canvas, instance, cells);
    lines.push(Line::raw(""));
    lines.extend(history::lines(canvas, service, Some(id), cells));
    let inner = Rect { width: inner.width.saturating_sub(1), ..inner };
    panel::scrolled(canvas, inner, &lines, model.services.scroll);
}

fn facts(canvas: &Canvas<'_>, instance: &Instance, cells: usize) -> Vec<Line<'static>> {
    let (model, theme, now) = (canvas.model, canvas.model.theme, canvas.now);
    let it = &instance.registration;
    let mut lines = Vec::new();
    let status = instance.status;
    let latency = instance.latency.map_or_else(String::new, |ms| format!(", {ms} ms"));
    let said = format!("{} {status}{latency}", theme::glyph(status));
    lines.push(panel::labelled("Status", &said, theme.status(status), theme.muted, cells));
    let mut fact = |label: &str, value: &str| {
        if !value.is_empty() {
            lines.push(panel::labelled(label, value, theme.text, theme.muted, cells));
        }
    };
    fact("Why", instance.detail.as_deref().unwrap_or_default());
    fact("Service", &it.service_name);
    fact("Instance", &it.instance_id);
    fact("URL", &it.service_url);
    fact("Probed at", it.probe_url());
    fact("Version", it.service_version.as_deref().unwrap_or_default());
    let lease = it.ttl_seconds.map_or_else(
        || "none: stays until it is removed".to_owned(),
        |ttl| format!("{ttl}s after each heartbeat"),
    );
    fact("Lease", &lease);
    fact("Registered", &format!("{}, revision {}", when::moment(it.registered_at, now), it.revision));
    fact("Tags", &it.tags.join(", "));
    let metadata: Vec<String> = it.metadata.iter().map(|(key, value)| format!("{key}={value}")).collect();
    fact("Metadata", &metadata.join(", "));
    let requires: Vec<String> = it
        .required_services
        .iter()
        .map(|name| {
            let status = model.fleet.services.iter().find(|s| s.name == *name).map(|s| s.status());
            let glyph = status.map_or("✗", theme::glyph);
            let word = status.map_or("not registered", |status| status.as_str());
            format!("{glyph} {name} ({word})")
        })
        .collect();
    fact("Requires", &requires.join(", "));
    fact("Told at", it.service_update_url.as_deref().unwrap_or_default());
    lines
}
