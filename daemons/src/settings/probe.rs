//! What is probed beside what is registered, or in another way: one
//! `[[probe]]` of the file each.
//!
//! ```toml
//! [[probe]]                 # something that is not registered
//! name = "Website"
//! url = "https://example.org/"
//! status = "200-299,401"
//! body = "~Welcome|Willkommen"
//! interval = "30s"
//! requires = ["LibraryService"]
//!
//! [[probe]]                 # a job that reports by itself
//! name = "Backup"
//! kind = "push"
//! interval = "1d"
//!
//! [[probe]]                 # without a URL: how a registered service is probed
//! name = "LibraryService"
//! failures = 5
//! ```

use serde::Deserialize;
use shared::credentials::without_password;
use shared::sanitize::is_hazard;
use shared::span::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Probes that can be configured.
const PROBES_MAX: usize = 10_000;
/// The longest name, as of a registered service.
const NAME_MAX: usize = 255;

/// One `[[probe]]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Probe {
    /// The service as which it is listed, or whose probe this is.
    pub name: String,
    /// What is probed; without it this is the probe of a registered service.
    pub url: Option<String>,
    /// How; else as the URL has it.
    pub kind: Option<String>,
    /// The services that it requires.
    pub requires: Vec<String>,
    /// Good status codes.
    status: Option<String>,
    /// What the body has to hold.
    body: Option<String>,
    /// Headers to send.
    headers: Vec<String>,
    /// What the answer's headers have to hold.
    expect_headers: Vec<String>,
    /// Whether redirects are followed.
    follow: Option<bool>,
    /// How long before its end a certificate is worth a warning.
    warn: Option<Span>,
    /// The name that a DNS server is asked for.
    query: Option<String>,
    /// The kind of record.
    #[serde(rename = "type")]
    record: Option<String>,
    /// What an answer has to hold.
    expect: Option<String>,
    /// Time between two probes; of push the longest silence.
    interval: Option<Span>,
    /// Time after which a probe has failed.
    timeout: Option<Span>,
    /// Failures in a row that make it unhealthy.
    failures: Option<u32>,
    /// Successes in a row that make it healthy again.
    successes: Option<u32>,
}

impl Probe {
    /// Whether it is something of its own, and not the probe of a registered service.
    pub fn is_own(&self) -> bool {
        self.url.is_some() || self.kind.as_deref() == Some("push")
    }

    /// What it says, as a registration would say it.
    pub fn metadata(&self) -> BTreeMap<String, String> {
        let lines = |lines: &[String]| Some(lines.join("\n")).filter(|lines| !lines.is_empty());
        let span = |span: Option<Span>| span.map(|span| span.to_string());
        let count = |count: Option<u32>| count.map(|count| count.to_string());
        [
            ("distlog.probe", self.kind.clone()),
            ("distlog.probe.status", self.status.clone()),
            ("distlog.probe.body", self.body.clone()),
            ("distlog.probe.header", lines(&self.headers)),
            ("distlog.probe.expect_header", lines(&self.expect_headers)),
            ("distlog.probe.follow", self.follow.map(|follow| follow.to_string())),
            ("distlog.probe.warn", span(self.warn)),
            ("distlog.probe.query", self.query.clone()),
            ("distlog.probe.type", self.record.clone()),
            ("distlog.probe.expect", self.expect.clone()),
            ("distlog.probe.interval", span(self.interval)),
            ("distlog.probe.timeout", span(self.timeout)),
            ("distlog.failures", count(self.failures)),
            ("distlog.successes", count(self.successes)),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect()
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.kind, &self.url) {
            (kind, Some(url)) => {
                write!(f, "{} {}", kind.as_deref().unwrap_or("as its URL says:"), without_password(url))
            }
            (Some(kind), None) => write!(f, "{kind}"),
            (None, None) => f.write_str("another way to probe what is registered"),
        }
    }
}

/// Whether the names can be: what is probed is looked at by whoever probes.
pub(super) fn check(probes: &[Probe]) -> Result<(), String> {
    if probes.len() > PROBES_MAX {
        return Err(format!("there are more than {PROBES_MAX}"));
    }
    let mut names = BTreeSet::new();
    for Probe { name, .. } in probes {
        let shown: String = name.escape_debug().take(80).collect();
        if name.trim().is_empty() {
            return Err("one has no name".to_owned());
        }
        if name.len() > NAME_MAX || name.chars().any(is_hazard) || matches!(name.as_str(), "." | "..") {
            return Err(format!("'{shown}' cannot be the name of a service"));
        }
        if !names.insert(name) {
            return Err(format!("'{shown}' is there twice"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Probe> {
        #[derive(Deserialize)]
        struct File {
            probe: Vec<Probe>,
        }
        toml::from_str::<File>(text).unwrap().probe
    }

    #[test]
    fn it_says_what_a_registration_would_say() {
        let text =
            "[[probe]]\nname = 'W'\nurl = 'https://h'\nheaders = ['A: 1', 'B: 2']\nfailures = 5\nwarn = '3d'";
        let probe = read(text).remove(0);
        let metadata = probe.metadata();
        assert!(probe.is_own());
        assert_eq!(metadata["distlog.probe.header"], "A: 1\nB: 2");
        assert_eq!(
            (metadata["distlog.failures"].as_str(), metadata["distlog.probe.warn"].as_str()),
            ("5", "3d")
        );
        assert_eq!(metadata.len(), 3);
    }

    #[test]
    fn names_are_there_once_and_can_be_names() {
        for (text, want) in [
            ("[[probe]]\nurl = 'http://h'", "one has no name"),
            ("[[probe]]\nname = 'a'\n[[probe]]\nname = 'a'", "'a' is there twice"),
            ("[[probe]]\nname = \"a\\u0007\"", "cannot be the name"),
        ] {
            let error = check(&read(text)).unwrap_err();
            assert!(error.contains(want), "{error}");
        }
    }
}
