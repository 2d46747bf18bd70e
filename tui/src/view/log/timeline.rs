//! The timeline above the lines.

use crate::figures::grouped;
use crate::model::{Gravity, Model, PARTS, Stretch, Timeline};
use crate::text;
use crate::view::Canvas;
use crate::view::histogram::{self, LABEL};
use chrono::{DateTime, Utc};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use std::ops::Range;

/// Three rows of bars and one of times.
pub(super) const HEIGHT: u16 = 4;
/// The cells that a time on the axis takes, with room around it.
const TIME: usize = 16;

/// ```text
/// ◉ error+        2        ▁                            █
/// ▲ warn         11    ▁      ▁▂                        ▁ ▁
/// ◇ other   104,211 ▃▃▄▃▃▄▅▄▃▃▃▄▃▃▃▃▂▃▃▄▄▃▃▃▄▃▃▃▄▃▃▄▃▃▃█▄▃▃▄▃▃▃▄▃▃▄▃
/// 1h                09:43  ├─^────┤ 10:03             10:23       10:42
/// ```
///
/// `^` is where one is, `├─┤` the stretch that the log is narrowed to.
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let (theme, timeline) = (canvas.model.theme, &canvas.model.log.timeline);
    if area.width <= LABEL || area.height < HEIGHT {
        return;
    }
    let [bars, axis] = Layout::vertical([Constraint::Length(HEIGHT - 1), Constraint::Length(1)]).areas(area);
    histogram::render(canvas, bars, &timeline.histogram, timeline.known);
    let columns = histogram::columns(usize::from(area.width - LABEL));
    for (x, column) in (area.x + LABEL..area.right()).zip(&columns) {
        if timeline.is_selected(column.start) {
            canvas.buffer.set_style(Rect { x, width: 1, ..bars }, theme.selected);
        }
    }
    canvas.line(axis, &Line::styled(length(timeline), theme.muted));
    let axis = Rect { x: axis.x + LABEL, width: axis.width - LABEL, ..axis };
    times(canvas, axis, &columns);
}

/// How much time there is in all, and whether something of it is missing.
fn length(timeline: &Timeline) -> String {
    let seconds = u64::from(timeline.histogram.step_s()) * PARTS as u64;
    let age = shared::span::age(std::time::Duration::from_secs(seconds));
    if timeline.histogram.partial { format!("{age} UTC, partly") } else { format!("{age} UTC") }
}

/// Times along the axis; while keys act upon the timeline, those of what is
/// selected, and what is in it.
fn times(canvas: &mut Canvas<'_>, axis: Rect, columns: &[Range<usize>]) {
    let (theme, now, timeline) = (canvas.model.theme, canvas.now, &canvas.model.log.timeline);
    if let Some(Stretch { since, until }) = timeline.selected() {
        let in_it = |gravity| -> u64 {
            let counts = timeline.histogram.counts(gravity).enumerate();
            counts
                .filter(|(part, _)| timeline.is_selected(*part))
                .fold(0, |sum, (_, n)| sum.saturating_add(n))
        };
        let glyph = |gravity: Gravity| theme.level(gravity.level()).glyph;
        let counts = Gravity::ALL.map(|gravity| format!("{} {}", glyph(gravity), grouped(in_it(gravity))));
        let today = since.date_naive() == now.date_naive();
        let since = since.format(if today { "%H:%M:%S" } else { "%m-%d %H:%M:%S" });
        let said = format!("{since} to {}: {}", until.format("%H:%M:%S"), counts.join(" "));
        canvas.text(axis, &said, theme.key);
        return;
    }
    let today = timeline.histogram.begin_of(0).date_naive() == now.date_naive();
    let format = match (today, timeline.histogram.step_s()) {
        (true, ..15) => "%H:%M:%S",
        (true, _) => "%H:%M",
        (false, _) => "%m-%d %H:%M",
    };
    let marks = marks(canvas.model, now, columns);
    for (cell, column) in columns.iter().enumerate().step_by(TIME) {
        let time = timeline.histogram.begin_of(column.start).format(format).to_string();
        let end = cell + text::width(&time);
        let is_free = marks.get(cell.saturating_sub(1)..=end).unwrap_or_default().iter().all(Option::is_none);
        if end < columns.len() && is_free {
            let x = axis.x.saturating_add(u16::try_from(cell).unwrap_or(u16::MAX));
            canvas.text(Rect { x, width: axis.right().saturating_sub(x), ..axis }, &time, theme.muted);
        }
    }
    for (x, mark) in (axis.x..axis.right()).zip(marks) {
        if let Some(mark) = mark {
            canvas.text(Rect { x, width: 1, ..axis }, mark, theme.key);
        }
    }
}

/// What marks a column of the axis: where one is, and the stretch that is shown.
fn marks(model: &Model, now: DateTime<Utc>, columns: &[Range<usize>]) -> Vec<Option<&'static str>> {
    let (log, timeline) = (&model.log, &model.log.timeline);
    let here = log.moment(now).and_then(|at| timeline.part_of(at));
    let here = here.and_then(|part| columns.iter().position(|column| column.contains(&part)));
    let narrowed = |column: &Range<usize>| {
        let part = timeline.stretch(column.start, column.end.saturating_sub(1));
        log.filter.stretch.is_some_and(|shown| shown.since < part.until && part.since < shown.until)
    };
    let narrowed: Vec<bool> = columns.iter().map(narrowed).collect();
    let (first, last) = (narrowed.iter().position(|is| *is), narrowed.iter().rposition(|is| *is));
    (0..columns.len())
        .map(|column| match column {
            column if here == Some(column) => Some("^"),
            column if first == Some(column) => Some("├"),
            column if last == Some(column) => Some("┤"),
            column => narrowed.get(column).filter(|is| **is).map(|_| "─"),
        })
        .collect()
}
