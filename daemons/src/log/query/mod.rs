//! The query language, a subset of LogsQL
//! (<https://docs.victoriametrics.com/victorialogs/logsql/>).
//!
//! ```text
//! query   = or
//! or      = and { "OR" and }
//! and     = not { [ "AND" ] not }
//! not     = [ "-" | "!" | "NOT" ] unit
//! unit    = "(" or ")" | [ field ":" [ "!" ] ] ( pattern | "(" or ")" )
//! pattern = word | word* | *part* | *part | * | "a phrase" | ~"regex" | ~regex
//!         | =exact | >value | >=value | <value | <=value
//! ```
//!
//! Without a field a pattern is looked for in the message. `service`, `level`,
//! `message`, `ts` and `seq` are fields of every record; any other name is one of
//! its own fields, `a.b` the member `b` of `a`. A word is a run of letters,
//! digits and underscores; `word` and `"a phrase"` match whole words. Smart case:
//! a pattern matches any case until it holds a capital.
//!
//! Numbers compare exactly, whatever their size. In a field `=` compares numbers
//! by value (`=1000` finds 1e3), texts by character. Times compare as instants.
//! ANSI escape sequences in messages and fields are ignored: each counts as one
//! ESC, which is part of no word.

mod any_case;
mod bounds;
mod finder;
mod literal;
mod matcher;
mod parse;
mod plan;
mod required;
mod template;

pub use matcher::Filter;
pub use parse::QueryError;
pub use plan::{Kind, Needs, Verdict};

use super::words::strip_ansi_str;

/// What a query says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Expr {
    /// Everything.
    All,
    /// All of these.
    And(Vec<Expr>),
    /// Any of these.
    Or(Vec<Expr>),
    /// Not this.
    Not(Box<Expr>),
    /// A field (none: the message) that matches a pattern.
    Match(Option<String>, Pattern),
}

/// How a text is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    /// There is something.
    Any,
    /// This text; `start` and `end` say where it must be at the edge of a word.
    Text {
        /// The text.
        text: String,
        /// Nothing of a word may stand right before it.
        start: bool,
        /// Nothing of a word may stand right after it.
        end: bool,
    },
    /// A regular expression.
    Regex(String),
    /// The whole value is this.
    Exact(String),
    /// The value compares like this.
    Compare(Comparison, String),
}

impl Pattern {
    /// The pattern for texts without ANSI escape sequences. A regular expression
    /// stays as it is.
    fn without_ansi(self) -> Self {
        match self {
            Self::Text { text, start, end } => {
                Self::Text { text: strip_ansi_str(&text).into_owned(), start, end }
            }
            Self::Exact(text) => Self::Exact(strip_ansi_str(&text).into_owned()),
            pattern => pattern,
        }
    }
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Comparison {
    /// Whether an ordering is one that it asks for.
    fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
        }
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
