//! The text that a search looks for in whole blocks, before it reads any line.

use super::finder::Finder;
use super::matcher::{Matcher, Test};
use super::required::{Part, Required};

/// The shortest literal, in bytes: a shorter one is in every other line.
const LITERAL_MIN: usize = 3;

/// A text that every line has whose record matches.
#[derive(Debug)]
pub struct Literal {
    finder: Finder,
    /// How much it is worth: the more, the fewer lines have it.
    worth: u32,
}

impl Literal {
    /// Where it begins, each time that it is found in a block of lines. What
    /// overlaps is found once; no two lines share an occurrence.
    pub fn find_iter<'h>(&'h self, block: &'h [u8]) -> impl Iterator<Item = usize> + 'h {
        self.finder.find_iter(block)
    }

    /// Of what a test says on messages, the best one.
    pub(super) fn of(test: &Test) -> Option<Self> {
        match test {
            Test::And(tests) => tests.iter().filter_map(Self::of).max_by_key(|literal| literal.worth),
            Test::Message(Matcher::Text { part, .. }) => Self::of_part(part),
            Test::Message(Matcher::Regex { required, .. }) => Self::of_required(required),
            Test::Message(Matcher::Exact { text, .. }) => Self::of_text(text, false),
            _ => None,
        }
    }

    fn of_required(required: &Required) -> Option<Self> {
        match required {
            Required::Part(part) => Self::of_part(part),
            Required::All(all) => {
                all.iter().filter_map(Self::of_required).max_by_key(|literal| literal.worth)
            }
            Required::Any(_) => None,
        }
    }

    fn of_part(part: &Part) -> Option<Self> {
        Self::of_text(&part.text, part.any_case)
    }

    /// Lines hold the text of a message as it is where nothing is escaped: in
    /// ASCII that can be shown, but for the backslash.
    fn of_text(text: &str, any_case: bool) -> Option<Self> {
        let plain = |c: char| matches!(c, ' '..='~') && c != '\\';
        let runs = text.split(|c| !plain(c)).filter(|run| run.len() >= LITERAL_MIN);
        let best = runs.max_by_key(|run| worth(run))?;
        // What has no case is found faster as it is.
        let any_case = any_case && best.bytes().any(|b| b.is_ascii_alphabetic());
        let finder = Finder::of_blocks(best, any_case).ok()?;
        Some(Self { finder, worth: worth(best) })
    }
}

/// Digits and punctuation are rarer than letters, and spaces are everywhere.
fn worth(text: &str) -> u32 {
    text.bytes()
        .map(|b| {
            if b == b' ' {
                1
            } else if b.is_ascii_lowercase() {
                2
            } else {
                3
            }
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use crate::log::query::Filter;

    /// Where the literal of a query is found.
    fn found(query: &str, block: &str) -> Option<Vec<usize>> {
        let filter = Filter::parse(query).unwrap();
        filter.literal().map(|literal| literal.find_iter(block.as_bytes()).collect())
    }

    #[test]
    fn the_best_literal_of_the_message_is_found_in_its_case() {
        for (query, block, want) in [
            ("error", "an Error\nERROR error", Some(vec![3, 9, 15])),
            ("Error", "an Error\nERROR error", Some(vec![3])),
            ("task", "tas\u{212a} ta\u{17f}k", Some(vec![0, 7])),
            ("10.0.0.1", "x 10.0.0.1 10x0.0.1", Some(vec![2])),
            ("the connection blk_17", "the connection blk_17", Some(vec![4])),
            ("\"C:\\\\Program files\"", "Program Program files", Some(vec![8])),
            ("\"naïve users\"", "ve users", Some(vec![0])),
            (r#"~"^a+ (took|lasted) \d+ms in all$""#, "5ms in all", Some(vec![1])),
            (r#"=Exact"#, "Exact exact", Some(vec![0])),
            ("message:(one two)", "one two one", Some(vec![4])),
            ("level:info service:lib status:200 err", "err", Some(vec![0])),
            ("ab", "ab", None),
            ("one OR two", "", None),
            ("-one", "", None),
            ("user:one", "", None),
            ("*", "", None),
            (">one", "", None),
            ("~one|two", "", None),
            ("书书书书", "", None),
        ] {
            assert_eq!(found(query, block), want, "{query}");
        }
    }
}
