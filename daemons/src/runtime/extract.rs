//! What handlers read from a request; each refusal is an [`ApiError`].

use super::body::{self, BodyBudget, Reservation};
use super::error::ApiError;
use axum::body::HttpBody as _;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// The largest body that a request may have unless its route says otherwise.
pub const BODY_MAX: usize = 256 * 1024;

/// A whole body of at most [`BODY_MAX`] bytes. It holds its room in the budget of
/// the daemon until the bytes are dropped.
pub struct Body(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        if request.body().is_end_stream() {
            return Ok(Self(Bytes::new()));
        }
        let budget = request.extensions().get::<Arc<BodyBudget>>().map(Arc::clone);
        let mut room = budget.unwrap_or_else(|| BodyBudget::new(BODY_MAX)).reserve();
        let bytes = body::read(request, BODY_MAX, &mut room).await?;
        Ok(Self(Bytes::from_owner(Held { bytes, _room: room })))
    }
}

/// Bytes and their room.
struct Held {
    bytes: Bytes,
    _room: Reservation,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A JSON body that its handler reads, with [`parse_json`].
pub struct JsonBody(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !accepts_as_json(request.headers()) {
            return Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "this route takes JSON: send it with 'content-type: application/json'",
            ));
        }
        Body::from_request(request, state).await.map(|Body(bytes)| Self(bytes))
    }
}

/// A JSON body. Whether keys that are not known are refused is for `T` to say.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let JsonBody(bytes) = JsonBody::from_request(request, state).await?;
        parse_json(&bytes).map(Self)
    }
}

/// Reads a JSON object; an error names the place or the field.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    if bytes.is_empty() {
        return Err(ApiError::malformed("the body is empty; JSON was expected"));
    }
    // A struct would take an array for its fields in order.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "an object was expected, not an array"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if inner.is_data() {
            let text = inner.to_string();
            if let Some((field, _)) = quoted_after(&text, "missing field `") {
                ApiError::invalid(field, "is missing")
            } else if let Some((field, rest)) = quoted_after(&text, "unknown field `") {
                let known = rest.trim_start_matches(", ").split(" at line ").next().unwrap_or_default();
                ApiError::invalid(field, format!("is not known here; {known}"))
            } else if path == "." {
                ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, text)
            } else {
                ApiError::invalid(path, inner)
            }
        } else {
            ApiError::malformed(format!("not valid JSON: {inner}"))
        }
    })?;
    json.end().map_err(|e| ApiError::malformed(format!("not valid JSON: {e}")))?;
    Ok(value)
}

/// What stands between `before` and the next backquote, and what follows it.
fn quoted_after<'t>(text: &'t str, before: &str) -> Option<(&'t str, &'t str)> {
    text.strip_prefix(before)?.split_once('`')
}

/// JSON by its type; or no type, or the one that `curl -d` gives without being
/// asked: whoever can curl can join.
fn accepts_as_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return true };
    let essence = media_type(value.to_str().unwrap_or_default());
    essence == "application/json"
        || essence.ends_with("+json")
        || essence == "application/x-www-form-urlencoded"
}

/// A media type without its parameters, in lower case.
pub fn media_type(value: &str) -> String {
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The query of the URL.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        match axum::extract::Query::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(error) => {
                Err(ApiError::malformed(format!("the URL's query: {}", shared::client::root_cause(&error))))
            }
        }
    }
}

/// Segments of the path.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(error) => Err(ApiError::malformed(format!("the path: {}", error.body_text()))),
        }
    }
}
