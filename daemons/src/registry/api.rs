//! The registry's routes.

mod change;
mod errors;
mod health;
mod leases;
mod past;
mod probes;
mod targets;

use self::probes::Probes;
use super::core::Core;
use super::state::Entry;
use super::stream;
use super::view::Beginning;
use crate::runtime::error::ApiError;
use crate::runtime::extract::{Path, Query};
use crate::runtime::listing::{Format, TableRow, ago, or_dash, table};
use crate::runtime::{Context, StartError, sse};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use shared::client::MonitorClient;
use shared::credentials::without_password;
use shared::daemon::Daemon;
use shared::span::Span;
use shared::wire::problem::Problem;
use shared::wire::registry::{INDEX_HEADER, Place, Registration};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The longest wait of a long poll.
const WAIT_MAX: Duration = Duration::from_secs(600);
/// The wait of a long poll that names none.
const WAIT_DEFAULT: Duration = Duration::from_secs(30);

#[derive(Clone)]
struct App {
    core: Arc<Core>,
    probes: Probes,
    monitor: MonitorClient,
    dns_domain: Arc<str>,
    stop: CancellationToken,
}

/// All routes.
///
/// # Errors
/// When the HTTP client for probes cannot be set up.
pub fn routes(core: Arc<Core>, context: &Context) -> Result<OpenApiRouter, StartError> {
    let probes = Probes::new().map_err(|e| StartError::Other(format!("cannot set up probes: {e}")))?;
    Ok(OpenApiRouter::new()
        .routes(routes!(list_services, change::register, change::deregister))
        .routes(routes!(list_tag))
        .routes(routes!(watch))
        .routes(routes!(list_instances, change::deregister_service))
        .routes(routes!(change::deregister_instance))
        .routes(routes!(leases::renew, leases::lease))
        .routes(routes!(leases::guard))
        .routes(routes!(past::history))
        .routes(routes!(health::probe))
        .routes(routes!(targets::prometheus))
        .with_state(App {
            core,
            probes,
            monitor: MonitorClient::new(context.peer(Daemon::Monitor), context.client.clone()),
            dns_domain: context.settings.registry.dns_domain.as_str().into(),
            stop: context.stop.clone(),
        }))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ServicesQuery {
    /// Only instances with this tag.
    tag: Option<String>,
    /// Only instances of this version.
    version: Option<String>,
    /// Only instances that answer a probe made now and are not taken out of use.
    #[serde(default)]
    healthy: bool,
    /// Answer when the revision has passed this one.
    index: Option<u64>,
    /// For how long to wait for that (`30s`; at most `10m`).
    #[param(value_type = Option<String>)]
    wait: Option<Span>,
    /// How it stood at a revision, at a time (RFC 3339), or a span ago (`15m`).
    at: Option<String>,
    /// `json` (default), or `text` for a terminal.
    #[serde(default)]
    #[param(inline)]
    format: Format,
}

impl TableRow for Registration {
    const HEADS: &'static [&'static str] =
        &["service", "instance", "url", "version", "tags", "lease", "registered"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.service_name.clone(),
            self.instance_id.clone(),
            without_password(&self.service_url).into_owned(),
            or_dash(self.service_version.as_deref()),
            self.tags.join(","),
            self.ttl_seconds.map_or_else(|| "-".to_owned(), |ttl| format!("{ttl}s")),
            ago(self.registered_at),
        ]
    }
}

/// All registrations; with `index`, as soon as there is news
#[utoipa::path(get, path = "/services", tag = "registry", params(ServicesQuery),
    responses((status = 200, body = [Registration])))]
async fn list_services(
    State(app): State<App>,
    Query(query): Query<ServicesQuery>,
) -> Result<Response, ApiError> {
    app.list(None, query).await
}

/// The instances of one service
#[utoipa::path(get, path = "/services/{name}", tag = "registry", params(("name" = String, Path), ServicesQuery),
    responses((status = 200, body = [Registration])))]
async fn list_instances(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(query): Query<ServicesQuery>,
) -> Result<Response, ApiError> {
    app.list(Some(name), query).await
}

/// The instances with a tag
#[utoipa::path(get, path = "/services/tag/{tag}", tag = "registry", params(("tag" = String, Path), ServicesQuery),
    responses((status = 200, body = [Registration])))]
async fn list_tag(
    State(app): State<App>,
    Path(tag): Path<String>,
    Query(query): Query<ServicesQuery>,
) -> Result<Response, ApiError> {
    app.list(None, ServicesQuery { tag: Some(tag), ..query }).await
}

impl App {
    async fn list(&self, service: Option<String>, query: ServicesQuery) -> Result<Response, ApiError> {
        let at = query.at.as_deref().map(past::point).transpose()?;
        if at.is_some() && (query.index.is_some() || query.healthy) {
            let detail = "the past does not change and cannot be probed: leave out index and healthy";
            return Err(ApiError::invalid("at", detail));
        }
        if let Some(index) = query.index {
            let wait = query.wait.map_or(WAIT_DEFAULT, |wait| wait.0.min(WAIT_MAX));
            self.wait(service.clone(), index, wait).await;
        }
        let (revision, entries) = match at {
            None => self.core.list(service.as_deref()),
            Some(at) => self.core.list_at(service.clone(), at).await?,
        };
        if let Some(name) = service
            && entries.is_empty()
        {
            let mut unknown = ApiError::unknown(format!("no service '{name}' is registered")).into_response();
            unknown.headers_mut().insert(INDEX_HEADER, revision.into());
            return Ok(unknown);
        }
        let version = query.version.as_ref();
        let mut listed: Vec<&Arc<Entry>> = entries
            .iter()
            .filter(|e| query.tag.as_ref().is_none_or(|tag| e.registration.tags.contains(tag)))
            .filter(|e| {
                version.is_none_or(|version| e.registration.service_version.as_ref() == Some(version))
            })
            .collect();
        if query.healthy {
            listed = self.healthy(listed).await;
        }
        let mut response = match query.format {
            Format::Text => {
                let rows = listed.iter().map(|entry| entry.registration.cells());
                query.format.text(table(Registration::HEADS, rows))
            }
            Format::Json => {
                let list: Vec<&str> = listed.iter().map(|entry| entry.json.as_str()).collect();
                ([(header::CONTENT_TYPE, "application/json")], format!("[{}]", list.join(",")))
                    .into_response()
            }
        };
        response.headers_mut().insert(INDEX_HEADER, revision.into());
        Ok(response)
    }

    /// Returns when something watched has changed after `index`, or the wait is over.
    async fn wait(&self, service: Option<String>, index: u64, wait: Duration) {
        let place = self.core.view().place();
        // A revision that was never reached is of another history: no use to wait for it.
        let Ok((mut begun, _watch)) = self.core.watch(service, Some(Place { revision: index, ..place }))
        else {
            return;
        };
        if matches!(&begun.beginning, Beginning::Changes(changes) if !changes.is_empty()) {
            return;
        }
        tokio::select! {
            _ = begun.queue.recv() => {}
            () = tokio::time::sleep(wait) => {}
            () = self.stop.cancelled() => {}
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WatchQuery {
    /// Only changes of this service.
    service: Option<String>,
    /// Resume after this place: `<epoch>-<revision>`, as in the id of an event.
    after: Option<String>,
}

/// Every change once, in order, as server-sent events
///
/// A watch begins with a `snapshot`, or, with `after` or `Last-Event-ID`, where
/// another left off; then `registered`, `updated`, `deregistered`, `expired`,
/// and now and then a `bookmark`. 410 when the place is no longer kept. `held`
/// and `released`, which have no id and move no place, tell that expiry is held
/// back, and no longer. A watcher that is too slow is told `cut`, and resumes.
#[utoipa::path(get, path = "/services/watch", tag = "registry", params(WatchQuery),
    responses((status = 200, content_type = "text/event-stream", body = String,
        description = "`snapshot`: `data` is an array of Registrations; `registered`, `updated`, `deregistered`, `expired`: a Registration; `bookmark`: the revision alone. `id` is <epoch>-<revision>",
        example = "id: 7-17\nevent: bookmark\ndata: {}\n\n"),
        (status = 410, content_type = "application/problem+json", body = Problem,
        description = "The changes after that revision are no longer kept")))]
async fn watch(
    State(app): State<App>,
    Query(query): Query<WatchQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let last = headers.get("last-event-id").map(|value| value.to_str().unwrap_or("?").to_owned());
    let resume: Option<Place> = match last.or(query.after).filter(|place| !place.is_empty()) {
        None => None,
        Some(place) => Some(place.parse().map_err(|e: shared::wire::registry::PlaceError| {
            ApiError::malformed(e.to_string()).field("after")
        })?),
    };
    let (begun, watch) = app
        .core
        .watch(query.service, resume)
        .map_err(|gone| ApiError::new(StatusCode::GONE, gone.to_string()))?;
    let holds = app.core.holds.subscribe();
    Ok(sse::answer_written(app.stop.clone(), stream::events(begun, watch, resume, holds)))
}
