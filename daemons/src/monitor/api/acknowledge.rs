//! Who looks after an incident.

use super::App;
use super::maintenance::check_text;
use crate::monitor::store::AcknowledgeError;
use crate::runtime::error::ApiError;
use crate::runtime::extract::{Json, Path};
use axum::extract::State;
use chrono::Utc;
use shared::wire::monitor::{Acknowledge, Acknowledgement, Incident};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

impl From<AcknowledgeError> for ApiError {
    fn from(error: AcknowledgeError) -> Self {
        match error {
            AcknowledgeError::Unknown(_) => Self::unknown(error.to_string()),
            AcknowledgeError::Resolved(_) => Self::conflict(error.to_string()),
            AcknowledgeError::Database(error) => error.into(),
        }
    }
}

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(acknowledge))
}

/// Take an incident up: say who looks after it
///
/// It stays with the incident and is told as an event; who was told of the
/// incident is told nothing. Whoever says so last looks after it. 409 when it is
/// resolved already.
#[utoipa::path(post, path = "/monitor/incidents/{id}/ack", tag = "monitor", params(("id" = u64, Path)),
    request_body = Acknowledge, responses((status = 200, body = Incident)))]
async fn acknowledge(
    State(app): State<App>,
    Path(id): Path<u64>,
    Json(Acknowledge { by }): Json<Acknowledge>,
) -> Result<axum::Json<Incident>, ApiError> {
    let by = by.trim();
    if by.is_empty() {
        return Err(ApiError::invalid("by", "is needed: who looks after it"));
    }
    check_text("by", by)?;
    let acknowledged = Acknowledgement { by: by.to_owned(), at: Utc::now() };
    Ok(axum::Json(app.core.acknowledge(id, acknowledged).await?))
}
