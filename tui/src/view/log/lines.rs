//! The lines of the log, each record on one or, wrapped, on several.

use crate::keys::{Command, Place};
use crate::model::{Edge, Line as LogLine, LogPane, PromptKind, SourceName, decoded, find_in};
use crate::text;
use crate::theme::Theme;
use crate::view::{Canvas, panel, table};
use chrono::{DateTime, Datelike as _, Utc};
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use shared::wire::log::{Level, Record};
use std::borrow::Cow;

/// The most lines that one wrapped record takes; its detail has the rest.
const WRAPPED_MAX: usize = 12;

pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let log = &canvas.model.log;
    let Some(index) = log.index() else {
        empty(canvas, area);
        return;
    };
    let mut area = area;
    if log.older == Edge::Loading && index == 0 {
        canvas.text(area, "… older records are being fetched", canvas.model.theme.muted);
        area = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    }
    if log.wrap { wrapped(canvas, area, index) } else { cut(canvas, area, index) }
}

fn empty(canvas: &mut Canvas<'_>, area: Rect) {
    let (log, keymap) = (&canvas.model.log, &canvas.model.keymap);
    let key = |command| keymap.key_of(Place::Log, command);
    let nothing = if log.opening.is_some() {
        "…".to_owned()
    } else if log.filter.is_empty() {
        format!("the log is empty: {} sends a record", key(Command::Send))
    } else {
        let yet = if log.has_ended(canvas.now) { "" } else { " yet" };
        let (drop, change) = (key(Command::ClearFilter), key(Command::Filter));
        format!("no record passes the filter{yet}: {drop} drops it, {change} changes it")
    };
    panel::empty(canvas, area, SourceName::Log, &nothing);
}

/// The text whose matches are marked: as it is typed, or as it was.
fn searched(log: &LogPane) -> &str {
    match &log.prompt {
        Some(prompt) if prompt.kind == PromptKind::Search => prompt.text(),
        _ => log.search.as_deref().unwrap_or_default(),
    }
}

/// One line for each record, cut where it is too long.
fn cut(canvas: &mut Canvas<'_>, area: Rect, index: usize) {
    let log = &canvas.model.log;
    let seen = table::window(log.lines().len(), index, usize::from(area.height));
    for (row, (at, line)) in area.rows().zip(log.lines().from(seen.start)) {
        let shown = Shown::of(&line, log.marks.contains(&line.seq));
        let width = usize::from(row.width);
        let line = shown.cut(canvas.now, width, canvas.model.theme, log.shift, searched(log));
        canvas.line(row, &line);
        select(canvas, row, at, index);
    }
}

/// As many lines for each record as it needs, the selected one as near to the
/// middle as the ends of what is held allow.
fn wrapped(canvas: &mut Canvas<'_>, area: Rect, index: usize) {
    let log = &canvas.model.log;
    let height = usize::from(area.height);
    let cells = usize::from(area.width);
    let lines_of = |line: &LogLine<'_>| {
        Shown::of(line, log.marks.contains(&line.seq)).wrapped(
            canvas.now,
            cells,
            canvas.model.theme,
            searched(log),
        )
    };
    // Downwards from the selected record, then upwards as far as there is room.
    let mut below: Vec<(usize, Line<'_>)> = Vec::new();
    let mut own = 0;
    for (at, line) in log.lines().from(index) {
        below.extend(lines_of(&line).into_iter().map(|line| (at, line)));
        own = if at == index { below.len() } else { own };
        if below.len() >= height {
            break;
        }
    }
    let room = height.saturating_sub(below.len()).max(height.saturating_sub(own) / 2);
    let mut above: Vec<(usize, Line<'_>)> = Vec::new();
    for (at, line) in log.lines().before(index) {
        if above.len() >= room {
            break;
        }
        above.extend(lines_of(&line).into_iter().rev().map(|line| (at, line)));
    }
    above.truncate(room);
    let shown = above.into_iter().rev().chain(below);
    for (row, (at, line)) in area.rows().zip(shown) {
        canvas.line(row, &line);
        select(canvas, row, at, index);
    }
}

/// Marks the row of the selected record, and lets each be clicked.
fn select(canvas: &mut Canvas<'_>, row: Rect, at: usize, selected: usize) {
    // Beside a detail the keys are the detail's, and so would be a click.
    if canvas.model.place_below() == Place::Log {
        canvas.clickable(row, at, selected);
    }
    if at == selected && !canvas.model.log.is_following() {
        canvas.buffer.set_style(row, canvas.model.theme.selected);
    }
}

/// One record on one line: time, level, service if it is to be named, message and
/// fields.
pub(in crate::view) fn record_line(
    canvas: &Canvas<'_>,
    record: &Record,
    named: bool,
    cells: usize,
) -> Line<'static> {
    let fields = if record.fields.is_empty() {
        String::new()
    } else {
        serde_json::to_string(&record.fields).unwrap_or_default()
    };
    let Record { ts, level, service, message, .. } = record;
    let service = Some(service.as_str()).filter(|_| named);
    let shown = Shown { ts: *ts, level: *level, service, message, fields: &fields, mark: false };
    shown.cut(canvas.now, cells, canvas.model.theme, 0, "")
}

/// What is shown of a record.
struct Shown<'a> {
    ts: DateTime<Utc>,
    level: Level,
    service: Option<&'a str>,
    message: &'a str,
    fields: &'a str,
    mark: bool,
}

impl<'a> Shown<'a> {
    const fn of(line: &LogLine<'a>, mark: bool) -> Self {
        let LogLine { level, service, message, fields, .. } = *line;
        Self { ts: line.ts(), level, service: Some(service), message, fields, mark }
    }

    /// What stands before the message, and how many cells it takes.
    fn head(
        &self,
        now: DateTime<Utc>,
        width: usize,
        theme: Theme,
        search: &str,
    ) -> (Vec<Span<'static>>, usize) {
        let (day, today) = (self.ts.date_naive(), now.date_naive());
        let format = match day {
            day if day == today => "%H:%M:%S%.3f",
            day if day.year() == today.year() => "%m-%d %H:%M ",
            _ => "%Y-%m-%d  ",
        };
        let time = self.ts.format(format).to_string();
        let mark = if self.mark { Span::styled("◆", theme.note) } else { Span::raw(" ") };
        let look = theme.level(self.level);
        let level = format!("{} {:<5} ", look.glyph, look.word);
        let mut spans = vec![Span::styled(time, theme.muted), mark, Span::styled(level, look.style)];
        if let Some(service) = self.service {
            marked(&mut spans, &text::fit(service, if width >= 120 { 24 } else { 15 }), search, theme);
            spans.push(Span::raw(" "));
        }
        let cells = spans.iter().map(|span| text::width(&span.content)).sum();
        (spans, cells)
    }

    /// As much of the message, with the fields behind it, as fills so many cells.
    fn text(&self, cells: usize) -> Cow<'a, str> {
        let (message, is_cut) = text::head(self.message, cells);
        if self.fields.is_empty() || is_cut {
            Cow::Borrowed(message)
        } else {
            Cow::Owned(format!("{message} {}", decoded(text::head(self.fields, cells).0)))
        }
    }

    /// One line, of which so many cells are left out before the message.
    fn cut(
        &self,
        now: DateTime<Utc>,
        width: usize,
        theme: Theme,
        shift: usize,
        search: &str,
    ) -> Line<'static> {
        let (mut spans, used) = self.head(now, width, theme, search);
        let text = self.text(shift + width);
        let mut cells = width.saturating_sub(used);
        let mut message = text::clean(&text);
        if shift > 0 && cells > 0 {
            // A cell of the message gives way, so that nothing else is moved.
            spans.push(Span::styled("…", theme.muted));
            cells -= 1;
            message = Cow::Owned(text::skip(&message, shift + 1).to_owned());
        }
        marked(&mut spans, &text::clip(&message, cells), search, theme);
        Line::from(spans)
    }

    /// As many lines as it needs; those after the first stand below the message.
    fn wrapped(&self, now: DateTime<Utc>, width: usize, theme: Theme, search: &str) -> Vec<Line<'static>> {
        let (head, used) = self.head(now, width, theme, search);
        let cells = width.saturating_sub(used).max(1);
        let mut head = Some(head);
        text::wrap(&text::clean(&self.text(cells * WRAPPED_MAX)), cells, WRAPPED_MAX)
            .into_iter()
            .map(|part| {
                let mut spans = head.take().unwrap_or_else(|| vec![Span::raw(" ".repeat(used))]);
                marked(&mut spans, &part, search, theme);
                Line::from(spans)
            })
            .collect()
    }
}

/// A clean text with what is searched for marked.
fn marked(spans: &mut Vec<Span<'static>>, text: &str, search: &str, theme: Theme) {
    let (plain, matched): (Style, Style) = (theme.text, theme.matched);
    let mut from = 0;
    for found in find_in(text, search) {
        spans.push(Span::styled(text.get(from..found.start).unwrap_or_default().to_owned(), plain));
        spans.push(Span::styled(text.get(found.clone()).unwrap_or_default().to_owned(), matched));
        from = found.end;
    }
    spans.push(Span::styled(text.get(from..).unwrap_or_default().to_owned(), plain));
}
