//! Looking for a text in any case, with next to no memory: a tail keeps its
//! filter for as long as somebody follows the log, and ten thousand may. For
//! the same a regular expression takes 13 KB, and twice that again in holes
//! that compiling it leaves.

use super::finder::parse_regex;
use regex_syntax::escape;
use regex_syntax::hir::{Class, Hir, HirKind};
use std::ops::Range;

/// Bytes from the most to the least frequent; others are rarer.
const BY_FREQUENCY: &[u8] = b" etaoinsrhldcumfpgwybvkxjqz";

/// A text in any case.
#[derive(Debug)]
pub(super) struct AnyCase {
    letters: Box<[Letter]>,
    anchor: Anchor,
}

/// A character, or a byte of one that has no case.
#[derive(Debug)]
enum Letter {
    Byte(u8),
    Either(u8, u8),
    Forms(Box<[Box<[u8]>]>),
}

/// The letter that is looked for first.
#[derive(Debug)]
struct Anchor {
    /// Bytes from the beginning of the text to it.
    offset: usize,
    /// What it begins with.
    bytes: [u8; 3],
}

impl AnyCase {
    /// Makes a text ready; none if it has letters of too many forms.
    pub(super) fn new(text: &str) -> Option<Self> {
        let mut letters = Vec::new();
        // What is the same letter in another case is asked of those who know it for
        // regular expressions, so that the two agree.
        letters_of(&parse_regex(&escape(text), false).ok()?, &mut letters)?;
        let mut offset = 0;
        let mut anchors = Vec::new();
        for letter in &letters {
            anchors.extend(letter.firsts().map(|bytes| Anchor { offset, bytes }));
            match letter.len() {
                Some(len) => offset += len,
                None => break,
            }
        }
        let anchor = anchors.into_iter().max_by_key(Anchor::rarity)?;
        Some(Self { letters: letters.into(), anchor })
    }

    /// Where it is found first, not before `from`.
    pub(super) fn find(&self, text: &[u8], mut from: usize) -> Option<Range<usize>> {
        let [a, b, c] = self.anchor.bytes;
        loop {
            let rest = text.get(from + self.anchor.offset..)?;
            from += if b == c { memchr::memchr2(a, b, rest)? } else { memchr::memchr3(a, b, c, rest)? };
            if let Some(end) = self.end(text, from) {
                return Some(from..end);
            }
            from += 1;
        }
    }

    /// Where it ends, if it begins here.
    fn end(&self, text: &[u8], from: usize) -> Option<usize> {
        self.letters.iter().try_fold(from, |at, letter| {
            let rest = text.get(at..)?;
            let len = match letter {
                Letter::Byte(byte) => (rest.first() == Some(byte)).then_some(1),
                Letter::Either(a, b) => rest.first().filter(|byte| *byte == a || *byte == b).map(|_| 1),
                Letter::Forms(forms) => {
                    forms.iter().find(|form| rest.starts_with(form)).map(|form| form.len())
                }
            };
            Some(at + len?)
        })
    }
}

impl Letter {
    /// How long it is, in bytes, if it is that in all its forms.
    fn len(&self) -> Option<usize> {
        match self {
            Self::Byte(_) | Self::Either(..) => Some(1),
            Self::Forms(forms) => {
                let len = forms.first()?.len();
                forms.iter().all(|form| form.len() == len).then_some(len)
            }
        }
    }

    /// With which bytes it begins, if they are not more than three; the last is
    /// repeated where they are fewer.
    fn firsts(&self) -> Option<[u8; 3]> {
        let mut firsts: Vec<u8> = match self {
            Self::Byte(byte) => vec![*byte],
            Self::Either(a, b) => vec![*a, *b],
            Self::Forms(forms) => forms.iter().filter_map(|form| form.first().copied()).collect(),
        };
        firsts.sort_unstable();
        firsts.dedup();
        match *firsts.as_slice() {
            [a] => Some([a; 3]),
            [a, b] => Some([a, b, b]),
            [a, b, c] => Some([a, b, c]),
            _ => None,
        }
    }

    fn of_forms(forms: impl Iterator<Item = Vec<u8>>) -> Self {
        let forms: Vec<_> = forms.map(Vec::into_boxed_slice).collect();
        match forms.iter().map(|form| &**form).collect::<Vec<_>>().as_slice() {
            [[a], [b]] => Self::Either(*a, *b),
            _ => Self::Forms(forms.into()),
        }
    }
}

impl Anchor {
    fn rarity(&self) -> usize {
        let of_byte = |byte: &u8| {
            let byte = byte.to_ascii_lowercase();
            BY_FREQUENCY.iter().position(|frequent| *frequent == byte).unwrap_or(BY_FREQUENCY.len())
        };
        self.bytes.iter().map(of_byte).min().unwrap_or(0)
    }
}

fn letters_of(hir: &Hir, letters: &mut Vec<Letter>) -> Option<()> {
    match hir.kind() {
        HirKind::Literal(literal) => letters.extend(literal.0.iter().copied().map(Letter::Byte)),
        HirKind::Class(Class::Unicode(class)) => {
            let forms = class.iter().flat_map(|range| range.start()..=range.end());
            letters.push(Letter::of_forms(forms.map(|c| c.to_string().into_bytes())));
        }
        HirKind::Class(Class::Bytes(class)) => {
            let forms = class.iter().flat_map(|range| range.start()..=range.end());
            letters.push(Letter::of_forms(forms.map(|byte| vec![byte])));
        }
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| letters_of(part, letters))?,
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::query::finder::compile_regex;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_finds_what_a_regular_expression_finds(
            text in "[aAkKsStzé\u{212a}\u{17f}ßẞσςΣİıǅǆ书1. <>]{1,4}",
            before in "[aAkKsStzéÉ\u{212a}\u{17f}ßẞσςΣİıǅǆ书1. <>]{0,12}",
            after in "[aAkKsStzéÉ\u{212a}\u{17f}ßẞσςΣİıǅǆ书1. <>]{0,12}",
            torn in any::<bool>(),
        ) {
            let (regex, _) = compile_regex(&escape(&text), false).unwrap();
            let any_case = AnyCase::new(&text).unwrap();
            for middle in [text.clone(), text.to_uppercase(), text.to_lowercase(), String::new()] {
                let mut line = format!("{before}{middle}{after}").into_bytes();
                if torn && !line.is_empty() {
                    line.remove(0);
                }
                let want: Vec<_> = regex.find_iter(&line).map(|found| found.range()).collect();
                let mut found = Vec::new();
                while let Some(next) = any_case.find(&line, found.last().map_or(0, |last: &Range<usize>| last.end)) {
                    found.push(next);
                }
                prop_assert_eq!(found, want);
            }
        }
    }

    #[test]
    fn the_rarest_letter_at_a_fixed_place_is_looked_for_first() {
        for (text, offset, bytes) in
            [("eject", 1, *b"Jjj"), ("see k5", 0, [b'S', b's', 0xc5]), ("the 5", 4, *b"555")]
        {
            let anchor = AnyCase::new(text).unwrap().anchor;
            assert_eq!((anchor.offset, anchor.bytes), (offset, bytes), "{text}");
        }
    }
}
