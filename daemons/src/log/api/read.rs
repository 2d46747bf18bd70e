//! `GET /log`, `/log/hits`, `/log/stats`, `/log/context`.

use super::{App, Which};
use crate::log::count::{self, Label};
use crate::log::output::{self, Form};
use crate::log::query::Filter;
use crate::log::search::{Budget, Order, walk};
use crate::log::store::Snapshot;
use crate::runtime::error::ApiError;
use crate::runtime::extract::Query;
use crate::runtime::listing::{self, table};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use shared::span::Span;
use shared::wire::log::{Hits, Labels, Page, Record, Stats};
use std::ops::ControlFlow;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::{IntoParams, ToSchema};

const LIMIT_DEFAULT: usize = 100;
/// Records of one streamed answer.
const STREAMED_MAX: usize = 1_000_000;
/// Records of one answer that is made as a whole.
const WHOLE_MAX: usize = 10_000;
/// Neighbours on one side.
const NEIGHBOURS_MAX: usize = 1_000;
/// Bytes of one answer that is made as a whole: a page ends early there.
const WHOLE_LEN_MAX: usize = 16 << 20;
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
    order: Order,
    /// Only sequences after this one.
    after: Option<u64>,
    /// Only sequences before this one.
    before: Option<u64>,
    /// `ndjson` (default), `json` or `text`.
    #[serde(default)]
    format: RecordFormat,
}

/// Search
///
/// Records are streamed as they are found. An NDJSON answer that had to leave
/// something out ends with `{"partial":true}`.
#[utoipa::path(get, path = "/log", tag = "log", params(SearchQuery),
    responses((status = 200, content((Record = "application/x-ndjson"), (Page = "application/json"), (String = "text/plain")))))]
pub async fn search(State(app): State<App>, Query(query): Query<SearchQuery>) -> Result<Response, ApiError> {
    let which = Which {
        q: query.q,
        service: query.service,
        level: query.level,
        since: query.since,
        until: query.until,
        after: query.after,
        before: query.before,
    };
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

fn bounded(field: &str, value: usize, max: usize) -> Result<usize, ApiError> {
    if (1..=max).contains(&value) {
        Ok(value)
    } else {
        Err(ApiError::malformed(format!("{field} must be from 1 to {max} here")).field(field))
    }
}

/// Runs a query beside the runtime's threads.
async fn blocking<T: Send + 'static>(
    permit: OwnedSemaphorePermit,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    let work = move || {
        let result = work();
        drop(permit);
        result
    };
    tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)
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
    if walked.partial && form == Form::Json {
        chunk.extend_from_slice(b"{\"partial\":true}\n");
    }
    send(sender, chunk);
}

/// Whether the client took it, or will: one that leaves or stops reading does
/// not keep its place among the searches.
fn send(sender: &Sender<Bytes>, chunk: Vec<u8>) -> bool {
    let sending = sender.send_timeout(Bytes::from(chunk), UNREAD_MAX);
    Handle::current().block_on(sending).is_ok()
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HitsQuery {
    /// What to look for, in the query language.
    q: Option<String>,
    /// Only this service.
    service: Option<String>,
    /// Only this level or graver.
    level: Option<String>,
    /// Not before: RFC 3339, or a span ago.
    since: Option<String>,
    /// Before: RFC 3339, or a span ago.
    until: Option<String>,
    /// The width of a point (`1m`), in whole seconds.
    #[param(value_type = Option<String>)]
    step: Option<Span>,
    /// A series for each `level`, `service` or value of a field; several separated by commas.
    by: Option<String>,
    /// `json` (default), or `text` for a terminal.
    #[serde(default)]
    format: listing::Format,
}

/// Counts over time
#[utoipa::path(get, path = "/log/hits", tag = "log", params(HitsQuery), responses((status = 200, body = Hits)))]
pub async fn hits(State(app): State<App>, Query(query): Query<HitsQuery>) -> Result<Response, ApiError> {
    let which = Which {
        q: query.q,
        service: query.service,
        level: query.level,
        since: query.since,
        until: query.until,
        ..Which::default()
    };
    let step = query.step.map_or(60, |step| step.0.as_secs());
    let step_ns = i64::try_from(step).ok().and_then(|s| s.checked_mul(1_000_000_000)).filter(|ns| *ns > 0);
    let step_ns = step_ns.ok_or_else(|| ApiError::malformed("step must be at least 1s").field("step"))?;
    let by = Label::list(query.by.as_deref().unwrap_or_default());
    let (permit, budget) = app.admit()?;
    let filter = which.filter().await?;
    let snapshot = app.store.snapshot();
    let hits = blocking(permit, move || count::hits(&snapshot, &filter, &by, step_ns, budget)).await?;
    Ok(match query.format {
        listing::Format::Json => Json(hits).into_response(),
        listing::Format::Text => {
            let rows = hits.series.iter().flat_map(|series| {
                let by = label_text(&series.by);
                series.points.iter().map(move |(at, count)| {
                    vec![at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true), by.clone(), count.to_string()]
                })
            });
            query.format.text(table(&["from", "by", "count"], rows))
        }
    })
}

fn label_text(labels: &Labels) -> String {
    let texts: Vec<String> = labels
        .values()
        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        .collect();
    texts.join(" ")
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StatsQuery {
    /// What to look for, in the query language.
    q: Option<String>,
    /// Only this service.
    service: Option<String>,
    /// Only this level or graver.
    level: Option<String>,
    /// Not before: RFC 3339, or a span ago.
    since: Option<String>,
    /// Before: RFC 3339, or a span ago.
    until: Option<String>,
    /// `level`, `service` or a field; several separated by commas.
    by: Option<String>,
    /// At most so many groups (100).
    limit: Option<usize>,
    /// `json` (default), or `text` for a terminal.
    #[serde(default)]
    format: listing::Format,
}

/// Counts by label
#[utoipa::path(get, path = "/log/stats", tag = "log", params(StatsQuery), responses((status = 200, body = Stats)))]
pub async fn stats(State(app): State<App>, Query(query): Query<StatsQuery>) -> Result<Response, ApiError> {
    let which = Which {
        q: query.q,
        service: query.service,
        level: query.level,
        since: query.since,
        until: query.until,
        ..Which::default()
    };
    let limit = bounded("limit", query.limit.unwrap_or(LIMIT_DEFAULT), WHOLE_MAX)?;
    let by = Label::list(query.by.as_deref().unwrap_or("level"));
    let (permit, budget) = app.admit()?;
    let filter = which.filter().await?;
    let snapshot = app.store.snapshot();
    let stats = blocking(permit, move || count::stats(&snapshot, &filter, &by, limit, budget)).await?;
    Ok(match query.format {
        listing::Format::Json => Json(stats).into_response(),
        listing::Format::Text => {
            let rows = stats.groups.iter().map(|group| vec![group.count.to_string(), label_text(&group.by)]);
            query.format.text(table(&["count", "by"], rows))
        }
    })
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ContextQuery {
    /// The record.
    seq: u64,
    /// How many before it (10).
    before: Option<usize>,
    /// How many after it (10).
    after: Option<usize>,
    /// `ndjson` (default), `json` or `text`.
    #[serde(default)]
    format: RecordFormat,
}

/// The neighbours of one record in its service, oldest first
#[utoipa::path(get, path = "/log/context", tag = "log", params(ContextQuery),
    responses((status = 200, content((Record = "application/x-ndjson"), (Page = "application/json"), (String = "text/plain")))))]
pub async fn context(
    State(app): State<App>,
    Query(query): Query<ContextQuery>,
) -> Result<Response, ApiError> {
    let side = |field, count: Option<usize>| match count {
        Some(0) => Ok(0),
        count => bounded(field, count.unwrap_or(10), NEIGHBOURS_MAX),
    };
    let (before, after) = (side("before", query.before)?, side("after", query.after)?);
    let (permit, budget) = app.admit()?;
    let snapshot = app.store.snapshot();
    let form = if query.format == RecordFormat::Text { Form::Text } else { Form::Json };
    let found =
        blocking(permit, move || neighbours(&snapshot, query.seq, before, after, budget, form)).await??;
    let (records, partial) =
        found.ok_or_else(|| ApiError::unknown(format!("no record has the sequence {}", query.seq)))?;
    let (media_type, body) = match query.format {
        RecordFormat::Text => ("text/plain; charset=utf-8", records.concat()),
        RecordFormat::Ndjson => {
            let mut body = records.join(&b'\n');
            body.push(b'\n');
            ("application/x-ndjson", body)
        }
        RecordFormat::Json => {
            let mut body = b"{\"records\":[".to_vec();
            body.extend_from_slice(&records.join(&b','));
            body.extend_from_slice(format!("],\"next\":null,\"partial\":{partial}}}").as_bytes());
            ("application/json", body)
        }
    };
    Ok(([(header::CONTENT_TYPE, media_type)], body).into_response())
}

/// The record and its neighbours, written; none when there is no such record.
#[expect(clippy::type_complexity, reason = "a list of written records and whether it is partial, used once")]
fn neighbours(
    snapshot: &Snapshot,
    seq: u64,
    before: usize,
    after: usize,
    budget: Budget,
    form: Form,
) -> Result<Option<(Vec<Vec<u8>>, bool)>, ApiError> {
    let all = || Filter::parse("").map_err(ApiError::internal);
    let mut service = None;
    let mut partial =
        walk(snapshot, &all()?.between(seq, seq.saturating_add(1)), Order::Asc, budget, |hit| {
            service = Some(hit.line.service().into_owned());
            ControlFlow::Break(())
        })
        .partial;
    let Some(service) = service else { return Ok(None) };
    let mut collect = |from, to, order, limit: usize| -> Result<Vec<Vec<u8>>, ApiError> {
        let mut records = Vec::new();
        if limit == 0 {
            return Ok(records);
        }
        let filter = all()?.service(&service).between(from, to);
        let mut len = 0;
        partial |= walk(snapshot, &filter, order, budget, |hit| {
            let mut text = Vec::new();
            output::write(&mut text, form, hit.seq, hit.raw, hit.line);
            len += text.len();
            records.push(text);
            if records.len() == limit || len >= WHOLE_LEN_MAX / 2 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .partial;
        Ok(records)
    };
    let mut records = collect(0, seq, Order::Desc, before)?;
    records.reverse();
    records.extend(collect(seq, u64::MAX, Order::Asc, after + 1)?);
    Ok(Some((records, partial)))
}
