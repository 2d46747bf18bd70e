//! The library: lending, and its records on their way to the log.

mod books;
mod fake_log;
mod outbox;
