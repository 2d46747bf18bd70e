//! Looking for a text in a template, which stands for all messages that have it.
//!
//! The same masking that makes templates of messages makes the text fit: `took
//! 35 ms` is looked for as `took * ms`. Only its first and its last run of
//! letters may be part of a larger token (unless the query wants whole words):
//! of one without digits nobody knows whether that token has any, and so
//! whether the template shows it. Such a text is looked for both ways, and
//! [`Runs`] says whether the second is worth it.

use super::finder::{begins_in_word, ends_in_word, find_accepted};
use crate::log::words::{CASED, Runs, Token, VARIABLE, fold, tokens};
use memchr::memmem;
use std::cell::OnceCell;

/// A template that is asked.
#[derive(Debug)]
pub(super) struct Template<'t> {
    /// As it is.
    pub bytes: &'t [u8],
    folded: OnceCell<Vec<u8>>,
}

impl<'t> Template<'t> {
    pub(super) const fn new(bytes: &'t [u8]) -> Self {
        Self { bytes, folded: OnceCell::new() }
    }

    /// Whether nothing is masked: then it is the message itself.
    pub(super) fn is_message(&self) -> bool {
        memchr::memchr(VARIABLE, self.bytes).is_none()
    }

    /// Without the differences that case makes, and some more.
    fn folded(&self) -> &[u8] {
        self.folded.get_or_init(|| {
            let mut folded = Vec::with_capacity(self.bytes.len());
            for chunk in self.bytes.utf8_chunks() {
                fold(&mut folded, chunk.valid());
                folded.extend_from_slice(chunk.invalid());
            }
            folded
        })
    }
}

/// A text as a template may hold it.
#[derive(Debug)]
pub(super) struct Shape {
    needle: memmem::Finder<'static>,
    /// Whether the needle, and so the template it is looked for in, is folded.
    any_case: bool,
    /// Whether nothing of a word may stand right before it, or after.
    start: bool,
    end: bool,
    /// The letters in it that a variable token would have to hide.
    hidden: Vec<String>,
    /// Whether nothing in it is masked.
    pub verbatim: bool,
}

impl Shape {
    /// All shapes of a text: it is in a message only if one of them is in the
    /// message's template.
    pub(super) fn all(text: &str, any_case: bool, start: bool, end: bool) -> Vec<Self> {
        let (mut first, mut last) = (None, None);
        tokens(text, |token| {
            first = first.or((token.start == 0).then_some(token));
            last = (token.end() == text.len()).then_some(token);
        });
        // Of these it may be that a variable token hides them.
        let whole = first.is_some() && first == last;
        let first = first.filter(|token| !token.variable && !(start && (end || !whole)));
        let last = last.filter(|token| !token.variable && !end && !whole);
        let mut ways = vec![vec![]];
        ways.extend(first.map(|first| vec![first]));
        ways.extend(last.map(|last| vec![last]));
        ways.extend(first.zip(last).map(|(first, last)| vec![first, last]));
        ways.iter().map(|hidden| Self::new(text, any_case, (start, end), hidden)).collect()
    }

    fn new(text: &str, any_case: bool, (start, end): (bool, bool), hidden: &[Token<'_>]) -> Self {
        let mut needle = Vec::with_capacity(text.len());
        let copy = |needle: &mut Vec<u8>, from: usize, to: usize| {
            let text = text.get(from..to).unwrap_or_default();
            if any_case { fold(needle, text) } else { needle.extend_from_slice(text.as_bytes()) }
        };
        let mut copied = 0;
        tokens(text, |token| {
            if token.variable || hidden.contains(&token) {
                copy(&mut needle, copied, token.start);
                needle.push(VARIABLE);
                copied = token.end();
            }
        });
        copy(&mut needle, copied, text.len());
        Self {
            any_case,
            // A variable token is masked as a whole.
            start: start && needle.first() != Some(&VARIABLE),
            end: end && needle.last() != Some(&VARIABLE),
            hidden: hidden.iter().map(|token| token.text.to_owned()).collect(),
            verbatim: !needle.contains(&VARIABLE),
            needle: memmem::Finder::new(&needle).into_owned(),
        }
    }

    /// Whether a message of this template may hold the text in this shape.
    pub(super) fn may_be_in(&self, template: &Template<'_>, runs: &Runs) -> bool {
        if !self.hidden.iter().all(|letters| runs.may_contain(letters)) {
            return false;
        }
        let text = if self.any_case { template.folded() } else { template.bytes };
        find_accepted(&self.needle, text, |from, to| {
            let (before, after) = (text.get(..from).unwrap_or_default(), text.get(to..).unwrap_or_default());
            let word_before = before.last() == Some(&CASED) || ends_in_word(before);
            let word_after = after.first() == Some(&CASED) || begins_in_word(after);
            !(self.start && word_before || self.end && word_after)
        })
    }
}
