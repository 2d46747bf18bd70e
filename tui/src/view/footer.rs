//! The last line: what keys do here; and the outcomes just above it.

use super::Canvas;
use crate::text;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

/// ```text
///  f follow  / search  F filter  v level  Enter detail  s send  ? help  q quit
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let theme = canvas.model.theme;
    let mut spans = vec![Span::raw(" ")];
    let mut used = 1;
    for binding in canvas.model.keymap.footer(canvas.model.place()) {
        let Some(key) = binding.keys.first() else { continue };
        let key = key.to_string();
        let cells = text::width(&key) + text::width(binding.label) + 3;
        if used + cells > usize::from(area.width) + 2 {
            break;
        }
        used += cells;
        spans.push(Span::styled(key, theme.key));
        spans.push(Span::styled(format!(" {}  ", binding.label), theme.muted));
    }
    canvas.line(area, &Line::from(spans));
}

/// ```text
/// ──────────────────────────────── ✓ Dune was borrowed by Ann ─┘
/// ```
pub(super) fn toasts(canvas: &mut Canvas<'_>, body: Rect) {
    let theme = canvas.model.theme;
    for (toast, row) in canvas.model.toasts.iter().rev().zip(body.rows().rev()) {
        let (glyph, style) = if toast.good { ("✓", theme.good) } else { ("✗", theme.bad) };
        let said = text::clip(&toast.text, usize::from(body.width.saturating_sub(8)));
        let said = format!(" {glyph} {said} ");
        let cells = u16::try_from(text::width(&said)).unwrap_or(body.width).min(body.width);
        let place = Rect { x: body.right().saturating_sub(cells + 1).max(body.x), width: cells, ..row };
        Clear.render(place, canvas.buffer);
        canvas.line(place, &Line::styled(said, style));
    }
}
