//! `GET /log`.

use super::cursor::Cursor;
use super::{Admitted, App, Waiting, Which, bounded, which};
use crate::log::limits::{LIMIT_DEFAULT, STREAMED_MAX, UNREAD_MAX, WHOLE_LEN_MAX, WHOLE_MAX};
use crate::log::output::{self, Form};
use crate::log::query::Filter;
use crate::log::search::{Budget, Order, walk};
use crate::log::store::Snapshot;
use crate::runtime::error::ApiError;
use crate::runtime::extract::Query;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use shared::wire::log::{Page, Record};
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use utoipa::{IntoParams, ToSchema};

/// Bytes that are sent at a time.
const CHUNK: usize = 64 * 1024;

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

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// What to look for, in the query language.
    q: Option<String>,
    /// Only this service.
    service: Option<String>,
    /// Only this level or graver.
    level: Option<String>,
    /// Not before: RFC 3339, or a span ago (`15m`, `2h`, `7d`).
    since: Option<String>,
    /// Before: RFC 3339, or a span ago.
    until: Option<String>,
    /// At most so many (100).
    limit: Option<usize>,
    /// Newest first (`desc`), or oldest first (`asc`).
    #[serde(default)]
    #[param(inline)]
    order: Order,
    /// Only records after this sequence, in the order of sequences; or the
    /// `next` of a page that was asked for oldest first.
    after: Option<String>,
    /// Only records before this sequence, in the order of sequences; or the
    /// `next` of a page that was asked for newest first.
    before: Option<String>,
    /// `ndjson` (default), `json` or `text`.
    #[serde(default)]
    #[param(inline)]
    format: RecordFormat,
}

/// Search
///
/// Records are streamed as they are found. An NDJSON answer that had to leave
/// something out ends with `{"partial":true}`, a text with a line that says so.
#[utoipa::path(get, path = "/log", tag = "log", params(SearchQuery),
    responses((status = 200, content((Record = "application/x-ndjson"), (Page = "application/json"), (String = "text/plain")))))]
pub async fn search(State(app): State<App>, Query(query): Query<SearchQuery>) -> Result<Response, ApiError> {
    let which = Which { after: query.after, before: query.before, ..which!(query) };
    let max = if query.format == RecordFormat::Json { WHOLE_MAX } else { STREAMED_MAX };
    let limit = bounded("limit", query.limit.unwrap_or(LIMIT_DEFAULT), max)?;
    let admitted = app.admit()?;
    let filter = which.filter().await?;
    let by_seq = filter.bounds.seqs != (0, u64::MAX);
    let order = match query.order {
        Order::Asc if by_seq => Order::FirstStored,
        _ if by_seq => Order::LastStored,
        order => order,
    };
    let search = Search { snapshot: app.store.snapshot(), filter, order, limit };
    match query.format {
        RecordFormat::Json => admitted.run(move |budget| search.page(budget)).await,
        RecordFormat::Ndjson => Ok(stream(admitted, search, Form::Json)),
        RecordFormat::Text => Ok(stream(admitted, search, Form::Text)),
    }
}

/// What is searched for.
struct Search {
    snapshot: Snapshot,
    filter: Filter,
    order: Order,
    limit: usize,
}

impl Search {
    /// One page as a whole. A full page has a `next`, whether or not there is
    /// more: to look for one more could take as long as all of them did. One that
    /// ended early has one too.
    fn page(&self, budget: &Budget) -> Response {
        let Self { snapshot, filter, order, limit } = self;
        let mut body = b"{\"records\":[".to_vec();
        let (mut count, mut last) = (0, None);
        let walked = walk(snapshot, filter, *order, *limit, budget, |hit| {
            if count > 0 {
                body.push(b',');
            }
            output::write_json(&mut body, hit.seq, hit.line);
            count += 1;
            last = Some(Cursor::at(*order, hit.line.ts_ns, hit.seq));
            if body.len() >= WHOLE_LEN_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let is_full = count == *limit || body.len() >= WHOLE_LEN_MAX;
        let next =
            last.filter(|_| is_full || walked.spent).map_or(Value::Null, |last| Value::from(last.to_text()));
        body.extend_from_slice(format!("],\"next\":{next},\"partial\":{}}}", walked.partial).as_bytes());
        ([(header::CONTENT_TYPE, "application/json")], body).into_response()
    }

    /// Sends records as they are found; ends when the client has gone.
    fn send(&self, sender: &Sender<Bytes>, budget: &Budget, form: Form) {
        let Self { snapshot, filter, order, limit } = self;
        let mut chunk = Vec::with_capacity(CHUNK);
        let walked = walk(snapshot, filter, *order, *limit, budget, |hit| {
            output::write(&mut chunk, form, hit.seq, hit.raw, hit.line);
            if form == Form::Json {
                chunk.push(b'\n');
            }
            if chunk.len() >= CHUNK && !send(sender, std::mem::take(&mut chunk)) {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        if walked.partial {
            chunk.extend_from_slice(match form {
                Form::Json => b"{\"partial\":true}\n",
                Form::Text => b"# partial: not everything could be searched\n",
            });
        }
        send(sender, chunk);
    }
}

/// Records one after the other, sent as they are found.
fn stream(admitted: Admitted, search: Search, form: Form) -> Response {
    let Admitted { permit, budget, waiting } = admitted;
    let (sender, receiver) = channel::<Bytes>(4);
    tokio::task::spawn_blocking(move || {
        search.send(&sender, &budget, form);
        drop(permit);
    });
    let media_type = match form {
        Form::Json => "application/x-ndjson",
        Form::Text => "text/plain; charset=utf-8",
    };
    let chunks = Chunks { receiver: ReceiverStream::new(receiver), _waiting: waiting };
    let body = Body::from_stream(chunks.map(Ok::<_, std::convert::Infallible>));
    ([(header::CONTENT_TYPE, HeaderValue::from_static(media_type))], body).into_response()
}

/// The chunks of an answer; dropped with it.
struct Chunks {
    receiver: ReceiverStream<Bytes>,
    _waiting: Waiting,
}

impl Stream for Chunks {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        Pin::new(&mut self.receiver).poll_next(context)
    }
}

/// Whether the client took it, or will: one that leaves or stops reading does
/// not keep its place among the searches.
fn send(sender: &Sender<Bytes>, chunk: Vec<u8>) -> bool {
    let sending = sender.send_timeout(Bytes::from(chunk), UNREAD_MAX);
    Handle::current().block_on(sending).is_ok()
}
