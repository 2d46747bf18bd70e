//! Levels and services, to be shown or hidden one by one.

use crate::model::{Facet, Selected};
use crate::text;
use crate::theme::Theme;
use crate::view::{Canvas, panel, table};
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// The least inside of the list, in cells.
const WIDTH_MIN: usize = 36;

/// ```text
/// ┌ Levels and services · 5 of 120 ─┐
/// │ [x] ■ fatal                     │
/// │ [ ] ▾ debug                     │
/// │ ─── services ────────────────── │
/// │ [x] LibraryService              ↓
/// └─────────────────────────────────┘
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect, selected: &Selected<Facet>) {
    let model = canvas.model;
    let (theme, log) = (model.theme, &model.log);
    let filter = log.wanted.as_ref().unwrap_or(&log.filter);
    let fleet = model.fleet.services.iter().map(|service| service.name.as_str());
    let all = Facet::all(filter, log.lines(), fleet);
    let cells =
        all.iter().map(|facet| text::width(&label(facet, theme).0) + text::width(SHOWN)).max().unwrap_or(0);
    let width = u16::try_from(cells.max(WIDTH_MIN)).unwrap_or(u16::MAX).min(area.width.saturating_sub(4));
    let at = all.iter().position(|facet| selected.key() == Some(facet)).unwrap_or(0);
    // Between the levels and the services stands a line.
    let levels = all.iter().filter(|facet| matches!(facet, Facet::Level(_))).count();
    let row_of = |at: usize| at + usize::from(at >= levels);
    let mut rows: Vec<Option<&Facet>> = all.iter().map(Some).collect();
    rows.insert(levels.min(rows.len()), None);
    let height = u16::try_from(rows.len()).unwrap_or(u16::MAX).min(area.height.saturating_sub(2));
    let title = format!("Levels and services · {} of {}", at + 1, all.len());
    let inner = panel::popup(canvas, area, &title, width, height);
    let seen = table::window(rows.len(), row_of(at), usize::from(inner.height));
    canvas.seen.rows = Some(usize::from(inner.height));
    let border = Rect { x: inner.right() + 1, width: 1, height: 1, ..inner };
    if seen.start > 0 {
        canvas.text(border, "↑", theme.key);
    }
    if seen.end < rows.len() {
        canvas.text(Rect { y: inner.bottom().saturating_sub(1), ..border }, "↓", theme.key);
    }
    for (row, facet) in inner.rows().zip(rows.get(seen).unwrap_or_default()) {
        let Some(facet) = facet else {
            let rule = format!("─── services {}", "─".repeat(usize::from(row.width)));
            canvas.line(row, &Line::styled(rule, theme.muted));
            continue;
        };
        let (label, style) = label(facet, theme);
        let shown = if facet.is_shown(filter) { SHOWN } else { HIDDEN };
        let cells = usize::from(row.width).saturating_sub(text::width(shown));
        let label = text::clip(&label, cells);
        canvas.line(row, &Line::from(vec![Span::styled(shown, theme.text), Span::styled(label, style)]));
        if selected.key() == Some(facet) {
            canvas.buffer.set_style(row, theme.selected);
        }
    }
}

const SHOWN: &str = "[x] ";
const HIDDEN: &str = "[ ] ";

fn label(facet: &Facet, theme: Theme) -> (String, Style) {
    match facet {
        Facet::Level(level) => {
            let look = theme.level(*level);
            (format!("{} {level}", look.glyph), look.style)
        }
        Facet::Service(name) => (text::clean(name).into_owned(), theme.text),
    }
}
