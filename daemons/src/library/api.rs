//! The library's routes.

use super::core::Library;
use super::valid::{self, Invalid};
use crate::runtime::error::ApiError;
use crate::runtime::extract::{Json, Path, Query};
use crate::runtime::listing::{Format, TableRow, or_dash};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use shared::client::http::segment;
use shared::wire::library::{Book, Lend, Loan, NewBook};
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Entries of a list when the request does not say.
const LIMIT_DEFAULT: u32 = 1_000;
/// Entries of a list at most.
const LIMIT_MAX: u32 = 10_000;
/// The longest idempotency key.
const KEY_MAX: usize = 255;

/// All routes.
pub fn routes(library: Arc<Library>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_books, add_book))
        .routes(routes!(get_book))
        .routes(routes!(list_loans, borrow_copy))
        .routes(routes!(return_copy))
        .with_state(library)
}

impl From<Invalid> for ApiError {
    fn from(invalid: Invalid) -> Self {
        Self::invalid(invalid.field, invalid.reason)
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BooksQuery {
    /// At most so many, up to 10,000 (default: 1,000). A `Link` header leads on.
    #[param(minimum = 1, maximum = 10_000)]
    limit: Option<u32>,
    /// Leave out so many at the beginning.
    offset: Option<u32>,
    /// `json` (default), or `text` for a terminal.
    #[serde(default)]
    #[param(inline)]
    format: Format,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LoansQuery {
    /// Only loans that are out.
    #[serde(default)]
    active: bool,
    /// At most so many, up to 10,000 (default: 1,000). A `Link` header leads on.
    #[param(minimum = 1, maximum = 10_000)]
    limit: Option<u32>,
    /// Leave out so many at the beginning.
    offset: Option<u32>,
    /// `json` (default), or `text` for a terminal.
    #[serde(default)]
    #[param(inline)]
    format: Format,
}

impl TableRow for Book {
    const HEADS: &'static [&'static str] = &["id", "title", "author", "copies", "available"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.title.clone(),
            self.author.clone(),
            self.copies.to_string(),
            self.available.to_string(),
        ]
    }
}

impl TableRow for Loan {
    const HEADS: &'static [&'static str] = &["book", "borrower", "borrowed", "returned"];

    fn cells(&self) -> Vec<String> {
        let time = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        vec![
            self.book_id.clone(),
            self.borrower.clone(),
            time(self.borrowed_at),
            or_dash(self.returned_at.map(time)),
        ]
    }
}

/// A part of a list.
struct Part {
    limit: u32,
    offset: u32,
}

impl Part {
    fn new(limit: Option<u32>, offset: Option<u32>) -> Result<Self, ApiError> {
        let limit = limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(
                ApiError::malformed(format!("limit must be from 1 to {LIMIT_MAX} here")).field("limit")
            );
        }
        Ok(Self { limit, offset: offset.unwrap_or(0) })
    }

    /// Answers the part, and links to the next one if there is one (RFC 8288).
    fn answer<T: Serialize + TableRow>(
        &self,
        format: Format,
        (rows, total): (Vec<T>, u64),
        next: &str,
    ) -> Response {
        let mut response = format.answer_part(&rows, total);
        let offset = self.offset.saturating_add(self.limit);
        let more = u64::from(offset) < total;
        let link = format!("<{next}limit={}&offset={offset}>; rel=\"next\"", self.limit);
        if more && let Ok(link) = HeaderValue::from_str(&link) {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

/// Books, in the order in which they were added
#[utoipa::path(get, path = "/library/books", tag = "library", params(BooksQuery),
    responses((status = 200, body = [Book],
        headers(("X-Total-Count" = u64, description = "How many books there are, on all pages")))))]
async fn list_books(
    State(library): State<Arc<Library>>,
    Query(query): Query<BooksQuery>,
) -> Result<Response, ApiError> {
    let part = Part::new(query.limit, query.offset)?;
    let books = library.books(part.limit, part.offset).await?;
    Ok(part.answer(query.format, books, "/library/books?"))
}

/// One book
#[utoipa::path(get, path = "/library/book/{id}", tag = "library", params(("id" = String, Path)),
    responses((status = 200, body = Book)))]
async fn get_book(
    State(library): State<Arc<Library>>,
    Path(id): Path<String>,
) -> Result<axum::Json<Book>, ApiError> {
    library.book(id).await.map(axum::Json)
}

/// Add a book
///
/// 409 when the id is taken. With an `Idempotency-Key` a repetition adds nothing
/// and gets the first answer.
#[utoipa::path(post, path = "/library/books", tag = "library", request_body = NewBook,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = Book)))]
async fn add_book(
    State(library): State<Arc<Library>>,
    headers: HeaderMap,
    Json(new): Json<NewBook>,
) -> Result<Response, ApiError> {
    let book = library.add(valid::book(new)?, idempotency_key(&headers)?).await?;
    let location = format!("/library/book/{}", segment(&book.id));
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], axum::Json(book)).into_response())
}

/// Loans, newest first
#[utoipa::path(get, path = "/library/borrow", tag = "library", params(LoansQuery),
    responses((status = 200, body = [Loan],
        headers(("X-Total-Count" = u64, description = "How many loans match, on all pages")))))]
async fn list_loans(
    State(library): State<Arc<Library>>,
    Query(query): Query<LoansQuery>,
) -> Result<Response, ApiError> {
    let part = Part::new(query.limit, query.offset)?;
    let loans = library.loans(query.active, part.limit, part.offset).await?;
    let next = if query.active { "/library/borrow?active=true&" } else { "/library/borrow?" };
    Ok(part.answer(query.format, loans, next))
}

/// Borrow a copy
///
/// A borrower may hold several copies of one book. 409 when no copy is in.
#[utoipa::path(post, path = "/library/borrow", tag = "library", request_body = Lend,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = Loan)))]
async fn borrow_copy(
    State(library): State<Arc<Library>>,
    headers: HeaderMap,
    Json(lend): Json<Lend>,
) -> Result<axum::Json<Loan>, ApiError> {
    library.borrow_copy(valid::lend(&lend)?, idempotency_key(&headers)?).await.map(axum::Json)
}

/// Give a copy back
///
/// It ends the oldest loan of that borrower and book. 409 when there is none.
#[utoipa::path(post, path = "/library/return", tag = "library", request_body = Lend,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = Loan)))]
async fn return_copy(
    State(library): State<Arc<Library>>,
    headers: HeaderMap,
    Json(lend): Json<Lend>,
) -> Result<axum::Json<Loan>, ApiError> {
    library.return_copy(valid::lend(&lend)?, idempotency_key(&headers)?).await.map(axum::Json)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    match key.to_str() {
        Ok(key) if (1..=KEY_MAX).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(ApiError::malformed(format!(
            "an idempotency key is 1 to {KEY_MAX} characters of printable ASCII"
        ))
        .field("Idempotency-Key")),
    }
}
