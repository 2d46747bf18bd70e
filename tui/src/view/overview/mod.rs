//! The overview: how the fleet is, at a glance.

mod graph;
mod hour;

pub(super) use graph::whole as whole_graph;

use super::table::{self, Column};
use super::{Canvas, chart, log, panel, waiting, when};
use crate::figures;
use crate::model::{Service, SourceName};
use crate::text;
use crate::theme;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use shared::wire::monitor::Status;

/// The widest sparkline, in cells and so in samples.
const TREND_CELLS: usize = 60;
/// The width from which on there are two columns.
const TWO_FROM: u16 = 110;
/// The width from which on there are three.
const THREE_FROM: u16 = 260;
/// The lines of the last hour at least, and at most.
const HOUR_LINES: u16 = 5;
const HOUR_LINES_MAX: u16 = 26;
/// The lines of an open incident, where there is room.
const LINES_EACH: usize = 3;
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
/// ┌ Services ─────────────────────────────┐┌ Log of the last hour: 3,401 ─┐
/// │STATUS      SERVICE       TREND UPTIME ││◉ error+   12     ▁▁▂▁▁       │
/// │● healthy   LibraryServi… ▁▂▁▁▃ 100 %  ││◇ other 3,389 ▅▆▇▅▆▇▅▆▇       │
/// ├ Latest errors ────────────────────────┤├ Open incidents ──────────────┤
/// │10:42:07.123 ◉ ERROR Library… disk full││✗ LogService since 10:42:07   │
/// │                                       │├ Who depends on whom ─────────┤
/// │                                       ││✗ LogService ◀ root           │
/// │                                       ││└─ ✗ LibraryService           │
/// └───────────────────────────────────────┘└──────────────────────────────┘
/// ```
///
/// In one column it is services, incidents, the last hour and errors, and the graph
/// where there is room. The worst services come first.
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let model = canvas.model;
    let empty = model.fleet.services.is_empty();
    if model.sources.get(SourceName::Registry).is_new() && empty {
        waiting::render(canvas, area);
        return;
    }
    let [tally, area] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    counts(canvas, tally);
    match area.width {
        THREE_FROM.. => three(canvas, area),
        TWO_FROM.. => two(canvas, area),
        _ => one(canvas, area),
    }
}

/// The lines that something takes in a box.
fn boxed(lines: usize) -> u16 {
    u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(2)
}

/// The lines that all services take.
fn services_height(canvas: &Canvas<'_>) -> u16 {
    boxed(canvas.model.fleet.services.len().max(1)).saturating_add(1)
}

/// What is, on the left of what happens: services and errors.
fn left(canvas: &mut Canvas<'_>, area: Rect) {
    let services = services_height(canvas).min(area.height.saturating_sub(6));
    let [table, errors] = Layout::vertical([Constraint::Length(services), Constraint::Min(0)]).areas(area);
    fleet(canvas, table);
    latest_errors(canvas, errors);
}

/// Three columns: services and errors; the last hour and incidents; who depends on whom.
fn three(canvas: &mut Canvas<'_>, area: Rect) {
    let [one, two, three] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Percentage(30), Constraint::Percentage(26)])
            .areas(area);
    left(canvas, one);
    let incidents = incident_lines(canvas, usize::from(two.width.saturating_sub(2)), LINES_EACH);
    let below = boxed(incidents.len().max(1)).clamp(two.height / 3, two.height / 2);
    let [hour, below] = Layout::vertical([Constraint::Min(0), Constraint::Length(below)]).areas(two);
    hour::render(canvas, hour);
    open_incidents(canvas, below, incidents);
    graph::render(canvas, three);
}

/// Two columns. On the right the last hour takes what the others leave.
fn two(canvas: &mut Canvas<'_>, area: Rect) {
    let [one, two] = Layout::horizontal([Constraint::Percentage(58), Constraint::Percentage(42)]).areas(area);
    left(canvas, one);
    let incidents = incident_lines(canvas, usize::from(two.width.saturating_sub(2)), LINES_EACH);
    let lines = boxed(incidents.len().max(1)).min(two.height / 4).max(3);
    let drawn = boxed(graph::height(canvas, usize::from(two.width.saturating_sub(2))));
    let hour = two.height.saturating_sub(lines.saturating_add(drawn)).clamp(HOUR_LINES, HOUR_LINES_MAX);
    let [hour, lines, depends] =
        Layout::vertical([Constraint::Length(hour), Constraint::Length(lines), Constraint::Min(0)])
            .areas(two);
    hour::render(canvas, hour);
    open_incidents(canvas, lines, incidents);
    graph::render(canvas, depends);
}

/// One column. Where there is no room for all, services stay longest.
fn one(canvas: &mut Canvas<'_>, area: Rect) {
    let cells = usize::from(area.width.saturating_sub(2));
    let open = incident_lines(canvas, cells, 1);
    let incidents = match area.height {
        ..12 => 0,
        _ if open.is_empty() => 0,
        _ => boxed(open.len()).min(5),
    };
    let hour = match area.height {
        ..18 => 0,
        _ => HOUR_LINES,
    };
    let errors = if area.height < 10 { 0 } else { 4 };
    let depends =
        if area.height < GRAPH_FROM { 0 } else { boxed(graph::height(canvas, cells)).min(area.height / 3) };
    let rest = incidents + hour + depends + errors;
    let all = services_height(canvas);
    let services = if errors == 0 { area.height } else { all.min(area.height.saturating_sub(rest)) };
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
        open_incidents(canvas, incidents, open);
    }
    if !hour.is_empty() {
        hour::render(canvas, hour);
    }
    if !depends.is_empty() {
        graph::render(canvas, depends);
    }
    if !errors.is_empty() {
        latest_errors(canvas, errors);
    }
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
    let seen = usize::from(area.height.saturating_sub(3)).min(services.len());
    let title = match services.len() {
        all if seen < all => format!("Services: {seen} of {all}"),
        all => format!("Services: {all}"),
    };
    let inner = panel::of_source(canvas, area, &title, SourceName::Monitor);
    if services.is_empty() {
        panel::no_service(canvas, inner);
        return;
    }
    let row = |at: usize| {
        let Some(service) = model.fleet.worst(at) else { return Vec::new() };
        let status = service.status();
        let health = service.health.as_ref();
        let trend = chart::sparkline(model.fleet.latencies(&service.name), TREND_CELLS);
        vec![
            (format!("{} {status}", theme::glyph(status)), theme.status(status)),
            (service.name.clone(), theme.text),
            (service.instances.to_string(), theme.muted),
            (figures::millis(health.and_then(|h| h.latency)), theme.text),
            (trend, theme.key),
            (figures::percent_or_none(health.and_then(|h| h.uptime)), theme.text),
            (health.and_then(|h| h.since).map_or_else(String::new, |at| when::moment(at, now)), theme.muted),
            (why(service), theme.status(status)),
        ]
    };
    table::render(canvas, inner, &COLUMNS, services.len(), model.overview_row(), row);
}

/// Why a service is not healthy.
fn why(service: &Service) -> String {
    let health = service.health.as_ref().filter(|h| h.status == Status::Unhealthy);
    health.map_or_else(String::new, |h| figures::reason(h.reason, h.detail.as_deref()))
}

/// What is open, each incident in so many lines at most.
fn incident_lines(canvas: &Canvas<'_>, cells: usize, lines_each: usize) -> Vec<String> {
    let (model, now) = (canvas.model, canvas.now);
    let open = model.incidents.incidents.iter().take(model.incidents.open());
    open.flat_map(|incident| {
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
        match lines_each {
            1 => vec![text::clip(&said, cells)],
            most => text::wrap(&said, cells, most),
        }
    })
    .collect()
}

fn open_incidents(canvas: &mut Canvas<'_>, area: Rect, lines: Vec<String>) {
    let theme = canvas.model.theme;
    let title = match canvas.model.incidents.open_total() {
        0 | 1 => "Open incidents".to_owned(),
        open => format!("Open incidents: {open}"),
    };
    let inner = panel::of_source(canvas, area, &title, SourceName::Monitor);
    if lines.is_empty() {
        panel::empty(canvas, inner, SourceName::Monitor, "✓ none");
        return;
    }
    let hidden = lines.len() > usize::from(inner.height);
    canvas.lines(inner, lines.into_iter().map(|line| Line::styled(line, theme.bad)));
    panel::more(canvas, inner, (false, hidden));
}

fn latest_errors(canvas: &mut Canvas<'_>, area: Rect) {
    let model = canvas.model;
    let inner = panel::of_source(canvas, area, "Latest errors", SourceName::Log);
    if model.errors.is_empty() {
        panel::empty(canvas, inner, SourceName::Log, "✓ no error in the log");
        return;
    }
    for (row, record) in inner.rows().zip(model.errors.iter().rev()) {
        let line = log::record_line(canvas, record, true, usize::from(row.width));
        canvas.line(row, &line);
    }
}
