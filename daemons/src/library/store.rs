//! The library on disk: books, loans, and the answers of requests that carried
//! a key. Times are microseconds since 1970.
//!
//! The tables of the outbox are used by [`queue`](super::queue) alone.

use super::lending::Totals;
use crate::runtime::database::columns::{readable, unsigned};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};
use shared::wire::library::{Book, Lend, Loan};

/// The tables.
pub const MIGRATIONS: &[&str] = &["
    CREATE TABLE library (              -- one row
        id TEXT NOT NULL,               -- drawn once: no two libraries share it
        next_number INTEGER NOT NULL,   -- no number below it is free as an id
        books INTEGER NOT NULL,
        copies INTEGER NOT NULL,
        shipping_to INTEGER             -- the last record of the batch under way
    );
    CREATE TABLE books (
        n INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        author TEXT NOT NULL,
        copies INTEGER NOT NULL,
        available INTEGER NOT NULL CHECK (available BETWEEN 0 AND copies)
    );
    CREATE TABLE loans (
        n INTEGER PRIMARY KEY AUTOINCREMENT,
        book_id TEXT NOT NULL REFERENCES books (id),
        borrower TEXT NOT NULL,
        borrowed_at INTEGER NOT NULL,
        returned_at INTEGER             -- NULL while it is out
    );
    CREATE INDEX loans_out ON loans (n) WHERE returned_at IS NULL;
    CREATE INDEX loans_held ON loans (book_id, borrower, n) WHERE returned_at IS NULL;
    CREATE TABLE answers (
        n INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL UNIQUE,
        request TEXT NOT NULL,          -- JSON: a key stands for one request
        answer TEXT NOT NULL            -- JSON
    );
    CREATE TABLE outbox (
        n INTEGER PRIMARY KEY AUTOINCREMENT,
        record TEXT NOT NULL            -- JSON
    );
    CREATE TABLE set_aside (            -- what the log will not take
        n INTEGER PRIMARY KEY,
        record TEXT NOT NULL,
        reason TEXT NOT NULL
    );
"];

/// Loans that are kept; older ones are forgotten when they have been returned.
const LOANS_KEPT: i64 = 1_000_000;
/// Answers of requests with a key that are kept.
const ANSWERS_KEPT: i64 = 10_000;

/// The books on the shelf of a new library.
const SAMPLES: [(&str, &str, &str); 3] =
    [("1", "Go编程实战", "张三"), ("2", "分布式系统设计", "李四"), ("3", "HTTP协议详解", "王五")];

/// The library's id; on the first start it is drawn, and the samples are put
/// on the shelf.
pub fn begin(connection: &Connection) -> rusqlite::Result<String> {
    let known = connection.query_row("SELECT id FROM library", [], |row| row.get(0)).optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    let id = format!("{:016x}", fastrand::u64(..));
    connection.execute("INSERT INTO library VALUES (?1, 1, 0, 0, NULL)", [&id])?;
    for (id, title, author) in SAMPLES {
        let (id, title, author) = (id.to_owned(), title.to_owned(), author.to_owned());
        put_book(connection, &Book { id, title, author, copies: 1, available: 1 })?;
    }
    Ok(id)
}

/// What the library has.
pub fn totals(connection: &Connection) -> rusqlite::Result<Totals> {
    connection.query_row("SELECT books, copies FROM library", [], |row| {
        Ok(Totals { books: row.get(0)?, copies: row.get(1)? })
    })
}

/// The smallest number that is no book's id.
pub fn free_id(connection: &Connection) -> rusqlite::Result<String> {
    let from: i64 = connection.query_row("SELECT next_number FROM library", [], |row| row.get(0))?;
    let mut number = from;
    while book(connection, &number.to_string())?.is_some() {
        number = number.saturating_add(1);
    }
    if number != from {
        // Books are never removed: what was taken once need not be looked at again.
        connection.prepare_cached("UPDATE library SET next_number = ?1")?.execute([number])?;
    }
    Ok(number.to_string())
}

/// One book.
pub fn book(connection: &Connection, id: &str) -> rusqlite::Result<Option<Book>> {
    connection
        .prepare_cached("SELECT id, title, author, copies, available FROM books WHERE id = ?1")?
        .query_row([id], read_book)
        .optional()
}

/// Books in the order in which they were added.
pub fn books(connection: &Connection, limit: u32, offset: u32) -> rusqlite::Result<Vec<Book>> {
    connection
        .prepare_cached(
            "SELECT id, title, author, copies, available FROM books ORDER BY n LIMIT ?1 OFFSET ?2",
        )?
        .query_map([limit, offset], read_book)
        .and_then(readable)
}

/// How many books there are.
pub fn book_count(connection: &Connection) -> rusqlite::Result<u64> {
    connection.prepare_cached("SELECT count(*) FROM books")?.query_row([], |row| row.get(0)).map(unsigned)
}

/// How many loans there are; with `active`, how many are out.
pub fn loan_count(connection: &Connection, active: bool) -> rusqlite::Result<u64> {
    let which = if active { "WHERE returned_at IS NULL" } else { "" };
    connection
        .prepare_cached(&format!("SELECT count(*) FROM loans {which}"))?
        .query_row([], |row| row.get(0))
        .map(unsigned)
}

/// Puts a new book on the shelf.
pub fn put_book(connection: &Connection, book: &Book) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO books (id, title, author, copies, available) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![book.id, book.title, book.author, book.copies, book.available])?;
    connection
        .prepare_cached("UPDATE library SET books = books + 1, copies = copies + ?1")?
        .execute([book.copies])?;
    Ok(())
}

/// The oldest loan of that borrower and book that is out, and its number.
pub fn oldest_out(connection: &Connection, lend: &Lend) -> rusqlite::Result<Option<(i64, Loan)>> {
    connection
        .prepare_cached(
            "SELECT book_id, borrower, borrowed_at, returned_at, n FROM loans \
             WHERE book_id = ?1 AND borrower = ?2 AND returned_at IS NULL ORDER BY n LIMIT 1",
        )?
        .query_row([&lend.book_id, &lend.borrower], |row| Ok((row.get(4)?, read_loan(row)?)))
        .optional()
}

/// Loans, newest first; with `active`, those that are out.
pub fn loans(connection: &Connection, active: bool, limit: u32, offset: u32) -> rusqlite::Result<Vec<Loan>> {
    let which = if active { "WHERE returned_at IS NULL" } else { "" };
    connection
        .prepare_cached(&format!(
            "SELECT book_id, borrower, borrowed_at, returned_at FROM loans {which} \
             ORDER BY n DESC LIMIT ?1 OFFSET ?2"
        ))?
        .query_map([limit, offset], read_loan)
        .and_then(readable)
}

/// Writes down that a copy was lent.
pub fn put_loan(connection: &Connection, book: &Book, loan: &Loan) -> rusqlite::Result<()> {
    shelve(connection, book)?;
    connection
        .prepare_cached("INSERT INTO loans (book_id, borrower, borrowed_at) VALUES (?1, ?2, ?3)")?
        .execute(params![loan.book_id, loan.borrower, loan.borrowed_at.timestamp_micros()])?;
    // One comes, so at most a few go: those that were still out when their time came.
    connection
        .prepare_cached("DELETE FROM loans WHERE n <= ?1 AND returned_at IS NOT NULL")?
        .execute([connection.last_insert_rowid().saturating_sub(LOANS_KEPT)])?;
    Ok(())
}

/// Writes down that the copy of loan `n` came back.
pub fn end_loan(connection: &Connection, n: i64, book: &Book, loan: &Loan) -> rusqlite::Result<()> {
    shelve(connection, book)?;
    let returned_at = loan.returned_at.map(|at| at.timestamp_micros());
    connection
        .prepare_cached("UPDATE loans SET returned_at = ?2 WHERE n = ?1")?
        .execute(params![n, returned_at])?;
    Ok(())
}

fn shelve(connection: &Connection, book: &Book) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE books SET available = ?2 WHERE id = ?1")?
        .execute(params![book.id, book.available])?;
    Ok(())
}

/// The request that a key was used for, and its answer.
pub fn answer(connection: &Connection, key: &str) -> rusqlite::Result<Option<(String, String)>> {
    connection
        .prepare_cached("SELECT request, answer FROM answers WHERE key = ?1")?
        .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// Keeps the answer of a request with a key.
pub fn put_answer(connection: &Connection, key: &str, request: &str, answer: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO answers (key, request, answer) VALUES (?1, ?2, ?3)")?
        .execute([key, request, answer])?;
    connection
        .prepare_cached("DELETE FROM answers WHERE n <= ?1")?
        .execute([connection.last_insert_rowid().saturating_sub(ANSWERS_KEPT)])?;
    Ok(())
}

fn read_book(row: &Row) -> rusqlite::Result<Book> {
    Ok(Book {
        id: row.get(0)?,
        title: row.get(1)?,
        author: row.get(2)?,
        copies: row.get(3)?,
        available: row.get(4)?,
    })
}

fn read_loan(row: &Row) -> rusqlite::Result<Loan> {
    let at = |micros: i64| DateTime::<Utc>::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH);
    Ok(Loan {
        book_id: row.get(0)?,
        borrower: row.get(1)?,
        borrowed_at: at(row.get(2)?),
        returned_at: row.get::<_, Option<i64>>(3)?.map(at),
    })
}
