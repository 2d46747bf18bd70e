//! Tools for the log: `distlogd log import`, `distlogd log export`.
//!
//! Both talk to a log service that runs, over HTTP as everybody does, and hold
//! no more than a few batches at a time:
//!
//! * in: [`input`] opens and unpacks → [`lines`] → [`recognise`] (with [`json`]
//!   and [`when`]) makes a record of a line → [`parcel`] → [`import`] sends;
//! * out: [`pages`] asks → [`export`] writes, in one of the [`form`]s.
//!
//! [`service`] calls, and tries again.

mod export;
mod form;
mod import;
mod input;
mod json;
mod lines;
mod pages;
mod parcel;
mod progress;
mod recognise;
mod service;
mod when;

use crate::settings::Settings;
use clap::Subcommand;
use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

/// What to do with a log.
#[derive(Debug, Subcommand)]
pub enum Tool {
    /// Store files of lines or NDJSON in a log service that runs
    ///
    /// A line is a record: JSON with a message, a line of the log's own files, or
    /// any text, whose time and level are taken where it begins with them. A record
    /// without a time has that of the line above it, the first ones that of their
    /// arrival.
    Import(import::Import),
    /// Write the records of a log service that runs, oldest first
    ///
    /// All that match, in the order in which they were stored. Bytes that are no
    /// UTF-8 come as U+FFFD. Ends with 3 when a part of the log could not be read.
    Export(export::Export),
}

impl Tool {
    /// Does it.
    ///
    /// # Errors
    /// With one message that says what went wrong and how far it came.
    pub fn run(self, settings: &Settings) -> Result<ExitCode, Box<dyn Error>> {
        // One thread waits for answers; files are read on another.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            match self {
                Self::Import(import) => import.run(settings).await,
                Self::Export(export) => export.run(settings).await,
            }
        })
    }
}

/// The last line of a tool; that nobody reads on is no failure.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// `1 record`, `2 records`.
fn count(n: u64, word: &str) -> String {
    if n == 1 { format!("{n} {word}") } else { format!("{n} {word}s") }
}
