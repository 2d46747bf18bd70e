//! Looking for one text or one regular expression in bytes.

use super::any_case::AnyCase;
use crate::log::limits::REGEX_SIZE_MAX;
use crate::log::words::{has_case, is_word};
use memchr::memmem;
use regex_automata::Input;
use regex_automata::meta::{Config, Regex};
use regex_automata::util::syntax;
use regex_syntax::hir::Hir;

/// A text to look for.
#[derive(Debug)]
pub(super) enum Finder {
    /// As it is written.
    Sensitive(Box<memmem::Finder<'static>>),
    /// In any case, and small: for single lines.
    AnyCase(AnyCase),
    /// In any case, and fast: for whole blocks of lines.
    Insensitive(Regex),
}

impl Finder {
    /// For whole blocks of lines.
    pub(super) fn of_blocks(text: &str, any_case: bool) -> Result<Self, String> {
        if any_case && text.chars().any(has_case) {
            compile_regex(&regex_syntax::escape(text), false).map(|(regex, _)| Self::Insensitive(regex))
        } else {
            Ok(Self::Sensitive(Box::new(memmem::Finder::new(text.as_bytes()).into_owned())))
        }
    }

    /// For single lines.
    pub(super) fn of_lines(text: &str, any_case: bool) -> Result<Self, String> {
        match AnyCase::new(text).filter(|_| any_case && text.chars().any(has_case)) {
            Some(finder) => Ok(Self::AnyCase(finder)),
            None => Self::of_blocks(text, any_case),
        }
    }

    /// Whether it is found anywhere where `accept` says yes to where it begins
    /// and ends.
    pub(super) fn find(&self, text: &[u8], accept: impl Fn(usize, usize) -> bool) -> bool {
        match self {
            Self::Sensitive(finder) => find_accepted(finder, text, accept),
            Self::AnyCase(finder) => {
                let mut from = 0;
                while let Some(found) = finder.find(text, from) {
                    if accept(found.start, found.end) {
                        return true;
                    }
                    from = found.start + 1;
                }
                false
            }
            Self::Insensitive(regex) => {
                let mut input = Input::new(text);
                while let Some(found) = regex.search(&input) {
                    if accept(found.start(), found.end()) {
                        return true;
                    }
                    input.set_start(found.start() + 1);
                }
                false
            }
        }
    }

    /// Where it begins, each time that it is found.
    pub(super) fn find_iter<'h>(&'h self, text: &'h [u8]) -> impl Iterator<Item = usize> + 'h {
        let mut from = 0;
        std::iter::from_fn(move || {
            let rest = text.get(from..)?;
            let found = match self {
                Self::Sensitive(finder) => {
                    let at = from + finder.find(rest)?;
                    at..at + finder.needle().len()
                }
                Self::AnyCase(finder) => finder.find(text, from)?,
                Self::Insensitive(regex) => regex.search(&Input::new(text).range(from..))?.range(),
            };
            from = found.end;
            Some(found.start)
        })
    }
}

/// Whether bytes are found anywhere where `accept` says yes. What is refused may
/// overlap what is not: in "ba.a.a" only the second "a.a" begins a word.
pub(super) fn find_accepted(
    finder: &memmem::Finder<'_>,
    text: &[u8],
    accept: impl Fn(usize, usize) -> bool,
) -> bool {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| finder.find(rest)) {
        let at = from + at;
        if accept(at, at + finder.needle().len()) {
            return true;
        }
        from = at + 1;
    }
    false
}

/// Whether a regular expression can be used.
pub(super) fn check_regex(regex: &str) -> Result<(), String> {
    compile_regex(regex, true).map(drop)
}

/// A regular expression, ready and as it was understood.
pub(super) fn compile_regex(pattern: &str, case_sensitive: bool) -> Result<(Regex, Hir), String> {
    let hir = parse_regex(pattern, case_sensitive)?;
    let regex = Regex::builder()
        .configure(
            Config::new()
                .nfa_size_limit(Some(REGEX_SIZE_MAX))
                .hybrid_cache_capacity(REGEX_SIZE_MAX)
                .utf8_empty(false),
        )
        .build_from_hir(&hir)
        .map_err(|_| "this regular expression is too large".to_owned())?;
    Ok((regex, hir))
}

/// A regular expression as it is understood.
pub(super) fn parse_regex(pattern: &str, case_sensitive: bool) -> Result<Hir, String> {
    let config = syntax::Config::new().case_insensitive(!case_sensitive).utf8(false);
    syntax::parse_with(pattern, &config).map_err(|error| {
        let text = error.to_string();
        format!("not a regular expression: {}", text.lines().last().unwrap_or_default())
    })
}

/// Whether a text was typed with a capital, and so is looked for as it is.
pub(super) fn has_capital(text: &str) -> bool {
    text.chars().any(char::is_uppercase)
}

/// Whether a regular expression was; `\W` is no capital.
pub(super) fn regex_has_capital(regex: &str) -> bool {
    let mut chars = regex.chars();
    let mut out = String::new();
    while let Some(c) = chars.next() {
        if c == '\\' {
            chars.next();
        } else {
            out.push(c);
        }
    }
    has_capital(&out)
}

/// Whether the last character of a text is part of a word.
pub(super) fn ends_in_word(text: &[u8]) -> bool {
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

/// Whether the first character of a text is part of a word.
pub(super) fn begins_in_word(text: &[u8]) -> bool {
    match text.first() {
        None => false,
        Some(b) if b.is_ascii() => is_word(char::from(*b)),
        Some(_) => {
            let head = text.get(..4).unwrap_or(text);
            head.utf8_chunks().next().is_some_and(|chunk| chunk.valid().chars().next().is_some_and(is_word))
        }
    }
}
