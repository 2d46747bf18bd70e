//! The two lines above every tab: where one is, and who is there.

use super::{Canvas, when};
use crate::model::Tab;
use crate::text;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// ```text
///  distlog  1 Overview  2 Services  3 Log  4 Incidents  5 Library
///  ● registry  ● log  ▲ monitor, library away  as of 42s ago  retry in 3s: refused
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, tabs: Rect, sources: Rect) {
    let theme = canvas.model.theme;
    let mut line = vec![Span::styled(" distlog ", theme.title)];
    for (number, tab) in (1..).zip(Tab::ALL) {
        let style = if tab == canvas.model.tab { theme.title.patch(theme.selected) } else { theme.text };
        line.push(Span::styled(format!(" {number} {} ", tab.title()), style));
    }
    let open = canvas.model.incidents.open();
    if open > 0 {
        let noun = if open == 1 { "incident" } else { "incidents" };
        line.push(Span::styled(format!("  ✗ {open} {noun}"), theme.bad));
    }
    canvas.line(tabs, &Line::from(line));
    let line = source_line(canvas, usize::from(sources.width));
    canvas.line(sources, &line);
}

/// Those that are there, those that were never heard, and those that are away:
/// together, so that four of them still fit.
fn source_line(canvas: &Canvas<'_>, cells: usize) -> Line<'static> {
    let (model, theme, now) = (canvas.model, canvas.model.theme, canvas.now);
    let mut spans = vec![Span::raw(" ")];
    let mut new = Vec::new();
    let mut away = Vec::new();
    for (name, source) in model.sources.iter() {
        match (source.is_new(), source.is_live()) {
            (true, _) => new.push(name.word()),
            (_, true) => spans.push(Span::styled(format!("● {}  ", name.word()), theme.good)),
            _ => away.push(name.word()),
        }
    }
    if !new.is_empty() {
        spans.push(Span::styled(format!("○ waiting for {}  ", new.join(", ")), theme.muted));
    }
    if !away.is_empty() {
        spans.push(Span::styled(format!("▲ {} away  ", away.join(", ")), theme.bad));
        let oldest = model.sources.iter().filter_map(|(_, source)| source.stale(now)).max();
        if let Some(age) = oldest {
            spans.push(Span::styled(format!("{}  ", when::as_of(age)), theme.warn));
        }
    }
    let trouble = model.sources.iter().filter_map(|(_, source)| source.away.as_ref());
    if let Some(away) = trouble.min_by_key(|away| away.retry_at) {
        let used: usize = spans.iter().map(|span| text::width(&span.content)).sum();
        let rest = format!("{}: {}", when::retry(away.retry_at, now), away.cause);
        spans.push(Span::styled(text::clip(&rest, cells.saturating_sub(used)), theme.muted));
    }
    Line::from(spans)
}
