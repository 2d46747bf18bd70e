//! The overview: how the fleet is, at a glance.

use super::table::{self, Column};
use super::{Canvas, graph, log, panel, volume, waiting, when};
use crate::model::{Service, SourceName};
use crate::text;
use crate::theme;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use shared::wire::monitor::Status;

/// The widest sparkline, in cells and so in samples.
const TREND_CELLS: usize = 60;
/// The width from which on there are two columns.
const BESIDE_FROM: u16 = 110;
/// The height from which on the graph has a place in one column.
const GRAPH_FROM: u16 = 36;

static COLUMNS: [Column; 8] = [
    Column::new("STATUS", 13),
    Column::new("SERVICE", 18).grow(1),
    Column::new("INST", 4).from(70).right(),
    Column::new("LATENCY", 7).right(),
    Column::new("TREND", 8).grow(2).newest_last(),
    Column::new("UPTIME", 7).right(),
    Column::new("SINCE", 11),
    Column::new("WHY", 20).from(110).grow(3),
];

/// ```text
///  ● 5 healthy  ✗ 1 unhealthy  ○ 0 unknown  ◆ 0 maintenance     revision 17
/// ┌ Services ─────────────────────────────┐┌ Log of the last hour: 3 401 ─┐
/// │STATUS      SERVICE       TREND  UPTIME ││ERROR     12 ▁▁▁▁▂▁▁          │
/// │● healthy   LibraryServi… ▁▂▁▁▃  100 %  ││INFO   3 389 ▅▆▇▅▆▇           │
/// ├ Latest errors ────────────────────────┤├ Open incidents ──────────────┤
/// │10:42:07.123 ERROR Library…  disk full ││✗ LogService since 10:42:07   │
/// │                                       │├ Who depends on whom ─────────┤
/// │                                       ││✗ LogService ◀ root           │
/// │                                       ││└─ ✗ LibraryService           │
/// └───────────────────────────────────────┘└──────────────────────────────┘
/// ```
///
/// In one column it is services, incidents, volume and errors, and the graph
/// where there is room.
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let model = canvas.model;
    let empty = model.fleet.services.is_empty();
    if model.sources.get(SourceName::Registry).is_new() && empty {
        waiting::render(canvas, area);
        return;
    }
    let [tally, area] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    counts(canvas, tally);
    let services = u16::try_from(model.fleet.services.len()).unwrap_or(u16::MAX).max(1).saturating_add(3);
    let open = u16::try_from(model.incidents.open()).unwrap_or(u16::MAX);
    if area.width >= BESIDE_FROM {
        beside(canvas, area, services, open);
    } else {
        below(canvas, area, services, open);
    }
}

/// Two columns: on the left what is, on the right what happens.
fn beside(canvas: &mut Canvas<'_>, area: Rect, services: u16, open: u16) {
    let [left, right] =
        Layout::horizontal([Constraint::Percentage(58), Constraint::Percentage(42)]).areas(area);
    let services = services.min(left.height.saturating_sub(6));
    let [table, errors] = Layout::vertical([Constraint::Length(services), Constraint::Min(0)]).areas(left);
    // Four lines or more for each level, as far as there is room.
    let hour = if right.height >= 40 { 10 } else { 6 };
    let incidents = open.max(1).saturating_add(2).min(right.height / 4);
    let [hour, incidents, depends] =
        Layout::vertical([Constraint::Length(hour), Constraint::Length(incidents), Constraint::Min(0)])
            .areas(right);
    fleet(canvas, table);
    latest_errors(canvas, errors);
    volume::render(canvas, hour);
    open_incidents(canvas, incidents);
    graph::render(canvas, depends);
}

/// One column.
fn below(canvas: &mut Canvas<'_>, area: Rect, services: u16, open: u16) {
    let roomy = area.height >= GRAPH_FROM;
    let incidents = if open == 0 { 0 } else { open.saturating_add(2).min(5) };
    let hour = match area.height {
        ..18 => 0,
        18..24 => 5,
        _ => 6,
    };
    let drawn = u16::try_from(canvas.model.fleet.graph.len()).unwrap_or(u16::MAX).saturating_add(2);
    let depends = if roomy { drawn.min(area.height / 3) } else { 0 };
    let rest = incidents + hour + depends + 4;
    let services = services.min(area.height.saturating_sub(rest).max(4));
    let [table, incidents, hour, depends, errors] = Layout::vertical([
        Constraint::Length(services),
        Constraint::Length(incidents),
        Constraint::Length(hour),
        Constraint::Length(depends),
        Constraint::Min(0),
    ])
    .areas(area);
    fleet(canvas, table);
    if !incidents.is_empty() {
        open_incidents(canvas, incidents);
    }
    if !hour.is_empty() {
        volume::render(canvas, hour);
    }
    if !depends.is_empty() {
        graph::render(canvas, depends);
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
    let revision = format!("revision {}", canvas.model.fleet.revision);
    let used: usize = spans.iter().map(|span| text::width(&span.content)).sum();
    if used + revision.len() <= usize::from(area.width) {
        spans.push(Span::styled(revision, theme.muted));
    }
    canvas.line(area, &Line::from(spans));
}

fn fleet(canvas: &mut Canvas<'_>, area: Rect) {
    let (model, theme, now) = (canvas.model, canvas.model.theme, canvas.now);
    let services = &model.fleet.services;
    let title = format!("Services: {}", services.len());
    let inner = panel::of_source(canvas, area, &title, SourceName::Monitor);
    if services.is_empty() {
        panel::empty(canvas, inner, SourceName::Registry, "no service is registered: 2 r registers one");
        return;
    }
    let row = |at: usize| {
        let Some(service) = services.get(at) else { return Vec::new() };
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
    table::render(canvas, inner, &COLUMNS, services.len(), model.overview_row(), row);
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
    let open = model.incidents.open();
    if open == 0 {
        panel::empty(canvas, inner, SourceName::Monitor, "✓ none");
        return;
    }
    for (row, incident) in inner.rows().zip(model.incidents.incidents.iter().take(open)) {
        let (since, age) = (when::moment(incident.opened_at, now), when::between(incident.opened_at, now));
        let mut said = format!("✗ {} since {since} ({age})", incident.service);
        if let Some(taken_up) = &incident.acknowledged {
            said = format!("{said}, {} looks after it", taken_up.by);
        }
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
