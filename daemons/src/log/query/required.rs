//! What every text that a pattern matches must hold.

use super::template::{Shape, Template};
use crate::log::words::{self, Runs, is_word, tokens};
use regex_syntax::hir::{
    Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look,
};
use std::sync::OnceLock;

/// Texts that must be there. A regular expression has more to it, so that this
/// is needed but not enough.
#[derive(Debug)]
pub(super) enum Required {
    /// This one.
    Part(Part),
    /// All of these; none says nothing.
    All(Vec<Required>),
    /// One of these.
    Any(Vec<Required>),
}

/// A text that must be there.
#[derive(Debug)]
pub(super) struct Part {
    /// The text.
    pub text: String,
    /// Whether in any case.
    pub any_case: bool,
    /// Whether nothing of a word stands right before it.
    pub start: bool,
    /// Whether nothing of a word stands right after it.
    pub end: bool,
    /// Searches alone want them, and they are large.
    shapes: OnceLock<Vec<Shape>>,
}

impl Part {
    pub(super) fn new(text: String, any_case: bool, start: bool, end: bool) -> Self {
        Self { text, any_case, start, end, shapes: OnceLock::new() }
    }

    fn shapes(&self) -> &[Shape] {
        self.shapes.get_or_init(|| Shape::all(&self.text, self.any_case, self.start, self.end))
    }

    /// Whether it may be in a message of this template.
    fn may_be_in(&self, template: &Template<'_>, runs: &Runs) -> bool {
        self.shapes().iter().any(|shape| shape.may_be_in(template, runs))
    }

    /// The same, when it is known not to be in the template itself.
    pub(super) fn may_be_masked_in(&self, template: &Template<'_>, runs: &Runs) -> bool {
        self.shapes().iter().filter(|shape| !shape.verbatim).any(|shape| shape.may_be_in(template, runs))
    }

    /// The hashes of the words in it that are whole words wherever it is found.
    pub(super) fn words(&self) -> Vec<u64> {
        let mut words = Vec::new();
        tokens(&self.text, |token| {
            if (self.start || token.start > 0) && (self.end || token.end() < self.text.len()) {
                words.push(words::hash(token.text));
            }
        });
        words
    }
}

impl Required {
    /// Of a regular expression.
    pub(super) fn of(regex: &Hir) -> Self {
        Self::between(regex, false, false)
    }

    /// Of a part of one, which stands between what is no part of a word.
    fn between(regex: &Hir, start: bool, end: bool) -> Self {
        let mut reader = Reader { start, ..Reader::default() };
        reader.read(regex, end);
        reader.close(end);
        Self::All(reader.found)
    }

    /// Whether it may be in a message of this template.
    pub(super) fn may_be_in(&self, template: &Template<'_>, runs: &Runs) -> bool {
        match self {
            Self::Part(part) => part.may_be_in(template, runs),
            Self::All(all) => all.iter().all(|one| one.may_be_in(template, runs)),
            Self::Any(any) => any.iter().any(|one| one.may_be_in(template, runs)),
        }
    }
}

/// Reads a regular expression from left to right.
#[derive(Default)]
struct Reader {
    found: Vec<Required>,
    /// The text that is being read: the next character follows right on it.
    text: String,
    any_case: bool,
    start: bool,
}

impl Reader {
    /// `end` says that nothing of a word can follow right on this.
    fn read(&mut self, hir: &Hir, end: bool) {
        match hir.kind() {
            HirKind::Empty => {}
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => self.text.push_str(text),
                Err(_) => self.close(false),
            },
            HirKind::Class(class) => match one_letter(class) {
                Some(letter) => {
                    self.text.push(letter);
                    self.any_case = true;
                }
                None => self.close(false),
            },
            // What is before the first character, or a line feed, is no word.
            HirKind::Look(Look::Start | Look::StartLF | Look::StartCRLF) => {
                self.start |= self.text.is_empty();
            }
            HirKind::Look(Look::End | Look::EndLF | Look::EndCRLF) => self.close(true),
            // The edge of a word in a regular expression is not always one to
            // us (²), so that it only takes no room.
            HirKind::Look(_) => {}
            HirKind::Capture(capture) => self.read(&capture.sub, end),
            HirKind::Concat(parts) => {
                let mut parts = parts.iter().peekable();
                while let Some(part) = parts.next() {
                    let end = parts.peek().map_or(end, |next| begins_out_of_word(next));
                    self.read(part, end);
                }
            }
            HirKind::Repetition(repetition) => {
                self.close(false);
                if repetition.min > 0 {
                    self.read(&repetition.sub, false);
                    self.close(false);
                }
            }
            HirKind::Alternation(ways) => {
                let start = match self.text.chars().next_back() {
                    Some(c) => !is_word(c),
                    None => self.start,
                };
                self.close(false);
                let ways = ways.iter().map(|way| Required::between(way, start, end));
                self.found.push(Required::Any(ways.collect()));
            }
        }
    }

    /// Something else follows, or the end of the text or of its line.
    fn close(&mut self, end: bool) {
        let text = std::mem::take(&mut self.text);
        let any_case = std::mem::take(&mut self.any_case);
        let start = std::mem::take(&mut self.start);
        if !text.is_empty() {
            self.found.push(Required::Part(Part::new(text, any_case, start, end)));
        }
    }
}

/// Whether it begins with a character that is part of no word.
fn begins_out_of_word(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => {
            literal.0.first().is_some_and(|b| b.is_ascii() && !is_word(char::from(*b)))
        }
        HirKind::Look(look) => matches!(look, Look::End | Look::EndLF | Look::EndCRLF),
        HirKind::Capture(capture) => begins_out_of_word(&capture.sub),
        HirKind::Concat(parts) => parts.first().is_some_and(begins_out_of_word),
        _ => false,
    }
}

/// The letter that a class is all cases of.
fn one_letter(class: &Class) -> Option<char> {
    match class {
        Class::Unicode(class) => {
            let letter = class.ranges().first()?.start();
            let mut cases = ClassUnicode::new([ClassUnicodeRange::new(letter, letter)]);
            cases.case_fold_simple();
            (cases == *class).then_some(letter)
        }
        Class::Bytes(class) => {
            let letter = class.ranges().first()?.start();
            let mut cases = ClassBytes::new([ClassBytesRange::new(letter, letter)]);
            cases.case_fold_simple();
            (letter.is_ascii() && cases == *class).then_some(char::from(letter))
        }
    }
}
