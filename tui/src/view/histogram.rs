//! How much was logged when, by gravity: in the overview and above the log.

use super::{Canvas, chart};
use crate::figures;
use crate::model::{Gravity, Histogram, PARTS};
use crate::text;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use std::ops::Range;

/// The cells of a row's label and count, with a space behind them.
pub(super) const LABEL: u16 = 18;
/// The cells of a label.
const NAME_CELLS: usize = 8;
/// The count under which a row does not magnify: one error is no peak.
const SCALE_MIN: u64 = 4;

/// ```text
/// ◉ error+        2        ▁                            █
/// ▲ warn         11    ▁      ▁▂                        ▁ ▁
/// ◇ other   104,211 ▃▃▄▃▃▄▅▄▃▃▃▄▃▃▃▃▂▃▃▄▄▃▃▃▄▃▃▃▄▃▃▄▃▃▃█▄▃▃▄▃▃▃▄▃▃▄▃
/// ```
///
/// Each gravity has a row, of as many lines as there is room, and a scale of its
/// own: a few errors among many records are seen. Without `known` the counts are
/// not here yet.
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect, histogram: &Histogram, known: bool) {
    let height = area.height / 3;
    if height == 0 || area.width <= LABEL {
        return;
    }
    let columns = columns(usize::from(area.width - LABEL));
    for (at, gravity) in (0..).zip(Gravity::ALL) {
        let look = canvas.model.theme.level(gravity.level());
        let parts: Vec<u64> = histogram.counts(gravity).collect();
        // Where parts share a column it has the highest, so that no peak is lost.
        let highest = |column: &Range<usize>| parts.get(column.clone()).and_then(|parts| parts.iter().max());
        let samples: Vec<Option<u64>> = columns.iter().map(|column| highest(column).copied()).collect();
        let total = parts.iter().fold(0, |sum: u64, count| sum.saturating_add(*count));
        let total = if known { figures::short(total) } else { "…".to_owned() };
        let name = format!("{} {}", look.glyph, name(gravity));
        let count = text::fit_right(&total, usize::from(LABEL) - NAME_CELLS - 1);
        let label = format!("{}{count} ", text::fit(&name, NAME_CELLS));
        let row = Rect { y: area.y + at * height, height, ..area };
        let bars = chart::bars(&samples, samples.len(), height, SCALE_MIN);
        let lines = bars.into_iter().enumerate().map(|(line, bars)| {
            let is_last = line + 1 == usize::from(height);
            let label = if is_last { label.clone() } else { " ".repeat(usize::from(LABEL)) };
            Line::from(vec![Span::styled(label, look.style), Span::styled(bars, look.style)])
        });
        canvas.lines(row, lines);
    }
}

/// Which parts each column shows: the whole time over this many cells.
pub(super) fn columns(cells: usize) -> Vec<Range<usize>> {
    let part = |cell: usize| cell * PARTS / cells.max(1);
    (0..cells).map(|cell| part(cell)..part(cell + 1).max(part(cell) + 1)).collect()
}

const fn name(gravity: Gravity) -> &'static str {
    match gravity {
        Gravity::Bad => "error+",
        Gravity::Warn => "warn",
        Gravity::Rest => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_time_fills_the_columns_from_the_first_part_to_the_last() {
        for cells in [1, 7, 33, 60, 69, 200] {
            let columns = columns(cells);
            let (first, last) = (columns.first().unwrap(), columns.last().unwrap());
            assert_eq!((columns.len(), first.start, last.end), (cells, 0, PARTS), "{cells}");
            assert!(columns.iter().all(|column| !column.is_empty()), "{cells}");
        }
    }
}
