//! The routes that every daemon has, and the document that describes them all.

mod complete;

use super::Context;
use super::health::Board;
use super::metrics::{Form, Metrics};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use shared::wire::health::{self, Health, Status};
use shared::wire::problem::{self, Problem};
use std::sync::Arc;
use utoipa::openapi::{InfoBuilder, LicenseBuilder, OpenApi};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Adds `/health`, `/metrics` and `/openapi.json`.
pub fn publish(context: &Context, api: OpenApiRouter) -> Router {
    let common = OpenApiRouter::new()
        .routes(routes!(report_health))
        .with_state(Arc::clone(&context.health))
        .merge(OpenApiRouter::new().routes(routes!(report_metrics)).with_state(Arc::clone(&context.metrics)));
    let (router, document) = common.merge(api).split_for_parts();
    let document = describe(context, document);
    router.route(
        "/openapi.json",
        get(async move || ([(header::CONTENT_TYPE, "application/json")], document.clone())),
    )
}

/// The document as JSON, completed with what all operations have in common.
fn describe(context: &Context, mut document: OpenApi) -> Bytes {
    document.info = InfoBuilder::new()
        .title(format!("distlog: {}", context.daemon.title()))
        .version(env!("CARGO_PKG_VERSION"))
        .license(Some(LicenseBuilder::new().name("MIT").identifier(Some("MIT")).build()))
        .build();
    let schemas = &mut document.components.get_or_insert_default().schemas;
    schemas.insert(Problem::name().into_owned(), Problem::schema());
    match serde_json::to_value(&document) {
        Ok(mut document) => {
            complete::complete(&mut document, problem::MEDIA_TYPE);
            Bytes::from(document.to_string())
        }
        Err(error) => {
            tracing::error!("the OpenAPI document cannot be written: {error}");
            Bytes::new()
        }
    }
}

/// How this daemon does
///
/// 503 where the status is `fail`.
#[utoipa::path(get, path = "/health", tag = "common", responses(
    (status = 200, content_type = "application/health+json", body = Health, description = "It works, perhaps with warnings"),
    (status = 503, content_type = "application/health+json", body = Health, description = "A part of it fails")
))]
async fn report_health(State(board): State<Arc<Board>>) -> impl IntoResponse {
    let report = board.report();
    let status = if report.status == Status::Fail { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (status, [(header::CONTENT_TYPE, health::MEDIA_TYPE)], serde_json::to_vec(&report).unwrap_or_default())
}

/// What this daemon measures, for Prometheus
///
/// OpenMetrics where the `Accept` header names it.
#[utoipa::path(get, path = "/metrics", tag = "common", responses((
    status = 200, content_type = "text/plain", body = String
)))]
async fn report_metrics(State(metrics): State<Arc<Metrics>>, headers: HeaderMap) -> impl IntoResponse {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let form = Form::accepted(accept);
    ([(header::CONTENT_TYPE, form.media_type())], metrics.exposition(form))
}
