//! Boxes: what every screen is made of.

use super::{Canvas, when};
use crate::keys::{Command, Place};
use crate::model::{Finder, Fitted, Seen, SourceName, Tab};
use crate::text;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Widget};
use tui_input::Input;

/// Draws a box and returns its inside. The title may hold anything.
pub(super) fn panel(canvas: &mut Canvas<'_>, area: Rect, title: &str, mark: Option<&str>) -> Rect {
    let theme = &canvas.model.theme;
    let cells = usize::from(area.width.saturating_sub(4));
    let mut line = vec![Span::styled(format!(" {} ", text::clip(title, cells)), theme.title)];
    if let Some(mark) = mark {
        let left = cells.saturating_sub(text::width(title) + 3);
        if left > 8 {
            line.push(Span::styled(format!("▲ {} ", text::clip(mark, left)), theme.warn));
        }
    }
    let block =
        Block::bordered().border_type(BorderType::Plain).border_style(theme.muted).title(Line::from(line));
    let inner = block.inner(area);
    block.render(area, canvas.buffer);
    inner
}

/// As [`panel`], for what a source brings: says how old it is where it is stale.
pub(super) fn of_source(canvas: &mut Canvas<'_>, area: Rect, title: &str, source: SourceName) -> Rect {
    let age = canvas.model.sources.get(source).stale(canvas.now).map(when::as_of);
    panel(canvas, area, title, age.as_deref())
}

/// Says in an empty box why it is empty: its source has not been heard yet, or
/// there is nothing.
pub(super) fn empty(canvas: &mut Canvas<'_>, area: Rect, source: SourceName, nothing: &str) {
    let muted = canvas.model.theme.muted;
    if canvas.model.sources.get(source).is_new() {
        let endpoints = &canvas.model.endpoints;
        let url = match source {
            SourceName::Registry => &endpoints.registry,
            SourceName::Monitor => &endpoints.monitor,
            SourceName::Log => &endpoints.log,
            SourceName::Library => &endpoints.library,
        };
        let waiting = format!("○ waiting for the {} at {url}", source.word());
        let lines = text::wrap(&waiting, usize::from(area.width), usize::from(area.height));
        canvas.lines(area, lines.into_iter().map(|line| Line::styled(line, muted)));
    } else {
        canvas.text(area, nothing, muted);
    }
}

/// Says that no service is registered, and how to register one.
pub(super) fn no_service(canvas: &mut Canvas<'_>, area: Rect) {
    let tab = canvas.key(Place::Anywhere, Command::ShowServices);
    let tab = if canvas.model.tab == Tab::Services { String::new() } else { format!("{tab} ") };
    let key = canvas.key(Place::Services, Command::Register);
    let said = format!("no service is registered: {tab}{key} registers one");
    empty(canvas, area, SourceName::Registry, &said);
}

/// The places of a list and of what is open of it: beside it from a width on, of
/// which that takes so many percent; else in its place. What has none is not drawn.
pub(super) fn beside(area: Rect, is_open: bool, from: u16, percent: u16) -> (Option<Rect>, Option<Rect>) {
    match (is_open, area.width >= from) {
        (false, _) => (Some(area), None),
        (true, false) => (None, Some(area)),
        (true, true) => {
            let [list, open] =
                Layout::horizontal([Constraint::Fill(1), Constraint::Percentage(percent)]).areas(area);
            (Some(list), Some(open))
        }
    }
}

/// A box in the middle of an area, over what is there, with its inside cleared.
pub(super) fn popup(canvas: &mut Canvas<'_>, area: Rect, title: &str, width: u16, height: u16) -> Rect {
    let area = area.centered(Constraint::Length(width + 4), Constraint::Length(height + 2));
    canvas.clear(area);
    // Nothing that lies below can be clicked.
    canvas.targets.clear();
    canvas.seen = Seen::default();
    let inner = panel(canvas, area, title, None);
    let [_, inner, _] =
        Layout::horizontal([Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)]).areas(inner);
    inner
}

/// The cells of a label.
const LABEL_CELLS: usize = 12;

/// A label and what it labels, on as many lines as it takes, up to a limit.
pub(super) fn labelled_lines(
    label: &str,
    value: &str,
    style: Style,
    muted: Style,
    cells: usize,
) -> Vec<Line<'static>> {
    const LINES_MAX: usize = 20;
    let lines = text::wrap(value, cells.saturating_sub(LABEL_CELLS).max(1), LINES_MAX);
    let labels = std::iter::once(label).chain(std::iter::repeat(""));
    let line = |(label, value): (&str, String)| {
        Line::from(vec![Span::styled(text::fit(label, LABEL_CELLS), muted), Span::styled(value, style)])
    };
    labels.zip(lines).map(line).collect()
}

/// A label and what it labels, on one line; what does not fit is cut.
pub(super) fn labelled(label: &str, value: &str, style: Style, muted: Style, cells: usize) -> Line<'static> {
    Line::from(vec![
        Span::styled(text::fit(label, LABEL_CELLS), muted),
        Span::styled(text::clip(value, cells.saturating_sub(LABEL_CELLS)), style),
    ])
}

/// Lines that may be more than fit: shown from `scroll` on, as far as there is
/// something, with a mark where they go on.
pub(super) fn scrolled(canvas: &mut Canvas<'_>, area: Rect, lines: &[Line<'_>], scroll: usize) {
    let height = usize::from(area.height);
    let start = scroll.min(lines.len().saturating_sub(height));
    canvas.lines(area, lines.iter().skip(start).take(height).cloned());
    more(canvas, area, (start > 0, start + height < lines.len()));
    // Of two beside each other, which are scrolled together, the longer counts.
    let scroll_max = lines.len().saturating_sub(height);
    let scroll_max = canvas.seen.text.map_or(scroll_max, |seen| seen.scroll_max.max(scroll_max));
    canvas.seen.text = Some(Fitted { scroll_max, height });
}

/// Marks beside an area that there is more above it, or below.
pub(super) fn more(canvas: &mut Canvas<'_>, area: Rect, (above, below): (bool, bool)) {
    let style = canvas.model.theme.title;
    let right = Rect { x: area.right(), width: 1, height: 1, ..area };
    if area.height == 0 {
        return;
    }
    if above {
        canvas.text(right, "↑", style);
    }
    if below {
        canvas.text(Rect { y: area.bottom() - 1, ..right }, "↓", style);
    }
}

/// The line in which a list is narrowed, at the bottom of its place; answers
/// what is left of that for the list.
pub(super) fn finder(canvas: &mut Canvas<'_>, area: Rect, finder: &Finder) -> Rect {
    if !finder.is_on() {
        return area;
    }
    let [list, line] = Layout::vertical([Constraint::Min(0), Constraint::Length(1)]).areas(area);
    let theme = canvas.model.theme;
    canvas.text(line, "/ ", theme.key);
    let indent = line.width.min(2);
    let value = Rect { x: line.x + indent, width: line.width - indent, ..line };
    if finder.typing {
        typed(canvas, value, &finder.input, theme.text);
    } else {
        let back = canvas.key(Place::Find, Command::Back);
        canvas.text(value, &format!("{}  ({back} shows all)", finder.text()), theme.muted);
    }
    list
}

/// A line that is typed into: scrolled so that the cursor is seen, which is
/// set there. Returns by how many cells it is scrolled.
pub(super) fn typed(canvas: &mut Canvas<'_>, area: Rect, input: &Input, style: Style) -> usize {
    let cells = usize::from(area.width);
    let before: String = input.value().chars().take(input.cursor()).collect();
    let at = text::width(&text::clean(&before));
    let scrolled = (at + 1).saturating_sub(cells);
    let value = text::clean(input.value());
    canvas.text(area, text::skip(&value, scrolled), style);
    let x = u16::try_from(at - scrolled).unwrap_or(u16::MAX);
    canvas.cursor = Some(Position::new(area.x.saturating_add(x).min(area.right().saturating_sub(1)), area.y));
    scrolled
}
