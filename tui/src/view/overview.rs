//! The overview: how the fleet is, at a glance.

use super::table::{self, Column};
use super::{Canvas, log, panel, waiting, when};
use crate::model::{Service, SourceName};
use crate::theme;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use shared::wire::monitor::Status;

/// The widest sparkline, in cells and so in samples.
const TREND_CELLS: usize = 60;

static COLUMNS: [Column; 8] = [
    Column::new("STATUS", 13),
    Column::new("SERVICE", 18).grow(1),
    Column::new("INST", 4).from(90).right(),
    Column::new("LATENCY", 8).right(),
    Column::new("TREND", 16).grow(2).newest_last(),
    Column::new("UPTIME", 7).right(),
    Column::new("SINCE", 11),
    Column::new("WHY", 20).from(130).grow(3),
];

/// ```text
///  ● 5 healthy  ✗ 1 unhealthy  ○ 0 unknown  ◆ 0 maintenance     revision 17
/// ┌ Services ────────────────────────────────────────────────────────────┐
/// │STATUS        SERVICE         LATENCY TREND             UPTIME SINCE  │
/// │● healthy     LibraryService     3 ms ▁▂▁▁▃▁▁▁          100 %  10:42…│
/// ├ Open incidents ──────────────────────────────────────────────────────┤
/// │✗ LogService since 10:42:07 (12s): connection refused                 │
/// ├ Latest errors ───────────────────────────────────────────────────────┤
/// │10:42:07.123 ERROR LibraryService  the disk is full                   │
/// └──────────────────────────────────────────────────────────────────────┘
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let model = canvas.model;
    let empty = model.fleet.services.is_empty();
    if model.sources.get(SourceName::Registry).is_new() && empty {
        waiting::render(canvas, area);
        return;
    }
    let open = u16::try_from(model.incidents.open()).unwrap_or(u16::MAX);
    let services = u16::try_from(model.fleet.services.len()).unwrap_or(u16::MAX).max(1);
    let incidents = if open == 0 { 0 } else { open.saturating_add(2).min(6) };
    let services = services.saturating_add(3).min(area.height.saturating_sub(1 + incidents + 4));
    let [tally, table, open, errors] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(services),
        Constraint::Length(incidents),
        Constraint::Min(0),
    ])
    .areas(area);
    counts(canvas, tally);
    fleet(canvas, table);
    if incidents > 0 {
        open_incidents(canvas, open);
    }
    latest_errors(canvas, errors);
}

fn counts(canvas: &mut Canvas<'_>, area: Rect) {
    let (theme, tally) = (canvas.model.theme, canvas.model.fleet.tally());
    let mut spans = vec![Span::raw(" ")];
    for (count, status) in [
        (tally.healthy, Status::Healthy),
        (tally.unhealthy, Status::Unhealthy),
        (tally.unknown, Status::Unknown),
        (tally.maintenance, Status::Maintenance),
        (tally.draining, Status::Draining),
    ] {
        let style = if count > 0 { theme.status(status) } else { theme.muted };
        spans.push(Span::styled(format!("{} {count} {status}   ", theme::glyph(status)), style));
    }
    spans.push(Span::styled(format!("revision {}", canvas.model.fleet.revision), theme.muted));
    canvas.line(area, &Line::from(spans));
}

fn fleet(canvas: &mut Canvas<'_>, area: Rect) {
    let (model, theme, now) = (canvas.model, canvas.model.theme, canvas.now);
    let inner = panel::of_source(canvas, area, "Services", SourceName::Monitor);
    if model.fleet.services.is_empty() {
        panel::empty(canvas, inner, SourceName::Registry, "no service is registered");
        return;
    }
    let row = |index: usize| {
        let Some(service) = model.fleet.services.get(index) else { return Vec::new() };
        let status = service.status();
        let health = service.health.as_ref();
        let trend = theme::sparkline(model.fleet.latencies(&service.name), TREND_CELLS);
        vec![
            (format!("{} {status}", theme::glyph(status)), theme.status(status)),
            (service.name.clone(), theme.text),
            (service.instances.to_string(), theme.muted),
            (when::millis(health.and_then(|h| h.latency)), theme.text),
            (trend, theme.key),
            (health.and_then(|h| h.uptime).map_or_else(|| "-".to_owned(), when::percent), theme.text),
            (health.and_then(|h| h.since).map_or_else(String::new, |at| when::moment(at, now)), theme.muted),
            (why(service), theme.status(status)),
        ]
    };
    // What is wrong is never below the edge.
    let first_bad = model.fleet.services.iter().position(|s| s.status() == Status::Unhealthy);
    let around = first_bad.unwrap_or(0);
    let height = usize::from(inner.height.saturating_sub(1));
    let seen = crate::model::window(model.fleet.services.len(), around, height);
    let start = seen.start;
    table::render(canvas, inner, &COLUMNS, seen.len(), None, |index| row(index + start));
}

/// Why a service is not healthy.
fn why(service: &Service) -> String {
    let health = service.health.as_ref().filter(|h| h.status == Status::Unhealthy);
    let reason = health.and_then(|h| h.reason).map(|reason| reason.as_str());
    match (reason, health.and_then(|h| h.detail.as_deref())) {
        (Some(reason), Some(detail)) => format!("{reason}: {detail}"),
        (reason, detail) => reason.or(detail).unwrap_or("").to_owned(),
    }
}

fn open_incidents(canvas: &mut Canvas<'_>, area: Rect) {
    let (model, theme, now) = (canvas.model, canvas.model.theme, canvas.now);
    let inner = panel::of_source(canvas, area, "Open incidents", SourceName::Monitor);
    for (row, incident) in inner.rows().zip(model.incidents.incidents.iter().take(model.incidents.open())) {
        let (since, age) = (when::moment(incident.opened_at, now), when::between(incident.opened_at, now));
        let mut said = format!("✗ {} since {since} ({age})", incident.service);
        if let Some(why) = incident.detail.as_deref().or(incident.reason.map(|reason| reason.as_str())) {
            said = format!("{said}: {why}");
        }
        if !incident.affected.is_empty() {
            said = format!("{said}; with it {}", incident.affected.join(", "));
        }
        canvas.text(row, &said, theme.bad);
    }
}

fn latest_errors(canvas: &mut Canvas<'_>, area: Rect) {
    let model = canvas.model;
    let inner = panel::of_source(canvas, area, "Latest errors", SourceName::Log);
    if model.errors.is_empty() {
        panel::empty(canvas, inner, SourceName::Log, "✓ no error in the log");
        return;
    }
    for (row, record) in inner.rows().zip(model.errors.iter().rev()) {
        log::record_line(canvas, row, record, 0, None);
    }
}
