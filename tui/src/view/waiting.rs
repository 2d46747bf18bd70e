//! What is shown before any registry has answered.

use super::{Canvas, banner, panel};
use crate::action::Local;
use crate::keys::{Command, Place};
use crate::model::SourceName;
use crate::text;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// The widest box, in cells.
const WIDTH_MAX: u16 = 96;

/// ```text
///  ○ Waiting for the registry at http://localhost:3000
///    Connection refused (os error 111); retry in 2s or Ctrl-R
///
///    Start the daemons:
///      distlogd all
///    Or let the console do it:
///      distlog-tui --local
/// ```
///
/// What is to be started listens where this console looks for it.
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let (model, theme) = (canvas.model, canvas.model.theme);
    let width = area.width.saturating_sub(6).min(WIDTH_MAX);
    let cells = usize::from(width);
    let indented = |said: &str, indent: usize| {
        let lines = text::wrap(said, cells.saturating_sub(indent), 4).into_iter();
        lines.map(move |line| Line::raw(format!("{:indent$}{line}", "")))
    };
    let registry = format!("○ Waiting for the registry at {}", model.endpoints.registry);
    let mut lines = vec![Line::raw(""), Line::styled(text::clip(&registry, cells), theme.title)];
    if let Some(away) = &model.sources.get(SourceName::Registry).away {
        let cause = format!("  {}; {}", away.cause, banner::retry(model, away.retry_at, canvas.now));
        lines.push(Line::styled(text::clip(&cause, cells), theme.muted));
    }
    lines.push(Line::raw(""));
    match &model.local {
        Some(Local::Starting) => lines.push(Line::styled("● distlogd all is starting …", theme.good)),
        Some(Local::Failed(_) | Local::Ended { .. }) => {
            let key = canvas.key(Place::Anywhere, Command::Retry);
            let said = model.local.as_ref().and_then(Local::fault).unwrap_or_default();
            let wrapped = text::wrap(&format!("✗ {said}"), cells, 4);
            lines.extend(wrapped.into_iter().map(|line| Line::styled(line, theme.bad)));
            lines.extend(indented(&format!("{key} tries again"), 2));
        }
        Some(Local::NotNeeded) | None => {
            let endpoints = &model.endpoints;
            if endpoints.are_here() {
                lines.extend(indented("Start the daemons:", 2));
                lines.extend(indented(&format!("distlogd all{}", endpoints.port_flags()), 4));
                lines.extend(indented("Or let the console do it:", 2));
                lines.extend(indented(&format!("distlog-tui --local{}", endpoints.url_flags()), 4));
            } else {
                lines.extend(indented("Start distlogd there, or say where it is: --registry-url", 2));
            }
        }
    }
    let height = u16::try_from(lines.len() + 1).unwrap_or(u16::MAX).min(area.height.saturating_sub(2));
    let inner = panel::popup(canvas, area, "distlog", width, height);
    canvas.lines(inner, lines);
}
