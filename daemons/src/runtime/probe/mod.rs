//! One probe of one instance: does it answer, how fast, and if not, in which
//! phase did it fail.
//!
//! What is probed and how stands in a [`Spec`]. No probe goes where none may go
//! ([`address`]): link-local addresses and those of cloud metadata are refused
//! when a name is resolved, and the address that was checked is the one that is
//! connected to.

pub mod address;
mod body;
mod certificate;
mod dns;
mod expect;
mod http;
mod spec;
mod tls;

pub use spec::{Kind, Spec, concerns};

use shared::wire::monitor::Phase;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// What a probe found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How long it took.
    pub latency: Duration,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// What is well and will not stay so.
    pub warning: Option<String>,
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
    /// A failure in a phase.
    pub fn new(phase: Phase, detail: impl ToString) -> Self {
        Self { phase, detail: detail.to_string() }
    }
}

/// What goes well, and the warning that comes with it.
type Passed = Result<Option<String>, Failure>;

/// Probes; each probe makes a connection of its own, for connecting is part of
/// what is probed.
#[derive(Clone)]
pub struct Prober {
    http: http::Clients,
    tls: tls::Handshakes,
}

/// Why nothing can be probed.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The HTTP client cannot be set up.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    /// Handshakes cannot be set up.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

impl Prober {
    /// # Errors
    /// When a client cannot be set up.
    pub fn new() -> Result<Self, SetupError> {
        Ok(Self { http: http::Clients::new()?, tls: tls::Handshakes::new()? })
    }

    /// Probes for at most `timeout`, or for as long as the probe itself says.
    pub async fn probe(&self, spec: &Spec, timeout: Duration) -> Outcome {
        let timeout = spec.timeout.unwrap_or(timeout);
        let began = Instant::now();
        let result = tokio::time::timeout(timeout, self.attempt(spec)).await;
        let latency = began.elapsed();
        let passed = result.unwrap_or_else(|_| {
            Err(Failure::new(Phase::Timeout, format!("no answer within {} ms", timeout.as_millis())))
        });
        match passed {
            Ok(warning) => Outcome { latency, failure: None, warning },
            Err(failure) => Outcome { latency, failure: Some(failure), warning: None },
        }
    }

    async fn attempt(&self, spec: &Spec) -> Passed {
        match &spec.kind {
            Kind::Http(probe) => self.http.probe(probe).await,
            Kind::Tcp(place) => {
                connect(&address::resolve(&place.host, place.port).await?).await.map(|_| None)
            }
            Kind::Tls { place, warn } => self.tls.probe(place, *warn).await,
            Kind::Dns(probe) => dns::probe(probe).await,
            // Whoever keeps its lease, or reports by itself, is asked nothing.
            Kind::Lease | Kind::Push => Ok(None),
            Kind::Misconfigured(fault) => Err(Failure::new(Phase::Config, fault)),
        }
    }
}

/// A connection to the first of the addresses that takes one.
async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, Failure> {
    TcpStream::connect(addresses).await.map_err(|e| Failure::new(Phase::Connect, e))
}

#[cfg(test)]
mod tests;
