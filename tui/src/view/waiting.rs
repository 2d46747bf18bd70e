//! What is shown before any registry has answered.

use super::{Canvas, panel, when};
use crate::action::Local;
use crate::model::SourceName;
use crate::text;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// ```text
///  ○ Waiting for the registry at http://localhost:3000
///    Connection refused (os error 111); retry in 2s
///
///    Start the daemons:       distlogd all
///    Or let the console do it: distlog-tui --local
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let (model, theme) = (canvas.model, canvas.model.theme);
    let width = area.width.saturating_sub(6).min(66);
    let inner = panel::popup(canvas, area, "distlog", width, 8);
    let cells = usize::from(inner.width);
    let mut lines = vec![Line::raw("")];
    let registry = format!("○ Waiting for the registry at {}", model.endpoints.registry);
    lines.push(Line::styled(text::clip(&registry, cells), theme.title));
    if let Some(away) = &model.sources.get(SourceName::Registry).away {
        let cause = format!("  {}; {}", away.cause, when::retry(away.retry_at, canvas.now));
        lines.push(Line::styled(text::clip(&cause, cells), theme.muted));
    }
    lines.push(Line::raw(""));
    match &model.local {
        Some(Local::Starting) => lines.push(Line::styled("● distlogd all is starting …", theme.good)),
        Some(Local::Failed(cause)) => {
            let wrapped = text::wrap(&format!("✗ {cause}"), cells, 4);
            lines.extend(wrapped.into_iter().map(|line| Line::styled(line, theme.bad)));
        }
        Some(Local::NotNeeded) | None => {
            lines.push(Line::raw("  Start the daemons:        distlogd all"));
            lines.push(Line::raw("  Or let the console do it: distlog-tui --local"));
        }
    }
    canvas.lines(inner, lines);
}
