//! Reports of jobs that nobody can probe.

use super::{App, unknown};
use crate::monitor::state::Unheard;
use crate::runtime::error::ApiError;
use crate::runtime::extract::{Path, Query};
use crate::runtime::probe::Failure;
use axum::extract::State;
use serde::Deserialize;
use shared::sanitize::sanitize;
use shared::wire::monitor::{Phase, ServiceStatus};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The longest message, in characters; a longer one is cut.
const MESSAGE_MAX: usize = 300;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(push))
}

#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Reported {
    /// It went well.
    #[default]
    Ok,
    /// It failed.
    Fail,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Report {
    /// Which instance, where more than one reports by itself.
    instance: Option<String>,
    /// `ok` (default) or `fail`.
    #[serde(default)]
    #[param(inline)]
    status: Reported,
    /// Why it failed.
    #[serde(default)]
    message: String,
}

/// Report, as something that is not probed: `curl -X POST …/monitor/push/Backup`
///
/// For services whose probe is `push`. Whoever does not report for as long as
/// its interval says has failed.
#[utoipa::path(post, path = "/monitor/push/{name}", tag = "monitor", params(("name" = String, Path), Report),
    responses((status = 200, body = ServiceStatus)))]
async fn push(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(Report { instance, status, message }): Query<Report>,
) -> Result<axum::Json<ServiceStatus>, ApiError> {
    let failure = matches!(status, Reported::Fail).then(|| {
        let message: String = message.chars().take(MESSAGE_MAX).collect();
        let said = if message.is_empty() { "it reports that it failed".to_owned() } else { message };
        Failure::new(Phase::Push, sanitize(&said))
    });
    let heard = app.core.hear(&name, instance.as_deref(), failure);
    heard.map(axum::Json).map_err(|unheard| match unheard {
        Unheard::UnknownService => unknown(&name),
        Unheard::UnknownInstance => {
            ApiError::unknown(format!("name the instance of '{name}' that reports")).field("instance")
        }
        Unheard::NotPush => ApiError::conflict(format!(
            "'{name}' is probed and does not report by itself; register it with distlog.probe=push"
        )),
    })
}
