//! The log service as a tool calls it: what fails for now is tried again, for
//! some minutes; what is refused is not.

use super::progress::note;
use crate::settings::Settings;
use bytes::Bytes;
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Method, RequestBuilder};
use shared::client::{ClientError, backoff, http, root_cause};
use shared::daemon::Daemon;
use shared::span::Span;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// For how long one try may take: longer than a search of the service may.
const TRY_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest pause between two tries, unless the service asks for more.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// For how long an answer is waited for after the signal to stop.
const LAST_ANSWER_MAX: Duration = Duration::from_secs(5);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The service refuses, or was away for too long.
    #[error("{error}")]
    Failed {
        /// Why.
        error: ClientError,
        /// Whether a try broke off: it may have been done all the same.
        in_doubt: bool,
    },
    /// Somebody pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted {
        /// Whether a try broke off: it may have been done all the same.
        in_doubt: bool,
    },
}

impl CallError {
    /// Whether what was asked for may have been done all the same.
    pub const fn in_doubt(&self) -> bool {
        match self {
            Self::Failed { in_doubt, .. } | Self::Interrupted { in_doubt } => *in_doubt,
        }
    }
}

/// A try that failed.
struct Failure {
    error: ClientError,
    retry_after: Duration,
    in_doubt: bool,
}

/// The log service.
pub struct Service {
    url: String,
    client: Client,
    patience: Duration,
    stop: CancellationToken,
}

impl Service {
    /// Where the settings say that it is. Calls end soon after `stop`.
    ///
    /// # Errors
    /// When there is no HTTP client to be had.
    pub fn new(settings: &Settings, patience: Span, stop: CancellationToken) -> Result<Self, reqwest::Error> {
        let here = || format!("http://localhost:{}", settings.port(Daemon::Log));
        let url = settings.url(Daemon::Log).map_or_else(here, str::to_owned);
        let client = http::build(|builder| builder.timeout(TRY_TIMEOUT))?;
        Ok(Self { url: url.trim_end_matches('/').to_owned(), client, patience: patience.0, stop })
    }

    /// A request to be sent by [`Self::call`].
    pub fn request(&self, method: Method) -> RequestBuilder {
        self.client.request(method, format!("{}/log", self.url))
    }

    /// Sends until it is answered; the body of the answer.
    ///
    /// # Errors
    /// When the service refuses, was away for too long, or it is time to stop.
    pub async fn call(&self, request: RequestBuilder) -> Result<Bytes, CallError> {
        let mut pauses = backoff(PAUSE_MAX);
        let mut failing_since = None;
        let mut in_doubt = false;
        loop {
            let Some(attempt) = request.try_clone() else {
                let cause = "a request that cannot be repeated".to_owned();
                let error = ClientError::Unexpected { url: self.url.clone(), cause };
                return Err(CallError::Failed { error, in_doubt });
            };
            let too_late = async {
                self.stop.cancelled().await;
                tokio::time::sleep(LAST_ANSWER_MAX).await;
            };
            let failure = tokio::select! {
                answer = self.attempt(attempt) => match answer {
                    Ok(body) => return Ok(body),
                    Err(failure) => failure,
                },
                () = too_late => return Err(CallError::Interrupted { in_doubt: true }),
            };
            in_doubt |= failure.in_doubt;
            let pause = pauses.next().unwrap_or(PAUSE_MAX).max(failure.retry_after);
            let is_first = failing_since.is_none();
            let since = *failing_since.get_or_insert_with(Instant::now);
            if !failure.error.is_temporary() || since.elapsed() + pause > self.patience {
                return Err(CallError::Failed { error: failure.error, in_doubt });
            }
            if is_first {
                note(&format!("{}; trying again for up to {}", failure.error, Span(self.patience)));
            }
            if self.stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return Err(CallError::Interrupted { in_doubt });
            }
        }
    }

    /// What is to be said of an answer that cannot be read.
    pub fn unexpected(&self, cause: &dyn std::error::Error) -> CallError {
        let error = ClientError::Unexpected { url: self.url.clone(), cause: cause.to_string() };
        CallError::Failed { error, in_doubt: false }
    }

    async fn attempt(&self, request: RequestBuilder) -> Result<Bytes, Failure> {
        let response = request.send().await.map_err(|error| Failure {
            in_doubt: !error.is_connect(),
            error: ClientError::transport(&self.url, &error),
            retry_after: Duration::ZERO,
        })?;
        let status = response.status();
        let retry_after =
            response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        match response.bytes().await {
            Ok(body) if status.is_success() => Ok(body),
            Ok(body) => Err(Failure {
                error: ClientError::refused(status, &body),
                retry_after: Duration::from_secs(retry_after.unwrap_or(0)),
                in_doubt: false,
            }),
            // An answer that ends early is one that was lost.
            Err(error) => Err(Failure {
                error: ClientError::Unreachable { url: self.url.clone(), cause: root_cause(&error) },
                retry_after: Duration::ZERO,
                in_doubt: true,
            }),
        }
    }
}
