//! The palette: every command by its name, found by a few of its letters.

use super::{Cursor, Model, Tab};
use crate::keys::{Binding, Command, Place};
use tui_input::Input;

/// The palette while it is open.
#[derive(Debug, Clone, Default)]
pub struct Palette {
    /// What was typed.
    pub input: Input,
    /// The selected row.
    pub cursor: Cursor,
}

/// The commands that the palette offers, the best match first: what can be done
/// here, then what can be done everywhere, then what the other tabs can.
pub fn commands<'a>(model: &'a Model, typed: &str) -> Vec<&'a Binding> {
    let here = model.place_below();
    let others = Tab::ALL.into_iter().filter(|tab| *tab != model.tab).map(|tab| model.place_in(tab));
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
    let mut scored: Vec<(u32, &Binding)> = found
        .into_iter()
        .filter_map(|binding| {
            let text = format!("{} {} {}", binding.help, binding.place.title(), binding.name());
            Some((score(typed, &text)?, binding))
        })
        .collect();
    // Stable: equals stay in the order of the table.
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored.into_iter().map(|(_, binding)| binding).collect()
}

/// How well a text answers what was typed: every word of it must be found, its
/// letters in their order. None where one is not.
fn score(typed: &str, text: &str) -> Option<u32> {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    typed.to_lowercase().split_whitespace().map(|word| score_word(word, &text)).sum()
}

/// The best way to find the letters of a word in a text, in their order: a
/// letter that begins a word or the text, or follows the one found before it,
/// counts more.
///
/// `best[i]` is the best score with the letter before found at `i`, as in the
/// alignment of Smith and Waterman without its gaps' costs.
fn score_word(word: &str, text: &[char]) -> Option<u32> {
    const FOUND: u32 = 1;
    const BEGINS: u32 = 6;
    const FOLLOWS: u32 = 5;
    let begins =
        |at: usize| at.checked_sub(1).and_then(|at| text.get(at)).is_none_or(|c| !c.is_alphanumeric());
    if word.chars().nth(text.len()).is_some() {
        return None;
    }
    let mut best: Option<Vec<Option<u32>>> = None;
    for letter in word.chars() {
        // The best score among the places before `at`, and the one just before it.
        let (mut before, mut beside) = (if best.is_none() { Some(0) } else { None }, None);
        let mut row = Vec::with_capacity(text.len());
        for (at, c) in text.iter().enumerate() {
            let gained = FOUND + if begins(at) { BEGINS } else { 0 } + u32::from(at == 0);
            let reached = before.max(beside.map(|score: u32| score + FOLLOWS));
            row.push(reached.filter(|_| *c == letter).map(|score| score + gained));
            beside = best.as_ref().and_then(|best| best.get(at).copied().flatten());
            before = before.max(beside);
        }
        best = Some(row);
    }
    best.map_or(Some(0), |best| best.into_iter().flatten().max())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_letters_of_every_word_must_be_there_in_their_order() {
        for (typed, text, found) in [
            ("", "Follow the log", true),
            ("fol", "Follow the log", true),
            ("ftl", "Follow the log", true),
            ("log fol", "Follow the log", true),
            ("FOLLOW", "Follow the log", true),
            ("gol", "Follow the log", false),
            ("follow logs", "Follow the log", false),
            ("借", "借书", true),
        ] {
            assert_eq!(score(typed, text).is_some(), found, "{typed} in {text}");
        }
    }

    #[test]
    fn letters_that_begin_words_or_stand_together_go_first() {
        for (typed, better, worse) in [
            ("reg", "Register an instance", "Raise the least level"),
            ("ri", "Register an instance", "Drop the filter"),
            ("leave", "Leave", "Listen, or leave it"),
            ("send", "Send a record", "Show everything and"),
        ] {
            assert!(score(typed, better) > score(typed, worse), "{typed}: {better}, {worse}");
        }
    }
}
