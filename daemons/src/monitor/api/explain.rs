//! Why a service has the status that it has.

use super::{App, unknown};
use crate::runtime::error::ApiError;
use crate::runtime::extract::{Path, Query};
use crate::runtime::listing::{Format, ListQuery};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use shared::sanitize::sanitize;
use shared::wire::monitor::Explanation;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(explain))
}

/// Why a service has its status, since when, what was tried, what it waits for
#[utoipa::path(get, path = "/monitor/explain/{name}", tag = "monitor",
    params(("name" = String, Path), ListQuery), responses((status = 200, body = Explanation)))]
async fn explain(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(ListQuery { format }): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let explanation = app.core.explain(&name).await?.ok_or_else(|| unknown(&name))?;
    Ok(match format {
        Format::Json => axum::Json(explanation).into_response(),
        Format::Text => {
            let lines = explanation.words.iter().map(|line| format!("{}\n", sanitize(line)));
            format.text(lines.collect())
        }
    })
}
