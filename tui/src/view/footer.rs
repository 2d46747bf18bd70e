//! The last line: what keys do here; and the outcomes just above it.

use super::Canvas;
use crate::keys::{Binding, Command, Place};
use crate::model::Model;
use crate::text;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

/// ```text
///  f follow  / search  F filter  v level  Enter detail  s send  ? help  q quit
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let [_, area] = Layout::horizontal([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    let keys = keys(canvas.model, canvas.model.place(), usize::from(area.width));
    canvas.line(area, &Line::from(keys));
}

/// The keys of a place, as many of them as fit; those that lead to all others
/// do before the rest.
pub(super) fn keys(model: &Model, place: Place, cells: usize) -> Vec<Span<'static>> {
    const GAP: usize = 2;
    let theme = model.theme;
    let rows: Vec<(&Binding, String)> = model
        .keymap
        .footer(place)
        .filter_map(|binding| Some((binding, binding.keys.first()?.to_string())))
        .collect();
    let width = |(binding, key): &(&Binding, String)| text::width(key) + binding.label.len() + 1 + GAP;
    let leads = |(binding, _): &&(&Binding, String)| {
        matches!(binding.command, Command::Palette | Command::Help | Command::Back)
    };
    let reserved: usize = rows.iter().filter(leads).map(width).sum();
    let mut left = (cells + GAP).saturating_sub(reserved);
    let mut spans = Vec::new();
    for row in &rows {
        if !leads(&row) {
            match left.checked_sub(width(row)) {
                Some(rest) => left = rest,
                None => continue,
            }
        }
        let (binding, key) = row;
        spans.push(Span::styled(key.clone(), theme.key));
        spans.push(Span::styled(format!(" {}{:GAP$}", binding.label, ""), theme.muted));
    }
    spans
}

/// ```text
/// └──────────────────────────────── ✓ Dune was borrowed by Ann  +1 (T) ─┘
/// ```
///
/// The newest one, and how many are shown besides: on the border below the
/// screen, where it hides nothing that is read or acted upon.
pub(super) fn toasts(canvas: &mut Canvas<'_>, body: Rect) {
    let (model, theme) = (canvas.model, canvas.model.theme);
    let mut shown = model.toasts.iter().rev();
    let (Some(toast), Some(row)) = (shown.next(), body.rows().next_back()) else { return };
    let more = match (shown.count(), model.keymap.key_of(Place::Anywhere, Command::Messages)) {
        (0, _) => String::new(),
        (more, key) if key.is_empty() => format!(" +{more} "),
        (more, key) => format!(" +{more} ({key}) "),
    };
    let (glyph, style) = if toast.good { ("✓", theme.good) } else { ("✗", theme.bad) };
    let room = usize::from(body.width).saturating_sub(7 + text::width(&more));
    let said = format!(" {glyph} {} ", text::clip(&toast.text, room));
    let cells = u16::try_from(text::width(&said) + text::width(&more)).unwrap_or(body.width).min(body.width);
    let place = Rect { x: body.right().saturating_sub(cells + 1).max(body.x), width: cells, ..row };
    canvas.clear(place);
    canvas.line(place, &Line::from(vec![Span::styled(said, style), Span::styled(more, theme.muted)]));
}
