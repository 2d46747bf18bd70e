//! Lending, decided purely: what a request makes of what is on the shelf.

use chrono::{DateTime, Utc};
use shared::wire::library::{Book, Lend, Loan, NewBook};

/// Books that the library keeps: a list of them is still answered at once.
pub const BOOKS_MAX: u32 = 100_000;
/// Copies of all books together. It bounds the loans that can be out.
pub const COPIES_MAX: u32 = 1_000_000;

/// What the library has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Books.
    pub books: u32,
    /// Copies of all books together.
    pub copies: u32,
}

/// Why a request is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such book.
    #[error("there is no book '{0}'")]
    Unknown(String),
    /// Another book has that id.
    #[error("the id '{id}' is taken by '{title}'; leave the id out to get a free one")]
    Taken {
        /// The id.
        id: String,
        /// The book that has it.
        title: String,
    },
    /// All copies are lent.
    #[error("no copy of '{title}' is in: {copies} of {copies} are lent")]
    NoneIn {
        /// The book.
        title: String,
        /// How many copies there are.
        copies: u32,
    },
    /// That borrower does not have that book.
    #[error("'{borrower}' has no copy of '{title}' to return")]
    NothingOut {
        /// Who wanted to return.
        borrower: String,
        /// The book.
        title: String,
    },
    /// One book, or one copy, too many.
    #[error("the library is full: it keeps {BOOKS_MAX} books and {COPIES_MAX} copies")]
    Full,
}

impl Refusal {
    /// The field of the request that it is about.
    pub const fn field(&self) -> Option<&'static str> {
        match self {
            Self::Unknown(_) | Self::NoneIn { .. } => Some("book_id"),
            Self::Taken { .. } => Some("id"),
            Self::NothingOut { .. } => Some("borrower"),
            Self::Full => None,
        }
    }
}

/// Adds a book under `id`, which `taken` may have already.
///
/// # Errors
/// When the id is taken, or the library is full.
pub fn add(id: String, new: NewBook, taken: Option<Book>, totals: Totals) -> Result<Book, Refusal> {
    if let Some(book) = taken {
        return Err(Refusal::Taken { id, title: book.title });
    }
    let copies = new.copies.unwrap_or(1);
    if totals.books >= BOOKS_MAX || totals.copies.saturating_add(copies) > COPIES_MAX {
        return Err(Refusal::Full);
    }
    Ok(Book { id, title: new.title, author: new.author, copies, available: copies })
}

/// Lends a copy: the book as it is then, and the loan.
///
/// # Errors
/// When there is no such book, or no copy of it is in.
pub fn borrow_copy(book: Option<Book>, lend: Lend, now: DateTime<Utc>) -> Result<(Book, Loan), Refusal> {
    let Some(mut book) = book else { return Err(Refusal::Unknown(lend.book_id)) };
    let Some(left) = book.available.checked_sub(1) else {
        return Err(Refusal::NoneIn { title: book.title, copies: book.copies });
    };
    book.available = left;
    let loan = Loan { book_id: lend.book_id, borrower: lend.borrower, borrowed_at: now, returned_at: None };
    Ok((book, loan))
}

/// Takes back the copy of `oldest`, the oldest loan of that borrower and book
/// that is out: the book as it is then, and the loan.
///
/// # Errors
/// When there is no such book, or the borrower does not have it.
pub fn return_copy(
    book: Option<Book>,
    oldest: Option<Loan>,
    lend: Lend,
    now: DateTime<Utc>,
) -> Result<(Book, Loan), Refusal> {
    let Some(mut book) = book else { return Err(Refusal::Unknown(lend.book_id)) };
    let Some(mut loan) = oldest else {
        return Err(Refusal::NothingOut { borrower: lend.borrower, title: book.title });
    };
    book.available = book.available.saturating_add(1).min(book.copies);
    // A clock that was set back does not make a loan end before it began.
    loan.returned_at = Some(now.max(loan.borrowed_at));
    Ok((book, loan))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    const EMPTY: Totals = Totals { books: 0, copies: 0 };

    fn new(copies: u32) -> NewBook {
        NewBook { title: "T".to_owned(), author: "A".to_owned(), copies: Some(copies), id: None }
    }

    fn book(copies: u32) -> Book {
        add("1".to_owned(), new(copies), None, EMPTY).unwrap()
    }

    fn lend() -> Lend {
        Lend { book_id: "1".to_owned(), borrower: "Ann".to_owned() }
    }

    #[test]
    fn the_last_copy_can_be_lent_and_then_no_other() {
        let (book, _) = borrow_copy(Some(book(1)), lend(), Utc::now()).unwrap();
        assert_eq!(book.available, 0);
        let refusal = borrow_copy(Some(book), lend(), Utc::now()).unwrap_err();
        assert_eq!(refusal, Refusal::NoneIn { title: "T".to_owned(), copies: 1 });
    }

    #[test]
    fn one_borrower_may_hold_two_copies() {
        let (book, _) = borrow_copy(Some(book(2)), lend(), Utc::now()).unwrap();
        assert!(borrow_copy(Some(book), lend(), Utc::now()).is_ok());
    }

    #[test]
    fn a_loan_never_ends_before_it_began() {
        let now = Utc::now();
        let (book, loan) = borrow_copy(Some(book(1)), lend(), now).unwrap();
        let earlier = now - TimeDelta::hours(1);
        let (book, loan) = return_copy(Some(book), Some(loan), lend(), earlier).unwrap();
        assert_eq!((book.available, loan.returned_at), (1, Some(now)));
    }

    #[test]
    fn nothing_comes_back_that_is_not_out() {
        assert_eq!(
            return_copy(Some(book(1)), None, lend(), Utc::now()).unwrap_err().to_string(),
            "'Ann' has no copy of 'T' to return"
        );
        assert_eq!(
            return_copy(None, None, lend(), Utc::now()).unwrap_err(),
            Refusal::Unknown("1".to_owned())
        );
    }

    #[test]
    fn the_library_is_full_at_its_bounds_and_not_before() {
        let at = |books, copies| add("1".to_owned(), new(2), None, Totals { books, copies }).is_ok();
        assert!(at(BOOKS_MAX - 1, COPIES_MAX - 2));
        assert!(!at(BOOKS_MAX, 0));
        assert!(!at(0, COPIES_MAX - 1));
    }
}
