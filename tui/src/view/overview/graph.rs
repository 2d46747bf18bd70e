//! Who depends on whom.

use crate::model::{Branch, Drawn, Fleet, SourceName};
use crate::text;
use crate::theme;
use crate::view::{Canvas, panel};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use shared::wire::monitor::Status;

/// The lines that those who stand alone take at most.
const ALONE_LINES: usize = 4;
/// The same on the whole screen.
const WHOLE_LINES: usize = 500;

/// ```text
/// ┌ Who depends on whom ──────────────────────────┐
/// │✗ LogService unhealthy ◀ root of incident 3    │
/// │├─ ✗ LibraryService unhealthy                  │
/// │└─ ● WebService                                │
/// │● alone: Mailer                                │
/// └───────────────────────────────────────────────┘
/// ```
///
/// What is required stands above those that require it.
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let (fleet, theme) = (&canvas.model.fleet, canvas.model.theme);
    let inner = panel::of_source(canvas, area, "Who depends on whom", SourceName::Registry);
    if fleet.graph.is_empty() && fleet.alone.is_empty() {
        panel::empty(canvas, inner, SourceName::Registry, "no service requires another");
        return;
    }
    let cells = usize::from(inner.width);
    let height = usize::from(inner.height);
    let alone = alone(fleet, cells, ALONE_LINES);
    let all = fleet.graph.len() + alone.len();
    let shown = if all > height { height.saturating_sub(1) } else { all };
    let mut lines: Vec<Line<'_>> = fleet.graph.iter().take(shown).map(|b| branch(canvas, b, cells)).collect();
    lines.extend(alone.into_iter().map(|line| Line::styled(line, theme.muted)).take(shown - lines.len()));
    if all > height {
        lines.push(Line::styled(format!("… {} more", all - shown), theme.muted));
    }
    canvas.lines(inner, lines);
}

/// The whole of it, over what is on the screen.
pub(in crate::view) fn whole(canvas: &mut Canvas<'_>, area: Rect, scroll: usize) {
    let (fleet, theme) = (&canvas.model.fleet, canvas.model.theme);
    let width = area.width.saturating_sub(4);
    let inner = panel::popup(canvas, area, "Who depends on whom", width, area.height.saturating_sub(2));
    let cells = usize::from(inner.width);
    let mut lines: Vec<Line<'_>> = fleet.graph.iter().map(|b| branch(canvas, b, cells)).collect();
    let alone = alone(fleet, cells, WHOLE_LINES);
    lines.extend(alone.into_iter().map(|line| Line::styled(line, theme.muted)));
    if lines.is_empty() {
        panel::empty(canvas, inner, SourceName::Registry, "no service requires another");
    }
    panel::scrolled(canvas, inner, &lines, scroll);
}

/// The lines that it takes.
pub(super) fn height(canvas: &Canvas<'_>, cells: usize) -> usize {
    let fleet = &canvas.model.fleet;
    (fleet.graph.len() + alone(fleet, cells, ALONE_LINES).len()).max(1)
}

/// Those that neither require anything nor are required, and are well.
fn alone(fleet: &Fleet, cells: usize, lines_max: usize) -> Vec<String> {
    if fleet.alone.is_empty() {
        return Vec::new();
    }
    text::wrap(&format!("● alone: {}", fleet.alone.join(", ")), cells, lines_max)
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
