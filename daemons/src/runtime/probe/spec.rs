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

use super::expect::{Statuses, Wanted};
use hickory_proto::rr::{Name, RecordType};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use shared::span::Span;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

/// A certificate is worth a warning so long before its end.
const WARN: Duration = Duration::from_secs(14 * 86_400);
/// Spans that can be given: more often would be a load, less often no probe.
const INTERVALS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(7 * 86_400);
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(60);
/// Probes in a row that can be asked for.
const STREAKS: RangeInclusive<u32> = 1..=1_000;
/// Headers that can be sent or expected.
const HEADERS_MAX: usize = 16;

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

/// What the metadata says and was not taken up yet.
struct Said<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Said<'a> {
    fn new(metadata: &'a BTreeMap<String, String>) -> Self {
        let ours = metadata.iter().filter(|(key, _)| concerns(key));
        Self(ours.map(|(key, value)| (key.as_str(), value.as_str())).collect())
    }

    fn text(&mut self, key: &str) -> Option<&'a str> {
        self.0.remove(key)
    }

    /// The value of `distlog.probe.<key>`.
    fn value<T: FromStr<Err: ToString>>(&mut self, key: &str) -> Result<Option<T>, Fault> {
        let key = format!("distlog.probe.{key}");
        let value = self.text(&key).map(str::parse).transpose();
        value.map_err(|error: T::Err| Fault { key, reason: error.to_string() })
    }

    fn span(&mut self, key: &str, spans: &RangeInclusive<Duration>) -> Result<Option<Duration>, Fault> {
        match self.value::<Span>(key)? {
            Some(Span(span)) if !spans.contains(&span) => Err(Fault {
                key: format!("distlog.probe.{key}"),
                reason: format!("must be from {} to {}", Span(*spans.start()), Span(*spans.end())),
            }),
            span => Ok(span.map(|Span(span)| span)),
        }
    }

    fn streak(&mut self, key: &str) -> Result<Option<u32>, Fault> {
        let Some(text) = self.text(key) else { return Ok(None) };
        match text.parse() {
            Ok(count) if STREAKS.contains(&count) => Ok(Some(count)),
            _ => Err(Fault {
                key: key.to_owned(),
                reason: format!("must be a whole number from {} to {}", STREAKS.start(), STREAKS.end()),
            }),
        }
    }

    /// Lines of `Name: value`.
    fn headers<T>(
        &mut self,
        key: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Vec<(HeaderName, T)>, Fault> {
        let key = format!("distlog.probe.{key}");
        let lines = self.text(&key).unwrap_or_default().lines().filter(|line| !line.trim().is_empty());
        let header = |line: &str| {
            let (name, value) = line.split_once(':').ok_or("must be written as Name: value")?;
            let name = HeaderName::try_from(name.trim()).map_err(|_| "is no name of a header")?;
            Ok((name, read(value.trim())?))
        };
        let headers: Result<Vec<_>, String> = lines.map(header).collect();
        match headers {
            Ok(headers) if headers.len() <= HEADERS_MAX => Ok(headers),
            Ok(_) => Err(Fault { key, reason: format!("has more than {HEADERS_MAX} headers") }),
            Err(reason) => Err(Fault { key, reason }),
        }
    }

    fn http(&mut self, url: &str) -> Result<Http, Fault> {
        let url = parse_url(url)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Fault::of_url("must begin with http:// or https:// for this probe"));
        }
        let value = |text: &str| {
            HeaderValue::try_from(text).map_err(|_| "has a value that cannot be sent".to_owned())
        };
        let wanted = |text: &str| text.parse::<Wanted>();
        Ok(Http {
            url,
            headers: self.headers("header", value)?.into_iter().collect(),
            follow: self.value("follow")?.unwrap_or(false),
            status: self.value("status")?.unwrap_or_default(),
            body: self.value("body")?,
            expect_headers: self.headers("expect_header", wanted)?,
            warn: self.value("warn")?.map_or(WARN, |Span(span)| span),
        })
    }

    fn dns(&mut self, url: &str) -> Result<Dns, Fault> {
        let missing = || Fault {
            key: "distlog.probe.query".to_owned(),
            reason: "is missing: which name is asked for?".to_owned(),
        };
        let mut name: Name = self.value("query")?.ok_or_else(missing)?;
        // It is asked for as it stands, with or without a dot at its end.
        name.set_fqdn(true);
        let kind = self.value::<String>("type")?.unwrap_or_else(|| "A".to_owned()).to_ascii_uppercase();
        let kind = kind.parse().map_err(|_| Fault {
            key: "distlog.probe.type".to_owned(),
            reason: "is no kind of record: A, AAAA, CNAME, MX, NS, SRV, TXT, …".to_owned(),
        })?;
        Ok(Dns { server: place(url, Some(53))?, name, kind, expect: self.value("expect")? })
    }

    /// What nobody took up is a mistake: a misspelt key would go unnoticed.
    fn rest(self) -> Result<(), Fault> {
        match self.0.into_keys().next() {
            None => Ok(()),
            Some(key) => Err(Fault {
                key: key.chars().take(80).collect(),
                reason: "says nothing to this kind of probe".to_owned(),
            }),
        }
    }
}

impl Fault {
    fn of_url(reason: impl ToString) -> Self {
        Self { key: "url".to_owned(), reason: reason.to_string() }
    }
}

fn parse_url(url: &str) -> Result<Url, Fault> {
    Url::parse(url).map_err(|error| Fault::of_url(format!("is not a URL: {error}")))
}

fn place(url: &str, port: Option<u16>) -> Result<Place, Fault> {
    let url = parse_url(url)?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| Fault::of_url("has no host"))?;
    let port = url.port_or_known_default().or(port).ok_or_else(|| Fault::of_url("has no port"))?;
    Ok(Place { host: host.trim_matches(['[', ']']).to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str, metadata: &[(&str, &str)]) -> Result<Spec, String> {
        let metadata = metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Spec::parse(url, &metadata).map_err(|fault| fault.to_string())
    }

    #[test]
    fn the_url_says_what_is_probed_where_the_metadata_does_not() {
        assert!(matches!(parse("http://h:1/x", &[]).unwrap().kind, Kind::Http(_)));
        assert!(matches!(parse("tcp://h:1", &[("weight", "3")]).unwrap().kind, Kind::Tcp(_)));
        assert!(matches!(parse("http://h:1/", &[("distlog.probe", "lease")]).unwrap().kind, Kind::Lease));
        let Kind::Tls { place, .. } = parse("https://[::1]", &[("distlog.probe", "tls")]).unwrap().kind
        else {
            panic!("no tls probe")
        };
        assert_eq!(place, Place { host: "::1".to_owned(), port: 443 });
    }

    #[test]
    fn every_key_is_taken_up() {
        let metadata = [
            ("distlog.probe.status", "200-299,401"),
            ("distlog.probe.body", "~ok$"),
            ("distlog.probe.header", "Authorization: Bearer x\nX-Two: 2"),
            ("distlog.probe.expect_header", "Content-Type: json"),
            ("distlog.probe.follow", "true"),
            ("distlog.probe.interval", "30s"),
            ("distlog.probe.timeout", "500ms"),
            ("distlog.failures", "5"),
        ];
        let spec = parse("http://h:1/", &metadata).unwrap();
        let Kind::Http(http) = spec.kind else { panic!("no http probe") };
        assert_eq!((http.headers.len(), http.expect_headers.len(), http.follow), (2, 1, true));
        assert_eq!((spec.interval, spec.failures), (Some(Duration::from_secs(30)), Some(5)));
        let dns =
            [("distlog.probe", "dns"), ("distlog.probe.query", "a.example"), ("distlog.probe.type", "srv")];
        let Kind::Dns(dns) = parse("tcp://127.0.0.1:5353", &dns).unwrap().kind else {
            panic!("no dns probe")
        };
        assert_eq!(
            (dns.server.port, dns.kind, dns.name.to_string().as_str()),
            (5353, RecordType::SRV, "a.example.")
        );
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (metadata, want) in [
            (("distlog.probe", "smoke"), "distlog.probe: 'smoke' is no probe"),
            (("distlog.probe.status", "2xx"), "distlog.probe.status: '2xx' is no list"),
            (("distlog.probe.body", "~("), "distlog.probe.body: is no regular expression"),
            (("distlog.probe.stauts", "200"), "distlog.probe.stauts: says nothing"),
            (("distlog.probe.header", "no colon"), "distlog.probe.header: must be written"),
            (("distlog.probe.interval", "1ms"), "distlog.probe.interval: must be from 100ms"),
            (("distlog.probe.timeout", "1h"), "distlog.probe.timeout: must be from 10ms to 1m"),
            (("distlog.failures", "0"), "distlog.failures: must be a whole number from 1"),
            (("distlog.probe", "dns"), "distlog.probe.query: is missing"),
        ] {
            let error = parse("http://h:1/", &[metadata]).unwrap_err();
            assert!(error.starts_with(want), "{error}");
        }
    }
}
