//! Leases: renewing them, how they stand, and who is held.

use super::App;
use crate::registry::core::RenewError;
use crate::runtime::error::ApiError;
use crate::runtime::extract::{Path, Query};
use crate::runtime::listing::{Format, ListQuery, TableRow, table};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use shared::wire::registry::{GuardStatus, HeldLease, Lease, LeaseStatus};
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RenewQuery {
    /// The revision of the registration to renew, as registering answered it.
    revision: Option<u64>,
}

/// Heartbeat: renew a lease
///
/// 404 says that the instance is unknown, 409 that it is not the registration of
/// that `revision` any more, because another client registered the instance:
/// register it again.
#[utoipa::path(put, path = "/services/{name}/{instance}/lease", tag = "registry",
    params(("name" = String, Path), ("instance" = String, Path), RenewQuery),
    responses((status = 200, body = Lease)))]
pub async fn renew(
    State(app): State<App>,
    Path((name, instance)): Path<(String, String)>,
    Query(RenewQuery { revision }): Query<RenewQuery>,
) -> Result<axum::Json<Lease>, ApiError> {
    app.core.heartbeat(&name, &instance, revision).map(axum::Json).map_err(|error| match error {
        RenewError::Unknown => ApiError::unknown(format!(
            "no instance '{instance}' of '{name}' is registered; register it again"
        )),
        RenewError::Replaced(current) => ApiError::conflict(format!(
            "instance '{instance}' of '{name}' was registered again, at revision {current}; register it again"
        ))
        .field("revision"),
    })
}

/// How an instance's lease stands
#[utoipa::path(get, path = "/services/{name}/{instance}/lease", tag = "registry",
    params(("name" = String, Path), ("instance" = String, Path)),
    responses((status = 200, body = LeaseStatus)))]
pub async fn lease(
    State(app): State<App>,
    Path((name, instance)): Path<(String, String)>,
) -> Result<axum::Json<LeaseStatus>, ApiError> {
    let lease = app.core.lease(&name, &instance);
    lease
        .map(axum::Json)
        .ok_or_else(|| ApiError::unknown(format!("no instance '{instance}' of '{name}' is registered")))
}

/// Whether expiry is held back, for whom and until when
#[utoipa::path(get, path = "/services/guard", tag = "registry", params(ListQuery),
    responses((status = 200, body = GuardStatus)))]
pub async fn guard(State(app): State<App>, Query(query): Query<ListQuery>) -> Response {
    let holds = app.core.holds.borrow().clone();
    let status = app.core.guard_status(&holds);
    match query.format {
        Format::Json => axum::Json(status).into_response(),
        Format::Text => query.format.text(table(HeldLease::HEADS, status.held.iter().map(TableRow::cells))),
    }
}

impl TableRow for HeldLease {
    const HEADS: &'static [&'static str] = &["service", "instance", "held since", "until"];

    fn cells(&self) -> Vec<String> {
        vec![self.service.clone(), self.instance_id.clone(), seconds(self.since), seconds(self.until)]
    }
}

/// A time to the second.
pub fn seconds(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
