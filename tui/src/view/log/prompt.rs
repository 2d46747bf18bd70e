//! The line of input under the log.

use super::super::{Canvas, panel};
use crate::model::{Prompt, PromptKind};
use crate::text;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// How many candidates are shown at most before the one that stands there.
const CANDIDATES_BEFORE: usize = 2;

/// How many lines it takes.
pub(super) fn height(prompt: &Prompt) -> u16 {
    match (&prompt.failure, &prompt.completion) {
        (Some(_), _) => 3,
        (None, Some(_)) => 2,
        (None, None) => 1 + u16::from(!hint(prompt.kind).is_empty()),
    }
}

/// What it takes, for whoever does not know.
const fn hint(kind: PromptKind) -> &'static str {
    match kind {
        PromptKind::Search => "",
        PromptKind::Filter => {
            "error OR level:>=warn   user:ann*   -noise   \"a phrase\"   ~\"regex\"   code:>=500"
        }
        PromptKind::Time => "14:30   2h (ago)   2026-11-22   2026-11-22T10:00:00Z   (UTC)",
        PromptKind::Export => "a name that ends in .ndjson is written as JSON, any other as text",
    }
}

/// ```text
/// filter: error OR (warn
///                  ^
/// ✗ this '(' has no ')'
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect, prompt: &Prompt) {
    let theme = canvas.model.theme;
    let label = match (prompt.kind, prompt.waiting) {
        (PromptKind::Search, _) => "search: ",
        (PromptKind::Filter, false) => "filter: ",
        (PromptKind::Filter, true) => "filter … ",
        (PromptKind::Time, _) => "go to: ",
        (PromptKind::Export, _) => "write to: ",
    };
    let indent = u16::try_from(text::width(label)).unwrap_or(0).min(area.width);
    canvas.line(area, &Line::styled(label, theme.key));
    let place = Rect { x: area.x + indent, width: area.width - indent, height: 1, ..area };
    let scrolled = panel::typed(canvas, place, &prompt.input, theme.text);
    let mut rows = area.rows().skip(1);
    let (second, third) = (rows.next().unwrap_or_default(), rows.next().unwrap_or_default());
    if let Some(failure) = &prompt.failure {
        if let Some(position) = failure.position {
            let before: String = prompt.input.value().trim_start().chars().take(position).collect();
            let cells = text::width(&text::clean(&before)).saturating_sub(scrolled);
            let x = place.x.saturating_add(u16::try_from(cells).unwrap_or(u16::MAX));
            let x = x.min(second.right().saturating_sub(1));
            canvas.text(Rect { x, width: 1, ..second }, "^", theme.bad);
        }
        canvas.text(third, &format!("✗ {}", failure.message), theme.bad);
    } else if let Some(completion) = &prompt.completion {
        let begin = completion.at.saturating_sub(CANDIDATES_BEFORE);
        let mut spans = Vec::new();
        let mut left = usize::from(second.width);
        for (at, candidate) in completion.candidates.iter().enumerate().skip(begin) {
            let shown = text::clip(candidate, left);
            left = left.saturating_sub(text::width(&shown) + 2);
            spans.push(Span::styled(shown, if at == completion.at { theme.selected } else { theme.muted }));
            spans.push(Span::raw("  "));
            if left == 0 {
                break;
            }
        }
        canvas.line(second, &Line::from(spans));
    } else {
        canvas.text(second, hint(prompt.kind), theme.muted);
    }
}
