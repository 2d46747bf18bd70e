//! The other daemons, as this one calls them: fixed paths, bounded times and
//! sizes, and a clear word when one is away.

use crate::runtime::Context;
use crate::runtime::error::ApiError;
use crate::runtime::extract::{self, media_type};
use axum::BoxError;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use shared::client::http::{CALL_TIMEOUT, STREAM_SILENCE_MAX};
use shared::client::{Part, root_cause};
use shared::daemon::Daemon;
use shared::wire::TOTAL_HEADER;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// For how long the page waits for each of the others before it is shown.
const PAGE_WAIT_MAX: Duration = Duration::from_secs(2);
/// For how long the others may take until an answer begins. The log's search may
/// take 20 s unless it is configured otherwise, and this daemon's own answer must
/// begin within a minute.
const HEAD_WAIT_MAX: Duration = Duration::from_secs(45);
/// How much of an answer is read for the page.
const ANSWER_MAX: usize = 4 << 20;

/// What is passed on with a request.
const REQUEST_HEADERS: [HeaderName; 4] = [
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("last-event-id"),
];
/// What is passed on with an answer.
const ANSWER_HEADERS: [HeaderName; 6] = [
    header::CONTENT_TYPE,
    header::RETRY_AFTER,
    header::LOCATION,
    header::LINK,
    HeaderName::from_static(shared::wire::registry::INDEX_HEADER),
    HeaderName::from_static(TOTAL_HEADER),
];
/// The kinds of content that are passed on.
const PASSED_TYPES: [&str; 5] = [
    "application/json",
    "application/problem+json",
    "application/x-ndjson",
    "text/event-stream",
    "text/plain",
];

/// The other daemons.
#[derive(Clone)]
pub struct Upstream {
    client: reqwest::Client,
    bases: Arc<Vec<(Daemon, String)>>,
    stop: CancellationToken,
}

/// A request of the browser, to be passed on.
pub struct Passed {
    method: Method,
    /// Its query, as it came, unless it is empty.
    pub query: Option<String>,
    headers: HeaderMap,
    body: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for Passed {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let method = request.method().clone();
        let query = request.uri().query().filter(|query| !query.is_empty()).map(str::to_owned);
        let headers = request.headers().clone();
        let extract::Body(body) = extract::Body::from_request(request, state).await?;
        Ok(Self { method, query, headers, body })
    }
}

impl Upstream {
    /// Where they are, and the client to call them with.
    pub fn new(context: &Context) -> Self {
        let bases = Daemon::ALL.map(|daemon| (daemon, context.peer(daemon).to_owned())).to_vec();
        Self { client: context.client.clone(), bases: Arc::new(bases), stop: context.stop.clone() }
    }

    /// Reads something for the page; else why that is not possible.
    pub async fn read<T: DeserializeOwned>(&self, daemon: Daemon, path: &str) -> Result<T, String> {
        self.read_with_total(daemon, path).await.map(|(value, _)| value)
    }

    /// Reads a part of a list for the page, with the length of the whole list.
    pub async fn read_part<T: DeserializeOwned>(
        &self,
        daemon: Daemon,
        path: &str,
    ) -> Result<Part<T>, String> {
        let (rows, total) = self.read_with_total::<Vec<T>>(daemon, path).await?;
        Ok(Part { total: total.unwrap_or(rows.len()), rows })
    }

    async fn read_with_total<T: DeserializeOwned>(
        &self,
        daemon: Daemon,
        path: &str,
    ) -> Result<(T, Option<usize>), String> {
        let read = async {
            let mut response = self
                .request(Method::GET, daemon, path)
                .send()
                .await
                .and_then(reqwest::Response::error_for_status)
                .map_err(|e| away(daemon, &root_cause(&e)))?;
            let total = response.headers().get(TOTAL_HEADER);
            let total = total.and_then(|total| total.to_str().ok()?.parse().ok());
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(|e| away(daemon, &root_cause(&e)))? {
                body.extend_from_slice(&chunk);
                if body.len() > ANSWER_MAX {
                    return Err(format!("the {} answered more than can be shown here", daemon.word()));
                }
            }
            serde_json::from_slice(&body)
                .map(|value| (value, total))
                .map_err(|e| format!("the {} answered something unexpected: {e}", daemon.word()))
        };
        match tokio::time::timeout(PAGE_WAIT_MAX, read).await {
            Ok(result) => result,
            Err(_) => Err(away(daemon, "it did not answer in time")),
        }
    }

    /// Passes a call on, and its answer back. The answer has to begin in time and
    /// may not fall silent; how long it is in all is the other's affair.
    pub async fn pass(&self, daemon: Daemon, path: &str, passed: Passed) -> Result<Response, ApiError> {
        let response = self.head(daemon, path, passed, HEAD_WAIT_MAX).await?;
        answer(daemon, response, |bytes| Body::from_stream(unless_silent(bytes)))
    }

    /// Passes a stream of events on until one side ends it, it falls silent, or
    /// this daemon stops.
    pub async fn stream(&self, daemon: Daemon, path: &str, passed: Passed) -> Result<Response, ApiError> {
        // The head has to come in time; then the stream may go on for ever.
        let response = self.head(daemon, path, passed, CALL_TIMEOUT).await?;
        let stop = self.stop.clone().cancelled_owned();
        let mut answer =
            answer(daemon, response, |bytes| Body::from_stream(until_silent(bytes).take_until(stop)))?;
        answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        Ok(answer)
    }

    /// Sends a call; its answer when that has begun within `wait_max`.
    async fn head(
        &self,
        daemon: Daemon,
        path: &str,
        passed: Passed,
        wait_max: Duration,
    ) -> Result<reqwest::Response, ApiError> {
        let path = match passed.query {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        };
        let is_write = passed.method != Method::GET;
        let mut request = self.request(passed.method, daemon, &path).body(passed.body);
        for name in REQUEST_HEADERS {
            if let Some(value) = passed.headers.get(&name) {
                request = request.header(name, value);
            }
        }
        if !is_write {
            return match tokio::time::timeout(wait_max, request.send()).await {
                Ok(sent) => sent.map_err(|e| unavailable(daemon, &root_cause(&e))),
                Err(_) => Err(unavailable(daemon, "it did not answer in time")),
            };
        }
        // A change that was sent may have been made: no time makes it a failure.
        request.send().await.map_err(|error| {
            if error.is_connect() {
                return unavailable(daemon, &root_cause(&error));
            }
            let why = root_cause(&error);
            let detail =
                format!("the {} broke off: {why}; it is not known whether it was done", daemon.word());
            ApiError::new(StatusCode::GATEWAY_TIMEOUT, detail)
        })
    }

    fn request(&self, method: Method, daemon: Daemon, path: &str) -> RequestBuilder {
        let base = self.bases.iter().find(|(known, _)| *known == daemon).map_or("", |(_, base)| base);
        self.client.request(method, format!("{}{path}", base.trim_end_matches('/')))
    }
}

type Chunk = Result<Bytes, reqwest::Error>;

/// What the daemon answered, as far as it is passed on.
fn answer(
    daemon: Daemon,
    mut response: reqwest::Response,
    body: impl FnOnce(Pin<Box<dyn Stream<Item = Chunk> + Send>>) -> Body,
) -> Result<Response, ApiError> {
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    // Something else may stand at that address: its pages are not shown from this origin.
    if !content_type.map(media_type).is_some_and(|essence| PASSED_TYPES.contains(&essence.as_str())) {
        return Err(unavailable(daemon, "something else answers at its address"));
    }
    let mut answer = Response::new(body(Box::pin(response.bytes_stream())));
    *answer.status_mut() = status;
    for name in ANSWER_HEADERS {
        if let Some(value) = headers.get(&name) {
            answer.headers_mut().insert(name, value.clone());
        }
    }
    Ok(answer)
}

/// Bytes until none have come for longer than keep-alive comments allow.
fn until_silent(
    bytes: impl Stream<Item = Chunk> + Send + Unpin + 'static,
) -> impl Stream<Item = Chunk> + Send {
    futures_util::stream::unfold(bytes, |mut bytes| async move {
        let chunk = tokio::time::timeout(STREAM_SILENCE_MAX, bytes.next()).await.ok()??;
        Some((chunk, bytes))
    })
}

/// The bytes of a whole: when none come for as long, it is broken off, so that
/// nobody takes a part of it for all.
fn unless_silent(
    bytes: impl Stream<Item = Chunk> + Send + Unpin + 'static,
) -> impl Stream<Item = Result<Bytes, BoxError>> + Send {
    futures_util::stream::try_unfold(bytes, |mut bytes| async move {
        match tokio::time::timeout(STREAM_SILENCE_MAX, bytes.next()).await {
            Ok(Some(chunk)) => Ok(Some((chunk?, bytes))),
            Ok(None) => Ok(None),
            Err(silence) => Err(BoxError::from(silence)),
        }
    })
}

fn away(daemon: Daemon, why: &str) -> String {
    format!("the {} is away: {why}", daemon.word())
}

fn unavailable(daemon: Daemon, why: &str) -> ApiError {
    ApiError::unavailable(away(daemon, why), 1)
}
