//! Why a subscription is not made.

use super::{PER_RECEIVER_MAX, SUBSCRIPTIONS_MAX};
use crate::runtime::database::StoreFailure;
use std::fmt;

/// Who asks for a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A registration.
    Automatic,
    /// A request.
    Requested,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Automatic => "automatic",
            Self::Requested => "requested",
        })
    }
}

/// Why a subscription is not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// One too many.
    #[error("there are {SUBSCRIPTIONS_MAX} {0} subscriptions already")]
    Full(Kind),
    /// One too many of one receiver.
    #[error("{0} has {PER_RECEIVER_MAX} subscriptions already; delete some of them")]
    ReceiverFull(String),
    /// The database.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
}

impl StoreFailure for CreateError {
    fn store(&self) -> Option<&rusqlite::Error> {
        match self {
            Self::Database(error) => Some(error),
            _ => None,
        }
    }
}
