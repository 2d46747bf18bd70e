//! The library's client.

use super::ClientError;
use super::http::{Http, Part, segment};
use crate::wire::library::{Book, Lend, Loan, NewBook};
use reqwest::Method;

/// Calls the library.
#[derive(Debug, Clone)]
pub struct LibraryClient(Http);

impl LibraryClient {
    /// A client of the library at `base`.
    pub fn new(base: &str, client: reqwest::Client) -> Self {
        Self(Http::new(base, client))
    }

    /// Asks whether the library is there, however it does.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn is_there(&self) -> Result<(), ClientError> {
        match self.0.bytes(self.0.call(Method::GET, "/health")).await {
            // Its own word that it does not do well.
            Err(error) if error.status() == Some(503) => Ok(()),
            answer => answer.map(drop),
        }
    }

    /// The first `limit` books, up to 10,000, in the order in which they were added.
    ///
    /// # Errors
    /// As every call here: see [`ClientError`].
    pub async fn books(&self, limit: usize) -> Result<Part<Book>, ClientError> {
        self.0.part(self.0.call(Method::GET, "/library/books").query(&[("limit", limit)])).await
    }

    /// One book.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn book(&self, id: &str) -> Result<Book, ClientError> {
        self.0.get(&format!("/library/book/{}", segment(id))).await
    }

    /// Adds a book.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn add(&self, book: &NewBook) -> Result<Book, ClientError> {
        self.0.post("/library/books", book).await
    }

    /// Lends a copy.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn borrow_book(&self, lend: &Lend) -> Result<Loan, ClientError> {
        self.0.post("/library/borrow", lend).await
    }

    /// Takes a copy back.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn return_book(&self, lend: &Lend) -> Result<Loan, ClientError> {
        self.0.post("/library/return", lend).await
    }

    /// The newest `limit` loans, up to 10,000; with `active`, only those that are out.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn loans(&self, active: bool, limit: usize) -> Result<Part<Loan>, ClientError> {
        let call = self.0.call(Method::GET, "/library/borrow");
        self.0.part(call.query(&[("active", active)]).query(&[("limit", limit)])).await
    }
}
