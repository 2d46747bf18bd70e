//! The routes that every daemon has, and the document that describes them all.

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
use utoipa::openapi::{ContentBuilder, InfoBuilder, OpenApi, Ref, RefOr, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Adds `/health`, `/metrics` and `/openapi.json`.
pub fn publish(context: &Context, api: OpenApiRouter) -> Router {
    let common = OpenApiRouter::new()
        .routes(routes!(report_health))
        .with_state(Arc::clone(&context.health))
        .merge(OpenApiRouter::new().routes(routes!(report_metrics)).with_state(Arc::clone(&context.metrics)));
    let (router, mut document) = common.merge(api).split_for_parts();
    describe(context, &mut document);
    let document = Bytes::from(document.to_json().unwrap_or_default());
    router.route(
        "/openapi.json",
        get(async move || ([(header::CONTENT_TYPE, "application/json")], document.clone())),
    )
}

/// Every operation may be refused with a problem: said here, once.
fn describe(context: &Context, document: &mut OpenApi) {
    document.info = InfoBuilder::new()
        .title(format!("distlog: {}", context.daemon.title()))
        .version(env!("CARGO_PKG_VERSION"))
        .build();
    document
        .components
        .get_or_insert_default()
        .schemas
        .insert(Problem::name().into_owned(), Problem::schema());
    let refusal = || {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build();
        RefOr::T(ResponseBuilder::new().description("Refused").content(problem::MEDIA_TYPE, content).build())
    };
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            operation.responses.responses.entry("default".to_owned()).or_insert_with(refusal);
        }
    }
}

/// How this daemon does
///
/// 503 where the status is `fail`.
#[utoipa::path(get, path = "/health", tag = "common", responses((
    status = 200, content_type = "application/health+json", body = Health
)))]
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
