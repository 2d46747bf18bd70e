//! The library: books and loans side by side.

use super::table::{self, Column};
use super::{Canvas, panel, when};
use crate::model::{Side, SourceName};
use ratatui::layout::{Constraint, Layout, Rect};

static BOOKS: [Column; 4] = [
    Column::new("ID", 3).grow(1),
    Column::new("TITLE", 14).grow(5),
    Column::new("AUTHOR", 9).grow(3),
    Column::new("IN", 5).right(),
];

static LOANS: [Column; 5] = [
    Column::new("BOOK", 4).grow(1),
    Column::new("TITLE", 12).from(60).grow(3),
    Column::new("BORROWER", 10).grow(3),
    Column::new("BORROWED", 11),
    Column::new("RETURNED", 11).from(36),
];

/// ```text
/// ┌ Books ───────────────────────────┐┌ Loans that are out ──────────────┐
/// │ID TITLE           AUTHOR      IN ││BOOK BORROWER    BORROWED         │
/// │1  Go编程实战      张三       1/1 ││2    Ann         10:42:07         │
/// └──────────────────────────────────┘└──────────────────────────────────┘
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let [left, right] =
        Layout::horizontal([Constraint::Percentage(52), Constraint::Percentage(48)]).areas(area);
    books(canvas, left);
    loans(canvas, right);
}

fn books(canvas: &mut Canvas<'_>, area: Rect) {
    let (pane, theme) = (&canvas.model.library, canvas.model.theme);
    let title = if pane.side == Side::Books { "▸ Books" } else { "Books" };
    let inner = panel::of_source(canvas, area, title, SourceName::Library);
    if pane.books.is_empty() {
        panel::empty(canvas, inner, SourceName::Library, "no book: a adds one");
        return;
    }
    let selected = pane.book.index(pane.books.len()).filter(|_| pane.side == Side::Books);
    table::render(canvas, inner, &BOOKS, pane.books.len(), selected, |index| {
        let Some(book) = pane.books.get(index) else { return Vec::new() };
        let style = if book.available == 0 { theme.warn } else { theme.good };
        vec![
            (book.id.clone(), theme.muted),
            (book.title.clone(), theme.text),
            (book.author.clone(), theme.text),
            (format!("{}/{}", book.available, book.copies), style),
        ]
    });
}

fn loans(canvas: &mut Canvas<'_>, area: Rect) {
    let (pane, theme, now) = (&canvas.model.library, canvas.model.theme, canvas.now);
    let what = if pane.returned { "All loans" } else { "Loans that are out" };
    let title = if pane.side == Side::Loans { format!("▸ {what}") } else { what.to_owned() };
    let inner = panel::of_source(canvas, area, &title, SourceName::Library);
    if pane.loans.is_empty() {
        panel::empty(canvas, inner, SourceName::Library, "no copy is out: b lends one");
        return;
    }
    let selected = pane.loan.index(pane.loans.len()).filter(|_| pane.side == Side::Loans);
    table::render(canvas, inner, &LOANS, pane.loans.len(), selected, |index| {
        let Some(loan) = pane.loans.get(index) else { return Vec::new() };
        let title = pane.books.iter().find(|book| book.id == loan.book_id).map(|book| book.title.clone());
        let (returned, style) = match loan.returned_at {
            Some(at) => (when::moment(at, now), theme.muted),
            None => ("● out".to_owned(), theme.warn),
        };
        vec![
            (loan.book_id.clone(), theme.muted),
            (title.unwrap_or_default(), theme.text),
            (loan.borrower.clone(), theme.text),
            (when::moment(loan.borrowed_at, now), theme.muted),
            (returned, style),
        ]
    });
}
