//! One record in full.

use super::{Canvas, panel};
use crate::model::RecordDetail;
use crate::text;
use chrono::SecondsFormat;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// The most lines of a record that are shown.
const LINES_MAX: usize = 2_000;

/// ```text
/// ┌ Record 42 ───────────────────────────────────────────────────────────┐
/// │Time        2026-11-22T10:42:07.123456Z                               │
/// │Level       INFO                                                      │
/// │Service     LibraryService                                            │
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
    let inner = panel::panel(canvas, area, &format!("Record {}", record.seq), None);
    let inner = Rect { width: inner.width.saturating_sub(1), ..inner };
    let cells = usize::from(inner.width);
    let time = record.ts.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    let level = theme.level(record.level);
    let mut lines = vec![
        panel::labelled("Time", &time, theme.text, theme.muted, cells),
        panel::labelled("Level", record.level.as_upper(), level, theme.muted, cells),
        panel::labelled("Service", &record.service, theme.text, theme.muted, cells),
        Line::raw(""),
    ];
    lines.extend(text::wrap(&record.message, cells, LINES_MAX).into_iter().map(Line::raw));
    if !record.fields.is_empty() {
        let json = serde_json::to_string_pretty(&record.fields).unwrap_or_default();
        lines.push(Line::raw(""));
        lines.extend(
            text::wrap(&json, cells, LINES_MAX).into_iter().map(|line| Line::styled(line, theme.key)),
        );
    }
    panel::scrolled(canvas, inner, &lines, detail.scroll);
}
