//! One record in full.

use crate::model::{DETAIL_LINES_MAX, RecordDetail};
use crate::text;
use crate::view::{Canvas, panel};
use chrono::SecondsFormat;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// The cells of a field's name.
const NAME: usize = 18;

/// ```text
/// ┌ Record 42 ───────────────────────────────────────────────────────────┐
/// │  time              2026-11-22T10:42:07.123456Z                       │
/// │▸ level             ◇ INFO                                            │
/// │  service           LibraryService                                    │
/// │  book_id           1                                                 │
/// │                                                                      │
/// │book 1 was borrowed                                                   │
/// │                                                                      │
/// │{                                                                     │
/// │  "book_id": "1"                                                      │
/// │}                                                                     │
/// └──────────────────────────────────────────────────────────────────────┘
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect, detail: &RecordDetail) {
    let theme = canvas.model.theme;
    let record = &detail.record;
    let mark = if canvas.model.log.marks.contains(&record.seq) { " ◆ marked" } else { "" };
    let inner = panel::panel(canvas, area, &format!("Record {}{mark}", record.seq), None);
    let inner = Rect { width: inner.width.saturating_sub(1), ..inner };
    let cells = usize::from(inner.width);
    let name_cells = NAME.min(cells / 3);
    let time = record.ts.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    let level = theme.level(record.level);
    let mut lines = vec![Line::from(vec![
        Span::styled(format!("  {}", text::fit("time", name_cells)), theme.muted),
        Span::styled(text::clip(&time, cells.saturating_sub(name_cells + 2)), theme.text),
    ])];
    for (row, field) in detail.fields().into_iter().enumerate() {
        let is_selected = row == detail.row;
        let (value, style) = match row {
            0 => (format!("{} {}", level.glyph, level.word), level.style),
            _ => (field.value, theme.text),
        };
        let line = Line::from(vec![
            Span::styled(if is_selected { "▸ " } else { "  " }, theme.key),
            Span::styled(text::fit(&field.name, name_cells), theme.muted),
            Span::styled(text::fit(&value, cells.saturating_sub(name_cells + 2)), style),
        ]);
        lines.push(if is_selected { line.patch_style(theme.selected) } else { line });
    }
    // The selected field stays in sight, below the time.
    let height = usize::from(inner.height);
    let selected_from = (detail.row + 2).saturating_sub(height);
    let scroll = if detail.row + 2 > height { detail.scroll.max(selected_from) } else { detail.scroll };
    // No more is wrapped than is seen, and a line to tell that there is more.
    let left = |lines: &[Line<'_>]| (scroll + height + 1).saturating_sub(lines.len()).min(DETAIL_LINES_MAX);
    lines.push(Line::raw(""));
    lines.extend(text::wrap(&record.message, cells, left(&lines)).into_iter().map(Line::raw));
    if !record.fields.is_empty() {
        lines.push(Line::raw(""));
        let json = text::wrap(&detail.pretty(), cells, left(&lines));
        lines.extend(json.into_iter().map(|line| Line::styled(line, theme.key)));
    }
    panel::scrolled(canvas, inner, &lines, scroll);
}
