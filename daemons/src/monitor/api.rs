//! The monitor's routes.

mod acknowledge;
mod explain;
mod maintenance;
mod pictures;
mod push;
mod uptime;

use super::core::Core;
use super::events;
use crate::runtime::error::ApiError;
use crate::runtime::extract::{Path, Query};
use crate::runtime::listing::{Format, ListQuery};
use crate::runtime::{Context, sse};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use shared::wire::monitor::{History, Incident, ServiceStatus};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What is listed when no limit is given.
const LIMIT: usize = 100;
/// The most that is listed.
const LIMIT_MAX: usize = 1_000;

#[derive(Clone)]
struct App {
    core: Arc<Core>,
    stop: CancellationToken,
}

/// All routes.
pub fn routes(core: Arc<Core>, context: &Context) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_health))
        .routes(routes!(service_health, forget))
        .routes(routes!(history))
        .routes(routes!(list_incidents))
        .routes(routes!(follow))
        .merge(acknowledge::routes())
        .merge(maintenance::routes())
        .merge(explain::routes())
        .merge(pictures::routes())
        .merge(push::routes())
        .merge(uptime::routes())
        .with_state(App { core, stop: context.stop.clone() })
}

/// Every service's health
#[utoipa::path(get, path = "/monitor/health", tag = "monitor", params(ListQuery),
    responses((status = 200, body = [ServiceStatus])))]
async fn list_health(State(app): State<App>, Query(ListQuery { format }): Query<ListQuery>) -> Response {
    format.answer(&app.core.report())
}

/// One service's health
#[utoipa::path(get, path = "/monitor/health/{name}", tag = "monitor", params(("name" = String, Path)),
    responses((status = 200, body = ServiceStatus)))]
async fn service_health(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<axum::Json<ServiceStatus>, ApiError> {
    app.core.report_one(&name).map(axum::Json).ok_or_else(|| unknown(&name))
}

/// Take a service whose leases ran out from the list
///
/// 409 while it is registered: deregister it at the registry.
#[utoipa::path(delete, path = "/monitor/health/{name}", tag = "monitor", params(("name" = String, Path)),
    responses((status = 204)))]
async fn forget(State(app): State<App>, Path(name): Path<String>) -> Result<StatusCode, ApiError> {
    if app.core.report_one(&name).is_none() {
        Err(unknown(&name))
    } else if app.core.forget(&name) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::conflict(format!("'{name}' is registered; deregister it at the registry")))
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct HistoryQuery {
    /// How many transitions and how many probes (100; at most 1000).
    #[param(minimum = 1, maximum = 1_000)]
    limit: Option<usize>,
    /// `json` (default), or `text`: the probes, for a terminal.
    #[serde(default)]
    #[param(inline)]
    format: Format,
}

/// What happened to a service: transitions and probes, newest first
#[utoipa::path(get, path = "/monitor/history/{name}", tag = "monitor",
    params(("name" = String, Path), HistoryQuery), responses((status = 200, body = History)))]
async fn history(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(query): Query<HistoryQuery>,
) -> Result<Response, ApiError> {
    let history = app.core.history(&name, limit(query.limit)?).await?.ok_or_else(|| unknown(&name))?;
    Ok(match query.format {
        Format::Json => axum::Json(history).into_response(),
        Format::Text => query.format.answer(&history.probes),
    })
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct IncidentsQuery {
    /// Only those that are not resolved.
    #[serde(default)]
    open: bool,
    /// How many (100; at most 1000).
    #[param(minimum = 1, maximum = 1_000)]
    limit: Option<usize>,
    /// How many to skip: that of the next page is the sum of `offset` and `limit`.
    #[serde(default)]
    offset: usize,
    /// `json` (default), or `text` for a terminal.
    #[serde(default)]
    #[param(inline)]
    format: Format,
}

/// Incidents: open ones, the newest first; then resolved ones, the last resolved first
#[utoipa::path(get, path = "/monitor/incidents", tag = "monitor", params(IncidentsQuery),
    responses((status = 200, body = [Incident],
        headers(("X-Total-Count" = u64, description = "How many incidents match, on all pages")))))]
async fn list_incidents(
    State(app): State<App>,
    Query(query): Query<IncidentsQuery>,
) -> Result<Response, ApiError> {
    let (incidents, total) = app.core.incidents(query.open, limit(query.limit)?, query.offset).await?;
    Ok(query.format.answer_part(&incidents, total))
}

/// Transitions and incidents as they happen, as server-sent events
///
/// Events `transition` and `incident`. `Last-Event-ID` resumes without a gap or
/// a repeat; 410 when the events since then are no longer kept. A stream that
/// cannot go on ends with the event `error` and is not complete.
#[utoipa::path(get, path = "/monitor/events", tag = "monitor",
    responses((status = 200, content_type = "text/event-stream", body = String,
        description = "One event for each change of a status, an incident or a maintenance; `data` is the object that changed",
        example = "id: 3\nevent: status\ndata: {\"name\":\"Shop\",\"status\":\"healthy\"}\n\n")))]
async fn follow(State(app): State<App>, headers: HeaderMap) -> Result<Response, ApiError> {
    let after = match headers.get("last-event-id").filter(|id| !id.is_empty()) {
        None => None,
        Some(id) => Some(id.to_str().ok().and_then(|id| id.parse().ok()).ok_or_else(|| {
            ApiError::malformed("Last-Event-ID is the number of an event").field("Last-Event-ID")
        })?),
    };
    Ok(sse::answer_fallible(app.stop.clone(), events::follow(Arc::clone(&app.core), after).await?))
}

fn unknown(name: &str) -> ApiError {
    ApiError::unknown(format!("the monitor knows no service '{name}'"))
}

/// A limit that was given, or the usual one.
pub fn limit(given: Option<usize>) -> Result<usize, ApiError> {
    match given.unwrap_or(LIMIT) {
        limit @ 1..=LIMIT_MAX => Ok(limit),
        _ => Err(ApiError::malformed(format!("limit must be from 1 to {LIMIT_MAX} here")).field("limit")),
    }
}
