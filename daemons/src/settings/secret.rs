//! Values that must not be shown: in no listing, no diagnostics, no answer.

use reqwest::Url;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A password or a token.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text to itself.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret, for the one who needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// A URL of somebody else's; with many, whoever knows the path may post, so
/// that only the scheme and the host are shown. Empty: none.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Target(String);

impl Target {
    /// The URL itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether none was given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Target {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let holds = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        if text.is_empty() || Url::parse(text).is_ok_and(|url| holds(&url)) {
            Ok(Self(text.to_owned()))
        } else {
            Err("that is not a URL; write it as https://host/path")
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(url) = Url::parse(&self.0) else { return Ok(()) };
        write!(f, "{}", url.origin().ascii_serialization())?;
        if url.path() == "/" && url.query().is_none() { Ok(()) } else { f.write_str("/…") }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_url_only_the_host_is_shown() {
        for (url, shown) in [
            ("https://hooks.example/services/T0/B0/secret", "https://hooks.example/…"),
            ("http://user:secret@h:8080/", "http://h:8080"),
            ("https://h?key=secret", "https://h/…"),
            ("", ""),
        ] {
            let target: Target = url.parse().unwrap();
            assert_eq!((target.reveal(), format!("{target:?}")), (url, shown.to_owned()));
        }
        for text in ["nonsense", "ftp://h/", "file:///etc/passwd", "http://"] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
