//! The palette: a line that is typed into, and the commands that answer it.

use super::{Canvas, panel, table};
use crate::keys::Place;
use crate::model::{Palette, commands};
use crate::text;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

/// The widest palette, in cells.
const WIDTH_MAX: u16 = 116;
/// The width from which on a command's name stands in place of that of its place.
const NAMES_FROM: usize = 96;
/// The cells of the place's, the command's and the key's name.
const PLACE_CELLS: usize = 15;
const NAME_CELLS: usize = 30;
const KEY_CELLS: usize = 10;

/// ```text
/// ┌ Commands ───────────────────────────────────────────────────────┐
/// │ : reg_                                                          │
/// │ Register an instance in a form            Services       r      │
/// │ Remove the instance, after a question     Services       d      │
/// │ services.register: Register an instance in a form               │
/// └─────────────────────────────────────────────────────────────────┘
/// ```
///
/// The last line has the name by which a file remaps what is selected.
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect, palette: &Palette) {
    let (model, theme) = (canvas.model, canvas.model.theme);
    let found = commands(model, palette.input.value());
    let width = area.width.saturating_sub(6).min(WIDTH_MAX);
    let inner = panel::popup(canvas, area, "Commands", width, area.height.saturating_sub(2));
    let [input, list, told] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)]).areas(inner);
    let [mark, typed] = Layout::horizontal([Constraint::Length(2), Constraint::Min(0)]).areas(input);
    canvas.text(mark, ":", theme.key);
    panel::typed(canvas, typed, &palette.input, theme.text);
    if found.is_empty() {
        canvas.text(list, "no command is called so", theme.muted);
    }
    let selected = palette.selected.index(found.len()).unwrap_or(0);
    let seen = table::window(found.len(), selected, usize::from(list.height));
    canvas.seen.rows = Some(usize::from(list.height));
    let named = usize::from(list.width) >= NAMES_FROM;
    let place_cells = if named { NAME_CELLS } else { PLACE_CELLS };
    let cells = usize::from(list.width).saturating_sub(place_cells + KEY_CELLS + 1);
    if let Some(binding) = found.get(selected) {
        canvas.text(told, &format!("{}: {}", binding.name(), binding.help), theme.muted);
    }
    for (row, (at, binding)) in list.rows().zip(found.into_iter().enumerate().skip(seen.start)) {
        let place = match binding.place {
            _ if named => binding.name(),
            Place::Anywhere => String::new(),
            place => place.title().to_owned(),
        };
        let key = binding.keys.first().map_or_else(String::new, ToString::to_string);
        let line = Line::from(vec![
            Span::styled(text::fit(binding.help, cells), theme.text),
            Span::styled(format!(" {}", text::fit(&place, place_cells)), theme.muted),
            Span::styled(text::fit(&key, KEY_CELLS), theme.key),
        ]);
        canvas.line(row, &line);
        canvas.clickable(row, at, selected);
        if at == selected {
            canvas.buffer.set_style(row, theme.selected);
        }
    }
}
