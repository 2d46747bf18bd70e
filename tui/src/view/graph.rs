//! Who depends on whom.

use super::{Canvas, panel};
use crate::model::{Branch, Drawn, SourceName};
use crate::text;
use crate::theme;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use shared::wire::monitor::Status;

/// ```text
/// ┌ Who depends on whom ──────────────────────────┐
/// │✗ LogService unhealthy ◀ root of incident 3    │
/// │├─ ✗ LibraryService unhealthy                  │
/// │└─ ● WebService                                │
/// │alone: ● Mailer                                │
/// └───────────────────────────────────────────────┘
/// ```
///
/// What is required stands above those that require it.
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let (fleet, theme) = (&canvas.model.fleet, canvas.model.theme);
    let inner = panel::of_source(canvas, area, "Who depends on whom", SourceName::Registry);
    if fleet.graph.is_empty() {
        panel::empty(canvas, inner, SourceName::Registry, "no service requires another");
        return;
    }
    let cells = usize::from(inner.width);
    let height = usize::from(inner.height);
    let alone = usize::from(!fleet.alone.is_empty());
    let all = fleet.graph.len() + alone;
    let shown = if all > height { height.saturating_sub(1) } else { fleet.graph.len() };
    let mut lines: Vec<Line<'_>> = fleet.graph.iter().take(shown).map(|b| branch(canvas, b, cells)).collect();
    if all > height {
        lines.push(Line::styled(format!("… {} more", all - shown), theme.muted));
    } else if alone > 0 {
        let alone = format!("alone: {}", fleet.alone.join(", "));
        lines.push(Line::styled(text::clip(&alone, cells), theme.muted));
    }
    canvas.lines(inner, lines);
}

fn branch(canvas: &Canvas<'_>, branch: &Branch, cells: usize) -> Line<'static> {
    let (model, theme) = (canvas.model, canvas.model.theme);
    let status = model.fleet.service(&branch.name).map(crate::model::Service::status);
    let (glyph, word, style) = match status {
        // Being well needs no word.
        Some(Status::Healthy) => ("●", "", theme.good),
        Some(status) => (theme::glyph(status), status.as_str(), theme.status(status)),
        None => ("✗", "not registered", theme.bad),
    };
    let mut said = format!("{glyph} {} {word}", branch.name).trim_end().to_owned();
    said.push_str(match branch.drawn {
        Drawn::Here => "",
        Drawn::Above => " (as above)",
        Drawn::Circle => " (a circle)",
        Drawn::TooDeep => " …",
    });
    let mut spans = vec![Span::styled(branch.stem.clone(), theme.muted)];
    let room = cells.saturating_sub(text::width(&branch.stem));
    let root = model.incidents.rooted_in(&branch.name).filter(|_| branch.drawn == Drawn::Here);
    let mark = root.map_or_else(String::new, |incident| format!(" ◀ root of incident {}", incident.id));
    let said = text::clip(&said, room.saturating_sub(text::width(&mark)));
    spans.push(Span::styled(said, style));
    spans.push(Span::styled(mark, theme.bad));
    Line::from(spans)
}
