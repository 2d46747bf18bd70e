//! What the registry's errors are over HTTP.

use crate::registry::core::ChangeError;
use crate::registry::history::AtError;
use crate::runtime::error::ApiError;
use axum::http::StatusCode;

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Full(full) => Self::new(StatusCode::INSUFFICIENT_STORAGE, full.to_string()),
            ChangeError::Unknown => Self::unknown(error.to_string()),
            ChangeError::Database(error) => Self::internal(error),
        }
    }
}

impl From<AtError> for ApiError {
    fn from(error: AtError) -> Self {
        match error {
            AtError::Gone { .. } => Self::new(StatusCode::GONE, error.to_string()).field("at"),
            AtError::Ahead(_) => Self::invalid("at", error),
            AtError::Database(error) => Self::internal(error),
        }
    }
}
