//! The help: the table of keys, as people read it.

use super::{Canvas, panel};
use crate::model::{Fitted, HelpPage};
use crate::text;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

/// The widest column, in cells.
const COLUMN_MAX: u16 = 100;
/// The width from which on there are two columns.
const TWO_FROM: u16 = 150;
/// The cells between two columns.
const GAP: u16 = 4;
/// The cells of the keys' names.
const KEYS_CELLS: usize = 16;
/// The lines that a sentence takes at most.
const SENTENCE_LINES: usize = 3;

/// ```text
/// ┌ Help ───────────────────────────────────────────────────────────┐
/// │ Log                                                             │
/// │   f Space         Follow the log, or pause it                   │
/// │   /               Search: n and N go from match to match        │
/// │ / foll_                                                         │
/// └─────────────────────────────────────────────────────────────────┘
/// ```
///
/// Where it is wide, a second column goes on where the first ends.
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect, help: &HelpPage) {
    let columns = if area.width >= TWO_FROM { 2 } else { 1 };
    let column = (area.width.saturating_sub(4 + GAP * (columns - 1)) / columns).min(COLUMN_MAX);
    let lines = lines(canvas, help, usize::from(column));
    let finder = u16::from(help.finder.is_on());
    let wanted = u16::try_from(lines.len().div_ceil(usize::from(columns))).unwrap_or(u16::MAX);
    // It stays as high as it is while it is narrowed.
    let wanted = if finder > 0 { u16::MAX } else { wanted };
    let height = wanted.min(area.height.saturating_sub(2));
    let inner = panel::popup(canvas, area, "Help", column * columns + GAP * (columns - 1), height);
    let inner = panel::finder(canvas, inner, &help.finder);
    if lines.is_empty() {
        canvas.text(inner, "no key and no command is like that", canvas.model.theme.muted);
    }
    if columns == 1 {
        panel::scrolled(canvas, inner, &lines, help.scroll);
        return;
    }
    let [one, _, two] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(GAP), Constraint::Fill(1)]).areas(inner);
    let height = usize::from(inner.height);
    let scroll_max = lines.len().saturating_sub(2 * height);
    let start = help.scroll.min(scroll_max);
    canvas.lines(one, lines.iter().skip(start).take(height).cloned());
    canvas.lines(two, lines.iter().skip(start + height).take(height).cloned());
    panel::more(canvas, inner, (start > 0, start < scroll_max));
    canvas.seen.text = Some(Fitted { scroll_max, height });
}

fn lines(canvas: &Canvas<'_>, help: &HelpPage, width: usize) -> Vec<Line<'static>> {
    let (model, theme) = (canvas.model, canvas.model.theme);
    let cells = width.saturating_sub(KEYS_CELLS + 2);
    let mut lines = Vec::new();
    // What can be done here comes first.
    for (place, rows) in help.told(&model.keymap, model.place_below()) {
        if !lines.is_empty() {
            lines.push(Line::raw(""));
        }
        lines.push(Line::styled(place.title(), theme.title));
        for row in rows {
            let sentence = text::wrap(row.help, cells, SENTENCE_LINES);
            let keys = std::iter::once(text::fit(&row.shown(), KEYS_CELLS))
                .chain(std::iter::repeat(" ".repeat(KEYS_CELLS)));
            lines.extend(sentence.into_iter().zip(keys).map(|(said, keys)| {
                Line::from(vec![Span::styled(format!("  {keys}"), theme.key), Span::raw(said)])
            }));
        }
    }
    if !help.finder.is_on() {
        lines.push(Line::raw(""));
        lines.push(Line::styled("All times are UTC, as in the log file.", theme.muted));
    }
    lines
}
