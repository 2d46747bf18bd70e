//! Metadata, read key by key.

use super::super::expect::Wanted;
use super::{Dns, Fault, Http, Place, WARN, concerns};
use hickory_proto::rr::Name;
use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};
use shared::span::Span;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

/// Probes in a row that can be asked for.
const STREAKS: RangeInclusive<u32> = 1..=1_000;
/// Headers that can be sent or expected.
const HEADERS_MAX: usize = 16;

/// What the metadata says and was not taken up yet.
pub struct Said<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Said<'a> {
    pub fn new(metadata: &'a BTreeMap<String, String>) -> Self {
        let ours = metadata.iter().filter(|(key, _)| concerns(key));
        Self(ours.map(|(key, value)| (key.as_str(), value.as_str())).collect())
    }

    pub fn text(&mut self, key: &str) -> Option<&'a str> {
        self.0.remove(key)
    }

    /// The value of `distlog.probe.<key>`.
    pub fn value<T: FromStr<Err: ToString>>(&mut self, key: &str) -> Result<Option<T>, Fault> {
        let key = format!("distlog.probe.{key}");
        let value = self.text(&key).map(str::parse).transpose();
        value.map_err(|error: T::Err| Fault { key, reason: error.to_string() })
    }

    pub fn span(&mut self, key: &str, spans: &RangeInclusive<Duration>) -> Result<Option<Duration>, Fault> {
        match self.value::<Span>(key)? {
            Some(Span(span)) if !spans.contains(&span) => Err(Fault {
                key: format!("distlog.probe.{key}"),
                reason: format!("must be from {} to {}", Span(*spans.start()), Span(*spans.end())),
            }),
            span => Ok(span.map(|Span(span)| span)),
        }
    }

    pub fn streak(&mut self, key: &str) -> Result<Option<u32>, Fault> {
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
    pub fn headers<T>(
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

    pub fn http(&mut self, url: &str) -> Result<Http, Fault> {
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

    pub fn dns(&mut self, url: &str) -> Result<Dns, Fault> {
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
    pub fn rest(self) -> Result<(), Fault> {
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

pub fn place(url: &str, port: Option<u16>) -> Result<Place, Fault> {
    let url = parse_url(url)?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| Fault::of_url("has no host"))?;
    let port = url.port_or_known_default().or(port).ok_or_else(|| Fault::of_url("has no port"))?;
    Ok(Place { host: host.trim_matches(['[', ']']).to_owned(), port })
}
