//! The daemons as their users meet them: real processes, on ports of the
//! system's choice, in temporary directories.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

mod harness;

mod alerts;
mod crash;
mod credentials;
mod damage;
mod dns;
mod format;
mod http;
mod import;
mod library;
mod log;
mod monitor;
mod provider;
mod registry;
mod runtime;
mod searches;
mod tail;
mod verify;
mod web;
