//! The past: what happened, and how to name a point of it.

use super::App;
use super::leases::seconds;
use crate::registry::history::{At, Which};
use crate::runtime::error::ApiError;
use crate::runtime::extract::Query;
use crate::runtime::listing::{Format, TableRow, or_dash};
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use shared::span::Span;
use shared::wire::registry::{HistoryEntry, HistoryId};
use utoipa::{IntoParams, ToSchema};

/// Entries in one answer.
const LIMIT_MAX: usize = 1_000;
/// Entries in an answer where no number is named.
const LIMIT_DEFAULT: usize = 100;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// Of this service.
    service: Option<String>,
    /// Of this instance.
    instance: Option<String>,
    /// Not before: RFC 3339, or a span ago (`15m`, `2h`, `7d`).
    since: Option<String>,
    /// Before: RFC 3339, or a span ago.
    until: Option<String>,
    /// After the entry with this id.
    after: Option<String>,
    /// Before the entry with this id.
    before: Option<String>,
    /// `desc` (default): newest first; `asc`: oldest first.
    #[serde(default)]
    #[param(inline)]
    order: Order,
    /// At most so many entries: 100, up to 1000.
    #[param(minimum = 1, maximum = 1_000)]
    limit: Option<usize>,
    /// `json` (default), or `text` for a terminal.
    #[serde(default)]
    #[param(inline)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Order {
    #[default]
    Desc,
    Asc,
}

/// Who did what and when
///
/// Newest first; the next page is `before` the id of the last entry, or, oldest
/// first with `order=asc`, `after` it. Kept for `registry.history`.
#[utoipa::path(get, path = "/services/history", tag = "registry", params(HistoryQuery),
    responses((status = 200, body = [HistoryEntry])))]
pub async fn history(
    State(app): State<App>,
    Query(query): Query<HistoryQuery>,
) -> Result<Response, ApiError> {
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(ApiError::malformed(format!("limit must be from 1 to {LIMIT_MAX}")).field("limit"));
    }
    let which = Which {
        service: query.service,
        instance: query.instance,
        since_ms: query.since.as_deref().map(|text| moment("since", text)).transpose()?,
        until_ms: query.until.as_deref().map(|text| moment("until", text)).transpose()?,
        after: query.after.as_deref().map(|text| id("after", text)).transpose()?,
        before: query.before.as_deref().map(|text| id("before", text)).transpose()?,
        ascending: query.order == Order::Asc,
        limit,
    };
    Ok(query.format.answer(&app.core.history(which).await?))
}

impl TableRow for HistoryEntry {
    const HEADS: &'static [&'static str] = &["id", "time", "cause", "service", "instance", "detail"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            seconds(self.at),
            format!("{:?}", self.cause).to_lowercase(),
            self.service.clone(),
            self.instance_id.clone(),
            or_dash(self.detail.as_deref()),
        ]
    }
}

/// A point of the past: a revision, a time, or a span ago.
pub fn point(text: &str) -> Result<At, ApiError> {
    text.parse().map(At::Revision).or_else(|_| moment("at", text).map(At::Time))
}

/// A time as RFC 3339, or a span ago, in milliseconds since 1970.
fn moment(field: &str, text: &str) -> Result<i64, ApiError> {
    let ago = || {
        let span = TimeDelta::from_std(text.parse::<Span>().ok()?.0).ok()?;
        Utc::now().checked_sub_signed(span)
    };
    let time = DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc()).or_else(ago);
    time.map(|time| time.timestamp_millis()).ok_or_else(|| {
        let text: String = text.chars().take(40).collect();
        let wanted = "a time such as 2026-11-22T10:00:00Z, or a span ago such as 15m, 2h or 7d";
        let or_revision = if field == "at" { "a revision, " } else { "" };
        ApiError::malformed(format!("{field}: '{text}' is not {or_revision}{wanted}")).field(field)
    })
}

fn id(field: &str, text: &str) -> Result<HistoryId, ApiError> {
    text.parse().map_err(|e| ApiError::malformed(format!("{field}: {e}")).field(field))
}
