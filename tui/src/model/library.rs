//! Books and loans, side by side.

use super::{Finder, Selected};
use chrono::{DateTime, Utc};
use shared::client::Part;
use shared::wire::library::{Book, Loan};
use std::collections::HashMap;

/// How many books and how many loans are fetched.
pub const ROWS_MAX: usize = 5_000;

/// Which of the two lists keys act upon.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Side {
    /// The books.
    #[default]
    Books,
    /// The loans.
    Loans,
}

/// What tells one loan from all others: book, borrower, since when.
pub type LoanKey = (String, String, DateTime<Utc>);

/// The state of the library tab.
#[derive(Debug, Clone, Default)]
pub struct LibraryPane {
    /// The first books, up to [`ROWS_MAX`].
    pub books: Vec<Book>,
    /// The newest loans of those that were asked for, up to [`ROWS_MAX`].
    pub loans: Vec<Loan>,
    /// How many books and loans the library has.
    pub totals: (usize, usize),
    /// Which list keys act upon.
    pub side: Side,
    /// What narrows both lists.
    pub finder: Finder,
    /// The selected book.
    pub book: Selected<String>,
    /// The selected loan.
    pub loan: Selected<LoanKey>,
    /// Whether returned loans are shown too.
    pub returned: bool,
    /// The books and the loans that are shown, as places in the lists.
    shown: (Vec<usize>, Vec<usize>),
    keys: (Vec<String>, Vec<LoanKey>),
}

impl LibraryPane {
    /// Takes over what the library says. False where nothing is new.
    pub fn set(&mut self, books: Part<Book>, loans: Part<Loan>) -> bool {
        let totals = (books.total, loans.total);
        let news = self.books != books.rows || self.loans != loans.rows || self.totals != totals;
        if news {
            self.books = books.rows;
            self.loans = loans.rows;
            self.totals = totals;
            self.arrange();
        }
        news
    }

    /// Draws both lists anew, after they or what is sought have changed; the
    /// same book and the same loan stay selected.
    pub fn arrange(&mut self) {
        let words = self.finder.words();
        let book = |book: &Book| words.are_in(&[&book.id, &book.title, &book.author]);
        let titles: HashMap<&str, &str> =
            self.books.iter().map(|book| (book.id.as_str(), book.title.as_str())).collect();
        let loan = |loan: &Loan| {
            let title = titles.get(loan.book_id.as_str()).copied().unwrap_or_default();
            words.are_in(&[&loan.book_id, &loan.borrower, title])
        };
        let books = self.books.iter().enumerate().filter(|(_, it)| book(it));
        let loans = self.loans.iter().enumerate().filter(|(_, it)| loan(it));
        let (books, book_keys): (Vec<_>, Vec<_>) = books.map(|(at, it)| (at, it.id.clone())).unzip();
        let key = |it: &Loan| (it.book_id.clone(), it.borrower.clone(), it.borrowed_at);
        let (loans, loan_keys): (Vec<_>, Vec<_>) = loans.map(|(at, it)| (at, key(it))).unzip();
        self.shown = (books, loans);
        self.keys = (book_keys, loan_keys);
        self.book.keep(&self.keys.0);
        self.loan.keep(&self.keys.1);
    }

    /// How many books are shown.
    pub const fn book_count(&self) -> usize {
        self.shown.0.len()
    }

    /// How many loans are shown.
    pub const fn loan_count(&self) -> usize {
        self.shown.1.len()
    }

    /// A row of the books.
    pub fn book_at(&self, row: usize) -> Option<&Book> {
        self.books.get(*self.shown.0.get(row)?)
    }

    /// A row of the loans.
    pub fn loan_at(&self, row: usize) -> Option<&Loan> {
        self.loans.get(*self.shown.1.get(row)?)
    }

    /// The book of an id.
    pub fn book_of(&self, id: &str) -> Option<&Book> {
        self.books.iter().find(|book| book.id == id)
    }

    /// The title of a book.
    pub fn title(&self, id: &str) -> Option<&str> {
        self.book_of(id).map(|book| book.title.as_str())
    }

    /// The selected book.
    pub fn selected_book(&self) -> Option<&Book> {
        self.book_at(self.book.index(self.book_count())?)
    }

    /// The book that keys act upon: the selected one, or the one of the
    /// selected loan.
    pub fn subject(&self) -> Option<&Book> {
        match self.side {
            Side::Books => self.selected_book(),
            Side::Loans => self.book_of(&self.selected_loan()?.book_id),
        }
    }

    /// The selected loan.
    pub fn selected_loan(&self) -> Option<&Loan> {
        self.loan_at(self.loan.index(self.loan_count())?)
    }

    /// The loan that a return would end: the selected one, else the newest of
    /// the selected book.
    pub fn returnable(&self) -> Option<&Loan> {
        let out = |loan: &&Loan| loan.returned_at.is_none();
        match self.side {
            Side::Loans => self.selected_loan().filter(out),
            Side::Books => {
                let book = self.selected_book()?;
                self.loans.iter().filter(out).find(|loan| loan.book_id == book.id)
            }
        }
    }

    /// The selected book, which stays selected from now on.
    pub fn pin_book(&mut self) -> Option<String> {
        self.book.pin(&self.keys.0);
        self.book.key().cloned()
    }

    /// The selected loan, which stays selected from now on.
    pub fn pin_loan(&mut self) -> Option<LoanKey> {
        self.loan.pin(&self.keys.1);
        self.loan.key().cloned()
    }

    /// Moves within the list that keys act upon.
    pub fn step(&mut self, by: isize) {
        match self.side {
            Side::Books => self.book.step(by, &self.keys.0),
            Side::Loans => self.loan.step(by, &self.keys.1),
        }
    }
}
