//! How often services did well.

use super::{App, unknown};
use crate::runtime::error::ApiError;
use crate::runtime::extract::Query;
use crate::runtime::listing::Format;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use shared::wire::monitor::UptimeReport;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(uptime))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct UptimeQuery {
    /// Only this service.
    service: Option<String>,
    /// `json` (default), or `text` for a terminal.
    #[serde(default)]
    #[param(inline)]
    format: Format,
}

/// The share of a day, a week, a month in which each listed service did well
///
/// Each probe speaks for the time since the one before it.
/// As far back as the history is kept, and with each day by itself.
#[utoipa::path(get, path = "/monitor/uptime", tag = "monitor", params(UptimeQuery),
    responses((status = 200, body = [UptimeReport])))]
async fn uptime(
    State(app): State<App>,
    Query(UptimeQuery { service, format }): Query<UptimeQuery>,
) -> Result<Response, ApiError> {
    if let Some(name) = &service
        && app.core.report_one(name).is_none()
    {
        return Err(unknown(name));
    }
    Ok(format.answer(&app.core.uptimes(service).await?))
}
