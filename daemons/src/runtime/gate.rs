//! What every request passes on its way in and every answer on its way out.
//!
//! In this order: a request id; the rules of [`admit`] for hosts, origins and
//! sites (a page that resolves its own name to 127.0.0.1 must not reach these
//! ports through an operator's browser); a bound on the time to the answer of a
//! request that only reads; panics made answers; headers against browsers;
//! metrics and diagnostics.
//!
//! A request that may change something has no bound: what it stores must not be
//! answered as a failure, so its answer is awaited, however slow the disk is.
//! The number of connections bounds how many wait.

mod admit;

pub use admit::{CrossSite, HEAD_MAX};

use super::Context;
use super::body::{BodyBudget, BodyDeadline};
use super::error::ApiError;
use super::metrics::Http;
use admit::Admission;
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
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

/// Bytes of the bodies that one daemon reads at the same time.
const BODIES_LEN_MAX: usize = 32 << 20;

/// What an answer says that is no page: a browser must not run, frame, cache or
/// embed it.
const AGAINST_BROWSERS: [(HeaderName, HeaderValue); 3] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

struct Gate {
    admission: Admission,
    patient: &'static [&'static str],
    body_deadline: BodyDeadline,
    bodies: Arc<BodyBudget>,
    http: Http,
}

/// Puts the gate and the answers common to all daemons around a service's routes.
pub fn router(
    context: &Context,
    api: OpenApiRouter,
    patient: &'static [&'static str],
    cross_site: CrossSite,
) -> Router {
    let general = &context.settings.general;
    let mut hosts = general.allow_hosts.0.clone();
    hosts.push(general.advertise_host.clone());
    hosts.extend(general.bind.0.iter().cloned());
    let gate = Arc::new(Gate {
        admission: Admission::new(hosts, cross_site),
        patient,
        body_deadline: BodyDeadline(general.body_timeout.0),
        bodies: BodyBudget::new(BODIES_LEN_MAX),
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
    request.extensions_mut().insert(Arc::clone(&gate.bodies));

    let admitted = gate.admission.check(&method, request.uri(), route, request.headers());
    let uri = request.uri().clone();
    let path = uri.path();
    let mut response = match admitted {
        Err(refusal) => refusal.into_response(),
        Ok(()) => {
            let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
            let answered = match gate.answer_max(&method, route) {
                Some(answer_max) => tokio::time::timeout(answer_max, answer).await,
                None => Ok(answer.await),
            };
            match answered {
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
    shield(response.headers_mut());
    response
}

impl Gate {
    /// The time in which a request must be answered; none for one that may store
    /// something.
    fn answer_max(&self, method: &Method, route: &str) -> Option<Duration> {
        match *method {
            Method::GET | Method::HEAD | Method::OPTIONS if self.patient.contains(&route) => {
                Some(PATIENT_ANSWER_MAX)
            }
            Method::GET | Method::HEAD | Method::OPTIONS => Some(ANSWER_MAX),
            _ => None,
        }
    }
}

/// Adds the headers against browsers. An answer with a policy of its own is a
/// page or an image, which decides for itself.
fn shield(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let is_page = headers.contains_key(header::CONTENT_SECURITY_POLICY);
    for (name, value) in AGAINST_BROWSERS {
        if !(is_page && headers.contains_key(&name)) {
            headers.insert(name, value);
        }
    }
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
