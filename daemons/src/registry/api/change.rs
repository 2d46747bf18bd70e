//! Registering and deregistering.

use super::App;
use crate::registry::dns::unfit;
use crate::registry::state::Selector;
use crate::registry::valid;
use crate::runtime::error::ApiError;
use crate::runtime::extract::{Body, JsonBody, Path, parse_json};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use shared::wire::registry::{Deregistered, Register, Registration};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Keys of a request that are named as not taken, at most.
const IGNORED_MAX: usize = 16;

/// What a registration is made of. The registry gives the last two; whoever
/// sends back what it read may leave them in.
const KEYS: [&str; 12] = [
    "serviceName",
    "serviceUrl",
    "instanceId",
    "serviceVersion",
    "tags",
    "metadata",
    "healthCheckUrl",
    "requiredServices",
    "serviceUpdateUrl",
    "ttlSeconds",
    "registeredAt",
    "revision",
];

/// The stored registration.
#[derive(Debug, Serialize, ToSchema)]
struct Registered {
    #[serde(flatten)]
    registration: Registration,
    /// Keys of the request that mean nothing here; absent where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignored: Vec<String>,
    /// What this registration cannot be used for; absent where there is nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// The keys of a registration that nobody takes up.
fn ignored(body: &[u8]) -> Vec<String> {
    let keys: BTreeMap<String, IgnoredAny> = serde_json::from_slice(body).unwrap_or_default();
    keys.into_keys().filter(|key| !KEYS.contains(&key.as_str())).take(IGNORED_MAX).collect()
}

/// Register an instance, or renew and update it
///
/// A key that is not known is not taken, so that clients of other registries can
/// join; the answer names it as `ignored`, so that a slip of the pen is seen. A
/// name that DNS cannot look up is accepted with a warning. 409: the instance is
/// registered at another URL; deregister it first, or wait until its lease has
/// run out.
#[utoipa::path(post, path = "/services", tag = "registry", request_body = Register,
    responses((status = 200, body = Registered)))]
pub(super) async fn register(State(app): State<App>, JsonBody(body): JsonBody) -> Result<Response, ApiError> {
    let register: Register = parse_json(&body)?;
    valid::check(&register).map_err(|invalid| ApiError::invalid(invalid.field, invalid.reason))?;
    let registration = app.core.register(register).await?;
    let warnings = unfit(&registration.service_name, &app.dns_domain).into_iter().collect();
    Ok(axum::Json(Registered { registration, ignored: ignored(&body), warnings }).into_response())
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Deregister {
    service_name: Option<String>,
    service_url: Option<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    others: BTreeMap<String, IgnoredAny>,
}

/// Remove what is at a URL
///
/// The body is the URL as plain text, or JSON: with `serviceUrl` what is there,
/// which may be a registration as it was read; with `serviceName` alone all of
/// that service, and then no other key is taken: a misspelt `serviceUrl` would
/// take the whole service away.
#[utoipa::path(delete, path = "/services", tag = "registry", request_body = Deregister,
    responses((status = 200, body = Deregistered)))]
pub(super) async fn deregister(State(app): State<App>, Body(body): Body) -> Result<Response, ApiError> {
    let text = std::str::from_utf8(&body).map_err(|_| ApiError::malformed("the body is not UTF-8"))?.trim();
    let selector = if text.starts_with('{') {
        let Deregister { service_name, service_url, others } = parse_json(text.as_bytes())?;
        match (service_url, others.into_keys().next(), service_name) {
            (Some(url), _, name) => Selector::Url(name, url),
            (None, Some(key), _) => {
                return Err(ApiError::invalid(key, "is not known here; expected serviceUrl or serviceName"));
            }
            (None, None, Some(name)) => Selector::Service(name),
            (None, None, None) => return Err(ApiError::invalid("serviceUrl", "must be given")),
        }
    } else if text.is_empty() {
        return Err(ApiError::malformed(
            "the body is empty: send the service's URL, or {\"serviceName\":…,\"serviceUrl\":…}",
        ));
    } else {
        Selector::Url(None, text.to_owned())
    };
    app.remove(selector).await
}

/// Remove a service with all its instances
#[utoipa::path(delete, path = "/services/{name}", tag = "registry", params(("name" = String, Path)),
    responses((status = 200, body = Deregistered)))]
pub(super) async fn deregister_service(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Response, ApiError> {
    app.remove(Selector::Service(name)).await
}

/// Remove one instance
#[utoipa::path(delete, path = "/services/{name}/{instance}", tag = "registry",
    params(("name" = String, Path), ("instance" = String, Path)),
    responses((status = 200, body = Deregistered)))]
pub(super) async fn deregister_instance(
    State(app): State<App>,
    Path((name, instance)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    app.remove(Selector::Instance(name, instance)).await
}

impl App {
    async fn remove(&self, selector: Selector) -> Result<Response, ApiError> {
        let (removed, revision) = self.core.deregister(selector).await?;
        Ok(axum::Json(Deregistered { removed, revision }).into_response())
    }
}
