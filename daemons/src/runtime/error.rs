//! The one place where an error becomes an answer.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use shared::wire::problem::{MEDIA_TYPE, Problem};
use std::fmt::Display;

/// A refusal, answered as RFC 9457 `application/problem+json`.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    detail: String,
    field: Option<String>,
    position: Option<usize>,
    retry_after_s: Option<u32>,
}

impl ApiError {
    /// Any status, with what is wrong and what to do.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), field: None, position: None, retry_after_s: None }
    }

    /// 400: not what it claims to be.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 404: nothing of that name.
    pub fn unknown(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 409: not as things stand.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// 422: well-formed, but this field cannot have this value.
    pub fn invalid(field: impl Into<String>, detail: impl Display) -> Self {
        let field = field.into();
        Self {
            field: Some(field.clone()),
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, format!("{field}: {detail}"))
        }
    }

    /// 503: not now; try again after so many seconds.
    pub fn unavailable(detail: impl Into<String>, retry_after_s: u32) -> Self {
        Self { retry_after_s: Some(retry_after_s), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    /// 429: more than one client's share; try again after so many seconds.
    pub fn too_many(detail: impl Into<String>, retry_after_s: u32) -> Self {
        Self { retry_after_s: Some(retry_after_s), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    /// 500: the inside is logged here, and stays inside.
    pub fn internal(inside: impl Display) -> Self {
        tracing::error!("internal error: {inside}");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "something went wrong inside; the daemon's diagnostics say what",
        )
    }

    /// Names the field that is at fault.
    #[must_use]
    pub fn field(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }

    /// Says at which character of the input the fault is.
    #[must_use]
    pub fn position(mut self, position: usize) -> Self {
        self.position = Some(position);
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let problem = Problem {
            kind: "about:blank".to_owned(),
            title: self.status.canonical_reason().unwrap_or("refused").to_lowercase(),
            status: self.status.as_u16(),
            detail: self.detail,
            field: self.field,
            position: self.position,
        };
        let mut response = (self.status, Json(problem)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
