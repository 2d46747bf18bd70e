//! `GET /log`.

use super::{App, LIMIT_DEFAULT, WHOLE_LEN_MAX, WHOLE_MAX, Which, blocking, bounded, which};
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
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::{IntoParams, ToSchema};

/// Records of one streamed answer.
const STREAMED_MAX: usize = 1_000_000;
/// Bytes that are sent at a time.
const CHUNK: usize = 64 * 1024;
/// For how long a client may leave an answer unread before its search is given up.
const UNREAD_MAX: Duration = Duration::from_secs(30);

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
    /// Only sequences after this one.
    after: Option<u64>,
    /// Only sequences before this one.
    before: Option<u64>,
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
    let (permit, budget) = app.admit()?;
    let filter = which.filter().await?;
    let snapshot = app.store.snapshot();
    let order = query.order;
    match query.format {
        RecordFormat::Json => blocking(permit, move || page(&snapshot, &filter, order, limit, budget)).await,
        RecordFormat::Ndjson => Ok(stream(permit, snapshot, filter, order, limit, budget, Form::Json)),
        RecordFormat::Text => Ok(stream(permit, snapshot, filter, order, limit, budget, Form::Text)),
    }
}

/// One page as a whole. `next` is there when there is at least one more record.
fn page(snapshot: &Snapshot, filter: &Filter, order: Order, limit: usize, budget: Budget) -> Response {
    let mut body = b"{\"records\":[".to_vec();
    let (mut count, mut last, mut more) = (0, 0, false);
    let walked = walk(snapshot, filter, order, budget, |hit| {
        if count == limit || body.len() >= WHOLE_LEN_MAX {
            more = true;
            return ControlFlow::Break(());
        }
        if count > 0 {
            body.push(b',');
        }
        output::write_json(&mut body, hit.seq, hit.line);
        count += 1;
        last = hit.seq;
        ControlFlow::Continue(())
    });
    let next = more.then_some(last).map_or(Value::Null, Value::from);
    body.extend_from_slice(format!("],\"next\":{next},\"partial\":{}}}", walked.partial).as_bytes());
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Records one after the other, sent as they are found. The walk ends when the
/// client has gone.
fn stream(
    permit: OwnedSemaphorePermit,
    snapshot: Snapshot,
    filter: Filter,
    order: Order,
    limit: usize,
    budget: Budget,
    form: Form,
) -> Response {
    let (sender, receiver) = channel::<Bytes>(4);
    tokio::task::spawn_blocking(move || {
        send_records(&sender, &snapshot, &filter, order, limit, budget, form);
        drop(permit);
    });
    let media_type = match form {
        Form::Json => "application/x-ndjson",
        Form::Text => "text/plain; charset=utf-8",
    };
    let body = Body::from_stream(ReceiverStream::new(receiver).map(Ok::<_, std::convert::Infallible>));
    ([(header::CONTENT_TYPE, HeaderValue::from_static(media_type))], body).into_response()
}

fn send_records(
    sender: &Sender<Bytes>,
    snapshot: &Snapshot,
    filter: &Filter,
    order: Order,
    limit: usize,
    budget: Budget,
    form: Form,
) {
    let mut chunk = Vec::with_capacity(CHUNK);
    let mut left = limit;
    let walked = walk(snapshot, filter, order, budget, |hit| {
        output::write(&mut chunk, form, hit.seq, hit.raw, hit.line);
        if form == Form::Json {
            chunk.push(b'\n');
        }
        left -= 1;
        if chunk.len() >= CHUNK && !send(sender, std::mem::take(&mut chunk)) {
            return ControlFlow::Break(());
        }
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    if walked.partial {
        chunk.extend_from_slice(match form {
            Form::Json => b"{\"partial\":true}\n",
            Form::Text => b"# partial: not everything could be searched\n",
        });
    }
    send(sender, chunk);
}

/// Whether the client took it, or will: one that leaves or stops reading does
/// not keep its place among the searches.
fn send(sender: &Sender<Bytes>, chunk: Vec<u8>) -> bool {
    let sending = sender.send_timeout(Bytes::from(chunk), UNREAD_MAX);
    Handle::current().block_on(sending).is_ok()
}
