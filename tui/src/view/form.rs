//! A form: a line a field, and under a wrong one what is wrong.

use super::{Canvas, panel, table};
use crate::model::{Field, Form};
use crate::text;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

/// The widest form, in cells.
const WIDTH_MAX: u16 = 72;
/// The lines that what is wrong takes at most.
const ERROR_LINES: usize = 4;
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
    // Asked one by one, what is still to come is not shown.
    let shown = if form.stepwise { form.focus + 1 } else { form.fields.len() };
    let width = area.width.saturating_sub(6).min(WIDTH_MAX);
    let rows = rows(form, shown, usize::from(width.saturating_sub(LABEL_CELLS + 1)));
    let below = below(canvas, form, usize::from(width));
    let height =
        u16::try_from(rows.len() + 1 + below.len()).unwrap_or(u16::MAX).min(area.height.saturating_sub(2));
    let title = match form.stepwise {
        true => format!("{}: {shown} of {}", form.title, form.fields.len()),
        false => form.title.clone(),
    };
    let inner = panel::popup(canvas, area, &title, width, height);
    let lines = u16::try_from(below.len()).unwrap_or(1);
    let [fields, hint] = Layout::vertical([Constraint::Min(0), Constraint::Length(lines)]).areas(inner);
    draw(canvas, fields, form, &rows);
    canvas.lines(hint, below);
}

/// What stands below the fields: what is wrong with the whole, or what the field
/// that is typed into is to be.
fn below(canvas: &Canvas<'_>, form: &Form, cells: usize) -> Vec<Line<'static>> {
    let theme = canvas.model.theme;
    let (said, style) = if form.sending.is_some() {
        ("… sending".to_owned(), theme.muted)
    } else if let Some(error) = &form.error {
        (format!("✗ {error}"), theme.bad)
    } else {
        let hint = form.fields.get(form.focus).map_or_else(String::new, |field| about(canvas, field));
        (hint, theme.muted)
    };
    text::wrap(&said, cells, ERROR_LINES).into_iter().map(|line| Line::styled(line, style)).collect()
}

/// What a field is to be; of a book that is named, which one it is.
fn about(canvas: &Canvas<'_>, field: &Field) -> String {
    let named = canvas.model.library.book_of(field.input.value().trim()).filter(|_| field.name == "book_id");
    match named {
        Some(book) => format!("{} by {}: {} of {} in", book.title, book.author, book.available, book.copies),
        None => field.hint.to_owned(),
    }
}

/// One line of a form.
enum Row {
    /// A field.
    Field(usize),
    /// A part of what is wrong with the field above it.
    Error(String),
}

/// Fields and what is wrong with them as rows, so that a low screen shows a part
/// of them.
fn rows(form: &Form, shown: usize, cells: usize) -> Vec<Row> {
    let of = |(at, field): (usize, &Field)| {
        let errors = field.error.as_ref().map(|error| text::wrap(&format!("✗ {error}"), cells, ERROR_LINES));
        std::iter::once(Row::Field(at))
            .chain(errors.into_iter().flatten().map(Row::Error))
            .collect::<Vec<_>>()
    };
    form.fields.iter().enumerate().take(shown).flat_map(of).collect()
}

/// The rows that fit, with the field that is typed into among them.
fn draw(canvas: &mut Canvas<'_>, area: Rect, form: &Form, rows: &[Row]) {
    let theme = canvas.model.theme;
    let focus = rows.iter().position(|row| matches!(row, Row::Field(at) if *at == form.focus)).unwrap_or(0);
    let seen = table::window(rows.len(), focus, usize::from(area.height));
    for (place, row) in area.rows().zip(rows.get(seen).unwrap_or_default()) {
        let indent = (LABEL_CELLS + 1).min(place.width);
        let value = Rect { x: place.x + indent, width: place.width - indent, ..place };
        let at = match row {
            Row::Error(error) => {
                canvas.text(value, error, theme.bad);
                continue;
            }
            Row::Field(at) => *at,
        };
        let Some(field) = form.fields.get(at) else { continue };
        let focused = at == form.focus;
        let label = text::fit(field.label, usize::from(LABEL_CELLS));
        let (mark, style) = if focused { ("▸", theme.title) } else { (" ", theme.text) };
        canvas.line(place, &Line::from(vec![Span::styled(mark, style), Span::styled(label, style)]));
        if focused && form.sending.is_none() {
            panel::typed(canvas, value, &field.input, theme.text);
        } else {
            canvas.text(value, field.input.value(), theme.text);
        }
    }
}
