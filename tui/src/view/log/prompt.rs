//! The line of input under the log.

use crate::figures::grouped;
use crate::model::{Completion, Edge, LogPane, Prompt, PromptKind};
use crate::text;
use crate::view::{Canvas, panel};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// How many candidates are shown at most before the one that stands there.
const CANDIDATES_BEFORE: usize = 2;

/// How many lines it takes: what is typed, what is wrong with it, what helps.
pub(super) fn height(prompt: &Prompt) -> u16 {
    let wrong = if prompt.failure.is_some() { 2 } else { 0 };
    1 + wrong + u16::from(prompt.completion.is_some() || !hint(prompt.kind).is_empty())
}

/// What it takes, for whoever does not know.
const fn hint(kind: PromptKind) -> &'static str {
    match kind {
        PromptKind::Search => "",
        PromptKind::Filter => {
            "error OR level:>=warn   user:ann*   -noise   \"a phrase\"   ~\"regex\"   code:>=500"
        }
        PromptKind::Facet => "↑ ↓ to another that has it",
        PromptKind::Time => "14:30   2h (ago)   yesterday   2026-11-22   2026-11-22 10:00   (UTC)",
        PromptKind::Export => ".ndjson: a JSON object a line; any other name: text",
    }
}

/// As [`hint`], with what is to be written, which is not always all that one
/// expects, and what is waited for.
fn help(log: &LogPane, kind: PromptKind, waiting: bool) -> String {
    let more = if log.older == Edge::End && log.newer == Edge::End { "" } else { ", the log has more" };
    let held = grouped(u64::try_from(log.lines().len()).unwrap_or(u64::MAX));
    match kind {
        PromptKind::Filter if waiting => {
            "waiting for the log, which checks it; typing on takes it back".to_owned()
        }
        PromptKind::Export => format!("the {held} records that are held{more}   {}", hint(kind)),
        _ => hint(kind).to_owned(),
    }
}

/// ```text
/// filter: error OR (level:w
///                  ^
/// ✗ this '(' has no ')'
/// level:warn
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect, prompt: &Prompt) {
    let theme = canvas.model.theme;
    let label = match (prompt.kind, prompt.waiting) {
        (PromptKind::Search, _) => "search: ",
        (PromptKind::Filter, false) => "filter: ",
        (PromptKind::Filter, true) => "filter … ",
        (PromptKind::Facet, _) => "find: ",
        (PromptKind::Time, _) => "go to: ",
        (PromptKind::Export, _) => "write to: ",
    };
    let indent = u16::try_from(text::width(label)).unwrap_or(0).min(area.width);
    canvas.line(area, &Line::styled(label, theme.key));
    let place = Rect { x: area.x + indent, width: area.width - indent, height: 1, ..area };
    let scrolled = panel::typed(canvas, place, &prompt.input, theme.text);
    let mut rows = area.rows().skip(1);
    if let Some(failure) = &prompt.failure {
        let (at, said) = (rows.next().unwrap_or_default(), rows.next().unwrap_or_default());
        if let Some(position) = failure.position {
            let before = typed_before(prompt, position);
            let cells = text::width(&text::clean(&before)).saturating_sub(scrolled);
            let x = place.x.saturating_add(u16::try_from(cells).unwrap_or(u16::MAX));
            let x = x.min(at.right().saturating_sub(1));
            canvas.text(Rect { x, width: 1, ..at }, "^", theme.bad);
        }
        canvas.text(said, &format!("✗ {}", failure.message), theme.bad);
    }
    let last = rows.next().unwrap_or_default();
    match &prompt.completion {
        Some(completion) if !prompt.waiting => candidates(canvas, last, completion),
        _ => canvas.text(last, &help(&canvas.model.log, prompt.kind, prompt.waiting), theme.muted),
    }
}

/// What stands before a character of the query, which the log counts without the
/// spaces before it.
fn typed_before(prompt: &Prompt, position: usize) -> String {
    let typed = prompt.input.value();
    let spaces = typed.chars().count() - typed.trim_start().chars().count();
    typed.chars().take(spaces + position).collect()
}

/// What could stand at the cursor, and whether there is more than fits.
fn candidates(canvas: &mut Canvas<'_>, row: Rect, completion: &Completion) {
    let theme = canvas.model.theme;
    let begin = completion.at.unwrap_or(0).saturating_sub(CANDIDATES_BEFORE);
    let mut left = usize::from(row.width);
    let mut spans = Vec::new();
    if begin > 0 {
        spans.push(Span::styled("… ", theme.muted));
        left = left.saturating_sub(2);
    }
    for (at, candidate) in completion.candidates.iter().enumerate().skip(begin) {
        let shown = text::clip(candidate, left);
        left = left.saturating_sub(text::width(&shown) + 2);
        spans.push(Span::styled(shown, if Some(at) == completion.at { theme.selected } else { theme.muted }));
        spans.push(Span::raw("  "));
        if left == 0 {
            break;
        }
    }
    canvas.line(row, &Line::from(spans));
}
