//! The timeline above the lines.

use super::super::Canvas;
use super::grouped;
use crate::model::{Gravity, Model, PARTS, Stretch, Timeline};
use crate::text;
use crate::theme::{BARS, Theme};
use chrono::{DateTime, Utc};
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use shared::wire::log::Level;

/// Three rows of bars and one of times.
pub(super) const HEIGHT: u16 = 4;
/// The cells of a row's label, with a space behind it.
const LABEL: u16 = 18;
/// The cells that a time on the axis takes, with room around it.
const TIME: usize = 16;

/// ```text
/// ✗ error+        2        ▁                            █
/// ▲ warn         11    ▁      ▁▂                        ▁ ▁
/// ● other   104,211 ▃▃▄▃▃▄▅▄▃▃▃▄▃▃▃▃▂▃▃▄▄▃▃▃▄▃▃▃▄▃▃▄▃▃▃█▄▃▃▄▃▃▃▄▃▃▄▃
/// 1h                09:43  ├─^────┤ 10:03             10:23       10:42
/// ```
///
/// `^` is where one is, `├─┤` the stretch that the log is narrowed to.
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let (theme, timeline) = (canvas.model.theme, &canvas.model.log.timeline);
    if area.width <= LABEL || area.height < HEIGHT {
        return;
    }
    let columns = columns(usize::from(area.width - LABEL));
    for (row, gravity) in area.rows().zip(Gravity::ALL) {
        let (label, style) = label(gravity, theme);
        let counts: Vec<u64> = timeline.counts(gravity).collect();
        let total: u64 = counts.iter().sum();
        let total = if timeline.known { short(total) } else { "…".to_owned() };
        let label =
            format!("{label}{} ", text::fit_right(&total, usize::from(LABEL) - 1 - text::width(label)));
        let mut spans = vec![Span::styled(label, style)];
        spans.extend(bars(&counts, &columns, timeline, style, theme));
        canvas.line(row, &Line::from(spans));
    }
    let axis = Rect { x: area.x + LABEL, y: area.y + HEIGHT - 1, width: area.width - LABEL, height: 1 };
    canvas.line(Rect { x: area.x, ..axis }, &Line::styled(length(timeline), theme.muted));
    times(canvas, axis, &columns);
}

/// Which parts each column shows, from the first up to the second, not with it.
fn columns(cells: usize) -> Vec<(usize, usize)> {
    (0..cells)
        .map(|cell| {
            let from = cell * PARTS / cells;
            (from, ((cell + 1) * PARTS / cells).max(from + 1).min(PARTS))
        })
        .collect()
}

const fn label(gravity: Gravity, theme: Theme) -> (&'static str, Style) {
    match gravity {
        Gravity::Bad => ("✗ error+", theme.level(Level::Error)),
        Gravity::Warn => ("▲ warn  ", theme.level(Level::Warn)),
        Gravity::Rest => ("● other ", theme.level(Level::Info)),
    }
}

/// A count in no more cells than a label has for it.
fn short(count: u64) -> String {
    match count {
        0..10_000_000 => grouped(count),
        10_000_000..10_000_000_000 => format!("{}M", grouped(count / 1_000_000)),
        _ => format!("{}G", grouped(count / 1_000_000_000)),
    }
}

/// One row of bars, the highest as high as the row.
fn bars(
    counts: &[u64],
    columns: &[(usize, usize)],
    timeline: &Timeline,
    style: Style,
    theme: Theme,
) -> Vec<Span<'static>> {
    let of = |(from, to): &(usize, usize)| {
        counts.get(*from..*to).unwrap_or_default().iter().max().copied().unwrap_or(0)
    };
    let top = columns.iter().map(of).max().unwrap_or(0).max(1);
    let bar = |count: u64| match count {
        0 => " ",
        count => {
            let step = (count * (BARS.len() as u64 - 1)).div_ceil(top);
            usize::try_from(step).ok().and_then(|step| BARS.get(step)).copied().unwrap_or("█")
        }
    };
    columns
        .iter()
        .map(|column| {
            let selected = timeline.is_selected(column.0);
            Span::styled(bar(of(column)), if selected { style.patch(theme.selected) } else { style })
        })
        .collect()
}

/// How much time there is in all, and whether something of it is missing.
fn length(timeline: &Timeline) -> String {
    let seconds = u64::from(timeline.step_s()) * PARTS as u64;
    let age = shared::span::age(std::time::Duration::from_secs(seconds));
    if timeline.partial { format!("{age} UTC, partly") } else { format!("{age} UTC") }
}

/// Times along the axis; while keys act upon the timeline, those of what is
/// selected, and what is in it.
fn times(canvas: &mut Canvas<'_>, axis: Rect, columns: &[(usize, usize)]) {
    let (theme, now, timeline) = (canvas.model.theme, canvas.now, &canvas.model.log.timeline);
    if let Some(Stretch { since, until }) = timeline.selected() {
        let in_it = |gravity| -> u64 {
            timeline
                .counts(gravity)
                .enumerate()
                .filter(|(part, _)| timeline.is_selected(*part))
                .map(|(_, n)| n)
                .sum()
        };
        let [bad, warn, rest] = Gravity::ALL.map(in_it).map(grouped);
        let today = since.date_naive() == now.date_naive();
        let since = since.format(if today { "%H:%M:%S" } else { "%m-%d %H:%M:%S" });
        let said = format!("{since} to {}: ✗ {bad} ▲ {warn} ● {rest}", until.format("%H:%M:%S"));
        canvas.text(axis, &said, theme.key);
        return;
    }
    let today = timeline.begin_of(0).date_naive() == now.date_naive();
    let format = match (today, timeline.step_s()) {
        (true, ..15) => "%H:%M:%S",
        (true, _) => "%H:%M",
        (false, _) => "%m-%d %H:%M",
    };
    let marks = marks(canvas.model, now, columns);
    for (cell, (part, _)) in columns.iter().enumerate().step_by(TIME) {
        let time = timeline.begin_of(*part).format(format).to_string();
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
fn marks(model: &Model, now: DateTime<Utc>, columns: &[(usize, usize)]) -> Vec<Option<&'static str>> {
    let (log, timeline) = (&model.log, &model.log.timeline);
    let here = log.moment(now).and_then(|at| timeline.part_of(at));
    let here = here.and_then(|part| columns.iter().position(|(from, to)| (*from..*to).contains(&part)));
    let narrowed = |(from, to): &(usize, usize)| {
        let part = timeline.stretch(*from, to.saturating_sub(1));
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

#[cfg(test)]
mod tests {
    #[test]
    fn a_count_is_exact_for_as_long_as_there_is_room() {
        for (count, want) in [(9_999_999, "9,999,999"), (10_000_000, "10M"), (u64::MAX, "18,446,744,073G")] {
            assert_eq!(super::short(count), want);
        }
    }
}
