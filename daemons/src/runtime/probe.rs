//! One probe of one instance: does it answer, how fast, and if not, in which
//! phase did it fail.

use reqwest::{Client, Url};
use shared::client::{http, root_cause};
use shared::wire::health;
use shared::wire::monitor::Phase;
use std::error::Error;
use std::time::{Duration, Instant};
use tokio::net::{TcpStream, lookup_host};

/// How much of an answer is read.
const BODY_MAX: usize = 64 * 1024;

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How long it took.
    pub latency: Duration,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
}

/// Why a probe failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The phase in which it failed.
    pub phase: Phase,
    /// The failure in words.
    pub detail: String,
}

impl Failure {
    fn new(phase: Phase, detail: impl ToString) -> Self {
        Self { phase, detail: detail.to_string() }
    }
}

/// Probes; each probe makes a connection of its own, for connecting is part of
/// what is probed.
#[derive(Clone)]
pub struct Prober(Client);

impl Prober {
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new() -> Result<Self, reqwest::Error> {
        http::build(|builder| builder.pool_max_idle_per_host(0)).map(Self)
    }

    /// Probes `url` (`http://`, `https://` or `tcp://`) for at most `timeout`.
    pub async fn probe(&self, url: &str, timeout: Duration) -> Outcome {
        let began = Instant::now();
        let result = tokio::time::timeout(timeout, self.attempt(url)).await;
        let latency = began.elapsed();
        let failure = match result {
            Ok(result) => result.err(),
            Err(_) => {
                Some(Failure::new(Phase::Timeout, format!("no answer within {} ms", timeout.as_millis())))
            }
        };
        Outcome { latency, failure }
    }

    async fn attempt(&self, url: &str) -> Result<(), Failure> {
        let url = Url::parse(url).map_err(|e| Failure::new(Phase::Dns, format!("not a URL: {e}")))?;
        let host = url.host_str().ok_or_else(|| Failure::new(Phase::Dns, "the URL has no host"))?;
        let port =
            url.port_or_known_default().ok_or_else(|| Failure::new(Phase::Connect, "the URL has no port"))?;
        let addresses: Vec<_> = lookup_host((host.trim_matches(['[', ']']), port))
            .await
            .map_err(|e| Failure::new(Phase::Dns, e))?
            .collect();
        match url.scheme() {
            "tcp" => TcpStream::connect(addresses.as_slice())
                .await
                .map(drop)
                .map_err(|e| Failure::new(Phase::Connect, e)),
            _ => self.http(url).await,
        }
    }

    async fn http(&self, url: Url) -> Result<(), Failure> {
        let mut response = self.0.get(url).send().await.map_err(|e| classify(&e))?;
        let status = response.status();
        if !status.is_success() {
            return Err(Failure::new(Phase::Http, format!("status {status}")));
        }
        let is_health = response
            .headers()
            .get("content-type")
            .is_some_and(|value| value.as_bytes().starts_with(health::MEDIA_TYPE.as_bytes()));
        let mut body = Vec::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|e| Failure::new(Phase::Body, root_cause(&e)))?
        {
            body.extend_from_slice(&chunk);
            if body.len() > BODY_MAX {
                break;
            }
        }
        match serde_json::from_slice::<health::Health>(&body) {
            Ok(report) if is_health && report.status == health::Status::Fail => {
                let why = report.checks.values().find(|check| check.status == health::Status::Fail);
                let why = why.and_then(|check| check.output.clone()).unwrap_or_default();
                Err(Failure::new(Phase::Body, format!("it reports that it fails: {why}")))
            }
            _ => Ok(()),
        }
    }
}

/// The phase from what reqwest tells: an error of the operating system while
/// connecting is one of the connection; any other while connecting to
/// `https://` is one of the secure session, for the address was resolved before.
fn classify(error: &reqwest::Error) -> Failure {
    let by_the_system = |cause: &(dyn Error + 'static)| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|e| e.raw_os_error().is_some())
    };
    let mut cause = error.source();
    while cause.is_some_and(|cause| !by_the_system(cause)) {
        cause = cause.and_then(Error::source);
    }
    let by_the_system = cause.is_some();
    let secure = error.url().is_some_and(|url| url.scheme() == "https");
    let phase = match error {
        error if error.is_timeout() => Phase::Timeout,
        error if error.is_connect() && secure && !by_the_system => Phase::Tls,
        error if error.is_connect() => Phase::Connect,
        _ => Phase::Http,
    };
    Failure::new(phase, root_cause(error))
}
