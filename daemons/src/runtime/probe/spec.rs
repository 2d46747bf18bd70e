//! What is probed, and how: from a registration's URL and metadata.
//!
//! | key | says | of kind |
//! |---|---|---|
//! | `distlog.probe` | the kind: `http`, `tcp`, `tls`, `dns`, `lease`, `push`; else as the URL has it | |
//! | `distlog.probe.status` | good status codes, `200-299,401` | http |
//! | `distlog.probe.body` | a text in the body; `~` before it: a regular expression | http |
//! | `distlog.probe.header` | headers to send, `Name: value`, one a line | http |
//! | `distlog.probe.expect_header` | headers of the answer, `Name: text` or `Name: ~regex` | http |
//! | `distlog.probe.follow` | `true`: redirects are followed | http |
//! | `distlog.probe.warn` | how long before its end a certificate is worth a warning, `14d` | http, tls |
//! | `distlog.probe.query`, `.type`, `.expect` | the name, the kind of record (`A`), a text in an answer | dns |
//! | `distlog.probe.interval`, `.timeout` | time between two probes, for one; of push: the longest silence | |
//! | `distlog.failures`, `distlog.successes` | so many in a row flip the status | |

mod said;

use super::expect::{Statuses, Wanted};
use hickory_proto::rr::{Name, RecordType};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName};
use said::{Said, place};
use shared::span::Span;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A certificate is worth a warning so long before its end.
const WARN: Duration = Duration::from_secs(14 * 86_400);
/// Spans that can be given: more often would be a load, less often no probe.
const INTERVALS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(7 * 86_400);
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(60);

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// A name, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// What an HTTP probe asks, and what the answer has to be.
#[derive(Debug, Clone)]
pub struct Http {
    /// What is asked.
    pub url: Url,
    /// With which headers.
    pub headers: HeaderMap,
    /// Whether redirects are followed.
    pub follow: bool,
    /// The good status codes.
    pub status: Statuses,
    /// What the body has to hold.
    pub body: Option<Wanted>,
    /// What the answer's headers have to hold.
    pub expect_headers: Vec<(HeaderName, Wanted)>,
    /// How long before its end a certificate is worth a warning.
    pub warn: Duration,
}

/// What a DNS probe asks.
#[derive(Debug, Clone)]
pub struct Dns {
    /// The server.
    pub server: Place,
    /// The name.
    pub name: Name,
    /// The kind of record.
    pub kind: RecordType,
    /// What one of the answers has to hold.
    pub expect: Option<Wanted>,
}

/// How something is probed.
#[derive(Debug, Clone)]
pub enum Kind {
    /// By an HTTP request.
    Http(Box<Http>),
    /// By a connection.
    Tcp(Place),
    /// By its certificate.
    Tls {
        /// Where it is shown.
        place: Place,
        /// How long before its end it is worth a warning.
        warn: Duration,
    },
    /// By a question.
    Dns(Box<Dns>),
    /// Not at all: it is well while its lease is held.
    Lease,
    /// Not at all: it reports by itself, and its silence is a failure.
    Push,
    /// Not at all: what is said of it makes no sense.
    Misconfigured(String),
}

impl Kind {
    /// Its name; of one that makes no sense, the phase in which it fails.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Http(_) => "http",
            Self::Tcp(_) => "tcp",
            Self::Tls { .. } => "tls",
            Self::Dns(_) => "dns",
            Self::Lease => "lease",
            Self::Push => "push",
            Self::Misconfigured(_) => "config",
        }
    }
}

/// What is probed, and how.
#[derive(Debug, Clone)]
pub struct Spec {
    /// How.
    pub kind: Kind,
    /// The time between two probes, if it is its own; of a push the longest silence.
    pub interval: Option<Duration>,
    /// The time after which a probe has failed, if it is its own.
    pub timeout: Option<Duration>,
    /// Failures in a row that make it unhealthy, if they are its own.
    pub failures: Option<u32>,
    /// Successes in a row that make it healthy again, if they are its own.
    pub successes: Option<u32>,
}

impl Default for Spec {
    fn default() -> Self {
        Kind::Misconfigured("nothing is said of it yet".to_owned()).into()
    }
}

impl From<Kind> for Spec {
    fn from(kind: Kind) -> Self {
        Self { kind, interval: None, timeout: None, failures: None, successes: None }
    }
}

/// A key that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct Fault {
    /// The key of the metadata.
    pub key: String,
    /// What is wrong, and what to do.
    pub reason: String,
}

/// The keys of metadata that say how something is probed.
pub fn concerns(key: &str) -> bool {
    matches!(key, "distlog.probe" | "distlog.failures" | "distlog.successes")
        || key.starts_with("distlog.probe.")
}

impl Spec {
    /// What a URL and metadata say; what makes no sense is a probe that fails
    /// and says why.
    pub fn of(url: &str, metadata: &BTreeMap<String, String>) -> Self {
        Self::parse(url, metadata).unwrap_or_else(|fault| Kind::Misconfigured(fault.to_string()).into())
    }

    /// What a URL and metadata say.
    ///
    /// # Errors
    /// The first key that makes no sense.
    pub fn parse(url: &str, metadata: &BTreeMap<String, String>) -> Result<Self, Fault> {
        let mut said = Said::new(metadata);
        let kind = said.text("distlog.probe");
        let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
        let kind = match kind.unwrap_or(scheme) {
            "http" | "https" => Kind::Http(Box::new(said.http(url)?)),
            "tcp" => Kind::Tcp(place(url, None)?),
            "tls" => Kind::Tls {
                place: place(url, Some(443))?,
                warn: said.value("warn")?.map_or(WARN, |Span(s)| s),
            },
            "dns" => Kind::Dns(Box::new(said.dns(url)?)),
            "lease" => Kind::Lease,
            "push" => Kind::Push,
            other => {
                let shown: String = other.chars().take(40).collect();
                let reason = format!("'{shown}' is no probe: http, tcp, tls, dns, lease or push");
                return Err(Fault { key: "distlog.probe".to_owned(), reason });
            }
        };
        let spec = Self {
            kind,
            interval: said.span("interval", &INTERVALS)?,
            timeout: said.span("timeout", &TIMEOUTS)?,
            failures: said.streak("distlog.failures")?,
            successes: said.streak("distlog.successes")?,
        };
        said.rest()?;
        if spec.interval.is_none() && matches!(spec.kind, Kind::Push) {
            let reason = "is missing: for how long may it be silent?".to_owned();
            return Err(Fault { key: "distlog.probe.interval".to_owned(), reason });
        }
        Ok(spec)
    }

    /// Whether it is asked anything.
    pub const fn is_asked(&self) -> bool {
        !matches!(self.kind, Kind::Lease | Kind::Push)
    }
}

#[cfg(test)]
mod tests;
