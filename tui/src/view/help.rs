//! The help: the table of keys, as people read it.

use super::{Canvas, panel};
use crate::keys::Place;
use crate::text;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// The widest help, in cells.
const WIDTH_MAX: u16 = 76;
/// The cells of the keys' names.
const KEYS_CELLS: usize = 16;

/// ```text
/// ┌ Help ───────────────────────────────────────────────────────────┐
/// │ Log                                                             │
/// │   f Space         Follow the log, or hold it                    │
/// │   /               Search the lines that are held                │
/// └─────────────────────────────────────────────────────────────────┘
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect, scroll: usize) {
    let (keymap, theme) = (&canvas.model.keymap, canvas.model.theme);
    let width = area.width.saturating_sub(4).min(WIDTH_MAX);
    let cells = usize::from(width).saturating_sub(KEYS_CELLS + 2);
    let mut lines = Vec::new();
    // What can be done here comes first.
    let here = canvas.model.place_below();
    for place in std::iter::once(here).chain(Place::ALL.into_iter().filter(|place| *place != here)) {
        let mut rows = keymap.rows(place).peekable();
        if rows.peek().is_none() {
            continue;
        }
        lines.push(Line::styled(place.title(), theme.title));
        for binding in rows {
            if binding.keys.is_empty() {
                continue;
            }
            lines.push(Line::from(vec![
                Span::styled(format!("  {}", text::fit(&binding.shown(), KEYS_CELLS)), theme.key),
                Span::raw(text::clip(binding.help, cells)),
            ]));
        }
        lines.push(Line::raw(""));
    }
    lines.push(Line::styled("All times are UTC, as in the log file.", theme.muted));
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height.saturating_sub(2));
    let inner = panel::popup(canvas, area, "Help (↑ ↓ scroll)", width, height);
    panel::scrolled(canvas, inner, &lines, scroll);
}
