//! The last line: what keys do here; and the outcomes just above it.

use super::Canvas;
use crate::keys::{Binding, Command, Place};
use crate::model::{BackStep, Model, PromptKind};
use crate::text;
use chrono::{DateTime, Utc};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

/// ```text
///  f follow  / search  F filter  o levels  e error  t time  : commands  ? help
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let [_, area] = Layout::horizontal([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    let keys = keys(canvas.model, canvas.model.place(), canvas.now, usize::from(area.width));
    canvas.line(area, &Line::from(keys));
}

/// The keys of a place, as many of them as fit; those that lead to all others
/// do before the rest.
pub(super) fn keys(model: &Model, place: Place, now: DateTime<Utc>, cells: usize) -> Vec<Span<'static>> {
    const GAP: usize = 2;
    let theme = model.theme;
    let rows: Vec<(&Binding, &str, String)> = model
        .keymap
        .footer(place)
        .filter_map(|binding| Some((binding, label(model, binding, now)?, binding.keys.first()?.to_string())))
        .collect();
    let width = |(_, label, key): &(&Binding, &str, String)| text::width(key) + label.len() + 1 + GAP;
    let leads = |(binding, ..): &&(&Binding, &str, String)| {
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
        let (_, label, key) = row;
        spans.push(Span::styled(key.clone(), theme.key));
        spans.push(Span::styled(format!(" {label}{:GAP$}", ""), theme.muted));
    }
    spans
}

/// What a key does here, in a word; none where it is of no use now.
fn label(model: &Model, binding: &Binding, now: DateTime<Utc>) -> Option<&'static str> {
    let log = &model.log;
    let prompt = log.prompt.as_ref().map(|prompt| prompt.kind);
    match (binding.place, binding.command) {
        (Place::Log, Command::Back) => log.back_step(now).map(BackStep::word),
        (Place::Log, Command::NextMatch | Command::PreviousMatch) if log.search.is_none() => None,
        (Place::Prompt, Command::Complete) if prompt != Some(PromptKind::Filter) => None,
        (Place::Prompt, Command::Up)
            if matches!(prompt, Some(PromptKind::Time | PromptKind::Facet | PromptKind::Export)) =>
        {
            None
        }
        _ => Some(binding.label),
    }
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
