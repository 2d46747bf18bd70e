//! Tools for the log: `distlogd log import`, `export`, `verify`, `rebuild-index`.
//!
//! [`verify`] and [`rebuild`] read the log's own files, each on all cores, and
//! tell what [`super::store`] finds in them. The other two talk to a log service that runs, over HTTP as everybody does, and hold
//! no more than a few batches at a time:
//!
//! * in: [`input`] opens and unpacks → [`lines`] → [`super::read`] makes a record
//!   of a line → [`parcel`] → [`import`] sends, and says what is in the [`notes`];
//! * out: [`pages`] asks → [`export`] writes, in one of the [`form`]s.
//!
//! [`service`] calls, and tries again.

mod export;
mod form;
mod import;
mod input;
mod lines;
mod notes;
mod pages;
mod parcel;
mod progress;
mod rebuild;
mod service;
mod utf16;
mod verify;

use crate::settings::Settings;
use clap::Subcommand;
use shared::daemon::Daemon;
use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// What to do with a log.
#[derive(Debug, Subcommand)]
pub enum Tool {
    /// Store files of lines or NDJSON in a log service that runs
    ///
    /// A line is a record: JSON, a line of the log's own files, or any text, whose
    /// time and level are read in the forms of many programs. A record without a
    /// time has that of the line above it, the first ones that of their arrival. The
    /// parts of a line in the logs of containers are joined. Says what was assumed.
    /// Ends with 3 when a time was not understood, or records are so old that the
    /// log deletes them soon.
    Import(import::Import),
    /// Write the records of a log service that runs, oldest first
    ///
    /// All that match, in the order in which they were stored. Bytes that are no
    /// UTF-8 come as U+FFFD. Ends with 3 when a part of the log could not be read.
    Export(export::Export),
    /// Look at every file of the log, and change none
    ///
    /// Says of each what is wrong with it and what the log service would do about
    /// it. It may be running meanwhile. Ends with 0 when all is well, 1 when something
    /// can be repaired, 2 when records are lost, 3 when a file could not be looked at.
    Verify(verify::Verify),
    /// Rebuild missing and damaged indexes of the log, while no log service is running
    ///
    /// A running one does so by itself. Ends with 1 when an index could not be rebuilt.
    RebuildIndex(rebuild::RebuildIndex),
}

impl Tool {
    /// Does it.
    ///
    /// # Errors
    /// With one message that says what went wrong and how far it came.
    pub fn run(self, settings: &Settings) -> Result<ExitCode, Box<dyn Error>> {
        match &self {
            Self::Verify(verify) => return verify.run(settings),
            Self::RebuildIndex(rebuild) => return rebuild.run(settings),
            Self::Import(_) | Self::Export(_) => {}
        }
        // One thread waits for answers; files are read on another.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            match self {
                Self::Import(import) => import.run(settings).await,
                Self::Export(export) => export.run(settings).await,
                Self::Verify(_) | Self::RebuildIndex(_) => Ok(ExitCode::SUCCESS),
            }
        })
    }
}

/// Where the log service has its files, but for the active one.
fn own_dir(settings: &Settings) -> PathBuf {
    settings.general.data_dir.join(Daemon::Log.word())
}

/// The last line of a tool; that nobody reads on is no failure.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// `1 record`, `2 records`.
fn count(n: u64, word: &str) -> String {
    if n == 1 { format!("{n} {word}") } else { format!("{n} {word}s") }
}
