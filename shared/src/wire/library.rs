//! Books and loans.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A book and how many copies of it are in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Book {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Who wrote it.
    pub author: String,
    /// How many copies the library has.
    pub copies: u32,
    /// How many of them can be borrowed now.
    pub available: u32,
}

/// A book to be added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBook {
    /// Its id; the next free number when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its title.
    pub title: String,
    /// Who wrote it.
    pub author: String,
    /// How many copies; one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copies: Option<u32>,
}

/// A request to borrow or to return.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Lend {
    /// The book.
    pub book_id: String,
    /// Who borrows or returns it.
    pub borrower: String,
}

/// A copy lent to somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Loan {
    /// The book.
    pub book_id: String,
    /// Who has it.
    pub borrower: String,
    /// Since when.
    pub borrowed_at: DateTime<Utc>,
    /// Until when; null while it is out.
    pub returned_at: Option<DateTime<Utc>>,
}
