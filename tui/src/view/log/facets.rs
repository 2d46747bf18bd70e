//! Levels and services, to be shown or hidden one by one.

use super::super::{Canvas, panel};
use crate::model::{Facet, window};
use crate::text;
use crate::theme;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// The inside of the list, in cells.
const WIDTH: u16 = 36;

/// ```text
/// ┌ Levels and services ────────┐
/// │ [x] ✗ fatal                 │
/// │ [ ] ○ debug                 │
/// │ [x] LibraryService          │
/// └─────────────────────────────┘
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect, selected: &Facet) {
    let model = canvas.model;
    let (theme, log) = (model.theme, &model.log);
    let filter = log.wanted.as_ref().unwrap_or(&log.filter);
    let fleet = model.fleet.services.iter().map(|service| service.name.as_str());
    let all = Facet::all(filter, log.lines(), fleet);
    let width = WIDTH.min(area.width.saturating_sub(4));
    let height = u16::try_from(all.len()).unwrap_or(u16::MAX).min(area.height.saturating_sub(2));
    let inner = panel::popup(canvas, area, "Levels and services", width, height);
    let at = all.iter().position(|facet| facet == selected).unwrap_or(0);
    let seen = window(all.len(), at, usize::from(inner.height));
    for (row, facet) in inner.rows().zip(all.get(seen).unwrap_or_default()) {
        let (glyph, name, style): (_, &str, Style) = match facet {
            Facet::Level(level) => (theme::level_glyph(*level), level.as_str(), theme.level(*level)),
            Facet::Service(name) => ("", name, theme.text),
        };
        let shown = if facet.is_shown(filter) { "[x] " } else { "[ ] " };
        let label = if glyph.is_empty() { name.to_owned() } else { format!("{glyph} {name}") };
        let label = text::clip(&label, usize::from(row.width).saturating_sub(text::width(shown)));
        canvas.line(row, &Line::from(vec![Span::styled(shown, theme.text), Span::styled(label, style)]));
        if facet == selected {
            canvas.buffer.set_style(row, theme.selected);
        }
    }
}
