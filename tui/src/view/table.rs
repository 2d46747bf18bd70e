//! Tables: aligned by display width, and drawn only as far as they are seen.

use super::{Canvas, panel};
use crate::text;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use std::ops::Range;

/// One column.
#[derive(Clone, Copy)]
pub(super) struct Column {
    /// Its heading.
    pub(super) title: &'static str,
    /// The cells that it has at least.
    pub(super) cells: u16,
    /// Its share of what is left over; none keeps it as it is.
    pub(super) grow: u16,
    /// The width of the table from which on it is shown.
    pub(super) from: u16,
    /// Whether it is set against its right edge, as numbers are.
    pub(super) right: bool,
    /// Whether it loses its beginning where it is too long, as a series of
    /// samples does whose newest is last.
    pub(super) newest_last: bool,
    /// Whether the table is sorted by it, and if so whether the highest is first.
    pub(super) sorted: Option<bool>,
}

impl Column {
    /// A column that is always shown and never grows.
    pub(super) const fn new(title: &'static str, cells: u16) -> Self {
        Self { title, cells, grow: 0, from: 0, right: false, newest_last: false, sorted: None }
    }

    pub(super) const fn grow(self, grow: u16) -> Self {
        Self { grow, ..self }
    }

    pub(super) const fn from(self, from: u16) -> Self {
        Self { from, ..self }
    }

    pub(super) const fn right(self) -> Self {
        Self { right: true, ..self }
    }

    pub(super) const fn newest_last(self) -> Self {
        Self { newest_last: true, ..self }
    }

    fn heading(&self) -> String {
        match self.sorted {
            None => self.title.to_owned(),
            Some(false) => format!("{}↑", self.title),
            Some(true) => format!("{}↓", self.title),
        }
    }
}

/// What stands in a column: any text, and its style.
pub(super) type Cell = (String, Style);

/// Draws a heading and the rows around the selected one. `row` is asked only
/// for rows that are seen, and answers a cell for every column, shown or not.
/// On the border at its right stands where there are more rows.
pub(super) fn render(
    canvas: &mut Canvas<'_>,
    area: Rect,
    columns: &[Column],
    len: usize,
    selected: Option<usize>,
    row: impl Fn(usize) -> Vec<Cell>,
) {
    let theme = canvas.model.theme;
    let widths = widths(columns, area.width);
    let heading = columns.iter().map(|column| (column.heading(), theme.muted.add_modifier(Modifier::BOLD)));
    let [top, rest] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    let heading = line(columns, &widths, heading.collect());
    canvas.line(top, &heading);
    let seen = window(len, selected.unwrap_or(0), usize::from(rest.height));
    let marks = (seen.start > 0, seen.end < len);
    for (place, index) in rest.rows().zip(seen) {
        let drawn = line(columns, &widths, row(index));
        canvas.line(place, &drawn);
        if let Some(selected) = selected {
            canvas.clickable(place, index, selected);
        }
        if selected == Some(index) {
            canvas.buffer.set_style(place, theme.selected);
        }
    }
    canvas.seen.rows = Some(usize::from(rest.height));
    panel::more(canvas, rest, marks);
}

/// The rows of a list that are shown in `height` lines: the selected one as
/// near to the middle as the ends of the list allow. It depends on nothing that
/// was shown before, so that the view needs no memory.
pub(super) fn window(len: usize, selected: usize, height: usize) -> Range<usize> {
    let start = selected.saturating_sub(height / 2).min(len.saturating_sub(height));
    start..len.min(start + height)
}

/// The cells of each column; 0 for one that is not shown. Where there is no room
/// for all, the last ones give way.
fn widths(columns: &[Column], total: u16) -> Vec<u16> {
    let mut left = total.saturating_add(1);
    let mut full = false;
    let shown: Vec<bool> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let wanted = column.from <= total && !full;
            let rest = left.checked_sub(column.cells.saturating_add(1)).filter(|_| wanted);
            full |= wanted && rest.is_none();
            left = rest.unwrap_or(left);
            rest.is_some() || (at == 0 && wanted)
        })
        .collect();
    let shares =
        columns.iter().zip(&shown).filter(|(_, shown)| **shown).map(|(column, _)| u32::from(column.grow));
    let (shares, spare) = (shares.sum::<u32>(), u32::from(left));
    columns
        .iter()
        .zip(shown)
        .map(|(column, shown)| {
            if !shown {
                return 0;
            }
            let share = (spare * u32::from(column.grow)).checked_div(shares).unwrap_or(0);
            column.cells + u16::try_from(share).unwrap_or(0)
        })
        .collect()
}

fn line(columns: &[Column], widths: &[u16], cells: Vec<Cell>) -> Line<'static> {
    let mut spans = Vec::with_capacity(cells.len() * 2);
    for ((column, width), (text, style)) in columns.iter().zip(widths).zip(cells) {
        if *width == 0 {
            continue;
        }
        if !spans.is_empty() {
            spans.push(Span::raw(" "));
        }
        let width = usize::from(*width);
        let text = match column {
            Column { newest_last: true, .. } => {
                let surplus = text.chars().count().saturating_sub(width);
                text::fit(&text.chars().skip(surplus).collect::<String>(), width)
            }
            Column { right: true, .. } => text::fit_right(&text, width),
            _ => text::fit(&text, width),
        };
        spans.push(Span::styled(text, style));
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_holds_the_selected_row_and_wastes_no_line() {
        for (len, selected, height, want) in [
            (3, 0, 10, 0..3),
            (100, 0, 10, 0..10),
            (100, 50, 10, 45..55),
            (100, 99, 10, 90..100),
            (100, 50, 1, 50..51),
            (0, 0, 10, 0..0),
            (5, 2, 0, 2..2),
        ] {
            assert_eq!(window(len, selected, height), want, "{len} {selected} {height}");
        }
    }
}
