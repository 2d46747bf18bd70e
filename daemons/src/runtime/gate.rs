//! What every request passes on its way in and every answer on its way out.
//!
//! In this order: a request id; the Host header (a name under which this daemon
//! is known, else 421: a page that resolves its own name to 127.0.0.1 must not
//! reach these ports through an operator's browser); the Origin header (ours or
//! none, else 403); a bound on the time to the answer; panics made answers;
//! metrics and diagnostics.

use super::Context;
use super::error::ApiError;
use super::extract::BodyDeadline;
use super::metrics::Http;
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header, uri::Authority};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use utoipa_axum::router::OpenApiRouter;

/// The time in which a request must be answered (streams: the answer's head).
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// The same for long polls: more than the longest wait that they accept.
const PATIENT_ANSWER_MAX: Duration = Duration::from_secs(11 * 60);

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest request id that is taken over from a client.
const REQUEST_ID_MAX: usize = 64;

struct Gate {
    hosts: Vec<String>,
    patient: &'static [&'static str],
    body_deadline: BodyDeadline,
    http: Http,
}

/// Puts the gate and the answers common to all daemons around a service's routes.
pub fn router(context: &Context, api: OpenApiRouter, patient: &'static [&'static str]) -> Router {
    let general = &context.settings.general;
    let mut hosts = general.allow_hosts.0.clone();
    hosts.push(general.advertise_host.clone());
    hosts.extend(general.bind.0.iter().cloned());
    let gate = Arc::new(Gate {
        hosts: hosts.iter().map(|host| host.trim_matches(['[', ']']).to_ascii_lowercase()).collect(),
        patient,
        body_deadline: BodyDeadline(general.body_timeout.0),
        http: Http::register(&context.metrics),
    });
    super::openapi::publish(context, api)
        .fallback(async |uri: Uri| ApiError::unknown(format!("nothing is at {}", uri.path())))
        .method_not_allowed_fallback(async || {
            ApiError::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "this path does not take that method; the Allow header lists those it takes",
            )
        })
        .layer(from_fn_with_state(gate, pass))
}

async fn pass(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = request_id(request.headers());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    request.extensions_mut().insert(gate.body_deadline);

    let admitted = admit(&gate.hosts, request.uri(), request.headers());
    let uri = request.uri().clone();
    let path = uri.path();
    let mut response = match admitted {
        Err(refusal) => refusal.into_response(),
        Ok(()) => {
            let answer_max = if gate.patient.contains(&route) { PATIENT_ANSWER_MAX } else { ANSWER_MAX };
            let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
            match tokio::time::timeout(answer_max, answer).await {
                Ok(Ok(response)) => response,
                Ok(Err(_)) => {
                    ApiError::internal(format!("a handler panicked: {method} {path}")).into_response()
                }
                Err(_) => {
                    ApiError::unavailable("the answer took too long and was given up", 5).into_response()
                }
            }
        }
    };
    let status = response.status().as_u16();
    gate.http.observe(&method, route, status, began.elapsed());
    if status >= 500 {
        let id = id.to_str().unwrap_or_default();
        tracing::warn!(%method, path, status, request_id = id, "request failed");
    } else {
        tracing::debug!(%method, path, status, elapsed = ?began.elapsed(), "request");
    }
    response.headers_mut().insert(&REQUEST_ID, id);
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn request_id(headers: &HeaderMap) -> HeaderValue {
    let given = headers.get(&REQUEST_ID).filter(|value| {
        let bytes = value.as_bytes();
        (1..=REQUEST_ID_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
    });
    given.cloned().unwrap_or_else(|| {
        HeaderValue::try_from(format!("{:016x}", fastrand::u64(..)))
            .unwrap_or(HeaderValue::from_static("none"))
    })
}

/// Whether a request may come in under its Host and from its Origin.
fn admit(hosts: &[String], uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
    let misdirected = |detail: &str| ApiError::new(StatusCode::MISDIRECTED_REQUEST, detail);
    let host = match uri.authority() {
        Some(authority) => authority.clone(),
        None => headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok()?.parse::<Authority>().ok())
            .ok_or_else(|| misdirected("the request has no valid Host header"))?,
    };
    let name = host.host().trim_matches(['[', ']']).to_ascii_lowercase();
    let loopback = name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if !loopback && !hosts.contains(&name) {
        return Err(misdirected(
            "this daemon is not known under that host name; add it to general.allow_hosts if it should be",
        ));
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let own = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"))
        .is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host.as_str()));
    if own {
        Ok(())
    } else {
        Err(ApiError::new(StatusCode::FORBIDDEN, "a page of another origin may not call this daemon"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(host: &str, origin: Option<&str>) -> u16 {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        match admit(&["box1".to_owned()], &Uri::from_static("/"), &headers) {
            Ok(()) => 200,
            Err(refusal) => refusal.into_response().status().as_u16(),
        }
    }

    #[test]
    fn only_loopback_and_configured_names_are_hosts() {
        for (host, want) in [
            ("localhost:4000", 200),
            ("LOCALHOST", 200),
            ("127.0.0.1:4000", 200),
            ("127.9.9.9", 200),
            ("[::1]:4000", 200),
            ("box1:4000", 200),
            ("evil.example", 421),
            ("localhost.evil.example", 421),
            ("10.0.0.1:4000", 421),
            ("", 421),
        ] {
            assert_eq!(status(host, None), want, "{host}");
        }
    }

    #[test]
    fn only_the_own_origin_may_call() {
        for (origin, want) in [
            ("http://localhost:4000", 200),
            ("http://localhost:5002", 403),
            ("http://evil.example", 403),
            ("null", 403),
        ] {
            assert_eq!(status("localhost:4000", Some(origin)), want, "{origin}");
        }
    }
}
