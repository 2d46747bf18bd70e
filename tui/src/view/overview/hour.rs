//! How much was logged in the last hour.

use crate::figures;
use crate::model::SourceName;
use crate::view::{Canvas, histogram, panel};
use ratatui::layout::Rect;

/// ```text
/// ┌ Log of the last hour: 104,224 records ────────────────┐
/// │◉ error+        2        ▁                            █│
/// │▲ warn         11    ▁      ▁▂                      ▁ ▁│
/// │◇ other   104,211 ▃▃▄▃▃▄▅▄▃▃▃▄▃▃▃▃▂▃▃▄▄▃▃▃▄▃▃▃▄▃▃▄▃▃▃█▄│
/// └───────────────────────────────────────────────────────┘
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let volume = canvas.model.volume.as_ref();
    let mut title = match volume.map(|volume| volume.total()) {
        None => "Log of the last hour".to_owned(),
        Some(1) => "Log of the last hour: 1 record".to_owned(),
        Some(total) => format!("Log of the last hour: {} records", figures::grouped(total)),
    };
    if volume.is_some_and(|volume| volume.partial) {
        title.push_str(", partly");
    }
    let inner = panel::of_source(canvas, area, &title, SourceName::Log);
    match volume {
        Some(volume) => histogram::render(canvas, inner, volume, true),
        None => panel::empty(canvas, inner, SourceName::Log, "○ counting"),
    }
}
