//! How much was logged in the last hour, by level.

use super::log::grouped;
use super::{Canvas, chart, panel};
use crate::model::SourceName;
use crate::text;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

/// The cells of a level's name and of its count.
const HEAD_CELLS: usize = 14;
/// The count under which a chart does not magnify.
const SCALE_MIN: u64 = 4;

/// ```text
/// ┌ Log of the last hour: 3401 records ─┐
/// │ERROR     12 ▁▁▁▁▂▁▁                 │
/// │WARN       0                         │
/// │INFO    3389 ▅▆▇▅▆▇                  │
/// └─────────────────────────────────────┘
/// ```
///
/// Each level has a scale of its own: a few errors among many records are seen.
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let (model, theme) = (canvas.model, canvas.model.theme);
    let title = match &model.volume {
        None => "Log of the last hour".to_owned(),
        Some(volume) if volume.total() == 1 => "Log of the last hour: 1 record".to_owned(),
        Some(volume) => format!("Log of the last hour: {} records", grouped(volume.total())),
    };
    let inner = panel::of_source(canvas, area, &title, SourceName::Log);
    let Some(volume) = &model.volume else {
        panel::empty(canvas, inner, SourceName::Log, "○ counting");
        return;
    };
    let groups: Vec<_> = volume.groups().take(usize::from(inner.height).min(4)).collect();
    let each = inner.height / u16::try_from(groups.len()).unwrap_or(1).max(1);
    let places = Layout::vertical(groups.iter().map(|_| Constraint::Length(each))).split(inner);
    for ((name, level, minutes), place) in groups.into_iter().zip(places.iter()) {
        let count: u64 = minutes.iter().sum();
        let room = usize::from(place.width).saturating_sub(HEAD_CELLS + 1);
        let bars = chart::bars(&spread(minutes, room), room, each, SCALE_MIN);
        let head = format!("{} {} ", text::fit(name, 5), text::fit_right(&short(count), HEAD_CELLS - 6));
        let style = theme.level(level);
        let last = bars.len().saturating_sub(1);
        let lines = bars.into_iter().enumerate().map(|(at, bars)| {
            let head = if at == last { head.clone() } else { " ".repeat(HEAD_CELLS + 1) };
            // Nothing at all is an empty line, not a row of lowest bars.
            let bars = if count == 0 { String::new() } else { bars };
            Line::from(vec![Span::styled(head, style), Span::styled(bars, style)])
        });
        canvas.lines(*place, lines);
    }
}

/// The whole hour over this many cells. Where minutes share a cell it has the
/// highest of them, so that no peak is lost.
fn spread(minutes: &[u64], cells: usize) -> Vec<Option<u64>> {
    let minute = |cell: usize| cell * minutes.len() / cells.max(1);
    (0..cells)
        .map(|cell| {
            let (first, next) = (minute(cell), minute(cell + 1));
            minutes.iter().skip(first).take((next - first).max(1)).max().copied()
        })
        .collect()
}

/// A count in few cells.
fn short(count: u64) -> String {
    match count {
        0..1_000_000 => grouped(count),
        1_000_000..1_000_000_000 => format!("{}.{}M", count / 1_000_000, count / 100_000 % 10),
        _ => format!("{}.{}G", count / 1_000_000_000, count / 100_000_000 % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hour_fills_its_cells_from_the_first_minute_to_the_last() {
        let hour: Vec<u64> = (1..=60).collect();
        for cells in [1, 7, 33, 60, 69, 200] {
            let spread = spread(&hour, cells);
            assert_eq!((spread.len(), spread.last()), (cells, Some(&Some(60))), "{cells}");
            assert!(cells < 60 || spread.first() == Some(&Some(1)), "{cells}");
        }
    }
}
