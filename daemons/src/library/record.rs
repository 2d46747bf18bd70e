//! What the library tells the log.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use shared::daemon::Daemon;
use shared::wire::library::{Book, Loan};
use shared::wire::log::{Level, NewRecord};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The library started, with so many books.
    Started {
        /// How many it has.
        books: u32,
    },
    /// A book was added.
    Added(Book),
    /// A copy was lent.
    Borrowed(Book, Loan),
    /// A copy came back.
    Returned(Book, Loan),
}

impl Event {
    /// The record of it; `ts` is when it happened, however late it is shipped.
    pub fn record(&self, ts: DateTime<Utc>) -> NewRecord {
        let (message, fields) = match self {
            Self::Started { books } => (
                format!("{} started", Daemon::Library.title()),
                json!({"event": "started", "version": env!("CARGO_PKG_VERSION"), "books": books}),
            ),
            Self::Added(book) => (
                format!("book added: '{}' by {}", book.title, book.author),
                json!({"event": "added", "book_id": book.id, "title": book.title, "author": book.author,
                    "copies": book.copies}),
            ),
            Self::Borrowed(book, loan) => (
                format!("book borrowed: '{}' by {}", book.title, loan.borrower),
                json!({"event": "borrowed", "book_id": book.id, "title": book.title,
                    "borrower": loan.borrower, "available": book.available}),
            ),
            Self::Returned(book, loan) => (
                format!("book returned: '{}' by {}", book.title, loan.borrower),
                json!({"event": "returned", "book_id": book.id, "title": book.title,
                    "borrower": loan.borrower, "available": book.available}),
            ),
        };
        NewRecord {
            ts: Some(ts),
            level: Some(Level::Info),
            service: Some(Daemon::Library.service_name().to_owned()),
            message,
            fields: match fields {
                Value::Object(fields) => fields,
                _ => Map::new(),
            },
        }
    }
}
