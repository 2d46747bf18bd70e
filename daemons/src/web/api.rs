//! The web page's routes: the page, and what it calls.

use super::page::{self, ICON, SCRIPT, STYLE};
use super::upstream::{Passed, Upstream};
use crate::runtime::error::ApiError;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use shared::daemon::Daemon;
use shared::wire::library::{Book, Lend, Loan, NewBook};
use shared::wire::log::{Accepted, NewRecord, Page};
use shared::wire::monitor::ServiceStatus;
use shared::wire::problem::Problem;
use shared::wire::registry::Registration;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// All routes.
pub fn routes(upstream: Upstream) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(home))
        .routes(routes!(web))
        .routes(routes!(style))
        .routes(routes!(script))
        .routes(routes!(icon))
        .routes(routes!(services))
        .routes(routes!(health))
        .routes(routes!(log, send_record))
        .routes(routes!(tail))
        .routes(routes!(books, add_book))
        .routes(routes!(loans, borrow_copy))
        .routes(routes!(return_copy))
        .with_state(upstream)
}

/// The page
#[utoipa::path(get, path = "/", tag = "page",
    responses((status = 200, content_type = "text/html", body = String)))]
async fn home(State(upstream): State<Upstream>) -> Response {
    page::answer(&upstream).await
}

/// The page
#[utoipa::path(get, path = "/web", tag = "page",
    responses((status = 200, content_type = "text/html", body = String)))]
async fn web(State(upstream): State<Upstream>) -> Response {
    page::answer(&upstream).await
}

/// How the page looks
#[utoipa::path(get, path = "/web/page.css", tag = "page",
    responses((status = 200, content_type = "text/css", body = String)))]
async fn style(headers: HeaderMap) -> Response {
    STYLE.answer(&headers)
}

/// What makes the page alive
#[utoipa::path(get, path = "/web/page.js", tag = "page",
    responses((status = 200, content_type = "text/javascript", body = String)))]
async fn script(headers: HeaderMap) -> Response {
    SCRIPT.answer(&headers)
}

/// The page's icon
#[utoipa::path(get, path = "/web/icon.svg", tag = "page",
    responses((status = 200, content_type = "image/svg+xml", body = String)))]
async fn icon(headers: HeaderMap) -> Response {
    ICON.answer(&headers)
}

/// The registry's list (its `GET /services`)
#[utoipa::path(get, path = "/services", tag = "proxy", responses((status = 200, body = [Registration])))]
async fn services(State(upstream): State<Upstream>, passed: Passed) -> Result<Response, ApiError> {
    upstream.pass(Daemon::Registry, "/services", passed).await
}

/// The monitor's list (its `GET /monitor/health`)
#[utoipa::path(get, path = "/health/services", tag = "proxy", responses((status = 200, body = [ServiceStatus])))]
async fn health(State(upstream): State<Upstream>, passed: Passed) -> Result<Response, ApiError> {
    upstream.pass(Daemon::Monitor, "/monitor/health", passed).await
}

/// Search the log (its `GET /log`); without a query, the newest 100 records as JSON
#[utoipa::path(get, path = "/proxy/log", tag = "proxy", responses((status = 200, body = Page)))]
async fn log(State(upstream): State<Upstream>, mut passed: Passed) -> Result<Response, ApiError> {
    passed.query.get_or_insert_with(|| "format=json&limit=100".to_owned());
    upstream.pass(Daemon::Log, "/log", passed).await
}

/// Send a record to the log (its `POST /log`)
#[utoipa::path(post, path = "/proxy/log", tag = "proxy", request_body = NewRecord,
    responses((status = 200, body = Accepted),
        (status = 504, description = "The other daemon broke off: it is not known whether it was done",
            content_type = "application/problem+json", body = Problem)))]
async fn send_record(State(upstream): State<Upstream>, passed: Passed) -> Result<Response, ApiError> {
    upstream.pass(Daemon::Log, "/log", passed).await
}

/// Follow the log (its `GET /log/tail`)
#[utoipa::path(get, path = "/proxy/log/tail", tag = "proxy",
    responses((status = 200, content_type = "text/event-stream", body = String,
        description = "As the log's `GET /log/tail`: an event for each record, `data` is a Record",
        example = "id: 42\ndata: {\"seq\":42,\"ts\":\"2026-11-22T10:00:00.123456Z\",\"level\":\"info\",\"service\":\"LibraryService\",\"message\":\"…\"}\n\n")))]
async fn tail(State(upstream): State<Upstream>, passed: Passed) -> Result<Response, ApiError> {
    upstream.stream(Daemon::Log, "/log/tail", passed).await
}

/// Books (the library's `GET /library/books`)
#[utoipa::path(get, path = "/proxy/books", tag = "proxy", responses((status = 200, body = [Book])))]
async fn books(State(upstream): State<Upstream>, passed: Passed) -> Result<Response, ApiError> {
    upstream.pass(Daemon::Library, "/library/books", passed).await
}

/// Add a book (the library's `POST /library/books`)
#[utoipa::path(post, path = "/proxy/books", tag = "proxy", request_body = NewBook,
    responses((status = 201, body = Book),
        (status = 504, description = "The other daemon broke off: it is not known whether it was done",
            content_type = "application/problem+json", body = Problem)))]
async fn add_book(State(upstream): State<Upstream>, passed: Passed) -> Result<Response, ApiError> {
    upstream.pass(Daemon::Library, "/library/books", passed).await
}

/// Loans (the library's `GET /library/borrow`)
#[utoipa::path(get, path = "/proxy/borrow", tag = "proxy", responses((status = 200, body = [Loan])))]
async fn loans(State(upstream): State<Upstream>, passed: Passed) -> Result<Response, ApiError> {
    upstream.pass(Daemon::Library, "/library/borrow", passed).await
}

/// Borrow a copy (the library's `POST /library/borrow`)
#[utoipa::path(post, path = "/proxy/borrow", tag = "proxy", request_body = Lend,
    responses((status = 200, body = Loan),
        (status = 504, description = "The other daemon broke off: it is not known whether it was done",
            content_type = "application/problem+json", body = Problem)))]
async fn borrow_copy(State(upstream): State<Upstream>, passed: Passed) -> Result<Response, ApiError> {
    upstream.pass(Daemon::Library, "/library/borrow", passed).await
}

/// Give a copy back (the library's `POST /library/return`)
#[utoipa::path(post, path = "/proxy/return", tag = "proxy", request_body = Lend,
    responses((status = 200, body = Loan),
        (status = 504, description = "The other daemon broke off: it is not known whether it was done",
            content_type = "application/problem+json", body = Problem)))]
async fn return_copy(State(upstream): State<Upstream>, passed: Passed) -> Result<Response, ApiError> {
    upstream.pass(Daemon::Library, "/library/return", passed).await
}
