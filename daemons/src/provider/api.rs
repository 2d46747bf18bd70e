//! The provider's routes.

use super::desk::Desk;
use super::store::CreateError;
use super::tables::DiscoveredRow;
use super::{catalog, stream};
use crate::runtime::error::ApiError;
use crate::runtime::extract::{Json, Path, Query};
use crate::runtime::listing::{Format, ListQuery};
use crate::runtime::probe::address;
use crate::runtime::{Context, sse};
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::map_response_with_state;
use axum::response::{IntoResponse, Response};
use reqwest::Url;
use serde::Deserialize;
use shared::client::balance::Turns;
use shared::client::{Fleet, KeptBook, Mirror};
use shared::credentials::without_password;
use shared::sanitize::is_hazard;
use shared::wire::provider::{Discovered, Discovery, Graph, NewSubscription, Policy, Subscription};
use shared::wire::registry::Registration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// For how many seconds the answer has not been kept up to date with the
/// registry; 0 while it is watched.
const AGE: HeaderName = HeaderName::from_static("x-distlog-age");
/// The names of the policies, as they are asked for.
const POLICIES: [(&str, Policy); 3] = [
    ("round_robin", Policy::RoundRobin),
    ("random", Policy::Random),
    ("least_latency", Policy::LeastLatency),
];
const NAME_MAX: usize = 255;
const URL_MAX: usize = 2048;

#[derive(Clone)]
struct App {
    mirror: Arc<Mirror>,
    health: Arc<KeptBook>,
    desk: Arc<Desk>,
    /// Whose turn it is with round robin, by service.
    turns: Arc<Mutex<HashMap<String, Turns>>>,
    stop: CancellationToken,
}

/// All routes.
pub fn routes(
    mirror: Arc<Mirror>,
    health: Arc<KeptBook>,
    desk: Arc<Desk>,
    context: &Context,
) -> OpenApiRouter {
    let stop = context.stop.clone();
    let app = App { mirror: Arc::clone(&mirror), health, desk, turns: Arc::default(), stop };
    OpenApiRouter::new()
        .routes(routes!(list_providers))
        .routes(routes!(pick_one))
        .routes(routes!(discover))
        .routes(routes!(show_graph))
        .routes(routes!(watch))
        .routes(routes!(list_subscriptions, subscribe))
        .routes(routes!(show_subscription, unsubscribe))
        .with_state(app)
        .layer(map_response_with_state(mirror, tell_age))
}

async fn tell_age(State(mirror): State<Arc<Mirror>>, mut response: Response) -> Response {
    response.headers_mut().insert(AGE, mirror.fleet().age(Instant::now()).as_secs().into());
    response
}

impl App {
    fn fleet(&self) -> Result<Arc<Fleet>, ApiError> {
        let fleet = self.mirror.fleet();
        if fleet.known {
            Ok(fleet)
        } else {
            Err(ApiError::unavailable(
                "the registry has not been reached yet: nothing is known of any service",
                2,
            ))
        }
    }
}

/// All registrations
///
/// Here and in every answer of the provider, the header `x-distlog-age` says
/// for how many seconds the registry has been away; 0 while it is watched.
#[utoipa::path(get, path = "/providers", tag = "provider", params(ListQuery),
    responses((status = 200, body = [Registration])))]
async fn list_providers(
    State(app): State<App>,
    Query(ListQuery { format }): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let registrations: Vec<Registration> = app.fleet()?.registrations().map(|r| (**r).clone()).collect();
    Ok(format.answer(&registrations))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PickQuery {
    /// `round_robin` (default): each in its turn; `random`: as often as the
    /// `weight` in its metadata says (1 without one, 0 for never);
    /// `least_latency`: of any two the one whose probes were answered faster.
    policy: Option<String>,
}

/// One healthy instance of a service
///
/// Nobody who is unhealthy, under maintenance or being drained is picked.
#[utoipa::path(get, path = "/providers/{name}", tag = "provider", params(("name" = String, Path), PickQuery),
    responses((status = 200, body = Discovered)))]
async fn pick_one(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(query): Query<PickQuery>,
) -> Result<axum::Json<Discovered>, ApiError> {
    let policy = policy(query.policy.as_deref())?;
    let fleet = app.fleet()?;
    let book = app.health.book();
    let Some(instances) = fleet.services.get(&name) else {
        return Err(ApiError::unknown(format!("no service '{name}' is registered")));
    };
    let random = fastrand::u64(..);
    let found = {
        let mut turns = app.turns.lock().unwrap_or_else(PoisonError::into_inner);
        // Only services that are registered get here; those that have gone are swept out.
        if turns.len() > 2 * fleet.services.len() {
            turns.retain(|service, _| fleet.services.contains_key(service));
        }
        let turns = turns.entry(name.clone()).or_default();
        catalog::pick(&fleet, &book, &name, policy, turns, random)
    };
    let found = found.ok_or_else(|| {
        let healthy = instances.keys().any(|instance| book.is_healthy(&name, instance));
        let why = if healthy { "healthy and has a weight" } else { "healthy" };
        ApiError::unknown(format!("no instance of '{name}' is {why}"))
    })?;
    Ok(axum::Json(found))
}

fn policy(asked: Option<&str>) -> Result<Policy, ApiError> {
    let Some(asked) = asked else { return Ok(Policy::default()) };
    POLICIES.iter().find(|(name, _)| *name == asked).map(|(_, policy)| *policy).ok_or_else(|| {
        let names = POLICIES.map(|(name, _)| name).join(", ");
        ApiError::malformed(format!("policy: there is no such policy; choose one of {names}")).field("policy")
    })
}

/// Every service and its instances, each with its health
#[utoipa::path(get, path = "/discovery", tag = "provider", params(ListQuery),
    responses((status = 200, body = Discovery)))]
async fn discover(
    State(app): State<App>,
    Query(ListQuery { format }): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let discovery = catalog::discovery(&*app.fleet()?, &app.health.book());
    Ok(match format {
        Format::Json => axum::Json(discovery).into_response(),
        Format::Text => {
            let rows: Vec<DiscoveredRow> = discovery.into_values().flatten().map(DiscoveredRow).collect();
            format.answer(&rows)
        }
    })
}

/// Who requires whom
#[utoipa::path(get, path = "/providers/graph", tag = "provider", params(ListQuery),
    responses((status = 200, body = Graph)))]
async fn show_graph(
    State(app): State<App>,
    Query(ListQuery { format }): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let graph = catalog::graph(&*app.fleet()?, &app.health.book());
    Ok(match format {
        Format::Json => axum::Json(graph).into_response(),
        Format::Text => format.answer(&graph.edges),
    })
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WatchQuery {
    /// Only changes of this service.
    service: Option<String>,
}

/// Changes as server-sent events
///
/// Always begins with a `snapshot`, also after a `Last-Event-ID`; then `added`,
/// `removed` and `updated`, each with a registration, and a revision as its id.
/// A reader that is slow skips states in between, never a difference.
#[utoipa::path(get, path = "/providers/watch", tag = "provider", params(WatchQuery),
    responses((status = 200, content_type = "text/event-stream", body = String,
        description = "`snapshot`: `data` is an array of Registrations; then one event for each change, `data` is the Registration. `id` is the revision",
        example = "id: 17\nevent: snapshot\ndata: []\n\n")))]
async fn watch(State(app): State<App>, Query(query): Query<WatchQuery>) -> Result<Response, ApiError> {
    app.fleet()?;
    Ok(sse::answer(app.stop.clone(), stream::events(app.mirror.subscribe(), query.service)))
}

/// Every subscription and how its deliveries go
#[utoipa::path(get, path = "/providers/subscriptions", tag = "subscriptions", params(ListQuery),
    responses((status = 200, body = [Subscription])))]
async fn list_subscriptions(
    State(app): State<App>,
    Query(ListQuery { format }): Query<ListQuery>,
) -> Result<Response, ApiError> {
    let listed: Vec<Subscription> = app.desk.list().await?.into_iter().map(shown).collect();
    Ok(format.answer(&listed))
}

/// Be told of a service's changes
///
/// What exists is told at once, and then every change. Each is posted as a
/// `Notice`, at least once, in order, with an `Idempotency-Key` that is the same
/// on every attempt. When a thousand changes wait, they are folded into the
/// difference that they make. Asking for the same again replaces the subscription.
#[utoipa::path(post, path = "/providers/subscriptions", tag = "subscriptions", request_body = NewSubscription,
    responses((status = 201, body = Subscription)))]
async fn subscribe(State(app): State<App>, Json(new): Json<NewSubscription>) -> Result<Response, ApiError> {
    check(&new)?;
    let subscription = app.desk.create(new.into()).await?;
    let location = format!("/providers/subscriptions/{}", subscription.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], axum::Json(shown(subscription))).into_response())
}

fn check(new: &NewSubscription) -> Result<(), ApiError> {
    let service = new.service.as_str();
    if service.trim().is_empty() || service.len() > NAME_MAX || service.chars().any(is_hazard) {
        return Err(ApiError::invalid(
            "service",
            format!("must be a service's name: 1 to {NAME_MAX} bytes without control characters"),
        ));
    }
    let text = new.callback_url.as_str();
    let is_plain = text.len() <= URL_MAX && !text.chars().any(|c| is_hazard(c) || c.is_whitespace());
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    if !is_plain || url.as_ref().is_none_or(|url| url.host_str().is_none_or(str::is_empty)) {
        return Err(ApiError::invalid(
            "callbackUrl",
            format!("must be a URL such as http://host:port/path, at most {URL_MAX} bytes"),
        ));
    }
    match url.as_ref().map(address::check) {
        Some(Err(refusal)) => Err(ApiError::invalid("callbackUrl", refusal.to_string())),
        _ => Ok(()),
    }
}

/// One subscription
#[utoipa::path(get, path = "/providers/subscriptions/{id}", tag = "subscriptions",
    params(("id" = String, Path)), responses((status = 200, body = Subscription)))]
async fn show_subscription(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<axum::Json<Subscription>, ApiError> {
    app.desk.get(id.clone()).await?.map(shown).map(axum::Json).ok_or_else(|| unknown(&id))
}

/// Be told no more
///
/// 409 for a subscription that a registration asks for: it ends with that.
#[utoipa::path(delete, path = "/providers/subscriptions/{id}", tag = "subscriptions",
    params(("id" = String, Path)), responses((status = 204)))]
async fn unsubscribe(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    let subscription = app.desk.get(id.clone()).await?.ok_or_else(|| unknown(&id))?;
    if subscription.automatic {
        return Err(ApiError::conflict(
            "a registration's serviceUpdateUrl asks for this subscription; it ends with that registration",
        ));
    }
    if app.desk.delete(id.clone()).await? { Ok(StatusCode::NO_CONTENT) } else { Err(unknown(&id)) }
}

/// Who asks how a subscription goes need not learn the password of its receiver.
fn shown(subscription: Subscription) -> Subscription {
    Subscription { callback_url: without_password(&subscription.callback_url).into_owned(), ..subscription }
}

fn unknown(id: &str) -> ApiError {
    ApiError::unknown(format!("there is no subscription '{id}'"))
}

/// When a client may try again to subscribe where there are too many subscriptions:
/// those of dead receivers end hourly.
const FULL_RETRY_AFTER_S: u32 = 3_600;

impl From<CreateError> for ApiError {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Full(_) => Self::unavailable(error.to_string(), FULL_RETRY_AFTER_S),
            CreateError::ReceiverFull(_) => Self::too_many(error.to_string(), FULL_RETRY_AFTER_S),
            CreateError::Database(error) => error.into(),
        }
    }
}
