//! What went wrong: what is open with those that follow from it, the evidence,
//! and how often each service did well.

use super::table::{self, Column};
use super::{Canvas, evidence, log, panel, when};
use crate::figures;
use crate::keys::{Command, Place};
use crate::model::{Around, IncidentRow, IncidentsPane, IncidentsView, SourceName};
use crate::text;
use crate::theme::{self, Theme};
use chrono::{DateTime, Utc};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use shared::wire::monitor::{Dependent, Effect, Incident, IncidentKind};

/// So many rows are measured for the width of the names.
const MEASURED_MAX: usize = 200;
/// The lines that the log around an incident has at least, where there is room.
const LOG_LINES: u16 = 8;

static COLUMNS: [Column; 7] = [
    Column::new("STATE", 13),
    Column::new("NO", 4).from(100).right(),
    Column::new("SERVICE", 20).grow(3),
    Column::new("SINCE", 11),
    Column::new("LASTED", 8),
    Column::new("TAKEN UP", 8).from(100).grow(1),
    Column::new("WHY", 15).grow(3),
];

static UPTIME: [Column; 5] = [
    Column::new("SERVICE", 18).grow(1),
    Column::new("DAY", 8).right(),
    Column::new("WEEK", 8).right(),
    Column::new("MONTH", 8).right(),
    Column::new("30 DAYS", 30),
];

/// ```text
/// ┌ Incidents: 1 open, 1 past of a month ────────────────────────────────┐
/// │STATE         SERVICE          SINCE    LASTED  TAKEN UP  WHY         │
/// │✗ down        LogService       10:42:07 4m 10s  Ann       connect: …  │
/// │✗ down        ├─ LibraryService 10:42:09 4m 8s            follows     │
/// │▲ at risk     └─ WebService                                           │
/// │✓ resolved    WebService       09:12:00 12s               timeout: …  │
/// ├ LogService ──────────────────────────────────────────────────────────┤
/// │Why                              Latency of the last 29 probes        │
/// │…                                …                                    │
/// └──────────────────────────────────────────────────────────────────────┘
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let pane = &canvas.model.incidents;
    if pane.opened.is_some() {
        evidence(canvas, area, pane.scroll);
        return;
    }
    let rows = match pane.view {
        IncidentsView::Incidents => pane.rows.len(),
        IncidentsView::Uptime => pane.uptimes.len(),
    };
    let rows = u16::try_from(rows).unwrap_or(u16::MAX).max(1);
    let upper = rows.saturating_add(3).min(area.height / 2);
    let [upper, lower] = Layout::vertical([Constraint::Length(upper), Constraint::Min(0)]).areas(area);
    match pane.view {
        IncidentsView::Incidents => list(canvas, upper),
        IncidentsView::Uptime => uptime(canvas, upper),
    }
    evidence(canvas, lower, 0);
}

fn list(canvas: &mut Canvas<'_>, area: Rect) {
    let (pane, theme) = (&canvas.model.incidents, canvas.model.theme);
    let open = pane.open();
    let past = pane.rows.iter().filter(|row| row.incident >= open).count();
    let back = canvas.key(Place::Incidents, Command::Back);
    let of = pane.only.as_ref().map_or_else(String::new, |only| format!(" of {only} ({back}: back)"));
    let title = if canvas.model.sources.get(SourceName::Monitor).is_new() {
        format!("Incidents{of}")
    } else {
        let shown = pane.rows.iter().filter(|row| row.incident < open && row.dependent.is_none()).count();
        let open = if open < pane.open_total() {
            format!("{shown} of {} open", figures::grouped(count(pane.open_total())))
        } else {
            format!("{shown} open")
        };
        let past = match pane.past_cut(canvas.now) {
            None => format!("{past} past of a {}", pane.period.word()),
            Some((fetched, total)) if fetched == past => {
                format!("the last {past} of {} past", figures::grouped(count(total)))
            }
            Some((fetched, total)) => {
                format!("{past} past among the last {fetched} of {}", figures::grouped(count(total)))
            }
        };
        format!("Incidents{of}: {open}, {past}")
    };
    let inner = panel::of_source(canvas, area, &title, SourceName::Monitor);
    if pane.rows.is_empty() {
        let nothing = match pane.past_cut(canvas.now) {
            None => format!("✓ no incident in the last {}", pane.period.word()),
            Some((fetched, _)) => format!("✓ no open incident, and none among the last {fetched} resolved"),
        };
        panel::empty(canvas, inner, SourceName::Monitor, &nothing);
        return;
    }
    let selected = pane.selected.index(pane.rows.len());
    let now = canvas.now;
    let columns = columns(pane, inner.width);
    table::render(canvas, inner, &columns, pane.rows.len(), selected, |at| {
        let Some(row) = pane.rows.get(at) else { return Vec::new() };
        let Some(incident) = pane.incidents.get(row.incident) else { return Vec::new() };
        match row.dependent.and_then(|at| incident.dependents.get(at)) {
            Some(dependent) => follower(row, dependent, now, theme),
            None => root(incident, now, theme),
        }
    });
}

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// The columns. Who follows from whom is read from the names: the reasons, which the
/// evidence tells too, make room for those that stand deep in a tree.
fn columns(pane: &IncidentsPane, width: u16) -> [Column; 7] {
    let follower = |row: &IncidentRow| {
        let dependent = pane.incidents.get(row.incident)?.dependents.get(row.dependent?)?;
        Some(text::width(&row.stem) + text::width(&dependent.service))
    };
    let widest = pane.rows.iter().take(MEASURED_MAX).filter_map(follower).max().unwrap_or(0);
    let mut columns = COLUMNS;
    let [state, _, service, since, lasted, ..] = &mut columns;
    let room = width.saturating_sub(state.cells + since.cells + lasted.cells + 3).max(service.cells);
    service.cells = u16::try_from(widest).unwrap_or(u16::MAX).clamp(service.cells, room);
    columns
}

/// The row of an incident.
fn root(incident: &Incident, now: DateTime<Utc>, theme: Theme) -> Vec<table::Cell> {
    let taken = incident.acknowledged.is_some() && incident.resolved_at.is_none();
    let (state, style) = match (incident.resolved_at, incident.kind) {
        (None, IncidentKind::Down) if taken => ("✗ down taken", theme.bad),
        (Some(_), _) => ("✓ resolved", theme.good),
        (None, IncidentKind::Down) => ("✗ down", theme.bad),
        (None, IncidentKind::Flapping) => ("✗ flapping", theme.bad),
    };
    let mut why = figures::reason(incident.reason, incident.detail.as_deref());
    if incident.resolved_at.is_some() && !incident.affected.is_empty() {
        why = format!("{why}; with it {}", incident.affected.join(", "));
    }
    let taken_up = incident.acknowledged.as_ref().map_or("-", |taken_up| &taken_up.by);
    vec![
        (state.to_owned(), style),
        (incident.id.to_string(), theme.muted),
        (incident.service.clone(), theme.text),
        (when::moment(incident.opened_at, now), theme.muted),
        (when::between(incident.opened_at, incident.resolved_at.unwrap_or(now)), theme.text),
        (taken_up.to_owned(), theme.text),
        (why, theme.muted),
    ]
}

/// The row of a service that depends on the root of the incident above it.
fn follower(row: &IncidentRow, dependent: &Dependent, now: DateTime<Utc>, theme: Theme) -> Vec<table::Cell> {
    let (glyph, word) = (theme::effect_glyph(dependent.effect), effect(dependent.effect));
    // What is only at risk has not begun to fail.
    let since = dependent.since.filter(|_| dependent.effect == Effect::Down);
    let why = match (dependent.own_cause, dependent.effect) {
        (true, _) => format!("of its own cause: {}", figures::reason(dependent.reason, None)),
        (false, Effect::Down) => "follows from it".to_owned(),
        (false, _) => String::new(),
    };
    vec![
        (format!("{glyph} {word}"), theme.effect(dependent.effect)),
        (String::new(), theme.muted),
        (format!("{}{}", row.stem, dependent.service), theme.text),
        (since.map_or_else(String::new, |at| when::moment(at, now)), theme.muted),
        (since.map_or_else(String::new, |at| when::between(at, now)), theme.text),
        (String::new(), theme.muted),
        (why, if dependent.own_cause { theme.warn } else { theme.muted }),
    ]
}

/// An effect in words.
const fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::AtRisk => "at risk",
        effect => effect.as_str(),
    }
}

fn uptime(canvas: &mut Canvas<'_>, area: Rect) {
    let (pane, theme, now) = (&canvas.model.incidents, canvas.model.theme, canvas.now);
    let title = "Uptime over a day, a week, a month";
    let inner = panel::of_source(canvas, area, title, SourceName::Monitor);
    if pane.uptimes.is_empty() {
        panel::empty(canvas, inner, SourceName::Monitor, "○ nothing was probed so far");
        return;
    }
    let selected = pane.uptime.index(pane.uptimes.len());
    table::render(canvas, inner, &UPTIME, pane.uptimes.len(), selected, |at| {
        let Some(report) = pane.uptimes.get(at) else { return Vec::new() };
        let share = |share: Option<f64>| match share {
            None => ("-".to_owned(), theme.muted),
            Some(share) => {
                let style = if share >= 0.999 { theme.text } else { theme.warn };
                (figures::percent(share), style)
            }
        };
        vec![
            (report.service.clone(), theme.text),
            share(report.day),
            share(report.week),
            share(report.month),
            (evidence::days(report, now), theme.key),
        ]
    });
}

/// What is known of the selected service, and of the incident.
fn evidence(canvas: &mut Canvas<'_>, area: Rect, scroll: usize) {
    let model = canvas.model;
    let Some(service) = model.incidents.service(&model.fleet) else {
        let inner = panel::of_source(canvas, area, "Evidence", SourceName::Monitor);
        panel::no_service(canvas, inner);
        return;
    };
    let incident = model.incidents.incident();
    let title = match incident {
        Some(incident) => format!("{service}, incident {}", incident.id),
        None => service.to_owned(),
    };
    let inner = panel::of_source(canvas, area, &title, SourceName::Monitor);
    let left = |canvas: &Canvas<'_>, cells| left(canvas, service, incident, cells);
    let right = |canvas: &Canvas<'_>, cells| right(canvas, service, incident, cells);
    evidence::columns(canvas, inner, scroll, left, right);
}

/// What is said of it: who looks after it, why, since when.
fn left(
    canvas: &Canvas<'_>,
    service: &str,
    incident: Option<&Incident>,
    cells: usize,
) -> Vec<evidence::Block> {
    vec![
        incident.map_or_else(Vec::new, |incident| head(canvas, incident, cells)),
        evidence::why(canvas, service, cells),
        evidence::uptime(canvas, service, cells),
        evidence::timeline(canvas, service, cells),
    ]
}

/// What was measured: latencies, the log around it, probes.
fn right(
    canvas: &Canvas<'_>,
    service: &str,
    incident: Option<&Incident>,
    cells: usize,
) -> Vec<evidence::Block> {
    let around = incident.map_or_else(Vec::new, |incident| log_around(canvas, service, incident, cells));
    vec![
        evidence::latency(canvas, service, None, cells),
        around,
        evidence::last_probes(canvas, service, None, cells),
    ]
}

/// ```text
/// ✗ LogService is down since 10:37:57 (4m 10s)
/// connect: connection refused
/// ○ nobody has taken it up: a does
/// ```
fn head(canvas: &Canvas<'_>, incident: &Incident, cells: usize) -> evidence::Block {
    let (theme, now) = (canvas.model.theme, canvas.now);
    let (opened, lasted) = (
        when::moment(incident.opened_at, now),
        when::between(incident.opened_at, incident.resolved_at.unwrap_or(now)),
    );
    let state = match incident.kind {
        IncidentKind::Down => "down",
        IncidentKind::Flapping => "flapping",
    };
    let (said, style) = match incident.resolved_at {
        None => (format!("✗ {} is {state} since {opened} ({lasted})", incident.service), theme.bad),
        Some(at) => {
            let over = when::moment(at, now);
            (format!("✓ {} was {state} from {opened} to {over} ({lasted})", incident.service), theme.good)
        }
    };
    let taken_up = match &incident.acknowledged {
        Some(taken_up) => {
            format!("✓ {} looks after it since {}", taken_up.by, when::moment(taken_up.at, now))
        }
        None if incident.resolved_at.is_none() => {
            let key = canvas.key(Place::Incidents, Command::Acknowledge);
            format!("○ nobody has taken it up: {key} does")
        }
        None => String::new(),
    };
    let mut lines: evidence::Block =
        text::wrap(&said, cells, 2).into_iter().map(|line| Line::styled(line, style)).collect();
    let why = figures::reason(incident.reason, incident.detail.as_deref());
    lines.extend(text::wrap(&why, cells, 3).into_iter().filter(|line| !line.is_empty()).map(Line::raw));
    if !incident.affected.is_empty() {
        let with_it = format!("failed with it: {}", incident.affected.join(", "));
        lines.extend(text::wrap(&with_it, cells, 3).into_iter().map(Line::raw));
    }
    if !taken_up.is_empty() {
        lines.push(Line::styled(text::clip(&taken_up, cells), theme.muted));
    }
    lines
}

fn log_around(canvas: &Canvas<'_>, service: &str, incident: &Incident, cells: usize) -> evidence::Block {
    let (model, theme) = (canvas.model, canvas.model.theme);
    let mut lines = vec![Line::styled("The log around it", theme.title)];
    let is_it = |around: &&Around| around.incident == incident.id && around.service == service;
    match model.incidents.around.as_ref().filter(is_it).map(|around| &around.records) {
        None => lines.push(Line::styled("○ asking the log", theme.muted)),
        Some(Err(cause)) => lines.push(Line::styled(text::clip(&format!("✗ {cause}"), cells), theme.bad)),
        Some(Ok(records)) if records.is_empty() => {
            let nothing = format!("{service} logged nothing from a minute before to two after it began");
            lines.extend(text::wrap(&nothing, cells, 2).into_iter().map(|l| Line::styled(l, theme.muted)));
        }
        Some(Ok(records)) => {
            // What was said last before it began is of most interest.
            let before = records.iter().filter(|record| record.ts <= incident.opened_at).count();
            let height = usize::from(LOG_LINES);
            let seen = table::window(records.len(), before.saturating_sub(1), height);
            let records = records.iter().skip(seen.start).take(height);
            lines.extend(records.map(|record| log::record_line(canvas, record, false, cells)));
        }
    }
    lines
}
