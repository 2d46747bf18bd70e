//! The palette: every command by its name, found by a few of its letters.

use super::{Model, Selected, Subject, Tab};
use crate::keys::{Binding, Command, Place};
use std::cmp::Reverse;
use tui_input::Input;

/// The palette while it is open.
#[derive(Debug, Clone, Default)]
pub struct Palette {
    /// What was typed.
    pub input: Input,
    /// The selected command.
    pub selected: Selected<(Place, Command)>,
    /// What the tab's keys acted upon when the palette was opened.
    pub subject: Option<Subject>,
}

/// The commands that the palette offers, the best match first: what can be done
/// here, then what can be done everywhere, then what the other tabs can.
pub fn commands<'a>(model: &'a Model, typed: &str) -> Vec<&'a Binding> {
    let here = model.place_below();
    let others = Tab::ALL.into_iter().filter(|tab| *tab != model.tab).map(|tab| model.place_in(tab));
    // Who has left a line of input open there means no command by what is typed here.
    let others = others.filter(|place| !matches!(place, Place::Prompt | Place::Find));
    let places = [here, Place::Anywhere, Place::Always].into_iter().chain(others);
    let mut found: Vec<&Binding> = Vec::new();
    for binding in places.flat_map(|place| model.keymap.rows(place)) {
        // A place that repeats what holds everywhere says it better.
        let elsewhere = |b: &&&Binding| b.place.tab().is_none_or(|tab| tab == model.tab);
        let repeated = binding.place.tab().is_none_or(|tab| tab == model.tab)
            && found.iter().filter(elsewhere).any(|b| b.command == binding.command);
        if binding.command != Command::Palette && !repeated {
            found.push(binding);
        }
    }
    if typed.trim().is_empty() {
        return found;
    }
    let mut scored: Vec<(u32, &Binding)> =
        found.into_iter().filter_map(|binding| Some((score(typed, binding)?, binding))).collect();
    // Among equals what can be done here, then the one that says least.
    let elsewhere = |binding: &Binding| binding.place.tab().is_some_and(|tab| tab != model.tab);
    scored.sort_by_key(|(score, binding)| (Reverse(*score), elsewhere(binding), binding.help.len()));
    scored.into_iter().map(|(_, binding)| binding).collect()
}

/// How a word was found, the weakest first. A better way outweighs a few words
/// that were found in a weaker one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    /// Its letters are within a word, in their order.
    Strewn = 1,
    /// It is made of the beginnings of words, in their order.
    Initials = 4,
    /// It begins a word of the place's name.
    Place = 8,
    /// It is within a word.
    Within = 16,
    /// It begins a word.
    Begin = 32,
    /// It is a word.
    Whole = 64,
    /// It is the command's name.
    Name = 128,
}

/// How well a command answers what was typed: every word must be found in its
/// name or in what is said of it. None where one is not.
fn score(typed: &str, binding: &Binding) -> Option<u32> {
    typed.to_lowercase().split_whitespace().map(|word| Some(find(word, binding)? as u32)).sum()
}

fn find(word: &str, binding: &Binding) -> Option<Found> {
    let (name, slug) = (binding.name(), binding.command.slug());
    let (help, place) = (binding.help.to_lowercase(), binding.place.title().to_lowercase());
    if word == slug || word == name {
        return Some(Found::Name);
    }
    let told = told(word, slug).max(told(word, &help));
    if told.is_some() {
        return told;
    }
    if name.starts_with(word) {
        return Some(Found::Begin);
    }
    if words(&place).any(|found| found.starts_with(word)) {
        return Some(Found::Place);
    }
    if begins(word, &words(&help).collect::<Vec<_>>()) {
        return Some(Found::Initials);
    }
    // What changes something outside is not offered for a few letters by chance.
    let strewn = !binding.command.acts() && (strewn(word, slug) || strewn(word, &help));
    strewn.then_some(Found::Strewn)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// How a word stands in a text as it is.
fn told(word: &str, text: &str) -> Option<Found> {
    if words(text).any(|found| found == word) {
        Some(Found::Whole)
    } else if words(text).any(|found| found.starts_with(word)) {
        Some(Found::Begin)
    } else {
        text.contains(word).then_some(Found::Within)
    }
}

/// Whether a word is made of the beginnings of some of these words: `gotim` of
/// "go to a time".
fn begins(word: &str, words: &[&str]) -> bool {
    let Some((first, rest)) = words.split_first() else { return word.is_empty() };
    let common = word.char_indices().zip(first.chars()).take_while(|((_, typed), c)| typed == c);
    let ends = common.map(|((at, typed), _)| at + typed.len_utf8());
    let begins = |end: usize| word.get(end..).is_some_and(|left| begins(left, rest));
    begins(0) || ends.into_iter().any(begins)
}

/// Whether the letters of a word are in one of a text, in their order.
fn strewn(word: &str, text: &str) -> bool {
    words(text).any(|found| {
        let mut letters = found.chars();
        word.chars().all(|letter| letters.any(|c| c == letter))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Keymap;

    fn found(typed: &str, name: &str) -> Option<u32> {
        let keymap = Keymap::default();
        let all = Place::ALL.into_iter().flat_map(|place| keymap.rows(place));
        all.filter(|binding| binding.name() == name).find_map(|binding| score(typed, binding))
    }

    #[test]
    fn every_word_must_be_found_at_least_by_its_letters() {
        for (typed, name, is_found) in [
            ("", "log.follow", true),
            ("fol", "log.follow", true),
            ("ftl", "log.follow", true),
            ("lo fol", "log.follow", true),
            ("FOLLOW", "log.follow", true),
            ("log.follow", "log.follow", true),
            ("flw", "log.follow", true),
            ("gol", "log.follow", false),
            ("follow logs", "log.follow", false),
            ("reg", "services.deregister", true),
            ("gstr", "services.deregister", false),
        ] {
            assert_eq!(found(typed, name).is_some(), is_found, "{typed} in {name}");
        }
    }

    #[test]
    fn a_name_goes_before_a_word_and_that_before_a_beginning_and_that_before_strewn_letters() {
        for (typed, better, worse) in [
            ("level", "log.level", "log.level-down"),
            ("log", "anywhere.log", "log.follow"),
            ("reg", "services.register", "services.deregister"),
            ("gotim", "log.go-time", "log.context"),
            ("leave", "anywhere.quit", "library.add"),
            ("mark", "log.mark", "anywhere.theme"),
        ] {
            assert!(found(typed, better) > found(typed, worse), "{typed}: {better}, {worse}");
        }
    }

    #[test]
    fn the_beginnings_of_words_are_found_wherever_some_are_left_out() {
        let words = ["go", "to", "a", "time"];
        for (typed, found) in [("gotim", true), ("gt", true), ("ti", true), ("gti", true), ("og", false)] {
            assert_eq!(begins(typed, &words), found, "{typed}");
        }
    }
}
