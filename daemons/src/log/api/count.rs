//! `GET /log/hits` and `/log/stats`.

use super::held_body::held;
use super::{App, bounded, which};
use crate::log::count::{self, Label};
use crate::log::limits::{LIMIT_DEFAULT, STEP_MAX, WHOLE_MAX};
use crate::log::search::Budget;
use crate::runtime::error::ApiError;
use crate::runtime::extract::Query;
use crate::runtime::listing::{Format, table};
use crate::runtime::peer::Peer;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use shared::span::Span;
use shared::wire::log::{Hits, Labels, Stats};
use std::time::Duration;
use utoipa::IntoParams;

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
    #[param(inline)]
    format: Format,
}

/// Counts over time
#[utoipa::path(get, path = "/log/hits", tag = "log", params(HitsQuery), responses((status = 200, body = Hits)))]
pub async fn hits(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    Query(query): Query<HitsQuery>,
) -> Result<Response, ApiError> {
    let which = which!(query);
    let step = query.step.map_or(Duration::from_secs(60), |step| step.0);
    let step_seconds =
        i64::try_from(step.as_secs()).ok().filter(|_| step.subsec_nanos() == 0 && step <= STEP_MAX);
    let step_seconds = step_seconds.filter(|seconds| *seconds > 0).ok_or_else(|| {
        ApiError::malformed("step must be a number of whole seconds, from 1s to 3650d").field("step")
    })?;
    let by = labels(query.by.as_deref().unwrap_or_default())?;
    let admitted = app.admit(peer.client()).await?;
    let filter = which.filter().await?;
    let snapshot = app.store.snapshot();
    let count = move |budget: &Budget| count::hits(&snapshot, &filter, &by, step_seconds, budget);
    let hits = admitted.run(count).await?;
    let answer = match query.format {
        Format::Json => Json(hits).into_response(),
        Format::Text => {
            let rows = hits.series.iter().flat_map(|series| {
                let by = label_text(&series.by);
                series.points.iter().map(move |(at, count)| {
                    vec![at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true), by.clone(), count.to_string()]
                })
            });
            query.format.text(table(&["from", "by", "count"], rows))
        }
    };
    held(&app.answers, answer).await
}

/// What to count by.
fn labels(by: &str) -> Result<Vec<Label>, ApiError> {
    let labels = Label::list(by);
    // Every record has another.
    let own = |label: &Label| matches!(label, Label::Field(name) if matches!(name.as_str(), "seq" | "ts"));
    if labels.iter().any(own) {
        return Err(ApiError::malformed(
            "records are counted by level, service, message or a field of their own, not by seq or ts",
        )
        .field("by"));
    }
    Ok(labels)
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
    #[param(minimum = 1, maximum = 10_000)]
    limit: Option<usize>,
    /// `json` (default), or `text` for a terminal.
    #[serde(default)]
    #[param(inline)]
    format: Format,
}

/// Counts by label
#[utoipa::path(get, path = "/log/stats", tag = "log", params(StatsQuery), responses((status = 200, body = Stats)))]
pub async fn stats(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    Query(query): Query<StatsQuery>,
) -> Result<Response, ApiError> {
    let which = which!(query);
    let limit = bounded("limit", query.limit.unwrap_or(LIMIT_DEFAULT), WHOLE_MAX)?;
    let by = labels(query.by.as_deref().unwrap_or("level"))?;
    let admitted = app.admit(peer.client()).await?;
    let filter = which.filter().await?;
    let snapshot = app.store.snapshot();
    let count = move |budget: &Budget| count::stats(&snapshot, &filter, &by, limit, budget);
    let stats = admitted.run(count).await?;
    let answer = match query.format {
        Format::Json => Json(stats).into_response(),
        Format::Text => {
            let rows = stats.groups.iter().map(|group| vec![group.count.to_string(), label_text(&group.by)]);
            query.format.text(table(&["count", "by"], rows))
        }
    };
    held(&app.answers, answer).await
}
