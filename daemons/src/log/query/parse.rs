//! From text to [`Expr`], by recursive descent: the grammar is in [`super`].

use super::{Comparison, Expr, Pattern};
use crate::log::limits::{PATTERNS_MAX, QUERY_DEPTH_MAX, QUERY_MAX};
use crate::log::time;
use shared::wire::log::Level;

/// What is wrong with a query, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {}: {reason}", position + 1)]
pub struct QueryError {
    /// The character, counted from 0.
    pub position: usize,
    /// What is wrong.
    pub reason: String,
}

/// Parses a query; an empty one matches everything.
pub(super) fn parse(text: &str) -> Result<Expr, QueryError> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() > QUERY_MAX {
        let reason = format!("a query has at most {QUERY_MAX} characters");
        return Err(QueryError { position: QUERY_MAX, reason });
    }
    let mut parser = Parser { chars: &chars, at: 0, depth: 0, patterns: 0 };
    parser.skip_space();
    if parser.peek().is_none() {
        return Ok(Expr::All);
    }
    let expr = parser.or(None)?;
    match parser.peek() {
        None => Ok(expr),
        Some(_) => Err(parser.error("there is no '(' for this ')'")),
    }
}

struct Parser<'a> {
    chars: &'a [char],
    at: usize,
    depth: usize,
    patterns: usize,
}

const OPERATORS: [&str; 3] = ["OR", "AND", "NOT"];

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn eat(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        self.at += usize::from(there);
        there
    }

    fn error(&self, reason: impl Into<String>) -> QueryError {
        self.error_at(self.at, reason)
    }

    fn error_at(&self, position: usize, reason: impl Into<String>) -> QueryError {
        QueryError { position, reason: reason.into() }
    }

    /// The operator that stands here, if one does.
    fn operator(&self) -> Option<&'static str> {
        OPERATORS.into_iter().find(|operator| {
            let end = self.at + operator.len();
            let after = self.chars.get(end);
            self.chars.get(self.at..end).is_some_and(|word| word.iter().copied().eq(operator.chars()))
                && after.is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ')' | '"'))
        })
    }

    fn eat_operator(&mut self, wanted: &str) -> bool {
        let there = self.operator() == Some(wanted);
        if there {
            self.at += wanted.len();
            self.skip_space();
        }
        there
    }

    fn or(&mut self, field: Option<&str>) -> Result<Expr, QueryError> {
        let mut any = vec![self.and(field)?];
        while self.eat_operator("OR") {
            any.push(self.and(field)?);
        }
        Ok(one_or(any, Expr::Or))
    }

    fn and(&mut self, field: Option<&str>) -> Result<Expr, QueryError> {
        let mut all = vec![self.not(field)?];
        loop {
            let explicit = self.eat_operator("AND");
            let ends = matches!(self.peek(), None | Some(')')) || self.operator() == Some("OR");
            if ends && !explicit {
                return Ok(one_or(all, Expr::And));
            }
            all.push(self.not(field)?);
        }
    }

    fn not(&mut self, field: Option<&str>) -> Result<Expr, QueryError> {
        if self.eat_operator("NOT") || self.eat('-') || self.eat('!') {
            self.skip_space();
            self.deeper()?;
            let inner = self.not(field)?;
            self.depth -= 1;
            return Ok(Expr::Not(Box::new(inner)));
        }
        let unit = self.unit(field)?;
        self.skip_space();
        Ok(unit)
    }

    fn deeper(&mut self) -> Result<(), QueryError> {
        self.depth += 1;
        if self.depth > QUERY_DEPTH_MAX {
            return Err(self.error(format!("a query is nested at most {QUERY_DEPTH_MAX} deep")));
        }
        Ok(())
    }

    fn unit(&mut self, field: Option<&str>) -> Result<Expr, QueryError> {
        match self.peek() {
            None => Err(self.error("something to look for is missing here")),
            Some(')') => Err(self.error("something to look for is missing before this ')'")),
            Some('(') => self.group(field),
            Some(_) => match self.field() {
                Some(name) if field.is_some() => {
                    Err(self.error(format!("'{name}:' stands inside the parentheses of another field")))
                }
                Some(name) if self.peek() == Some('(') => self.group(Some(&name)),
                Some(name) => {
                    // `name:!=value` and `name:!value`: not that.
                    let is_not = self.eat('!');
                    let at = self.at;
                    let pattern = self.pattern()?;
                    check_value(&name, &pattern).map_err(|reason| self.error_at(at, reason))?;
                    let is = Expr::Match(Some(name), pattern);
                    Ok(if is_not { Expr::Not(Box::new(is)) } else { is })
                }
                None if self.operator().is_some() => {
                    Err(self.error("something is missing before this operator"))
                }
                None => self.pattern().map(|pattern| Expr::Match(field.map(str::to_owned), pattern)),
            },
        }
    }

    fn group(&mut self, field: Option<&str>) -> Result<Expr, QueryError> {
        let open = self.at;
        self.at += 1;
        self.skip_space();
        self.deeper()?;
        let inner = self.or(field)?;
        self.depth -= 1;
        if !self.eat(')') {
            return Err(self.error_at(open, "this '(' has no ')'"));
        }
        Ok(inner)
    }

    /// A name before a colon.
    fn field(&mut self) -> Option<String> {
        let begin = self.at;
        let rest = self.chars.get(begin..)?;
        let quoted = rest.first() == Some(&'"');
        let name = if quoted {
            let end = rest.iter().skip(1).position(|c| *c == '"')?;
            rest.get(1..=end)?
        } else {
            let is_name = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '@' | '/');
            rest.get(..rest.iter().position(|c| !is_name(c))?)?
        };
        let after = begin + name.len() + if quoted { 2 } else { 0 };
        if name.is_empty() || self.chars.get(after) != Some(&':') {
            return None;
        }
        self.at = after + 1;
        Some(name.iter().collect())
    }

    fn pattern(&mut self) -> Result<Pattern, QueryError> {
        self.patterns += 1;
        if self.patterns > PATTERNS_MAX {
            return Err(self.error(format!("a query has at most {PATTERNS_MAX} patterns")));
        }
        let begin = self.at;
        match self.peek() {
            Some('~') => {
                self.at += 1;
                let at = self.at;
                let regex = self.value()?;
                super::finder::check_regex(&regex).map_err(|reason| self.error_at(at, reason))?;
                Ok(Pattern::Regex(regex))
            }
            Some('=') => {
                self.at += 1;
                self.value().map(Pattern::Exact)
            }
            Some(sign @ ('>' | '<')) => {
                self.at += 1;
                let or_equal = self.eat('=');
                let comparison = match (sign, or_equal) {
                    ('>', false) => Comparison::Greater,
                    ('>', true) => Comparison::GreaterOrEqual,
                    (_, false) => Comparison::Less,
                    (_, true) => Comparison::LessOrEqual,
                };
                self.value().map(|value| Pattern::Compare(comparison, value))
            }
            Some('"') => {
                let text = self.quoted()?;
                let open_end = self.eat('*');
                if text.is_empty() {
                    return Err(
                        self.error_at(begin, "an empty phrase matches nothing; '*' matches everything")
                    );
                }
                Ok(Pattern::Text { text, start: true, end: !open_end })
            }
            _ => self.word(),
        }
    }

    /// A quoted or a bare value.
    fn value(&mut self) -> Result<String, QueryError> {
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let value = self.bare();
        if value.is_empty() { Err(self.error("a value is missing here")) } else { Ok(value) }
    }

    fn bare(&mut self) -> String {
        let begin = self.at;
        while self.peek().is_some_and(|c| !c.is_whitespace() && !matches!(c, '(' | ')' | '"')) {
            self.at += 1;
        }
        self.chars.get(begin..self.at).unwrap_or_default().iter().collect()
    }

    fn quoted(&mut self) -> Result<String, QueryError> {
        let open = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let c = self.peek().ok_or_else(|| self.error_at(open, "this '\"' has no other one"))?;
            self.at += 1;
            match c {
                '"' => return Ok(text),
                // A backslash takes the quote and itself; before anything else
                // it stays, for regular expressions are full of them.
                '\\' if matches!(self.peek(), Some('"' | '\\')) => {
                    text.extend(self.peek());
                    self.at += 1;
                }
                c => text.push(c),
            }
        }
    }

    fn word(&mut self) -> Result<Pattern, QueryError> {
        let begin = self.at;
        let word = self.bare();
        let (start, rest) = word.strip_prefix('*').map_or((true, word.as_str()), |rest| (false, rest));
        let (end, text) = rest.strip_suffix('*').map_or((true, rest), |text| (false, text));
        match (text, word.is_empty()) {
            (_, true) => Err(self.error_at(begin, "something to look for is missing here")),
            ("", false) => Ok(Pattern::Any),
            (text, false) => Ok(Pattern::Text { text: text.to_owned(), start, end }),
        }
    }
}

/// Whether a field can have such a value at all: a misspelt level would match
/// nothing, and say nothing.
fn check_value(field: &str, pattern: &Pattern) -> Result<(), String> {
    let wanted = match pattern {
        Pattern::Compare(_, value) | Pattern::Exact(value) => value,
        Pattern::Text { text, start: true, end: true } => text,
        _ => return Ok(()),
    };
    match (field, pattern) {
        ("level", _) => wanted.parse::<Level>().map(drop).map_err(|e| e.to_string()),
        ("ts" | "_time", Pattern::Compare(..) | Pattern::Exact(_)) if time::parse_day(wanted).is_none() => {
            Err("a time is written 2026-11-22, or as RFC 3339 has it".to_owned())
        }
        _ => Ok(()),
    }
}

/// One expression stands for itself.
fn one_or(mut all: Vec<Expr>, join: impl Fn(Vec<Expr>) -> Expr) -> Expr {
    match all.pop() {
        Some(only) if all.is_empty() => only,
        last => {
            all.extend(last);
            join(all)
        }
    }
}
