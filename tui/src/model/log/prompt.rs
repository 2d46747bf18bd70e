//! The line of input under the log: what it is for, what was typed before, and
//! what could follow.

use crate::action::Failure;
use std::collections::VecDeque;
use tui_input::Input;

/// How many texts of one kind are remembered.
pub const RECENT_MAX: usize = 50;

/// What a line of input is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptKind {
    /// A text to search for in what is held.
    Search,
    /// A query that filters the log.
    Filter,
    /// A moment to go to.
    Time,
    /// A part of the name of a level or a service that is listed.
    Facet,
    /// A file to write what is shown to.
    Export,
}

/// A line of input under the log.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// What it is for.
    pub kind: PromptKind,
    /// What was typed.
    pub input: Input,
    /// What is wrong with it.
    pub failure: Option<Failure>,
    /// Whether the answer is being waited for.
    pub waiting: bool,
    /// What could stand where the cursor is.
    pub completion: Option<Completion>,
    /// Which of the recent texts stands here, counted from the latest.
    recalled: Option<usize>,
}

impl Prompt {
    /// With a text to begin with.
    pub fn new(kind: PromptKind, typed: String) -> Self {
        Self {
            kind,
            input: Input::new(typed),
            failure: None,
            waiting: false,
            completion: None,
            recalled: None,
        }
    }

    /// What was typed, without spaces around it; they count where a text is
    /// searched for.
    pub fn text(&self) -> &str {
        let (typed, trimmed) = (self.input.value(), self.input.value().trim());
        if self.kind == PromptKind::Search && !trimmed.is_empty() { typed } else { trimmed }
    }

    /// Replaces what was typed by a recent text, an older or a later one.
    pub fn recall(&mut self, recent: &Recent, older: bool) {
        let at = match (self.recalled, older) {
            (None, true) => Some(0),
            (Some(at), true) => Some(at + 1),
            (at, false) => at.and_then(|at| at.checked_sub(1)),
        };
        match at.map(|at| recent.get(at)) {
            Some(Some(text)) => self.input = Input::new(text.to_owned()),
            Some(None) => return,
            None if self.recalled.is_some() => self.input = Input::default(),
            None => {}
        }
        self.recalled = at;
        self.edited();
    }

    /// Puts the next of what could stand here, or the one before.
    pub fn complete(&mut self, completion: impl FnOnce() -> Completion, forward: bool) {
        let completion = self.completion.take().unwrap_or_else(completion).stepped(forward);
        if let Some(input) = completion.applied() {
            (self.input, self.failure) = (input, None);
        }
        self.completion = Some(completion);
    }

    /// Shows what could stand here, and leaves what was typed as it is.
    pub fn offer(&mut self, completion: Completion) {
        self.completion = Some(completion).filter(Completion::has_news);
    }

    /// What was said of the text before holds no more.
    pub fn edited(&mut self) {
        self.failure = None;
        self.completion = None;
    }
}

/// What could stand in place of the word at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The text before the word.
    pub before: String,
    /// The word as it was typed.
    pub word: String,
    /// The text after it.
    pub after: String,
    /// What could stand there.
    pub candidates: Vec<String>,
    /// Which of them stands there now; none until one was asked for.
    pub at: Option<usize>,
}

impl Completion {
    fn stepped(self, forward: bool) -> Self {
        let count = self.candidates.len();
        let at = match self.at {
            _ if count == 0 => None,
            None if forward => Some(0),
            None => Some(count - 1),
            Some(at) => Some((at + if forward { 1 } else { count - 1 }) % count),
        };
        Self { at, ..self }
    }

    /// Whether something else could stand there than what was typed.
    fn has_news(&self) -> bool {
        !self.word.is_empty() && self.candidates.iter().any(|candidate| *candidate != self.word)
    }

    /// The text with the candidate in its place, and the cursor behind it.
    fn applied(&self) -> Option<Input> {
        let word = self.candidates.get(self.at?)?;
        let text = format!("{}{word}{}", self.before, self.after);
        let cursor = self.before.chars().count() + word.chars().count();
        Some(Input::new(text).with_cursor(cursor))
    }
}

/// The texts that were typed last, the latest first, each once.
#[derive(Debug, Clone, Default)]
pub struct Recent(VecDeque<String>);

impl Recent {
    /// Remembers a text. False where it is the latest already, or none.
    pub fn push(&mut self, text: &str) -> bool {
        if text.is_empty() || self.get(0) == Some(text) {
            return false;
        }
        self.0.retain(|known| known != text);
        self.0.push_front(text.to_owned());
        self.0.truncate(RECENT_MAX);
        true
    }

    /// Remembers texts, the latest first, that were typed before all of these.
    pub fn add_older(&mut self, older: Vec<String>) {
        for text in older {
            if self.0.len() < RECENT_MAX && !self.0.contains(&text) {
                self.0.push_back(text);
            }
        }
    }

    /// The latest first.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    fn get(&self, at: usize) -> Option<&str> {
        self.0.get(at).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_texts_come_back_one_by_one_and_each_once() {
        let mut recent = Recent::default();
        for text in ["a", "b", "", "a", "c"] {
            recent.push(text);
        }
        let mut prompt = Prompt::new(PromptKind::Filter, "typed".to_owned());
        let mut seen = Vec::new();
        for older in [true, true, true, true, false, false, false] {
            prompt.recall(&recent, older);
            seen.push(prompt.text().to_owned());
        }
        assert_eq!(seen, ["c", "a", "b", "b", "a", "c", ""]);
        assert!((0..200).all(|n| recent.push(&n.to_string())) && !recent.push("199"));
        assert_eq!(recent.0.len(), RECENT_MAX);
    }

    #[test]
    fn candidates_are_put_in_place_one_after_the_other() {
        let candidates = vec!["level:warn".to_owned(), "level:error".to_owned()];
        let completion = || Completion {
            before: "a ".to_owned(),
            word: "lev".to_owned(),
            after: " b".to_owned(),
            candidates,
            at: None,
        };
        let mut prompt = Prompt::new(PromptKind::Filter, "a lev b".to_owned());
        prompt.complete(completion, true);
        assert_eq!((prompt.input.value(), prompt.input.cursor()), ("a level:warn b", 12));
        let unused = || -> Completion { unreachable!("it has begun") };
        prompt.complete(unused, true);
        assert_eq!(prompt.input.value(), "a level:error b");
        prompt.complete(unused, true);
        assert_eq!(prompt.input.value(), "a level:warn b");
        prompt.complete(unused, false);
        assert_eq!(prompt.input.value(), "a level:error b");
    }
}
