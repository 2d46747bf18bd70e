//! Which records are shown: what was typed, and what was toggled.

use chrono::{DateTime, SecondsFormat, Utc};
use shared::client::LogQuery;
use shared::wire::log::Level;
use std::borrow::Cow;

/// How many services can be toggled: each is a pattern of the query, of which
/// the log takes 64.
pub const SERVICES_MAX: usize = 32;

/// The levels that are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Levels(u8);

impl Default for Levels {
    fn default() -> Self {
        Self::from(Level::Trace)
    }
}

impl Levels {
    const fn bit(level: Level) -> u8 {
        1 << level as u8
    }

    /// A level and those that are graver.
    pub fn from(least: Level) -> Self {
        Self(Level::ALL.iter().filter(|level| **level >= least).fold(0, |set, level| set | Self::bit(*level)))
    }

    /// One level alone.
    pub const fn only(level: Level) -> Self {
        Self(Self::bit(level))
    }

    /// Whether a level is shown.
    pub const fn has(self, level: Level) -> bool {
        self.0 & Self::bit(level) != 0
    }

    /// With a level shown that was not, or the other way round. The last one
    /// stays: a log without any level is no view of it.
    #[must_use]
    pub const fn toggled(self, level: Level) -> Self {
        match self.0 ^ Self::bit(level) {
            0 => self,
            levels => Self(levels),
        }
    }

    /// The least level, where it and all that are graver are shown.
    pub fn least(self) -> Option<Level> {
        Level::ALL.into_iter().find(|least| Self::from(*least) == self)
    }

    /// Those of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is shown, in a few words; none where all are.
    pub fn words(self) -> Option<String> {
        match self.least() {
            Some(Level::Trace) => None,
            Some(Level::Fatal) => Some("fatal".to_owned()),
            Some(least) => Some(format!("{least} or above")),
            None => Some(self.names().join(", ")),
        }
    }

    fn names(self) -> Vec<&'static str> {
        Level::ALL.into_iter().filter(|level| self.has(*level)).map(Level::as_str).collect()
    }
}

/// The services that are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ServiceFilter {
    /// All of them.
    #[default]
    All,
    /// These.
    Only(Vec<String>),
    /// All but these.
    But(Vec<String>),
}

impl ServiceFilter {
    /// Whether a service is shown.
    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.iter().any(|known| known == name),
            Self::But(names) => !names.iter().any(|known| known == name),
        }
    }

    /// With a service shown that was not, or the other way round; as it was
    /// where that is one too many.
    #[must_use]
    pub fn toggled(&self, name: &str) -> Self {
        let (mut names, listed) = match self {
            Self::All => (Vec::new(), Self::But as fn(Vec<String>) -> Self),
            Self::Only(names) => (names.clone(), Self::Only as fn(Vec<String>) -> Self),
            Self::But(names) => (names.clone(), Self::But as fn(Vec<String>) -> Self),
        };
        match names.iter().position(|known| known == name) {
            Some(at) => drop(names.remove(at)),
            None if names.len() < SERVICES_MAX => names.push(name.to_owned()),
            None => {}
        }
        match (names.is_empty(), self) {
            // The last one stays: a log without any service is no view of it.
            (true, Self::Only(_)) => self.clone(),
            (true, _) => Self::All,
            (false, _) => listed(names),
        }
    }

    /// What is shown, in a few words; none where all are.
    pub fn words(&self) -> Option<String> {
        match self {
            Self::All => None,
            Self::Only(names) => Some(names.join(", ")),
            Self::But(names) => Some(format!("without {}", names.join(", "))),
        }
    }
}

/// A stretch of time: from the first moment up to the second, which is not part
/// of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The first moment.
    pub since: DateTime<Utc>,
    /// The moment after the last.
    pub until: DateTime<Utc>,
}

/// Which records are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// A query in the query language; empty for all.
    pub query: String,
    /// Only these services.
    pub services: ServiceFilter,
    /// Only these levels.
    pub levels: Levels,
    /// Only this stretch of time.
    pub stretch: Option<Stretch>,
}

impl Filter {
    /// Whether every record passes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// One service alone.
    pub fn of_service(service: String) -> Self {
        Self { services: ServiceFilter::Only(vec![service]), ..Self::default() }
    }

    /// Only records of this level or graver.
    #[must_use]
    pub fn at_least(&self, level: Level) -> Self {
        Self { levels: self.levels.and(Levels::from(level)), ..self.clone() }
    }

    /// The filter as the log takes it. A level or a service alone goes into a
    /// parameter, which the log's index answers; what is more goes into the
    /// query.
    pub fn to_query(&self) -> LogQuery {
        let mut parts = Vec::new();
        let level = self.levels.least().filter(|least| *least > Level::Trace);
        if self.levels.least().is_none() {
            parts.push(format!("level:({})", self.levels.names().join(" OR ")));
        }
        let exact = |name: &String| format!("service:={}", quoted(name));
        let service = match &self.services {
            ServiceFilter::Only(names) => match names.as_slice() {
                [name] => Some(name.clone()),
                names => {
                    let any: Vec<String> = names.iter().map(exact).collect();
                    parts.push(format!("({})", any.join(" OR ")));
                    None
                }
            },
            ServiceFilter::But(names) => {
                parts.extend(names.iter().map(|name| format!("-{}", exact(name))));
                None
            }
            ServiceFilter::All => None,
        };
        let typed = self.query.trim();
        let q = match (typed.is_empty(), parts.is_empty()) {
            (true, _) => parts.join(" "),
            (false, true) => typed.to_owned(),
            (false, false) => format!("({typed}) {}", parts.join(" ")),
        };
        let moment = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        LogQuery {
            q,
            service,
            level,
            since: self.stretch.map(|stretch| moment(stretch.since)),
            until: self.stretch.map(|stretch| moment(stretch.until)),
            ..LogQuery::default()
        }
    }
}

/// A text as the query language quotes it.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A term that only records with this value of a field match.
pub fn term(field: &str, value: &str) -> String {
    format!("{}:={}", field_name(field), bare(value))
}

/// The name of a field as the query language takes it.
pub(super) fn field_name(field: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if !field.is_empty() && field.chars().all(plain) && !field.starts_with('-') {
        field.to_owned()
    } else {
        quoted(field)
    }
}

/// A value as the query language takes it: quoted where it has to be.
pub(super) fn bare(value: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    if !value.is_empty() && value.chars().all(plain) {
        Cow::Borrowed(value)
    } else {
        Cow::Owned(quoted(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_toggled_goes_to_the_log_beside_what_was_typed() {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let typed = "a OR b".to_owned();
        for (filter, q, service, level) in [
            (Filter::default(), "", None, None),
            (Filter { query: typed.clone(), ..Filter::default() }, "a OR b", None, None),
            (Filter::of_service("S 1".to_owned()), "", Some("S 1"), None),
            (Filter::default().at_least(Level::Warn), "", None, Some(Level::Warn)),
            (
                Filter {
                    levels: Levels::default().toggled(Level::Info),
                    query: typed.clone(),
                    ..Filter::default()
                },
                "(a OR b) level:(trace OR debug OR warn OR error OR fatal)",
                None,
                None,
            ),
            (
                Filter { services: ServiceFilter::Only(names(&["A", "B"])), ..Filter::default() },
                "(service:=\"A\" OR service:=\"B\")",
                None,
                None,
            ),
            (
                Filter {
                    services: ServiceFilter::But(names(&["A", "\"B\\"])),
                    query: typed,
                    ..Filter::default()
                },
                "(a OR b) -service:=\"A\" -service:=\"\\\"B\\\\\"",
                None,
                None,
            ),
        ] {
            let query = filter.to_query();
            assert_eq!((query.q.as_str(), query.service.as_deref(), query.level), (q, service, level));
        }
    }

    #[test]
    fn levels_and_services_are_toggled_one_by_one() {
        let levels = Levels::default().toggled(Level::Trace).toggled(Level::Debug);
        assert_eq!((levels.least(), levels.words()), (Some(Level::Info), Some("info or above".to_owned())));
        assert_eq!(
            Levels::only(Level::Warn).toggled(Level::Warn),
            Levels::only(Level::Warn),
            "the last one stays"
        );
        assert_eq!(Levels::only(Level::Warn).words(), Some("warn".to_owned()));
        let services = ServiceFilter::All.toggled("A").toggled("B");
        assert_eq!(services.words(), Some("without A, B".to_owned()));
        assert!(!services.has("A") && services.has("C"));
        assert_eq!(services.toggled("A").toggled("B"), ServiceFilter::All);
        let mut many = ServiceFilter::All;
        for n in 0..99 {
            many = many.toggled(&n.to_string());
        }
        assert!(many.has("98") && !many.has("31"), "no more than the log takes");
    }

    #[test]
    fn a_term_is_quoted_where_it_has_to_be() {
        for (field, value, want) in [
            ("code", "28", "code:=28"),
            ("a.b", "x y", "a.b:=\"x y\""),
            ("my field", "", "\"my field\":=\"\""),
            ("path", "/var/\"x\"", "path:=\"/var/\\\"x\\\"\""),
        ] {
            assert_eq!(term(field, value), want);
        }
    }
}
