//! Leases: renewing them, how they stand, and who is held.

use super::App;
use crate::registry::core::Core;
use crate::registry::expiry::Holds;
use crate::registry::watch::Watched;
use crate::runtime::error::ApiError;
use crate::runtime::extract::{Path, Query};
use crate::runtime::listing::{Format, ListQuery, TableRow, table};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use shared::wire::registry::{GuardEvent, GuardScope, GuardStatus, HeldLease, Lease, LeaseStatus};

/// Heartbeat: renew a lease
///
/// 404 says that the instance is unknown and has to register again.
#[utoipa::path(put, path = "/services/{name}/{instance}/lease", tag = "registry",
    params(("name" = String, Path), ("instance" = String, Path)),
    responses((status = 200, body = Lease)))]
pub async fn renew(
    State(app): State<App>,
    Path((name, instance)): Path<(String, String)>,
) -> Result<axum::Json<Lease>, ApiError> {
    let lease = app.core.heartbeat(&name, &instance);
    lease.map(axum::Json).ok_or_else(|| {
        ApiError::unknown(format!("no instance '{instance}' of '{name}' is registered; register it again"))
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

impl Core {
    /// How an instance's lease stands; none when it is unknown.
    fn lease(&self, service: &str, instance: &str) -> Option<LeaseStatus> {
        let (view, now_ms) = (self.view(), self.now_ms());
        let entry = view.state.get(service, instance)?;
        let age_ms = entry.age_ms(now_ms);
        let held = self.holds.borrow().held.get(&(service.to_owned(), instance.to_owned())).copied();
        Some(LeaseStatus {
            service_name: service.to_owned(),
            instance_id: instance.to_owned(),
            ttl_seconds: entry.registration.ttl_seconds,
            renewed_at: self.wall_time(now_ms.saturating_sub(age_ms)),
            age_seconds: in_seconds(age_ms),
            expires_in_seconds: entry.ttl_ms().map(|ttl_ms| in_seconds(ttl_ms.saturating_sub(age_ms))),
            held_until: held.map(|hold| self.wall_time(hold.until_ms)),
        })
    }

    fn guard_status(&self, holds: &Holds) -> GuardStatus {
        let held = holds.held.iter().map(|((service, instance), hold)| HeldLease {
            service: service.clone(),
            instance_id: instance.clone(),
            since: self.wall_time(hold.since_ms),
            until: self.wall_time(hold.until_ms),
        });
        GuardStatus {
            engaged: !holds.scopes.is_empty(),
            scopes: self.guard_scopes(holds, &None),
            held: held.collect(),
        }
    }

    /// What a watcher of one service, or of all, is told of the guard.
    pub fn guard_event(&self, holds: &Holds, watched: &Watched) -> GuardEvent {
        let concerns = |service: &String| watched.as_ref().is_none_or(|watched| watched == service);
        GuardEvent {
            held: holds.held.keys().filter(|(service, _)| concerns(service)).count(),
            scopes: self.guard_scopes(holds, watched),
        }
    }

    fn guard_scopes(&self, holds: &Holds, watched: &Watched) -> Vec<GuardScope> {
        let concerns = |scope: &Watched| watched.is_none() || scope.is_none() || scope == watched;
        let engaged = holds.scopes.iter().filter(|(scope, _)| concerns(scope));
        engaged
            .map(|(scope, engaged)| GuardScope {
                service: scope.clone(),
                since: self.wall_time(engaged.since_ms),
                until: self.wall_time(engaged.until_ms),
            })
            .collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a lease is at most a day")]
fn in_seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}
