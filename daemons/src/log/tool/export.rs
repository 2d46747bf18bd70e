//! `distlogd log export`: records out, in the order in which they were stored.

use super::form::Form;
use super::pages::{Pages, Which};
use super::progress::note;
use super::service::Service;
use super::{count, say};
use crate::log::time;
use crate::settings::Settings;
use shared::span::Span;
use shared::wire::log::Level;
use std::error::Error;
use std::fs::OpenOptions;
use std::io::{self, IsTerminal as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

/// The status of an export that may lack records.
const PARTIAL: u8 = 3;

/// What to export.
#[derive(Debug, clap::Args)]
pub struct Export {
    /// Not before: a time such as 2026-11-22T10:00:00Z, a day, or a span ago such as 2h
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    since: Option<i64>,
    /// Before: as --since
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    until: Option<i64>,
    /// What to look for, in the query language
    #[arg(short, long, value_name = "QUERY")]
    query: Option<String>,
    /// Only this service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Only this level or graver
    #[arg(long, value_name = "LEVEL")]
    level: Option<Level>,
    /// How records are written
    #[arg(long, value_name = "FORMAT", default_value = "ndjson")]
    format: Form,
    /// CSV exactly as it is, also what a spreadsheet runs as a formula
    #[arg(long)]
    raw: bool,
    /// Write to this file, not to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How long to go on trying when the log service does not answer
    #[arg(long, value_name = "SPAN", default_value = "5m")]
    patience: Span,
}

impl Export {
    /// Exports.
    ///
    /// # Errors
    /// When the service does not answer, or the file cannot be written.
    pub async fn run(self, settings: &Settings) -> Result<ExitCode, Box<dyn Error>> {
        let service = Service::new(settings, self.patience, CancellationToken::new())?;
        // A span ago is one moment for all pages.
        let which = Which {
            q: self.query.clone(),
            service: self.service.clone(),
            level: self.level.map(|level| level.to_string()),
            since: self.since.map(time::to_rfc3339),
            until: self.until.map(time::to_rfc3339),
        };
        let mut pages = Pages::new(&service, which).await?;
        let mut to = self.destination()?;
        let to_terminal = self.output.is_none() && io::stdout().is_terminal();
        let (mut records, mut partial) = (0, false);
        let mut text = self.format.header().as_bytes().to_vec();
        loop {
            if let Err(error) = to.write_all(&text).and_then(|()| to.flush()) {
                return self.unwritten(error);
            }
            text.clear();
            let Some(page) = pages.next().await? else { break };
            partial |= page.partial;
            records += page.records.len() as u64;
            for record in &page.records {
                self.format
                    .write(&mut text, record, to_terminal, self.raw)
                    .map_err(|e| service.unexpected(&e))?;
            }
        }
        if let Some(path) = &self.output {
            say(&format!("{} in {}", count(records, "record"), path.display()));
        }
        if partial {
            note("a part of the log could not be searched: records may be missing");
            return Ok(ExitCode::from(PARTIAL));
        }
        Ok(ExitCode::SUCCESS)
    }

    /// A file is for its owner alone, as the log's own files are.
    fn destination(&self) -> Result<Box<dyn Write>, String> {
        let Some(path) = &self.output else { return Ok(Box::new(io::stdout())) };
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
        Ok(Box::new(file.map_err(|e| format!("cannot write {}: {e}", path.display()))?))
    }

    /// A reader of standard output that has seen enough is no failure.
    fn unwritten(&self, error: io::Error) -> Result<ExitCode, Box<dyn Error>> {
        match &self.output {
            None if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
            None => Err(format!("cannot write to standard output: {error}").into()),
            Some(path) => Err(format!("cannot write {}: {error}", path.display()).into()),
        }
    }
}

fn moment(text: &str) -> Result<i64, String> {
    let wanted = "a time such as 2026-11-22T10:00:00Z, a day, or a span ago such as 15m, 2h or 7d";
    time::parse_moment(text).ok_or_else(|| format!("write {wanted}"))
}
