//! What is typed to find something: in a list that it narrows, in the log. Case
//! counts once a capital is typed, as in the query language.

use std::ops::Range;
use tui_input::Input;

/// What is typed to narrow a list.
#[derive(Debug, Clone, Default)]
pub struct Finder {
    /// What was typed.
    pub input: Input,
    /// Whether it is being typed.
    pub typing: bool,
}

impl Finder {
    /// Whether the list is narrowed, or about to be.
    pub fn is_on(&self) -> bool {
        self.typing || !self.text().is_empty()
    }

    /// What was typed, without spaces around it.
    pub fn text(&self) -> &str {
        self.input.value().trim()
    }

    /// Begins to type, where there is something already: at its end.
    pub const fn begin(&mut self) {
        self.typing = true;
    }

    /// Shows everything again.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The words to be found.
    pub fn words(&self) -> Words<'_> {
        Words(self.text().split_whitespace().collect())
    }
}

/// Words, each of which one of the texts of a row must hold.
#[derive(Debug)]
pub struct Words<'a>(Vec<&'a str>);

impl Words<'_> {
    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every word is in one of the texts.
    pub fn are_in(&self, texts: &[&str]) -> bool {
        self.0.iter().all(|word| texts.iter().any(|text| is_in(text, word)))
    }
}

/// Whether a text is found in another.
pub fn is_in(text: &str, sought: &str) -> bool {
    find_from(text, sought, 0).is_some()
}

/// Where a text is found in another, from left to right; nothing is found nowhere.
pub fn find_in(text: &str, sought: &str) -> Vec<Range<usize>> {
    let next = |found: &Range<usize>| find_from(text, sought, found.end);
    std::iter::successors(find_from(text, sought, 0), next).collect()
}

/// The first place from a byte on.
fn find_from(text: &str, sought: &str, from: usize) -> Option<Range<usize>> {
    let (rest, first) = (text.get(from..)?, *sought.as_bytes().first()?);
    let at = if sought.is_ascii() && !sought.bytes().any(|byte| byte.is_ascii_uppercase()) {
        let bytes = rest.as_bytes();
        let hit = |at: &usize| {
            let there = bytes.get(*at..at + sought.len());
            there.is_some_and(|there| there.eq_ignore_ascii_case(sought.as_bytes()))
        };
        memchr::memchr2_iter(first, first.to_ascii_uppercase(), bytes).find(hit)
    } else if sought.chars().all(|c| c.to_uppercase().eq([c])) || sought.chars().any(char::is_uppercase) {
        rest.find(sought)
    } else {
        let mut places = rest.char_indices();
        let found = places.find_map(|(at, _)| Some((at, folded(rest.get(at..)?, sought)?)));
        return found.map(|(at, len)| from + at..from + at + len);
    };
    at.map(|at| from + at..from + at + sought.len())
}

/// How many bytes of a text it takes to begin with another, whatever the case.
fn folded(text: &str, sought: &str) -> Option<usize> {
    let mut letters = text.chars();
    let begins = sought.chars().all(|c| letters.next().is_some_and(|letter| letter.to_lowercase().eq([c])));
    begins.then(|| text.len() - letters.as_str().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_heeds_case_once_a_capital_is_typed() {
        for (text, search, want) in [
            ("Disk full, disk", "disk", &[(0, 4), (11, 15)][..]),
            ("Disk full, disk", "Disk", &[(0, 4)]),
            ("分布式 BOOK", "book", &[(10, 14)]),
            ("分布式分布", "分布", &[(0, 6), (9, 15)]),
            ("aaa", "aa", &[(0, 2)]),
            ("Straße MÜLLER, Müller", "müller", &[(8, 15), (17, 24)]),
            ("x", "", &[]),
            ("", "x", &[]),
        ] {
            let found: Vec<_> = find_in(text, search).iter().map(|found| (found.start, found.end)).collect();
            assert_eq!(found, want, "{search} in {text}");
        }
    }

    #[test]
    fn every_word_must_be_in_one_of_the_texts_and_case_counts_once_a_capital_is_typed() {
        for (typed, found) in [
            ("", true),
            ("log", true),
            ("log 4000", true),
            ("Log", true),
            ("LOG", false),
            ("log nowhere", false),
            ("图书", true),
        ] {
            let finder = Finder { input: Input::new(typed.to_owned()), typing: false };
            assert_eq!(
                finder.words().are_in(&["LogService", "http://localhost:4000", "图书馆"]),
                found,
                "{typed}"
            );
        }
    }
}
