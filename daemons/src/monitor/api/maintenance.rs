//! Maintenance: begun, listed and ended by an operator.

use super::{App, unknown};
use crate::monitor::maintenance::Key;
use crate::monitor::store::MaintenanceError;
use crate::runtime::error::ApiError;
use crate::runtime::extract::{Json, Query};
use crate::runtime::listing::ListQuery;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use shared::sanitize::is_hazard;
use shared::wire::monitor::{Maintenance, MaintenanceMode};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The longest text of an operator, in bytes.
const TEXT_MAX: usize = 1_000;

/// How far ahead a maintenance may begin.
const SCHEDULE_MAX: TimeDelta = TimeDelta::days(366);

impl From<MaintenanceError> for ApiError {
    fn from(error: MaintenanceError) -> Self {
        match error {
            MaintenanceError::Full => Self::unavailable(error.to_string(), 60),
            MaintenanceError::Database(error) => error.into(),
        }
    }
}

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, begin, end))
}

/// Every maintenance
#[utoipa::path(get, path = "/monitor/maintenance", tag = "monitor", params(ListQuery),
    responses((status = 200, body = [Maintenance])))]
async fn list(State(app): State<App>, Query(ListQuery { format }): Query<ListQuery>) -> Response {
    format.answer(&app.core.maintenances())
}

/// What begins one. A key that nobody knows is refused: a misspelt `until`
/// would be a maintenance without an end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Begin {
    /// Which service.
    service: String,
    /// Which of its instances; without it, all.
    instance: Option<String>,
    /// What is done.
    #[serde(default)]
    mode: MaintenanceMode,
    /// Why.
    #[serde(default)]
    reason: String,
    /// Who says so.
    #[serde(default)]
    owner: String,
    /// When it begins, at most a year ahead; without it, now. A start in the past
    /// is kept as it is told and changes nothing that was counted before.
    since: Option<DateTime<Utc>>,
    /// When it ends by itself; without it, when it is taken away.
    until: Option<DateTime<Utc>>,
}

/// Put a service, or one of its instances, under maintenance; or drain it
///
/// No incident is opened for it, nobody picks it and its uptime stands still
/// from `since` until this is taken away or `until` has come. One of the same
/// service and instance is replaced.
#[utoipa::path(post, path = "/monitor/maintenance", tag = "monitor", request_body = Begin,
    responses((status = 200, body = Maintenance)))]
async fn begin(
    State(app): State<App>,
    Json(begin): Json<Begin>,
) -> Result<axum::Json<Maintenance>, ApiError> {
    let now = Utc::now();
    let maintenance = Maintenance {
        service: begin.service,
        instance: begin.instance,
        mode: begin.mode,
        reason: begin.reason,
        owner: begin.owner,
        since: Some(begin.since.unwrap_or(now)),
        until: begin.until,
    };
    for (field, text) in [("reason", &maintenance.reason), ("owner", &maintenance.owner)] {
        check_text(field, text)?;
    }
    if maintenance.until.is_some_and(|until| until <= now) {
        return Err(ApiError::invalid("until", "has already passed"));
    }
    if maintenance.since > Some(now + SCHEDULE_MAX) {
        return Err(ApiError::invalid("since", "is more than a year ahead"));
    }
    if maintenance.until.is_some() && maintenance.until <= maintenance.since {
        return Err(ApiError::invalid("until", "must be after since"));
    }
    let (service, instance) = (&maintenance.service, &maintenance.instance);
    if !app.core.is_listed(&(service.clone(), None)) {
        return Err(unknown(service));
    }
    if let Some(id) = instance
        && !app.core.is_listed(&(service.clone(), Some(id.clone())))
    {
        return Err(ApiError::unknown(format!("'{service}' has no instance '{id}'")).field("instance"));
    }
    app.core.begin_maintenance(maintenance.clone()).await?;
    Ok(axum::Json(maintenance))
}

/// What an operator writes: not too long, and harmless wherever it is shown.
pub(super) fn check_text(field: &'static str, text: &str) -> Result<(), ApiError> {
    if text.len() > TEXT_MAX {
        return Err(ApiError::invalid(field, format!("is longer than {TEXT_MAX} bytes")));
    }
    if text.chars().any(is_hazard) {
        return Err(ApiError::invalid(field, "has a control character or one that is not visible"));
    }
    Ok(())
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Whose {
    /// Which service.
    service: String,
    /// Which of its instances; without it, what was said of the service as a whole.
    instance: Option<String>,
}

/// End a maintenance
///
/// What the probes say holds again at once.
#[utoipa::path(delete, path = "/monitor/maintenance", tag = "monitor", params(Whose),
    responses((status = 200, body = Maintenance)))]
async fn end(
    State(app): State<App>,
    Query(Whose { service, instance }): Query<Whose>,
) -> Result<axum::Json<Maintenance>, ApiError> {
    let of = |m: &Maintenance| m.service == service && m.instance == instance;
    let maintenance = app.core.maintenances().into_iter().find(of).ok_or_else(|| {
        let of_it = instance.as_ref().map_or(String::new(), |id| format!("instance '{id}' of "));
        ApiError::unknown(format!("{of_it}'{service}' is not under maintenance"))
    })?;
    let key: Key = (service, instance);
    app.core.end_maintenance(key).await?;
    Ok(axum::Json(maintenance))
}
