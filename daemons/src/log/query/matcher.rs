//! A query made ready to be asked of many lines.

use super::bounds::Bounds;
use super::finder::{Finder, begins_in_word, compile_regex, ends_in_word, has_capital, regex_has_capital};
use super::literal::Literal;
use super::required::{Part, Required};
use super::{Comparison, Expr, Pattern, QueryError, parse};
use crate::log::decimal::Decimal;
use crate::log::fields::{self, Fields};
use crate::log::line::{Line, escape_service};
use crate::log::time;
use crate::log::words::{is_word, mask, strip_ansi, strip_ansi_str};
use regex_automata::meta::Regex;
use shared::wire::log::Level;
use std::borrow::Cow;
use std::sync::OnceLock;

/// A predicate on records.
#[derive(Debug)]
pub struct Filter {
    /// At least this grave.
    pub(super) min_level: Level,
    /// The service, as lines hold it.
    pub(super) service: Option<Vec<u8>>,
    /// In time and sequence.
    pub bounds: Bounds,
    pub(super) test: Test,
    /// Searches alone want it, and it is large.
    pub(super) literal: OnceLock<Option<Literal>>,
}

/// An [`Expr`] with everything compiled.
#[derive(Debug)]
pub(super) enum Test {
    All,
    And(Vec<Test>),
    Or(Vec<Test>),
    Not(Box<Test>),
    Message(Matcher),
    Service(Matcher),
    Level(Matcher),
    Ts(Matcher),
    Seq(Matcher),
    /// A field of the record's own.
    Field(String, Matcher),
}

/// A [`Pattern`] with everything compiled.
#[derive(Debug)]
pub(super) enum Matcher {
    /// There is something.
    Any,
    /// A text at the edges of words, where its part says so.
    Text { finder: Finder, part: Part },
    /// A regular expression; `local` when what it matches does not depend on
    /// what stands around that.
    Regex { regex: Regex, local: bool, required: Required },
    /// The whole text, its template, and the number that it is.
    Exact { text: String, template: Vec<u8>, number: Option<Decimal> },
    /// A comparison, with the number that it is with.
    Compare(Comparison, String, Option<Decimal>),
}

/// One record, decoded no further than it is asked for.
struct Subject<'l, 'a> {
    line: &'l Line<'a>,
    seq: u64,
    message: Option<Cow<'a, [u8]>>,
    fields: Option<Option<Fields<'a>>>,
}

impl Filter {
    /// A filter by query alone.
    ///
    /// # Errors
    /// Where the query is wrong.
    pub fn parse(query: &str) -> Result<Self, QueryError> {
        Ok(Self {
            min_level: Level::Trace,
            service: None,
            bounds: Bounds::default(),
            test: compile(parse::parse(query)?)?,
            literal: OnceLock::new(),
        })
    }

    /// Only this level or graver.
    #[must_use]
    pub fn min_level(self, level: Level) -> Self {
        Self { min_level: level, ..self }
    }

    /// Only this service.
    #[must_use]
    pub fn service(self, service: &str) -> Self {
        Self { service: Some(escape_service(service).into_owned()), ..self }
    }

    /// Whether a record is one of those.
    pub fn matches(&self, seq: u64, line: &Line<'_>) -> bool {
        line.level >= self.min_level
            && self.bounds.contain(seq, line.ts_ns)
            && self.service.as_ref().is_none_or(|service| line.is_service(service))
            && self.test.holds(&mut Subject { line, seq, message: None, fields: None })
    }
}

fn compile(expr: Expr) -> Result<Test, QueryError> {
    let all = |exprs: Vec<Expr>| exprs.into_iter().map(compile).collect::<Result<Vec<_>, _>>();
    Ok(match expr {
        Expr::All => Test::All,
        Expr::And(exprs) => Test::And(all(exprs)?),
        Expr::Or(exprs) => Test::Or(all(exprs)?),
        Expr::Not(expr) => Test::Not(Box::new(compile(*expr)?)),
        Expr::Match(field, pattern) => match field.as_deref() {
            None | Some("message" | "_msg") => Test::Message(Matcher::compile(pattern.without_ansi())?),
            Some("service") => Test::Service(Matcher::compile(pattern)?),
            Some("level") => Test::Level(Matcher::compile(match pattern {
                // Any spelling of a level is that level.
                Pattern::Text { text, start: true, end: true } => Pattern::Exact(text),
                pattern => pattern,
            })?),
            Some("ts" | "_time") => Test::Ts(Matcher::compile(match pattern {
                // A whole time is an instant, however it is written; a part of one is text.
                Pattern::Text { text, start: true, end: true } if time::parse_rfc3339(&text).is_some() => {
                    Pattern::Exact(text)
                }
                pattern => pattern,
            })?),
            Some("seq") => Test::Seq(Matcher::compile(pattern)?),
            Some(name) => Test::Field(name.to_owned(), Matcher::compile(pattern.without_ansi())?),
        },
    })
}

impl Test {
    fn holds(&self, subject: &mut Subject<'_, '_>) -> bool {
        match self {
            Self::All => true,
            Self::And(tests) => tests.iter().all(|test| test.holds(subject)),
            Self::Or(tests) => tests.iter().any(|test| test.holds(subject)),
            Self::Not(test) => !test.holds(subject),
            Self::Message(matcher) => matcher.holds(subject.message()),
            Self::Service(matcher) => matcher.holds(subject.line.service().as_bytes()),
            Self::Level(matcher) => matcher.holds_level(subject.line.level),
            Self::Ts(matcher) => matcher.holds_time(subject.line.ts_ns),
            Self::Seq(matcher) => matcher.holds_json(&subject.seq.to_string()),
            Self::Field(name, matcher) => subject.field(name).is_some_and(|value| matcher.holds_json(value)),
        }
    }
}

impl<'a> Subject<'_, 'a> {
    fn message(&mut self) -> &[u8] {
        self.message.get_or_insert_with(|| match self.line.message() {
            Cow::Borrowed(message) => strip_ansi(message),
            Cow::Owned(message) => Cow::Owned(strip_ansi(&message).into_owned()),
        })
    }

    fn field(&mut self, name: &str) -> Option<&'a str> {
        let json = self.line.fields;
        self.fields.get_or_insert_with(|| json.and_then(Fields::read)).as_ref()?.get(name)
    }
}

impl Matcher {
    fn compile(pattern: Pattern) -> Result<Self, QueryError> {
        let compiled = match pattern {
            Pattern::Any => Ok(Self::Any),
            Pattern::Text { text, start, end } => {
                let any_case = !has_capital(&text);
                Finder::of_lines(&text, any_case).map(|finder| {
                    // At the edge of a word only where the text itself has one.
                    let start = start && text.chars().next().is_some_and(is_word);
                    let end = end && text.chars().next_back().is_some_and(is_word);
                    Self::Text { finder, part: Part::new(text, any_case, start, end) }
                })
            }
            Pattern::Regex(regex) => {
                compile_regex(&regex, regex_has_capital(&regex)).map(|(regex, hir)| Self::Regex {
                    regex,
                    local: hir.properties().look_set().is_empty(),
                    required: Required::of(&hir),
                })
            }
            Pattern::Exact(text) => {
                let mut template = Vec::with_capacity(text.len());
                mask(&text, &mut template, |_| ());
                let number = Decimal::parse(&text);
                Ok(Self::Exact { text, template, number })
            }
            Pattern::Compare(comparison, value) => {
                let number = Decimal::parse(&value);
                Ok(Self::Compare(comparison, value, number))
            }
        };
        compiled.map_err(|reason| QueryError { position: 0, reason })
    }

    pub(super) fn holds(&self, text: &[u8]) -> bool {
        match self {
            Self::Any => !text.is_empty(),
            Self::Text { finder, part } => finder.find(text, |from, to| {
                (!part.start || !ends_in_word(text.get(..from).unwrap_or_default()))
                    && (!part.end || !begins_in_word(text.get(to..).unwrap_or_default()))
            }),
            Self::Regex { regex, .. } => regex.is_match(text),
            Self::Exact { text: exact, .. } => text == exact.as_bytes(),
            Self::Compare(comparison, value, number) => {
                let text = String::from_utf8_lossy(text);
                match number {
                    Some(wanted) => {
                        Decimal::parse(&text).is_some_and(|number| comparison.holds(number.cmp(wanted)))
                    }
                    None => comparison.holds(text.as_ref().cmp(value.as_str())),
                }
            }
        }
    }

    /// Whether a JSON value matches. Numbers are equal by value, texts by character.
    fn holds_json(&self, value: &str) -> bool {
        let is_number = value.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        match self {
            Self::Exact { text, number: Some(number), .. } if is_number => {
                value == text || Decimal::parse(value).as_ref() == Some(number)
            }
            _ => self.holds(strip_ansi_str(&fields::text(value)).as_bytes()),
        }
    }

    /// Levels compare by gravity and match by any of their spellings.
    pub(super) fn holds_level(&self, level: Level) -> bool {
        match self {
            Self::Compare(comparison, value, _) => {
                value.parse::<Level>().is_ok_and(|wanted| comparison.holds(level.cmp(&wanted)))
            }
            Self::Exact { text, .. } => text.parse() == Ok(level),
            matcher => matcher.holds(level.as_str().as_bytes()) || matcher.holds(level.as_upper().as_bytes()),
        }
    }

    /// Times compare and are equal as instants, not as texts.
    fn holds_time(&self, ts_ns: i64) -> bool {
        match self {
            Self::Compare(comparison, value, _) => {
                time::parse_day(value).is_some_and(|wanted| comparison.holds(ts_ns.cmp(&wanted)))
            }
            Self::Exact { text, .. } => time::parse_day(text) == Some(ts_ns),
            matcher => matcher.holds(time::to_rfc3339(ts_ns).as_bytes()),
        }
    }
}
