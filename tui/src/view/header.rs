//! The two lines above every tab: where one is, and who is there.

use super::{Canvas, when};
use crate::action::Target;
use crate::model::Tab;
use crate::text;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// What stands before the tabs, where there is room.
const BRAND: &str = " distlog ";

/// The zone of all times that are shown.
const ZONE: &str = " UTC ";

/// ```text
///  distlog  1 Overview  2 Services  3 Log  4 Incidents  5 Library
///  ● registry  ▲ monitor  ○ waiting for log, library  log: retry in 3s: refused  UTC
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, tabs: Rect, sources: Rect) {
    let (model, theme) = (canvas.model, canvas.model.theme);
    let incidents = match model.incidents.open_total() {
        0 => String::new(),
        1 => "  ✗ 1 incident".to_owned(),
        open => format!("  ✗ {open} incidents"),
    };
    let room = usize::from(tabs.width).saturating_sub(text::width(&incidents));
    let (brand, names) = names(model.tab, room);
    let mut line = vec![Span::styled(brand, theme.title)];
    let mut x = tabs.x.saturating_add(u16::try_from(text::width(brand)).unwrap_or(0));
    for (tab, name) in Tab::ALL.into_iter().zip(names) {
        let style = if tab == model.tab { theme.title.patch(theme.selected) } else { theme.text };
        let width = u16::try_from(text::width(&name)).unwrap_or(0);
        canvas.targets.push((Rect { x, width, ..tabs }, Target::Tab(tab)));
        x = x.saturating_add(width);
        line.push(Span::styled(name, style));
    }
    line.push(Span::styled(incidents, theme.bad));
    canvas.line(tabs, &Line::from(line));
    let room = sources.width.saturating_sub(u16::try_from(text::width(ZONE)).unwrap_or(0));
    let line = source_line(canvas, usize::from(room));
    canvas.line(Rect { width: room, ..sources }, &line);
    canvas.line(
        Rect { x: sources.x + room, width: sources.width - room, ..sources },
        &Line::styled(ZONE, theme.muted),
    );
}

/// The names of the tabs. Where there is no room for them, that of the console
/// goes first, then those of the tabs that are not shown: their numbers stay.
fn names(current: Tab, room: usize) -> (&'static str, Vec<String>) {
    let all =
        || (1..).zip(Tab::ALL).map(|(number, tab)| (number, tab, format!(" {number} {} ", tab.title())));
    let full: Vec<String> = all().map(|(_, _, name)| name).collect();
    let cells: usize = full.iter().map(|name| text::width(name)).sum();
    if BRAND.len() + cells <= room {
        (BRAND, full)
    } else if cells <= room {
        ("", full)
    } else {
        let short = |(number, tab, name)| if tab == current { name } else { format!(" {number} ") };
        ("", all().map(short).collect())
    }
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
    // Of the first of them, which is the one that a box tells of in full.
    if let Some((name, away)) = new.iter().find_map(|(name, source)| Some((name, source.away.as_ref()?))) {
        let used: usize = spans.iter().map(|span| text::width(&span.content)).sum();
        let rest = format!("{}: {}: {}", name.word(), when::retry(away.retry_at, now), away.cause);
        spans.push(Span::styled(text::clip(&rest, cells.saturating_sub(used)), theme.muted));
    }
    Line::from(spans)
}
