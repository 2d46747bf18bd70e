//! A search and its answer, which may be read slower than it is found.
//!
//! A search runs beside the runtime's threads and sends what it writes in
//! sections. When its reader does not take them, the search ends: it gives back
//! its slot and its memory, and remembers after which record it stopped. When
//! the reader reads on, the search goes on from there, in a slot of its own.

use super::cursor::Cursor;
use super::{Admitted, App, Waiting};
use crate::log::limits::{CHUNK, LAG_MAX, OUTPUT_LEN, PAGE_CHUNK, UNREAD_MAX, WHOLE_LEN_MAX};
use crate::log::output;
use crate::log::query::Filter;
use crate::log::search::{Budget, Order, Reservation, WAIT_MAX, walk};
use crate::log::store::Snapshot;
use crate::runtime::error::ApiError;
use crate::runtime::peer::ClientId;
use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use serde_json::Value;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;
use utoipa::ToSchema;

/// Sections that are sent and not yet taken.
const SECTIONS: usize = 2;

/// How records are answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RecordFormat {
    /// A record a line, streamed.
    #[default]
    Ndjson,
    /// One document.
    Json,
    /// The lines as in the file.
    Text,
}

impl RecordFormat {
    /// The media type of an answer.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Json => "application/json",
            Self::Text => "text/plain; charset=utf-8",
        }
    }
}

/// What is searched for, and how much of it was written.
pub struct Search {
    snapshot: Snapshot,
    filter: Filter,
    order: Order,
    /// Records wanted.
    limit: usize,
    format: RecordFormat,
    /// Records written.
    count: usize,
    /// Bytes written.
    len: usize,
    /// The place of the last record that was written.
    last: Option<Cursor>,
    /// Whether something was left out.
    partial: bool,
}

/// How a run of a search ended.
struct Run {
    /// What was written and not sent.
    unsent: Bytes,
    /// What is left to do when the reader has taken that.
    rest: Option<Search>,
    place: Place,
}

/// What an unread answer holds, until its reader reads on.
struct Place {
    /// Its place among the paused, if its reader lags.
    _paused: Option<OwnedSemaphorePermit>,
    _held: Reservation,
}

/// Why a run has nothing to answer.
enum Failed {
    /// There was no memory for it.
    Starved,
    /// The reader has gone, or has not read for too long.
    Ended,
}

impl Search {
    /// A search for the first `limit` records.
    pub const fn new(
        snapshot: Snapshot,
        filter: Filter,
        order: Order,
        limit: usize,
        format: RecordFormat,
    ) -> Self {
        Self { snapshot, filter, order, limit, format, count: 0, len: 0, last: None, partial: false }
    }

    /// Searches until the end, or until the reader lags.
    fn run(mut self, app: &App, sender: Sender<Bytes>, budget: &Budget) -> Result<Run, Failed> {
        let mut output = budget.memory.reservation();
        if !output.resize(OUTPUT_LEN, WAIT_MAX) {
            return Err(Failed::Starved);
        }
        let is_first = self.count == 0;
        let mut sections = Sections { app, sender, chunk: Vec::new(), state: Reader::Takes, place: None };
        sections.chunk.extend_from_slice(if is_first { self.begin() } else { b"" });
        // A short page is sent as a whole, with its length.
        let mut section_len = if is_first && self.format == RecordFormat::Json { PAGE_CHUNK } else { CHUNK };
        let left = self.limit - self.count;
        let Self { snapshot, filter, order, format, count, len, last, .. } = &mut self;
        let walked = walk(snapshot, filter, *order, left, budget, |hit| {
            let before = sections.chunk.len();
            match format {
                RecordFormat::Ndjson => {
                    output::write_json(&mut sections.chunk, hit.seq, hit.line);
                    sections.chunk.push(b'\n');
                }
                RecordFormat::Json => {
                    sections.chunk.extend_from_slice(if *count > 0 { b"," } else { b"" });
                    output::write_json(&mut sections.chunk, hit.seq, hit.line);
                }
                RecordFormat::Text => sections.chunk.extend_from_slice(hit.raw),
            }
            *count += 1;
            *len += sections.chunk.len().saturating_sub(before);
            *last = Some(Cursor::at(*order, hit.line.ts_ns, hit.seq));
            if sections.chunk.len() >= section_len {
                sections.send();
                section_len = CHUNK;
            }
            let is_full = *format == RecordFormat::Json && *len >= WHOLE_LEN_MAX;
            let goes_on = sections.state == Reader::Takes && !is_full;
            if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        self.partial |= walked.partial;
        if walked.starved && self.count == 0 {
            return Err(Failed::Starved);
        }
        let lags = sections.state == Reader::Lags;
        if sections.state == Reader::Gone {
            return Err(Failed::Ended);
        }
        let wants_more = lags && !self.is_full() && !walked.spent;
        // Out of order, the last record says nothing of those before it.
        self.partial |= wants_more && !walked.ordered;
        let mut unsent = sections.chunk;
        let rest = if wants_more && walked.ordered {
            Some(self.after_last())
        } else {
            self.end(walked.spent, &mut unsent);
            None
        };
        let place = sections.place.unwrap_or_else(|| {
            let mut held = app.answers.reservation();
            held.hold(unsent.capacity() + SECTIONS * CHUNK);
            Place { _paused: None, _held: held }
        });
        Ok(Run { unsent: unsent.into(), rest, place })
    }

    fn is_full(&self) -> bool {
        self.count >= self.limit || (self.format == RecordFormat::Json && self.len >= WHOLE_LEN_MAX)
    }

    /// What is left to search for.
    fn after_last(mut self) -> Self {
        let bounds = &mut self.filter.bounds;
        match (self.order, self.last) {
            (Order::Desc | Order::LastStored, Some(Cursor::Time(ts_ns, seq))) => {
                bounds.cursors.1 = Some((ts_ns, seq));
            }
            (Order::Asc | Order::FirstStored, Some(Cursor::Time(ts_ns, seq))) => {
                bounds.cursors.0 = Some((ts_ns, seq));
            }
            (Order::Desc | Order::LastStored, Some(Cursor::Seq(seq))) => bounds.seqs.1 = seq,
            (Order::Asc | Order::FirstStored, Some(Cursor::Seq(seq))) => {
                bounds.seqs.0 = seq.saturating_add(1);
            }
            (_, None) => {}
        }
        self
    }

    const fn begin(&self) -> &'static [u8] {
        match self.format {
            RecordFormat::Json => b"{\"records\":[",
            RecordFormat::Ndjson | RecordFormat::Text => b"",
        }
    }

    /// Writes what follows the last record. A full page has a `next`, whether or
    /// not there is more: to look for one more could take as long as all of them
    /// did. One that ended early has one too.
    fn end(&self, spent: bool, out: &mut Vec<u8>) {
        match self.format {
            RecordFormat::Json => {
                let next = self.last.filter(|_| self.is_full() || spent);
                let next = next.map_or(Value::Null, |last| Value::from(last.to_text()));
                out.extend_from_slice(format!("],\"next\":{next},\"partial\":{}}}", self.partial).as_bytes());
            }
            RecordFormat::Ndjson if self.partial => out.extend_from_slice(b"{\"partial\":true}\n"),
            RecordFormat::Text if self.partial => {
                out.extend_from_slice(b"# partial: not everything could be searched\n");
            }
            RecordFormat::Ndjson | RecordFormat::Text => {}
        }
    }
}

/// What is written, and sent in sections.
struct Sections<'a> {
    app: &'a App,
    sender: Sender<Bytes>,
    chunk: Vec<u8>,
    state: Reader,
    /// Where to wait for a reader that lags.
    place: Option<Place>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    Takes,
    Lags,
    Gone,
}

impl Sections<'_> {
    /// Sends what is written; keeps what the reader does not take in time.
    fn send(&mut self) {
        let mut sent = 0;
        let until = Instant::now() + UNREAD_MAX;
        while self.state == Reader::Takes
            && let Some(rest) = self.chunk.get(sent..).filter(|rest| !rest.is_empty())
        {
            // A copy: a section must not hold a large chunk.
            let section = Bytes::copy_from_slice(rest.get(..CHUNK).unwrap_or(rest));
            let len = section.len();
            match Handle::current().block_on(self.sender.send_timeout(section, LAG_MAX)) {
                Ok(()) => sent += len,
                Err(SendTimeoutError::Timeout(_)) => {
                    self.place = self.pause(self.chunk.len() - sent);
                    if self.place.is_some() {
                        self.state = Reader::Lags;
                    } else if Instant::now() >= until {
                        self.state = Reader::Gone;
                    }
                }
                Err(SendTimeoutError::Closed(_)) => self.state = Reader::Gone,
            }
        }
        if sent == self.chunk.len() && self.chunk.capacity() <= 4 * CHUNK {
            self.chunk.clear();
        } else {
            self.chunk = self.chunk.get(sent..).unwrap_or_default().to_vec();
        }
    }
}

impl Sections<'_> {
    /// A place to wait for the reader, with so many bytes that it has not taken.
    fn pause(&self, unsent: usize) -> Option<Place> {
        let paused = Arc::clone(&self.app.paused).try_acquire_owned().ok()?;
        let mut held = self.app.answers.reservation();
        held.try_resize(unsent + SECTIONS * CHUNK).then_some(Place { _paused: Some(paused), _held: held })
    }
}

/// An answer that is being read.
pub struct Answer {
    app: App,
    client: ClientId,
    receiver: Receiver<Bytes>,
    /// None when the answer has ended.
    run: Option<JoinHandle<Result<Run, Failed>>>,
    /// What the last run holds.
    place: Option<Place>,
    _waiting: Waiting,
}

impl Answer {
    /// Begins a search.
    pub fn start(app: App, client: ClientId, admitted: Admitted, search: Search) -> Self {
        let (receiver, run, waiting) = start(&app, admitted, search);
        Self { app, client, receiver, run: Some(run), place: None, _waiting: waiting }
    }

    /// The body: whole if it is short, else as it is read.
    ///
    /// # Errors
    /// When there is nothing to answer for want of memory.
    pub async fn body(mut self) -> Result<Body, ApiError> {
        let first = match self.receiver.recv().await {
            Some(section) => section,
            None => match self.finish_run().await.map_err(ApiError::internal)? {
                Ok(run) if run.rest.is_none() => return Ok(Body::from(run.unsent)),
                Ok(run) => self.go_on(run).await,
                Err(Failed::Starved) => {
                    return Err(ApiError::unavailable("searches use all of their memory", 1));
                }
                Err(Failed::Ended) => return Err(ApiError::internal("a search ended without an answer")),
            },
        };
        let begun = stream::once(std::future::ready(Ok(first)));
        let rest = stream::unfold(self, |mut answer| async move {
            let section = answer.next().await?;
            Some((section, answer))
        });
        Ok(Body::from_stream(futures_util::StreamExt::chain(begun, rest)))
    }

    async fn finish_run(&mut self) -> io::Result<Result<Run, Failed>> {
        match self.run.take() {
            Some(run) => run.await.map_err(io::Error::other),
            None => Ok(Err(Failed::Ended)),
        }
    }

    /// The next section; an error breaks the answer off.
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        self.place = None;
        if let Some(section) = self.receiver.recv().await {
            return Some(Ok(section));
        }
        self.run.as_ref()?;
        match self.finish_run().await {
            Ok(Ok(run)) => Some(Ok(self.go_on(run).await)),
            Ok(Err(_)) => Some(Err(io::Error::other("the answer was not read in time"))),
            Err(error) => Some(Err(error)),
        }
    }

    /// Goes on with what a run has left; what that run has not sent comes first.
    async fn go_on(&mut self, run: Run) -> Bytes {
        let Run { unsent, rest, place } = run;
        self.place = Some(place);
        let Some(mut search) = rest else { return unsent };
        match self.app.admit(self.client).await {
            Ok(admitted) => {
                let (receiver, run, waiting) = start(&self.app, admitted, search);
                (self.receiver, self.run, self._waiting) = (receiver, Some(run), waiting);
                unsent
            }
            Err(_) => {
                search.partial = true;
                let mut last = unsent.to_vec();
                search.end(true, &mut last);
                last.into()
            }
        }
    }
}

fn start(
    app: &App,
    admitted: Admitted,
    search: Search,
) -> (Receiver<Bytes>, JoinHandle<Result<Run, Failed>>, Waiting) {
    let Admitted { slot, budget, waiting } = admitted;
    let (sender, receiver) = channel(SECTIONS);
    let app = App::clone(app);
    let run = tokio::task::spawn_blocking(move || {
        let run = search.run(&app, sender, &budget);
        drop(slot);
        run
    });
    (receiver, run, waiting)
}
