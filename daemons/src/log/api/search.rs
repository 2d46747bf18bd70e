//! `GET /log`.

use super::answer::{Answer, RecordFormat, Search};
use super::{App, Which, bounded, which};
use crate::log::limits::{LIMIT_DEFAULT, STREAMED_MAX, WHOLE_MAX};
use crate::log::search::Order;
use crate::runtime::error::ApiError;
use crate::runtime::extract::Query;
use crate::runtime::peer::Peer;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use shared::wire::log::{Page, Record};
use utoipa::IntoParams;

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
    #[param(minimum = 1, maximum = 1_000_000)]
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
pub async fn search(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    Query(query): Query<SearchQuery>,
) -> Result<Response, ApiError> {
    let format = query.format;
    let which = Which { after: query.after, before: query.before, ..which!(query) };
    let max = if format == RecordFormat::Json { WHOLE_MAX } else { STREAMED_MAX };
    let limit = bounded("limit", query.limit.unwrap_or(LIMIT_DEFAULT), max)?;
    let client = peer.client();
    let admitted = app.admit(client).await?;
    let filter = which.filter().await?;
    let by_seq = filter.bounds.seqs != (0, u64::MAX);
    let order = match query.order {
        Order::Asc if by_seq => Order::FirstStored,
        _ if by_seq => Order::LastStored,
        order => order,
    };
    let search = Search::new(app.store.snapshot(), filter, order, limit, format);
    let body = Answer::start(app, client, admitted, search).body().await?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()))], body).into_response())
}
