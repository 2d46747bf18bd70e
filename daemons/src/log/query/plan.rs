//! What can be said of a query before any text is read.
//!
//! An index knows of every record its *kind*, and of every block of records
//! which words are in it. [`Filter::verdict`] says what a filter makes of a kind
//! in three values, [`Filter::needs`] which words must be there. Both err on one
//! side only: what they rule out does not match, and what [`Verdict::Yes`] lets
//! through does.

use super::literal::Literal;
use super::matcher::{Filter, Matcher, Test};
use super::required::Required;
use super::template::Template;
use crate::log::line::unescape_service;
use crate::log::words::{self, Runs, VARIABLE, tokens};
use shared::wire::log::Level;

/// What a filter says of all records of a kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verdict {
    /// None matches.
    No,
    /// Their texts must be looked at.
    Maybe,
    /// All match.
    Yes,
}

/// What records have in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kind<'a> {
    /// Their level.
    pub level: Level,
    /// Their service, as lines hold it.
    pub service: &'a [u8],
    /// Their template; none when it is not known, or when they have none.
    pub template: Option<&'a [u8]>,
}

/// Words that must be in a record's message or fields, by their hashes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Needs {
    /// None is needed.
    Anything,
    /// No word would do: no record matches.
    Nothing,
    /// This word.
    Word(u64),
    /// All of these.
    All(Vec<Needs>),
    /// One of these.
    Any(Vec<Needs>),
}

impl Filter {
    /// What the filter says of every record of this kind, its bounds on time and
    /// sequence left aside. `runs` holds what is between the digits of the
    /// records' variable tokens.
    pub fn verdict(&self, kind: &Kind<'_>, runs: &Runs) -> Verdict {
        if kind.level < self.min_level || self.service.as_ref().is_some_and(|s| s != kind.service) {
            return Verdict::No;
        }
        self.test.verdict(&Asked { kind, template: kind.template.map(Template::new), runs })
    }

    /// What the filter says of every record of a level and a service, as lines hold
    /// it, its bounds on time and sequence left aside.
    pub fn verdict_on_source(&self, level: Level, service: &[u8]) -> Verdict {
        self.verdict(&Kind { level, service, template: None }, &Runs::default())
    }

    /// The words that a record must hold.
    pub fn needs(&self) -> Needs {
        self.test.needs()
    }

    /// A literal that stands verbatim in the line of every record that matches,
    /// the longest one.
    pub fn literal(&self) -> Option<&Literal> {
        self.literal.get_or_init(|| Literal::of(&self.test)).as_ref()
    }
}

/// A kind that is asked.
struct Asked<'a> {
    kind: &'a Kind<'a>,
    template: Option<Template<'a>>,
    runs: &'a Runs,
}

impl Verdict {
    const fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    const fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
            Self::Yes => Self::No,
        }
    }

    /// The least of these, but looks no further than the first no.
    fn and(verdicts: impl Iterator<Item = Self>) -> Self {
        let mut least = Self::Yes;
        for verdict in verdicts {
            least = least.min(verdict);
            if least == Self::No {
                break;
            }
        }
        least
    }
}

impl Test {
    fn verdict(&self, asked: &Asked<'_>) -> Verdict {
        match self {
            Self::All => Verdict::Yes,
            Self::And(tests) => Verdict::and(tests.iter().map(|test| test.verdict(asked))),
            Self::Or(tests) => Verdict::and(tests.iter().map(|test| test.verdict(asked).not())).not(),
            Self::Not(test) => test.verdict(asked).not(),
            Self::Message(matcher) => match &asked.template {
                Some(template) => matcher.verdict(template, asked.runs),
                None => Verdict::Maybe,
            },
            Self::Service(matcher) => {
                Verdict::of(matcher.holds(unescape_service(asked.kind.service).as_bytes()))
            }
            Self::Level(matcher) => Verdict::of(matcher.holds_level(asked.kind.level)),
            Self::Ts(_) | Self::Seq(_) | Self::Field(..) => Verdict::Maybe,
        }
    }

    fn needs(&self) -> Needs {
        match self {
            Self::All | Self::Not(_) | Self::Service(_) | Self::Level(_) | Self::Ts(_) | Self::Seq(_) => {
                Needs::Anything
            }
            Self::And(tests) => Needs::all(tests.iter().map(Self::needs)),
            Self::Or(tests) => Needs::any(tests.iter().map(Self::needs)),
            Self::Message(matcher) => matcher.needs(),
            // Whichever way a name with dots is read, the words between them are
            // words of names.
            Self::Field(name, matcher) => Needs::all([Needs::words(name), matcher.needs_of_field()]),
        }
    }
}

impl Matcher {
    /// What a pattern says of all messages of a template.
    fn verdict(&self, template: &Template<'_>, runs: &Runs) -> Verdict {
        if template.is_message() {
            return Verdict::of(self.holds(template.bytes));
        }
        let (certain, possible) = match self {
            Self::Any => (true, true),
            // No byte of a text is one that masks, so where it is found in the
            // template it is in the message; and next to a masked token neither
            // has a part of a word.
            Self::Text { part, .. } => (self.holds(template.bytes), part.may_be_masked_in(template, runs)),
            Self::Regex { regex, local, required } => {
                let unmasked = |found: regex_automata::Match| {
                    template.bytes.get(found.range()).is_some_and(|text| !text.contains(&VARIABLE))
                };
                let certain = *local && regex.find_iter(template.bytes).any(unmasked);
                (certain, certain || required.may_be_in(template, runs))
            }
            Self::Exact { template: masked, .. } => (false, masked == template.bytes),
            Self::Compare(..) => (false, true),
        };
        match (certain, possible) {
            (true, _) => Verdict::Yes,
            (false, true) => Verdict::Maybe,
            (false, false) => Verdict::No,
        }
    }

    fn needs(&self) -> Needs {
        match self {
            Self::Any | Self::Compare(..) => Needs::Anything,
            Self::Text { part, .. } => Needs::all(part.words().into_iter().map(Needs::Word)),
            Self::Regex { required, .. } => required.needs(),
            Self::Exact { text, .. } => Needs::words(text),
        }
    }
}

impl Matcher {
    /// A field that is a number matches by value: then its plain form is there, or
    /// the hash of its value.
    fn needs_of_field(&self) -> Needs {
        match self {
            Self::Exact { text, number: Some(number), .. } => {
                let plain = number.plain().map(|plain| Needs::words(&plain));
                let forms = [Needs::words(text), Needs::Word(words::hash_number(number))];
                Needs::any(forms.into_iter().chain(plain))
            }
            _ => self.needs(),
        }
    }
}

impl Required {
    fn needs(&self) -> Needs {
        match self {
            Self::Part(part) => Needs::all(part.words().into_iter().map(Needs::Word)),
            Self::All(all) => Needs::all(all.iter().map(Self::needs)),
            Self::Any(any) => Needs::any(any.iter().map(Self::needs)),
        }
    }
}

impl Needs {
    /// All words of a text.
    fn words(text: &str) -> Self {
        let mut words = Vec::new();
        tokens(text, |token| words.push(Self::Word(words::hash(token.text))));
        Self::all(words)
    }

    fn all(needs: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Vec::new();
        for one in needs {
            match one {
                Self::Anything => {}
                Self::Nothing => return Self::Nothing,
                Self::All(inner) => inner.into_iter().for_each(|one| push_new(&mut all, one)),
                one => push_new(&mut all, one),
            }
        }
        one_or(all, Self::Anything, Self::All)
    }

    fn any(needs: impl IntoIterator<Item = Self>) -> Self {
        let mut any = Vec::new();
        for one in needs {
            match one {
                Self::Anything => return Self::Anything,
                Self::Nothing => {}
                Self::Any(inner) => inner.into_iter().for_each(|one| push_new(&mut any, one)),
                one => push_new(&mut any, one),
            }
        }
        one_or(any, Self::Nothing, Self::Any)
    }
}

fn push_new(needs: &mut Vec<Needs>, need: Needs) {
    if !needs.contains(&need) {
        needs.push(need);
    }
}

fn one_or(mut needs: Vec<Needs>, none: Needs, join: impl Fn(Vec<Needs>) -> Needs) -> Needs {
    match needs.pop() {
        None => none,
        Some(only) if needs.is_empty() => only,
        Some(last) => {
            needs.push(last);
            join(needs)
        }
    }
}

#[cfg(test)]
mod tests;
