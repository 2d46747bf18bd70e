//! A form: a line a field, and under a wrong one what is wrong.

use super::{Canvas, panel};
use crate::model::{Field, Form, window};
use crate::text;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

/// The widest form, in cells.
const WIDTH_MAX: u16 = 72;
/// The cells of a field's name.
const LABEL_CELLS: u16 = 12;

/// ```text
/// ┌ Borrow a book ──────────────────────────────────────────────────┐
/// │ Book        1                                                   │
/// │▸Borrower    _                                                   │
/// │             ✗ is needed                                         │
/// │                                                                 │
/// │ who takes it                                                    │
/// └─────────────────────────────────────────────────────────────────┘
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect, form: &Form) {
    let theme = canvas.model.theme;
    // Asked one by one, what is still to come is not shown.
    let shown = if form.stepwise { form.focus + 1 } else { form.fields.len() };
    let faults = form.fields.iter().filter(|field| field.error.is_some()).count();
    let height = u16::try_from(shown + faults + 2).unwrap_or(u16::MAX);
    let width = area.width.saturating_sub(6).min(WIDTH_MAX);
    let title = match form.stepwise {
        true => format!("{}: {shown} of {}", form.kind.title(), form.fields.len()),
        false => form.kind.title().to_owned(),
    };
    let inner = panel::popup(canvas, area, &title, width, height);
    let [rows, hint] = Layout::vertical([Constraint::Min(0), Constraint::Length(1)]).areas(inner);
    fields(canvas, rows, form, shown);
    let cells = usize::from(hint.width);
    let line = if form.sending {
        Line::styled("… sending", theme.muted)
    } else if let Some(error) = &form.error {
        Line::styled(text::clip(&format!("✗ {error}"), cells), theme.bad)
    } else {
        let hint = form.fields.get(form.focus).map_or_else(String::new, |field| about(canvas, field));
        Line::styled(text::clip(&hint, cells), theme.muted)
    };
    canvas.line(hint, &line);
}

/// What a field is to be; of a book that is named, which one it is.
fn about(canvas: &Canvas<'_>, field: &Field) -> String {
    let named = canvas.model.library.book_of(field.input.value().trim()).filter(|_| field.name == "book_id");
    match named {
        Some(book) => format!("{} by {}: {} of {} in", book.title, book.author, book.available, book.copies),
        None => field.hint.to_owned(),
    }
}

/// The fields that fit, with the one that is typed into among them.
fn fields(canvas: &mut Canvas<'_>, area: Rect, form: &Form, shown: usize) {
    let theme = canvas.model.theme;
    // A field and its error, as rows, so that a low screen shows a part of them.
    let rows: Vec<(usize, bool)> = form
        .fields
        .iter()
        .enumerate()
        .take(shown)
        .flat_map(|(at, field)| [Some((at, false)), field.error.as_ref().map(|_| (at, true))])
        .flatten()
        .collect();
    let focus = rows.iter().position(|(at, _)| *at == form.focus).unwrap_or(0);
    let seen = window(rows.len(), focus, usize::from(area.height));
    for (place, (at, is_error)) in area.rows().zip(rows.into_iter().skip(seen.start)) {
        let Some(field) = form.fields.get(at) else { continue };
        let indent = (LABEL_CELLS + 1).min(place.width);
        let value = Rect { x: place.x + indent, width: place.width - indent, ..place };
        if let (true, Some(error)) = (is_error, &field.error) {
            canvas.text(value, &format!("✗ {error}"), theme.bad);
            continue;
        }
        let focused = at == form.focus;
        let label = text::fit(field.label, usize::from(LABEL_CELLS));
        let (mark, style) = if focused { ("▸", theme.title) } else { (" ", theme.text) };
        canvas.line(place, &Line::from(vec![Span::styled(mark, style), Span::styled(label, style)]));
        if focused && !form.sending {
            panel::typed(canvas, value, &field.input, theme.text);
        } else {
            canvas.text(value, field.input.value(), theme.text);
        }
    }
}
