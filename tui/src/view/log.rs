//! The log: followed, or held.

use super::{Canvas, panel, record};
use crate::model::{LogPane, Older, Prompt, PromptKind, SourceName, find_in, summary, window};
use crate::text;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use shared::wire::log::Record;

/// The width from which on the detail stands beside the lines.
const BESIDE_FROM: u16 = 140;

/// ```text
/// ┌ Log: held, 12 new ──────────────── level info or above, error OR warn ┐
/// │10:42:07.123 INFO  LibraryService  book 1 was borrowed {"book_id":"1"} │
/// │10:42:08.001 ERROR LogService      the disk is full                    │
/// │/ disk_                                                                │
/// └───────────────────────────────────────────────────────────────────────┘
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let log = &canvas.model.log;
    let (area, detail) = match (&log.detail, area.width >= BESIDE_FROM) {
        (None, _) => (area, None),
        (Some(_), false) => (Rect::default(), Some(area)),
        (Some(_), true) => {
            let [left, right] =
                Layout::horizontal([Constraint::Percentage(60), Constraint::Percentage(40)]).areas(area);
            (left, Some(right))
        }
    };
    if let (Some(detail), Some(place)) = (&log.detail, detail) {
        record::render(canvas, place, detail);
    }
    if area.is_empty() {
        return;
    }
    let inner = panel::of_source(canvas, area, &title(log), SourceName::Log);
    let failed = log.prompt.as_ref().is_some_and(|prompt| prompt.failure.is_some());
    let below = if log.prompt.is_none() { 0 } else { 1 + 2 * u16::from(failed) };
    let [lines, below] = Layout::vertical([Constraint::Min(0), Constraint::Length(below)]).areas(inner);
    records(canvas, lines);
    if let Some(prompt) = &canvas.model.log.prompt {
        input(canvas, below, prompt);
    }
}

/// How the log is looked at, in words.
fn title(log: &LogPane) -> String {
    let mut said = if log.is_following() {
        "Log: following".to_owned()
    } else {
        format!("Log: held, {} new (f follows)", log.arrived)
    };
    if let Some(level) = log.filter.level {
        said.push_str(&format!(" | {level} or above"));
    }
    if let Some(service) = &log.filter.service {
        said.push_str(&format!(" | {service}"));
    }
    if !log.filter.query.is_empty() {
        said.push_str(&format!(" | {}", log.filter.query));
    }
    if let Some(search) = &log.search {
        said.push_str(&format!(" | /{search}"));
    }
    if log.missed > 0 {
        said.push_str(&format!(" | {} missed", log.missed));
    }
    said
}

fn records(canvas: &mut Canvas<'_>, area: Rect) {
    let log = &canvas.model.log;
    let Some(index) = log.index() else {
        let nothing = if log.filter.is_empty() {
            "the log is empty: s sends a record"
        } else {
            "no record passes the filter: x drops it"
        };
        panel::empty(canvas, area, SourceName::Log, nothing);
        return;
    };
    let loading = log.older == Older::Loading && index == 0;
    let mut area = area;
    if loading {
        canvas.text(area, "… older records are being fetched", canvas.model.theme.muted);
        area = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    }
    let seen = window(log.records().len(), index, usize::from(area.height));
    for (row, at) in area.rows().zip(seen) {
        if let Some(record) = log.records().get(at) {
            record_line(canvas, row, record, log.shift, log.search.as_deref());
            if at == index && !log.is_following() {
                canvas.buffer.set_style(row, canvas.model.theme.selected);
            }
        }
    }
}

/// One record on one line: time, level, service, message and fields.
pub(super) fn record_line(
    canvas: &mut Canvas<'_>,
    row: Rect,
    record: &Record,
    shift: usize,
    search: Option<&str>,
) {
    let theme = canvas.model.theme;
    let today = record.ts.date_naive() == canvas.now.date_naive();
    let time = record.ts.format(if today { "%H:%M:%S%.3f" } else { "%m-%d %H:%M " }).to_string();
    let service = if row.width >= 120 { 24 } else { 15 };
    let head = [
        Span::styled(format!("{time} "), theme.muted),
        Span::styled(format!("{:<5} ", record.level.as_upper()), theme.level(record.level)),
    ];
    let used: usize = head.iter().map(|span| text::width(&span.content)).sum::<usize>() + service + 1;
    let message = summary(record);
    let message = text::clip(text::skip(&message, shift), usize::from(row.width).saturating_sub(used));
    let mut spans = Vec::from(head);
    marked(&mut spans, &text::fit(&record.service, service), search, theme.text, theme.matched);
    spans.push(Span::raw(" "));
    marked(&mut spans, &message, search, theme.text, theme.matched);
    canvas.line(row, &Line::from(spans));
}

/// A clean text with what is searched for marked.
fn marked(spans: &mut Vec<Span<'static>>, text: &str, search: Option<&str>, plain: Style, marked: Style) {
    let mut from = 0;
    for found in find_in(text, search.unwrap_or_default()) {
        spans.push(Span::styled(text.get(from..found.start).unwrap_or_default().to_owned(), plain));
        spans.push(Span::styled(text.get(found.clone()).unwrap_or_default().to_owned(), marked));
        from = found.end;
    }
    spans.push(Span::styled(text.get(from..).unwrap_or_default().to_owned(), plain));
}

/// ```text
/// filter: error OR (warn
///                  ^
/// a closing bracket is missing
/// ```
fn input(canvas: &mut Canvas<'_>, area: Rect, prompt: &Prompt) {
    let theme = canvas.model.theme;
    let label = match (prompt.kind, prompt.waiting) {
        (PromptKind::Search, _) => "search: ",
        (PromptKind::Filter, false) => "filter: ",
        (PromptKind::Filter, true) => "filter … ",
    };
    let indent = u16::try_from(text::width(label)).unwrap_or(0).min(area.width);
    canvas.line(area, &Line::styled(label, theme.key));
    let place = Rect { x: area.x + indent, width: area.width - indent, height: 1, ..area };
    let scrolled = panel::typed(canvas, place, &prompt.input, theme.text);
    let Some(failure) = &prompt.failure else { return };
    let [_, caret, detail] = Layout::vertical([Constraint::Length(1); 3]).areas(area);
    if let Some(position) = failure.position {
        let before: String = prompt.input.value().trim_start().chars().take(position).collect();
        let cells = text::width(&text::clean(&before)).saturating_sub(scrolled);
        let x = place
            .x
            .saturating_add(u16::try_from(cells).unwrap_or(u16::MAX))
            .min(caret.right().saturating_sub(1));
        canvas.text(Rect { x, width: 1, ..caret }, "^", theme.bad);
    }
    canvas.text(detail, &format!("✗ {}", failure.message), theme.bad);
}
