//! `GET /log/tail`.

use super::{App, which};
use crate::log::tail::{TailFormat, ViewKey, follow};
use crate::runtime::error::ApiError;
use crate::runtime::extract::Query;
use crate::runtime::peer::Peer;
use crate::runtime::sse;
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde::Deserialize;
use std::convert::Infallible;
use std::sync::Arc;
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TailQuery {
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
    /// Replay everything after this sequence first.
    after: Option<u64>,
    /// `sse` (default), `ndjson` or `text`.
    #[serde(default)]
    #[param(inline)]
    format: TailFormat,
}

/// Follow the log
///
/// With `after` (or `Last-Event-ID`) everything since is told first, then what
/// comes, with no gap and no repeat. A reader that follows live and falls too far
/// behind is told how many records it missed: the event `lagged`.
#[utoipa::path(get, path = "/log/tail", tag = "log", params(TailQuery),
    responses((status = 200, content_type = "text/event-stream", body = String,
        description = "An event without a name for each record: `id` is its sequence, `data` a Record. `lagged`: `data` is {missed}, the number of records that were skipped",
        example = "id: 42\ndata: {\"seq\":42,\"ts\":\"2026-11-22T10:00:00.123456Z\",\"level\":\"info\",\"service\":\"LibraryService\",\"message\":\"…\"}\n\n")))]
pub async fn tail(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    Query(query): Query<TailQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let which = which!(query);
    let place = Arc::clone(&app.tails)
        .try_acquire_owned()
        .map_err(|_| ApiError::unavailable("too many tails are open", 5))?;
    let format = query.format;
    let asked = format!("{:?}", (&which.q, &which.service, &which.level));
    let filter = which.filter().await?;
    let bounds = &filter.bounds;
    let key = ViewKey { filter: format!("{asked}{}..{}", bounds.since_ns, bounds.until_ns), format };
    let view = app.views.open(key, filter);
    let last = match headers.get("last-event-id").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty())
    {
        None => query.after,
        Some(id) => Some(
            id.parse().map_err(|_| ApiError::malformed("Last-Event-ID must be the sequence of a record"))?,
        ),
    };
    // A sequence that was never reached is of another log: begin where this one is.
    let next_seq = app.store.next_seq();
    let from = last.map_or(next_seq, |last| last.saturating_add(1).min(next_seq));
    let following = app.store.follow(from, app.next_seqs.clone());
    peer.move_to_streams();
    let bytes = follow(following, view, Arc::clone(&app.views), place);
    let media_type = match format {
        TailFormat::Sse => return Ok(sse::answer_written(app.stop.clone(), bytes)),
        TailFormat::Ndjson => "application/x-ndjson",
        TailFormat::Text => "text/plain; charset=utf-8",
    };
    let bytes = bytes.map(Ok::<_, Infallible>).take_until(app.stop.clone().cancelled_owned());
    let media_type = (header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    Ok(([media_type], Body::from_stream(bytes)).into_response())
}
