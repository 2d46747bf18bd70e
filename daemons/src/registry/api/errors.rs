//! What the registry's errors are over HTTP.

use crate::registry::core::ChangeError;
use crate::registry::history::AtError;
use crate::registry::state::Refused;
use crate::runtime::error::ApiError;
use axum::http::StatusCode;

/// When a client may try again to register where the registry is full: leases
/// that end make room.
const FULL_RETRY_AFTER_S: u32 = 30;

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Refused(refused @ Refused::OtherUrl { .. }) => {
                Self::conflict(refused.to_string()).field("instanceId")
            }
            ChangeError::Refused(full) => Self::unavailable(full.to_string(), FULL_RETRY_AFTER_S),
            ChangeError::Unknown => Self::unknown(error.to_string()),
            ChangeError::Database(error) => error.into(),
        }
    }
}

impl From<AtError> for ApiError {
    fn from(error: AtError) -> Self {
        match error {
            AtError::Gone { .. } => Self::new(StatusCode::GONE, error.to_string()).field("at"),
            AtError::Ahead(_) => Self::invalid("at", error),
            AtError::Database(error) => error.into(),
        }
    }
}
