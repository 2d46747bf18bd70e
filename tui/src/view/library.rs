//! The library: books and loans side by side.

use super::table::{self, Column};
use super::{Canvas, panel, when};
use crate::keys::{Command, Place};
use crate::model::{Side, SourceName};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use shared::wire::library::Book;

/// The height from which on the selected book is told of in full.
const DETAIL_FROM: u16 = 30;
/// How many of those who have a copy are named.
const BORROWERS_SHOWN: usize = 5;

static BOOKS: [Column; 4] = [
    Column::new("ID", 3).grow(1),
    Column::new("TITLE", 14).grow(5),
    Column::new("AUTHOR", 9).grow(3),
    Column::new("IN", 5).right(),
];

/// Loans that are out: when one comes back is not known yet.
static OUT: [Column; 5] = [
    Column::new("BOOK", 4).from(52).grow(1),
    Column::new("TITLE", 10).grow(3),
    Column::new("WHO", 7).grow(2),
    Column::new("BORROWED", 11),
    Column::new("STATE", 5),
];

/// All loans: where there is little room, when they ended rather than began.
static LOANS: [Column; 5] = [
    Column::new("BOOK", 4).from(52).grow(1),
    Column::new("TITLE", 11).grow(3),
    Column::new("BORROWER", 10).grow(2),
    Column::new("BORROWED", 11).from(47),
    Column::new("RETURNED", 11),
];

/// ```text
/// ┌ ▸ Books: 3 ──────────────────────┐┌ Loans that are out: 1 ───────────┐
/// │ID TITLE           AUTHOR      IN ││TITLE     WHO      BORROWED STATE │
/// │1  Go编程实战      张三       1/1 ││HTTP协议… Ann      10:42:07 ● out │
/// │/ go_                             ││                                  │
/// ├ Book 1 ──────────────────────────┴┴──────────────────────────────────┤
/// │Title       Go编程实战                                                │
/// │Author      张三                                                      │
/// │Shelf       ● 1 of 1 copies in                                        │
/// └──────────────────────────────────────────────────────────────────────┘
/// ```
pub(super) fn render(canvas: &mut Canvas<'_>, area: Rect) {
    let subject = canvas.model.library.subject().filter(|_| area.height >= DETAIL_FROM);
    let below = if subject.is_some() { 6 } else { 0 };
    let [lists, below] = Layout::vertical([Constraint::Min(0), Constraint::Length(below)]).areas(area);
    let [left, right] =
        Layout::horizontal([Constraint::Percentage(52), Constraint::Percentage(48)]).areas(lists);
    books(canvas, left);
    loans(canvas, right);
    if let Some(book) = subject {
        detail(canvas, below, book);
    }
}

fn books(canvas: &mut Canvas<'_>, area: Rect) {
    let (pane, theme) = (&canvas.model.library, canvas.model.theme);
    let mark = if pane.side == Side::Books { "▸ " } else { "" };
    let title = format!("{mark}Books{}", count(canvas, pane.book_count(), pane.totals.0));
    let inner = panel::of_source(canvas, area, &title, SourceName::Library);
    let inner = panel::finder(canvas, inner, &pane.finder);
    if pane.book_count() == 0 {
        let nothing = if pane.books.is_empty() {
            format!("no book: {} adds one", canvas.key(Place::Library, Command::Add))
        } else {
            "no book is like that".to_owned()
        };
        panel::empty(canvas, inner, SourceName::Library, &nothing);
        return;
    }
    let selected = pane.book.index(pane.book_count()).filter(|_| pane.side == Side::Books);
    table::render(canvas, inner, &BOOKS, pane.book_count(), selected, |at| {
        let Some(book) = pane.book_at(at) else { return Vec::new() };
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
    let mark = if pane.side == Side::Loans { "▸ " } else { "" };
    let what = if pane.returned { "All loans" } else { "Loans that are out" };
    let title = format!("{mark}{what}{}", count(canvas, pane.loan_count(), pane.totals.1));
    let inner = panel::of_source(canvas, area, &title, SourceName::Library);
    if pane.loan_count() == 0 {
        let nothing = if pane.loans.is_empty() {
            format!("no copy is out: {} lends one", canvas.key(Place::Library, Command::Borrow))
        } else {
            "no loan is like that".to_owned()
        };
        panel::empty(canvas, inner, SourceName::Library, &nothing);
        return;
    }
    let selected = pane.loan.index(pane.loan_count()).filter(|_| pane.side == Side::Loans);
    let columns = if pane.returned { &LOANS } else { &OUT };
    table::render(canvas, inner, columns, pane.loan_count(), selected, |at| {
        let Some(loan) = pane.loan_at(at) else { return Vec::new() };
        let (returned, style) = match loan.returned_at {
            Some(at) => (when::moment(at, now), theme.muted),
            None => ("● out".to_owned(), theme.warn),
        };
        vec![
            (loan.book_id.clone(), theme.muted),
            (pane.title(&loan.book_id).unwrap_or_default().to_owned(), theme.text),
            (loan.borrower.clone(), theme.text),
            (when::moment(loan.borrowed_at, now), theme.muted),
            (returned, style),
        ]
    });
}

/// How many are shown, and of how many where that is not all; nothing as long as
/// the library has not said.
fn count(canvas: &Canvas<'_>, shown: usize, all: usize) -> String {
    match canvas.model.sources.get(SourceName::Library).is_new() {
        true => String::new(),
        false if shown == all => format!(": {all}"),
        false => format!(": {shown} of {all}"),
    }
}

/// The book that keys act upon, and who has it.
fn detail(canvas: &mut Canvas<'_>, area: Rect, book: &Book) {
    let (pane, theme, now) = (&canvas.model.library, canvas.model.theme, canvas.now);
    let title = format!("Book {}", book.id);
    let inner = panel::of_source(canvas, area, &title, SourceName::Library);
    let out = pane.loans.iter().filter(|loan| loan.book_id == book.id && loan.returned_at.is_none());
    let mut names: Vec<String> = out
        .map(|loan| format!("{} since {}", loan.borrower, when::moment(loan.borrowed_at, now)))
        .take(BORROWERS_SHOWN + 1)
        .collect();
    if names.len() > BORROWERS_SHOWN {
        names.truncate(BORROWERS_SHOWN);
        names.push("…".to_owned());
    }
    let glyph = if book.available == 0 { "○" } else { "●" };
    let shelf = format!("{glyph} {} of {} copies in", book.available, book.copies);
    let cells = usize::from(inner.width);
    canvas.lines(
        inner,
        [
            panel::labelled("Title", &book.title, theme.text, theme.muted, cells),
            panel::labelled("Author", &book.author, theme.text, theme.muted, cells),
            panel::labelled("Shelf", &shelf, theme.text, theme.muted, cells),
            if names.is_empty() {
                Line::raw("")
            } else {
                panel::labelled("Out to", &names.join(", "), theme.text, theme.muted, cells)
            },
        ],
    );
}
