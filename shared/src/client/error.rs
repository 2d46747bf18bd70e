//! Why a call of a daemon did not succeed.

use crate::credentials::without_password;
use crate::wire::problem::Problem;
use reqwest::StatusCode;

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answered: no such host, no connection, or it broke.
    #[error("{} is not reachable: {cause}", without_password(url))]
    Unreachable {
        /// The daemon that was called.
        url: String,
        /// The innermost cause.
        cause: String,
    },
    /// No answer in time.
    #[error("{} did not answer in time", without_password(url))]
    Timeout {
        /// The daemon that was called.
        url: String,
    },
    /// The daemon refused, and said why.
    #[error("{}", if .0.detail.is_empty() { &.0.title } else { &.0.detail })]
    Refused(Box<Problem>),
    /// An answer that does not have the agreed shape.
    #[error("{} answered something unexpected: {cause}", without_password(url))]
    Unexpected {
        /// The daemon that was called.
        url: String,
        /// What was wrong with the answer.
        cause: String,
    },
}

impl ClientError {
    /// A call that broke off.
    pub fn transport(url: &str, error: &reqwest::Error) -> Self {
        let url = url.to_owned();
        if error.is_timeout() {
            Self::Timeout { url }
        } else if error.is_decode() {
            Self::Unexpected { url, cause: root_cause(error) }
        } else {
            Self::Unreachable { url, cause: root_cause(error) }
        }
    }

    pub(super) fn unexpected(url: &str, cause: impl ToString) -> Self {
        Self::Unexpected { url: url.to_owned(), cause: cause.to_string() }
    }

    /// An answer that is a refusal.
    pub fn refused(status: StatusCode, body: &[u8]) -> Self {
        let told: Result<Problem, _> = serde_json::from_slice(body);
        // The status of the answer is what counts, whatever its body says.
        let problem =
            told.map(|told| Problem { status: status.as_u16(), ..told }).unwrap_or_else(|_| Problem {
                kind: "about:blank".to_owned(),
                title: status.canonical_reason().unwrap_or("refused").to_owned(),
                status: status.as_u16(),
                detail: String::from_utf8_lossy(body).chars().take(200).collect(),
                field: None,
                position: None,
            });
        Self::Refused(Box::new(problem))
    }

    /// The status with which the daemon refused, if it did.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(problem) => Some(problem.status),
            _ => None,
        }
    }

    /// Whether the same call may succeed later without being changed.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } => true,
            Self::Refused(problem) => problem.status >= 500 || matches!(problem.status, 408 | 421 | 429),
            Self::Unexpected { .. } => false,
        }
    }
}

/// The innermost source of an error: the one that says what happened.
pub fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
