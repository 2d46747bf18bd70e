//! `tail`: what is stored from now on, over restarts of the log without a gap
//! or a repeat.

use super::StreamError;
use super::print::Printer;
use crate::follow::{Pauses, Resume, resume};
use crate::{output, text};
use futures_util::StreamExt as _;
use shared::client::{ClientError, LogClient, LogQuery, TailEvent};
use std::io::Write;
use std::ops::ControlFlow;
use std::pin::pin;

/// How many records are printed at once while the log is busy.
const BATCH_MAX: usize = 512;

/// Prints for ever, or until so many records were printed.
pub(super) async fn run<W: Write>(
    client: &LogClient,
    query: &LogQuery,
    limit: Option<u64>,
    printer: &mut Printer<W>,
) -> Result<(), StreamError> {
    let mut tail = Tail { client, query, limit, printer, after: None, heard: false };
    let mut pauses = Pauses::default();
    let mut told = false;
    loop {
        let ended = tail.read().await;
        if std::mem::take(&mut tail.heard) {
            pauses.reset();
            told = false;
        }
        match ended {
            Ok(ControlFlow::Break(())) => return Ok(()),
            Ok(ControlFlow::Continue(())) => {}
            // A filter that is refused once is refused for ever.
            Err(StreamError::Log(error)) if !is_final(&error) => {
                if !std::mem::replace(&mut told, true) {
                    output::say(format_args!("{}; trying on", text::clean(&error.to_string())));
                }
            }
            Err(error) => return Err(error),
        }
        tokio::time::sleep(pauses.next()).await;
    }
}

/// Whether trying again is of no use: the log understood and said no.
fn is_final(error: &ClientError) -> bool {
    matches!(error, ClientError::Refused(_))
        && error.status().is_some_and(|status| (400..500).contains(&status) && status != 429)
}

/// A tail, across connections.
struct Tail<'a, W: Write> {
    client: &'a LogClient,
    query: &'a LogQuery,
    limit: Option<u64>,
    printer: &'a mut Printer<W>,
    /// The last record that was printed, or before which the tail began.
    after: Option<u64>,
    /// Whether this connection has told anything.
    heard: bool,
}

impl<W: Write> Tail<'_, W> {
    /// Reads one connection to its end; breaks when enough was printed.
    async fn read(&mut self) -> Result<ControlFlow<()>, StreamError> {
        let after = self.begin().await?;
        let query = LogQuery { after: Some(after), since: None, ..self.query.clone() };
        let events = self.client.tail(&query).await?;
        self.heard = true;
        let mut batches = pin!(events.ready_chunks(BATCH_MAX));
        while let Some(batch) = batches.next().await {
            for event in batch {
                match event? {
                    TailEvent::Record(record) => {
                        self.printer.print(&record)?;
                        self.after = Some(record.seq);
                        if self.limit.is_some_and(|limit| self.printer.printed() >= limit) {
                            return Ok(ControlFlow::Break(()));
                        }
                    }
                    // What was missed is stored: a new connection brings it.
                    TailEvent::Lagged(_) => {
                        self.printer.flush()?;
                        return Ok(ControlFlow::Continue(()));
                    }
                }
            }
            self.printer.flush()?;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The record after which to go on. At first that is the last one stored, or
    /// the one before `--since`.
    async fn begin(&mut self) -> Result<u64, StreamError> {
        let last = self.client.last_seq().await?;
        let after = match resume(self.after, last) {
            Resume::After(after) => after,
            Resume::Anew => 0,
            Resume::Begin if self.query.since.is_some() => {
                let since = self.query.since.clone();
                let first = LogQuery { since, limit: Some(1), ..LogQuery::default() };
                let first = self.client.oldest(&first, None).await?;
                first.records.first().map_or(last, |record| record.seq.saturating_sub(1))
            }
            Resume::Begin => last,
        };
        self.after = Some(after);
        Ok(after)
    }
}
