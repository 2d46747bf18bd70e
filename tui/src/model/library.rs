//! Books and loans, side by side.

use super::Cursor;
use shared::wire::library::{Book, Loan};

/// How many books and how many loans are kept.
const ROWS_MAX: usize = 5_000;

/// Which of the two lists keys act upon.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Side {
    /// The books.
    #[default]
    Books,
    /// The loans.
    Loans,
}

/// The state of the library tab.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LibraryPane {
    /// The books.
    pub books: Vec<Book>,
    /// The loans, newest first.
    pub loans: Vec<Loan>,
    /// Which list keys act upon.
    pub side: Side,
    /// The selected book.
    pub book: Cursor,
    /// The selected loan.
    pub loan: Cursor,
    /// Whether returned loans are shown too.
    pub returned: bool,
}

impl LibraryPane {
    /// Takes over what the library says. False where nothing is new.
    pub fn set(&mut self, mut books: Vec<Book>, mut loans: Vec<Loan>) -> bool {
        books.truncate(ROWS_MAX);
        loans.truncate(ROWS_MAX);
        let news = self.books != books || self.loans != loans;
        self.books = books;
        self.loans = loans;
        news
    }

    /// The selected book.
    pub fn selected_book(&self) -> Option<&Book> {
        self.books.get(self.book.index(self.books.len())?)
    }

    /// The loan that a return would end: the selected one, else the newest of
    /// the selected book.
    pub fn returnable(&self) -> Option<&Loan> {
        let out = |loan: &&Loan| loan.returned_at.is_none();
        match self.side {
            Side::Loans => self.loans.get(self.loan.index(self.loans.len())?).filter(out),
            Side::Books => {
                let book = self.selected_book()?;
                self.loans.iter().filter(out).find(|loan| loan.book_id == book.id)
            }
        }
    }

    /// Moves within the list that keys act upon.
    pub fn step(&mut self, by: isize) {
        match self.side {
            Side::Books => self.book.step(by, self.books.len()),
            Side::Loans => self.loan.step(by, self.loans.len()),
        }
    }
}
