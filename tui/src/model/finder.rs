//! A list narrowed as one types.

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
    pub fn words(&self) -> Words {
        Words(self.text().split_whitespace().map(Word::new).collect())
    }
}

/// Words, each of which one of the texts of a row must hold.
#[derive(Debug)]
pub struct Words(Vec<Word>);

/// One of them. Case counts once a capital is typed.
#[derive(Debug)]
struct Word {
    text: String,
    any_case: bool,
}

impl Word {
    fn new(text: &str) -> Self {
        let any_case = !text.chars().any(char::is_uppercase);
        Self { text: text.to_owned(), any_case }
    }

    fn is_in(&self, text: &str) -> bool {
        if self.any_case { text.to_lowercase().contains(&self.text) } else { text.contains(&self.text) }
    }
}

impl Words {
    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every word is in one of the texts.
    pub fn are_in(&self, texts: &[&str]) -> bool {
        self.0.iter().all(|word| texts.iter().any(|text| word.is_in(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
