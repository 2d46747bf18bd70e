//! A query made ready to be asked of many lines.

use super::bounds::Bounds;
use super::{Comparison, Expr, Pattern, QueryError, parse};
use crate::log::fields::{self, Fields};
use crate::log::line::{Line, escape_service};
use crate::log::time;
use crate::log::words::is_word;
use memchr::memmem;
use regex_automata::Input;
use regex_automata::meta::{Config, Regex};
use regex_automata::util::syntax;
use shared::wire::log::Level;
use std::borrow::Cow;

/// What a compiled pattern may take, in bytes: a query cannot make the daemon grow.
const REGEX_SIZE_MAX: usize = 512 << 10;

/// A predicate on records.
#[derive(Debug)]
pub struct Filter {
    /// At least this grave.
    min_level: Level,
    /// The service, as lines hold it.
    service: Option<Vec<u8>>,
    /// In time and sequence.
    pub bounds: Bounds,
    test: Test,
}

/// An [`Expr`] with everything compiled.
#[derive(Debug)]
enum Test {
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

#[derive(Debug)]
enum Matcher {
    Any,
    Text { finder: Finder, start: bool, end: bool },
    Regex(Regex),
    Exact(String),
    Compare(Comparison, String, Option<f64>),
}

#[derive(Debug)]
enum Finder {
    /// As it is written.
    Sensitive(Box<memmem::Finder<'static>>),
    /// In any case.
    Insensitive(Regex),
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
            None | Some("message" | "_msg") => Test::Message(Matcher::compile(pattern)?),
            Some("service") => Test::Service(Matcher::compile(pattern)?),
            Some("level") => Test::Level(Matcher::compile(pattern)?),
            Some("ts" | "_time") => Test::Ts(Matcher::compile(pattern)?),
            Some("seq") => Test::Seq(Matcher::compile(pattern)?),
            Some(name) => Test::Field(name.to_owned(), Matcher::compile(pattern)?),
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
            Self::Seq(matcher) => matcher.holds(subject.seq.to_string().as_bytes()),
            Self::Field(name, matcher) => {
                subject.field(name).is_some_and(|value| matcher.holds(fields::text(value).as_bytes()))
            }
        }
    }
}

impl<'a> Subject<'_, 'a> {
    fn message(&mut self) -> &[u8] {
        self.message.get_or_insert_with(|| self.line.message())
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
            Pattern::Text { text, start, end } => Finder::new(&text).map(|finder| {
                // At the edge of a word only where the text itself has one.
                let start = start && text.chars().next().is_some_and(is_word);
                let end = end && text.chars().next_back().is_some_and(is_word);
                Self::Text { finder, start, end }
            }),
            Pattern::Regex(regex) => {
                compile_regex(&regex, has_capital(&strip_escapes(&regex))).map(Self::Regex)
            }
            Pattern::Exact(text) => Ok(Self::Exact(text)),
            Pattern::Compare(comparison, value) => {
                let number = value.parse().ok();
                Ok(Self::Compare(comparison, value, number))
            }
        };
        compiled.map_err(|reason| QueryError { position: 0, reason })
    }

    fn holds(&self, text: &[u8]) -> bool {
        match self {
            Self::Any => !text.is_empty(),
            Self::Text { finder, start, end } => finder.find(text, |from, to| {
                (!start || !ends_in_word(text.get(..from).unwrap_or_default()))
                    && (!end || !begins_in_word(text.get(to..).unwrap_or_default()))
            }),
            Self::Regex(regex) => regex.is_match(text),
            Self::Exact(exact) => text == exact.as_bytes(),
            Self::Compare(comparison, value, number) => {
                let text = String::from_utf8_lossy(text);
                match (text.parse::<f64>().ok(), number) {
                    (Some(a), Some(b)) => a.partial_cmp(b).is_some_and(|order| comparison.holds(order)),
                    (None, Some(_)) => false,
                    (_, None) => comparison.holds(text.as_ref().cmp(value.as_str())),
                }
            }
        }
    }

    /// Levels compare by gravity and match by any of their spellings.
    fn holds_level(&self, level: Level) -> bool {
        match self {
            Self::Compare(comparison, value, _) => {
                value.parse::<Level>().is_ok_and(|wanted| comparison.holds(level.cmp(&wanted)))
            }
            Self::Exact(value) => value.parse() == Ok(level),
            matcher => matcher.holds(level.as_str().as_bytes()) || matcher.holds(level.as_upper().as_bytes()),
        }
    }

    /// Times compare as times, not as texts.
    fn holds_time(&self, ts_ns: i64) -> bool {
        match self {
            Self::Compare(comparison, value, _) => {
                time::parse_day(value).is_some_and(|wanted| comparison.holds(ts_ns.cmp(&wanted)))
            }
            matcher => matcher.holds(time::to_rfc3339(ts_ns).as_bytes()),
        }
    }
}

impl Finder {
    fn new(text: &str) -> Result<Self, String> {
        if has_capital(text) {
            Ok(Self::Sensitive(Box::new(memmem::Finder::new(text.as_bytes()).into_owned())))
        } else {
            compile_regex(&escape_regex(text), false).map(Self::Insensitive)
        }
    }

    /// Whether it is found anywhere where `accept` says yes.
    fn find(&self, text: &[u8], accept: impl Fn(usize, usize) -> bool) -> bool {
        match self {
            Self::Sensitive(finder) => {
                let len = finder.needle().len();
                finder.find_iter(text).any(|at| accept(at, at + len))
            }
            Self::Insensitive(regex) => regex.find_iter(Input::new(text)).any(|m| accept(m.start(), m.end())),
        }
    }
}

/// Whether a regular expression can be used.
pub(super) fn check_regex(regex: &str) -> Result<(), String> {
    compile_regex(regex, true).map(drop)
}

fn compile_regex(pattern: &str, case_sensitive: bool) -> Result<Regex, String> {
    Regex::builder()
        .configure(
            Config::new()
                .nfa_size_limit(Some(REGEX_SIZE_MAX))
                .hybrid_cache_capacity(REGEX_SIZE_MAX)
                .utf8_empty(false),
        )
        .syntax(syntax::Config::new().case_insensitive(!case_sensitive).utf8(false))
        .build(pattern)
        .map_err(|error| match error.syntax_error() {
            Some(syntax) => {
                let text = syntax.to_string();
                format!("not a regular expression: {}", text.lines().last().unwrap_or_default())
            }
            None => "this regular expression is too large".to_owned(),
        })
}

fn escape_regex(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn has_capital(text: &str) -> bool {
    text.chars().any(char::is_uppercase)
}

/// `\W` is no capital.
fn strip_escapes(regex: &str) -> String {
    let mut chars = regex.chars();
    let mut out = String::new();
    while let Some(c) = chars.next() {
        if c == '\\' {
            chars.next();
        } else {
            out.push(c);
        }
    }
    out
}

fn ends_in_word(text: &[u8]) -> bool {
    match text.last() {
        None => false,
        Some(b) if b.is_ascii() => is_word(char::from(*b)),
        Some(_) => {
            let tail = text.get(text.len().saturating_sub(4)..).unwrap_or_default();
            tail.utf8_chunks().last().is_some_and(|chunk| {
                chunk.invalid().is_empty() && chunk.valid().chars().next_back().is_some_and(is_word)
            })
        }
    }
}

fn begins_in_word(text: &[u8]) -> bool {
    match text.first() {
        None => false,
        Some(b) if b.is_ascii() => is_word(char::from(*b)),
        Some(_) => {
            let head = text.get(..4).unwrap_or(text);
            head.utf8_chunks().next().is_some_and(|chunk| chunk.valid().chars().next().is_some_and(is_word))
        }
    }
}
