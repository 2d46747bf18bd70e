//! The two lines above every tab: where one is, and who is there.

use super::{Canvas, when};
use crate::action::Target;
use crate::model::Tab;
use crate::text;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// ```text
///  distlog  1 Overview  2 Services  3 Log  4 Incidents  5 Library
///  ● registry  ▲ monitor  ○ waiting for log, library  retry in 3s: refused
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, tabs: Rect, sources: Rect) {
    let theme = canvas.model.theme;
    let mut line = vec![Span::styled(" distlog ", theme.title)];
    let mut x = tabs.x.saturating_add(9);
    for (number, tab) in (1..).zip(Tab::ALL) {
        let style = if tab == canvas.model.tab { theme.title.patch(theme.selected) } else { theme.text };
        let name = format!(" {number} {} ", tab.title());
        let width = u16::try_from(text::width(&name)).unwrap_or(0);
        canvas.targets.push((Rect { x, width, ..tabs }, Target::Tab(tab)));
        x = x.saturating_add(width);
        line.push(Span::styled(name, style));
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

/// Those that are there, those that are away, of which a banner says more, and
/// those that were never heard, with when they are tried again.
fn source_line(canvas: &Canvas<'_>, cells: usize) -> Line<'static> {
    let (model, theme, now) = (canvas.model, canvas.model.theme, canvas.now);
    let mut spans = vec![Span::raw(" ")];
    let mut new = Vec::new();
    for (name, source) in model.sources.iter() {
        match (source.is_new(), source.is_live()) {
            (true, _) => new.push((name, source)),
            (_, true) => spans.push(Span::styled(format!("● {}  ", name.word()), theme.good)),
            _ => spans.push(Span::styled(format!("▲ {}  ", name.word()), theme.bad)),
        }
    }
    if !new.is_empty() {
        let names: Vec<&str> = new.iter().map(|(name, _)| name.word()).collect();
        spans.push(Span::styled(format!("○ waiting for {}  ", names.join(", ")), theme.muted));
    }
    let trouble = new.iter().filter_map(|(_, source)| source.away.as_ref());
    if let Some(away) = trouble.min_by_key(|away| away.retry_at) {
        let used: usize = spans.iter().map(|span| text::width(&span.content)).sum();
        let rest = format!("{}: {}", when::retry(away.retry_at, now), away.cause);
        spans.push(Span::styled(text::clip(&rest, cells.saturating_sub(used)), theme.muted));
    }
    Line::from(spans)
}
