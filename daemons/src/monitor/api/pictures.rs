//! Pictures of a service: a badge, a chart.

use super::{App, unknown};
use crate::monitor::picture;
use crate::monitor::uptime::share;
use crate::runtime::error::ApiError;
use crate::runtime::extract::{Path, Query};
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use chrono::{TimeDelta, Utc};
use serde::Deserialize;
use shared::span::Span;
use shared::wire::monitor::ServiceStatus;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The longest time that is looked back upon, in days.
const DAYS_MAX: u32 = 366;
/// The shortest time that a chart shows, in hours: six bars, of ten minutes each.
const HOURS_MIN: i64 = 1;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(badge)).routes(routes!(chart))
}

#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum What {
    /// How it does now.
    #[default]
    Status,
    /// How often it did well.
    Uptime,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BadgeQuery {
    /// `status` (default) or `uptime`.
    #[serde(default, rename = "type")]
    #[param(inline)]
    what: What,
    /// Over how many days (30; at most 366, and as long as the history is kept).
    #[param(minimum = 1, maximum = 366)]
    days: Option<u32>,
}

/// A badge of a service's status or uptime, as SVG
#[utoipa::path(get, path = "/monitor/badge/{file}", tag = "monitor",
    params(("file" = String, Path, description = "`<service>.svg`"), BadgeQuery),
    responses((status = 200, content_type = "image/svg+xml", body = String)))]
async fn badge(
    State(app): State<App>,
    Path(file): Path<String>,
    Query(BadgeQuery { what, days }): Query<BadgeQuery>,
) -> Result<Response, ApiError> {
    let service = listed(&app, &file)?;
    let days = days.unwrap_or(30);
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(ApiError::malformed(format!("days must be from 1 to {DAYS_MAX}")).field("days"));
    }
    Ok(svg(match what {
        What::Status => picture::status(&service),
        What::Uptime => {
            let since = Utc::now() - TimeDelta::days(days.into());
            let buckets = app.core.uptime(&service.name, since).await?;
            picture::uptime(&service.name, share(buckets.iter()), days)
        }
    }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ChartQuery {
    /// How far back (`24h`; from `1h` to `366d`).
    #[param(value_type = Option<String>)]
    span: Option<Span>,
}

/// A chart of a service's uptime, as SVG
#[utoipa::path(get, path = "/monitor/chart/{file}", tag = "monitor",
    params(("file" = String, Path, description = "`<service>.svg`"), ChartQuery),
    responses((status = 200, content_type = "image/svg+xml", body = String)))]
async fn chart(
    State(app): State<App>,
    Path(file): Path<String>,
    Query(ChartQuery { span }): Query<ChartQuery>,
) -> Result<Response, ApiError> {
    let service = listed(&app, &file)?;
    let span = span.map_or(Ok(TimeDelta::days(1)), |Span(span)| TimeDelta::from_std(span));
    let bounds = TimeDelta::hours(HOURS_MIN)..=TimeDelta::days(DAYS_MAX.into());
    let span = span.ok().filter(|span| bounds.contains(span)).ok_or_else(|| {
        ApiError::malformed(format!("span must be from {HOURS_MIN}h to {DAYS_MAX}d")).field("span")
    })?;
    let now = Utc::now();
    let buckets = app.core.uptime(&service.name, now - span).await?;
    Ok(svg(picture::chart(&service.name, &buckets, span, now)))
}

/// The service whose picture is asked for.
fn listed(app: &App, file: &str) -> Result<ServiceStatus, ApiError> {
    let name = file
        .strip_suffix(".svg")
        .ok_or_else(|| ApiError::unknown(format!("pictures are named <service>.svg, not '{file}'")))?;
    app.core.report_one(name).ok_or_else(|| unknown(name))
}

fn svg(text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
        // Pages of other sites may show it.
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    (headers, text).into_response()
}
