//! What happened so far: every toast, also those that are gone.

use super::{Canvas, panel, when};
use crate::text;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// The widest list, in cells.
const WIDTH_MAX: u16 = 100;

/// ```text
/// ┌ Messages ───────────────────────────────────────────────────────┐
/// │ 10:42:07 ✓ book 2 was borrowed by Ann                           │
/// │ 10:41:55 ✗ no copy of book 1 is in                              │
/// └─────────────────────────────────────────────────────────────────┘
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect, scroll: usize) {
    let (theme, now) = (canvas.model.theme, canvas.now);
    let width = area.width.saturating_sub(6).min(WIDTH_MAX);
    let cells = usize::from(width);
    let mut lines = Vec::new();
    for (at, toast) in canvas.model.toasts.history().rev() {
        let (glyph, style) = if toast.good { ("✓", theme.good) } else { ("✗", theme.bad) };
        let said = format!("{} {glyph} {}", when::moment(at, now), toast.text);
        lines.extend(text::wrap(&said, cells, 4).into_iter().map(|line| Line::styled(line, style)));
    }
    if lines.is_empty() {
        lines.push(Line::styled("nothing has happened yet", theme.muted));
    }
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height.saturating_sub(2));
    let inner = panel::popup(canvas, area, "Messages, newest first", width, height);
    panel::scrolled(canvas, inner, &lines, scroll);
}
