//! The screen, drawn from the model and the time alone.
//!
//! One file or folder a screen, each with a sketch of it above its render function; what
//! they share is in [`panel`] and [`table`]. All text passes through
//! [`crate::text`] on its way here.

mod banner;
mod chart;
mod confirm;
mod evidence;
mod footer;
mod form;
mod header;
mod help;
mod histogram;
mod incidents;
mod library;
mod log;
mod messages;
mod overview;
mod palette;
mod panel;
mod service;
mod services;
mod table;
mod waiting;
mod when;

use crate::action::Target;
use crate::keys::{Command, Place};
use crate::model::{Model, Overlay, Seen, Tab};
use crate::text;
use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Widget};

/// The fewest columns and lines in which the screens make sense.
const SIZE_MIN: (u16, u16) = (40, 10);

/// What a screen is drawn from, and onto.
struct Canvas<'a> {
    model: &'a Model,
    now: DateTime<Utc>,
    buffer: &'a mut Buffer,
    /// Where text is typed, if it is.
    cursor: Option<Position>,
    /// What can be clicked; what lies over the rest comes last.
    targets: Vec<(Rect, Target)>,
    /// What of lists and texts fits.
    seen: Seen,
}

/// What a frame shows beside its cells.
#[derive(Debug, Default)]
pub(crate) struct Picture {
    /// What can be clicked, and where; what lies over the rest comes last.
    pub(crate) targets: Vec<(Rect, Target)>,
    /// What of lists and texts fits.
    pub(crate) seen: Seen,
}

impl Canvas<'_> {
    /// Draws a line at the top of an area, cut to its width. Its text must be
    /// clean.
    fn line(&mut self, area: Rect, line: &Line<'_>) {
        let area = area.intersection(self.buffer.area);
        let mut rest = area;
        for span in line {
            let style = line.style.patch(span.style);
            let x = if text::is_plain(span.content.as_bytes()) {
                self.plain(rest, &span.content, style)
            } else {
                let width = usize::from(rest.width);
                self.buffer.set_stringn(rest.x, rest.y, &span.content, width, style).0
            };
            rest = Rect { x, width: rest.right().saturating_sub(x), ..rest };
        }
    }

    /// Draws plain text, a character a cell; answers where it ends.
    fn plain(&mut self, area: Rect, plain: &str, style: Style) -> u16 {
        let mut x = area.x;
        for (at, c) in (area.x..area.right()).zip(plain.chars()) {
            if let Some(cell) = self.buffer.cell_mut((at, area.y)) {
                cell.set_char(c).set_style(style);
            }
            x = at + 1;
        }
        x
    }

    /// Draws any text at the top of an area, cleaned and cut to its width.
    fn text(&mut self, area: Rect, untrusted: &str, style: Style) {
        self.line(area, &Line::styled(text::clip(untrusted, usize::from(area.width)), style));
    }

    /// Empties an area. A wide character of which it covers a half goes as a whole:
    /// else the terminal would not show what is drawn over that half.
    fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        if let Some(x) = area.x.checked_sub(1) {
            for y in area.top()..area.bottom() {
                if let Some(cell) = self.buffer.cell_mut((x, y)).filter(|cell| text::width(cell.symbol()) > 1)
                {
                    cell.set_symbol(" ");
                }
            }
        }
        Clear.render(area, self.buffer);
    }

    /// The key of a command, as people read it; where it has none, how to do it
    /// all the same.
    fn key(&self, place: Place, command: Command) -> String {
        match self.model.keymap.key_of(place, command) {
            key if key.is_empty() => self.model.keymap.key_of(Place::Anywhere, Command::Palette),
            key => key,
        }
    }

    /// Notes that a row can be clicked, so many rows from the selected one.
    fn clickable(&mut self, row: Rect, index: usize, selected: usize) {
        let signed = |n| isize::try_from(n).unwrap_or(isize::MAX);
        self.targets.push((row, Target::Row(signed(index).saturating_sub(signed(selected)))));
    }

    /// Draws lines from the top of an area down.
    fn lines<'b>(&mut self, area: Rect, lines: impl IntoIterator<Item = Line<'b>>) {
        for (row, line) in area.rows().zip(lines) {
            self.line(row, &line);
        }
    }
}

/// Draws the model as it is at `now`.
///
/// ```text
///  distlog  1 Overview  2 Services  3 Log  4 Incidents  5 Library    tabs
///  ● registry  ● monitor  ● log  ▲ library                           sources
///  ▲ library away, shown as of 42s ago; retry in 3s: …               banners
/// ┌──────────────────────────────────────────────────────────────┐
/// │ the tab                                                      │
/// └────────────────────────────────────────── ✓ what was done ───┘   toasts
///  Enter detail  r register  …  ? help  q quit                       keys
/// ```
pub fn render(model: &Model, now: DateTime<Utc>, frame: &mut Frame<'_>) {
    let _ = draw(model, now, frame);
}

/// As [`render`]; answers what of lists and texts fits.
pub fn look(model: &Model, now: DateTime<Utc>, frame: &mut Frame<'_>) -> Seen {
    draw(model, now, frame).seen
}

/// As [`render`]; answers what the frame shows.
pub(crate) fn draw(model: &Model, now: DateTime<Utc>, frame: &mut Frame<'_>) -> Picture {
    let area = frame.area();
    let (targets, seen) = (Vec::new(), Seen::default());
    let mut canvas = Canvas { model, now, buffer: frame.buffer_mut(), cursor: None, targets, seen };
    if area.width < SIZE_MIN.0 || area.height < SIZE_MIN.1 {
        too_small(&mut canvas, area);
        return Picture::default();
    }
    let banners = banner::lines(model, now, area.height);
    let [tabs, sources, banner, body, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(u16::try_from(banners.len()).unwrap_or(u16::MAX)),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(area);
    header::render(&mut canvas, tabs, sources);
    banner::render(&mut canvas, banner, banners);
    match model.tab {
        Tab::Overview => overview::render(&mut canvas, body),
        Tab::Services => services::render(&mut canvas, body),
        Tab::Log => log::render(&mut canvas, body),
        Tab::Incidents => incidents::render(&mut canvas, body),
        Tab::Library => library::render(&mut canvas, body),
    }
    footer::render(&mut canvas, keys);
    match &model.overlay {
        Some(Overlay::Help(help)) => help::render(&mut canvas, body, help),
        Some(Overlay::Form(form)) => form::render(&mut canvas, body, form),
        Some(Overlay::Confirm(question)) => confirm::render(&mut canvas, body, question),
        Some(Overlay::Palette(palette)) => palette::render(&mut canvas, body, palette),
        Some(Overlay::Messages(scroll)) => messages::render(&mut canvas, body, *scroll),
        Some(Overlay::Graph(scroll)) => overview::whole_graph(&mut canvas, body, *scroll),
        None => {}
    }
    footer::toasts(&mut canvas, body);
    let Canvas { cursor, targets, seen, .. } = canvas;
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
    Picture { targets, seen }
}

fn too_small(canvas: &mut Canvas<'_>, area: Rect) {
    let (columns, lines) = SIZE_MIN;
    let text = format!("distlog needs {columns}x{lines}, this is {}x{}", area.width, area.height);
    let lines = text::wrap(&text, usize::from(area.width), usize::from(area.height));
    canvas.lines(area, lines.into_iter().map(Line::raw));
}
