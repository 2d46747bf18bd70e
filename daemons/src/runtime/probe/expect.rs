//! What an answer has to be.

use regex_automata::meta::{Config, Regex};
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// What a compiled pattern may take, in bytes; whoever registers writes it.
const REGEX_BYTES_MAX: usize = 256 * 1024;
/// The longest text that is looked for, in bytes.
const TEXT_MAX: usize = 1_000;
/// Status codes and spans of them that can be listed.
const STATUSES_MAX: usize = 32;

/// Status codes, such as `200-299,401`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses(Vec<RangeInclusive<u16>>);

impl Default for Statuses {
    fn default() -> Self {
        Self(vec![200..=299])
    }
}

impl Statuses {
    /// Whether a status is one of them.
    pub fn has(&self, status: u16) -> bool {
        self.0.iter().any(|span| span.contains(&status))
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, span) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            match (span.start(), span.end()) {
                (from, to) if from == to => write!(f, "{comma}{from}")?,
                (from, to) => write!(f, "{comma}{from}-{to}")?,
            }
        }
        Ok(())
    }
}

impl FromStr for Statuses {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            let shown: String = text.chars().take(60).collect();
            format!("'{shown}' is no list of status codes: write it as 200-299,401")
        };
        let code = |code: &str| -> Result<u16, String> {
            code.trim().parse().ok().filter(|code| (100..=999).contains(code)).ok_or_else(wrong)
        };
        let span = |span: &str| -> Result<RangeInclusive<u16>, String> {
            let (from, to) = span.split_once('-').unwrap_or((span, span));
            let span = code(from)?..=code(to)?;
            if span.is_empty() { Err(wrong()) } else { Ok(span) }
        };
        let spans = text.split(',').map(span).collect::<Result<Vec<_>, _>>()?;
        if spans.len() > STATUSES_MAX { Err(wrong()) } else { Ok(Self(spans)) }
    }
}

/// A text that is to be found; with `~` before it, a regular expression.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// As it is written.
    Text(String),
    /// A pattern, as it is written and ready to search with.
    Pattern(String, Box<Regex>),
}

impl Wanted {
    /// Whether it is found.
    pub fn is_in(&self, text: &[u8]) -> bool {
        match self {
            Self::Text(wanted) => memchr::memmem::find(text, wanted.as_bytes()).is_some(),
            Self::Pattern(_, regex) => regex.is_match(text),
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "'{text}'"),
            Self::Pattern(pattern, _) => write!(f, "~'{pattern}'"),
        }
    }
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.len() > TEXT_MAX {
            return Err(format!("must be a text of 1 to {TEXT_MAX} bytes"));
        }
        let Some(pattern) = text.strip_prefix('~') else { return Ok(Self::Text(text.to_owned())) };
        let limits = Config::new()
            .nfa_size_limit(Some(REGEX_BYTES_MAX))
            .onepass_size_limit(Some(REGEX_BYTES_MAX))
            .hybrid_cache_capacity(REGEX_BYTES_MAX);
        let regex = Regex::builder().configure(limits).build(pattern);
        regex.map(|regex| Self::Pattern(pattern.to_owned(), Box::new(regex))).map_err(|error| {
            let why = error.syntax_error().map_or_else(|| error.to_string(), ToString::to_string);
            format!("is no regular expression: {}", why.lines().last().unwrap_or_default())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_codes_and_spans() {
        let statuses: Statuses = "200-299, 401".parse().unwrap();
        assert_eq!(
            [200, 299, 401, 300, 400].map(|code| statuses.has(code)),
            [true, true, true, false, false]
        );
        assert_eq!(statuses.to_string(), "200-299,401");
        for text in ["", "2xx", "299-200", "99", "1000", "200,,201", &"200,".repeat(99)] {
            assert!(text.parse::<Statuses>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_text_or_a_pattern_is_to_be_found() {
        for (wanted, text, found) in [
            ("ok", "all ok", true),
            ("OK", "all ok", false),
            ("~(?i)OK$", "all ok", true),
            ("~^ok", "all ok", false),
        ] {
            assert_eq!(wanted.parse::<Wanted>().unwrap().is_in(text.as_bytes()), found, "{wanted}");
        }
        assert!("~(".parse::<Wanted>().unwrap_err().contains("regular expression"));
        assert!("~(a{1000}){1000}".parse::<Wanted>().is_err(), "too large");
    }
}
