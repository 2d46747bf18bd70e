//! One call of a service, at one instance after the other.

use super::repeat::{Failure, failure, is_safe, may_repeat};
use super::state::Outcome;
use super::{Balancer, Flight};
use crate::client::ClientError;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response};
use serde::Serialize;
use std::time::Duration;

/// The header that says that a call may be made twice.
const KEY: &str = "idempotency-key";

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nothing is known of any service.
    #[error("the registry has not answered yet")]
    RegistryUnknown,
    /// Nobody offers the service, or nobody over HTTP, or nobody who may be called.
    #[error("no instance of '{service}' can be called")]
    NoInstance {
        /// The service.
        service: String,
    },
    /// The request makes no sense.
    #[error("the request cannot be sent: {0}")]
    Request(String),
    /// The last attempt failed.
    #[error("'{service}' failed at {instance} (attempts: {attempts}): {cause}")]
    Failed {
        /// The service.
        service: String,
        /// The instance of the last attempt.
        instance: String,
        /// How many attempts were made.
        attempts: u32,
        /// Why the last one failed.
        cause: ClientError,
    },
}

/// A service, to be called by its name.
#[derive(Debug, Clone)]
pub struct Service {
    balancer: Balancer,
    name: String,
}

impl Service {
    pub(super) fn new(balancer: Balancer, name: &str) -> Self {
        Self { balancer, name: name.to_owned() }
    }

    /// A GET of a path such as `/library/books?limit=10`.
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// A POST to a path.
    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    /// A call of a path.
    pub fn call(&self, method: Method, path: &str) -> Call {
        Call {
            timeout: self.balancer.0.options.timeout,
            service: self.clone(),
            method,
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: None,
            error: None,
        }
    }
}

/// A call that is made when it is awaited.
///
/// Its answer has whatever status the service gave; after the last attempt that
/// may be a 502, 503 or 504 too. Any other is given at once, a 500 as well.
#[derive(Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct Call {
    service: Service,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Option<Bytes>,
    timeout: Duration,
    error: Option<String>,
}

impl Call {
    /// With a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => {
                self.headers.append(name, value);
            }
            _ => self.error = Some(format!("'{}' is no header", name.escape_default())),
        }
        self
    }

    /// With a body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// With JSON as its body.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(json) => {
                self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                self.body(json)
            }
            Err(error) => {
                self.error = Some(error.to_string());
                self
            }
        }
    }

    /// With a bound of its own on each attempt.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    async fn make(self) -> Result<Response, CallError> {
        if let Some(error) = self.error {
            return Err(CallError::Request(error));
        }
        if !self.path.starts_with('/') {
            return Err(CallError::Request("its path must begin with '/'".to_owned()));
        }
        let (balancer, service) = (&self.service.balancer, &self.service.name);
        let safe = is_safe(&self.method, self.headers.contains_key(KEY));
        if !balancer.is_ready().await {
            return Err(CallError::RegistryUnknown);
        }
        let mut tried: Vec<String> = Vec::new();
        let mut last = None;
        for attempt in 1..=balancer.0.options.attempts_max {
            // The copy as it is by now: while we tried, some may have gone or come.
            let chosen = balancer.choose(&balancer.fleet(), service, &tried);
            let Some((mut flight, url)) = chosen else { break };
            // The first is free; and a choice that is not used is no call.
            if attempt > 1 && !balancer.may_repeat(service) {
                break;
            }
            let request = balancer.0.client.request(self.method.clone(), join(&url, &self.path));
            let request = request.headers(self.headers.clone()).timeout(self.timeout);
            let request = match &self.body {
                Some(body) => request.body(body.clone()),
                None => request,
            };
            let answer = request.send().await;
            let failure = judge(&mut flight, &answer);
            tried.push(flight.instance.clone());
            drop(flight);
            last = Some((url, answer));
            if failure.is_none_or(|failure| !may_repeat(failure, safe)) {
                break;
            }
        }
        let attempts = u32::try_from(tried.len()).unwrap_or(u32::MAX);
        match last {
            None => Err(CallError::NoInstance { service: service.clone() }),
            Some((_, Ok(response))) => Ok(response),
            Some((_, Err(error))) if error.is_builder() => Err(CallError::Request(error.to_string())),
            Some((url, Err(error))) => Err(CallError::Failed {
                service: service.clone(),
                instance: tried.pop().unwrap_or_default(),
                attempts,
                cause: ClientError::transport(&url, &error),
            }),
        }
    }
}

/// What an attempt says of the instance; and the failure, if it was one.
fn judge(flight: &mut Flight, answer: &Result<Response, reqwest::Error>) -> Option<Failure> {
    let (outcome, failure) = match answer {
        Ok(response) => match failure(response.status()) {
            Some(failure) => (Outcome::Failed, Some(failure)),
            None => (Outcome::Answered, None),
        },
        Err(error) if error.is_builder() => (Outcome::Unknown, None),
        Err(error) if error.is_connect() => (Outcome::Refused, Some(Failure::NotSent)),
        Err(_) => (Outcome::Failed, Some(Failure::Unknown)),
    };
    flight.outcome = outcome;
    failure
}

fn join(url: &str, path: &str) -> String {
    format!("{}{path}", url.trim_end_matches('/'))
}

impl IntoFuture for Call {
    type Output = Result<Response, CallError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.make())
    }
}
