//! A question before what cannot be undone.

use super::{Canvas, footer, panel};
use crate::keys::Place;
use crate::model::Confirm;
use crate::text;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// The widest question, in cells.
const WIDTH_MAX: u16 = 64;

/// ```text
/// ┌ Deregister LibraryService-localhost-5000? ──────────────────────┐
/// │ This removes the instance … from the registry at once; whoever  │
/// │ watches it is told. …                                           │
/// │                                                                 │
/// │ y yes   n no                                                    │
/// └─────────────────────────────────────────────────────────────────┘
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect, question: &Confirm) {
    let width = area.width.saturating_sub(6).min(WIDTH_MAX);
    let text = text::wrap(&question.text, usize::from(width), usize::from(area.height.saturating_sub(4)));
    let height = u16::try_from(text.len() + 2).unwrap_or(u16::MAX);
    let inner = panel::popup(canvas, area, &question.title, width, height);
    let mut lines: Vec<Line<'_>> = text.into_iter().map(Line::raw).collect();
    lines.push(Line::raw(""));
    lines.push(Line::from(footer::keys(canvas.model, Place::Confirm, canvas.now, usize::from(width))));
    canvas.lines(inner, lines);
}
