//! The palette: a line that is typed into, and the commands that answer it.

use super::{Canvas, panel};
use crate::keys::Place;
use crate::model::{Palette, commands, window};
use crate::text;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

/// The widest palette, in cells.
const WIDTH_MAX: u16 = 76;
/// The cells of the place's and of the key's name.
const PLACE_CELLS: usize = 15;
const KEY_CELLS: usize = 10;

/// ```text
/// ┌ Commands ───────────────────────────────────────────────────────┐
/// │ : reg_                                                          │
/// │ Register an instance in a form            Services       r      │
/// │ Remove the instance, after a question     Services       d      │
/// └─────────────────────────────────────────────────────────────────┘
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect, palette: &Palette) {
    let (model, theme) = (canvas.model, canvas.model.theme);
    let found = commands(model, palette.input.value());
    let width = area.width.saturating_sub(6).min(WIDTH_MAX);
    let inner = panel::popup(canvas, area, "Commands", width, area.height.saturating_sub(2));
    let [input, list] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(inner);
    let [mark, typed] = Layout::horizontal([Constraint::Length(2), Constraint::Min(0)]).areas(input);
    canvas.text(mark, ":", theme.key);
    panel::typed(canvas, typed, &palette.input, theme.text);
    if found.is_empty() {
        canvas.text(list, "no command has these letters", theme.muted);
    }
    let selected = palette.cursor.index(found.len()).unwrap_or(0);
    let seen = window(found.len(), selected, usize::from(list.height));
    let cells = usize::from(list.width).saturating_sub(PLACE_CELLS + KEY_CELLS + 1);
    for (row, (at, binding)) in list.rows().zip(found.into_iter().enumerate().skip(seen.start)) {
        let place = if binding.place == Place::Anywhere { "" } else { binding.place.title() };
        let key = binding.keys.first().map_or_else(String::new, ToString::to_string);
        let line = Line::from(vec![
            Span::styled(text::fit(binding.help, cells), theme.text),
            Span::styled(format!(" {}", text::fit(place, PLACE_CELLS)), theme.muted),
            Span::styled(text::fit(&key, KEY_CELLS), theme.key),
        ]);
        canvas.line(row, &line);
        canvas.clickable(row, at, selected);
        if at == selected {
            canvas.buffer.set_style(row, theme.selected);
        }
    }
}
