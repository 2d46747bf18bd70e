//! What the last frame showed of something that is longer than its place: only
//! the view knows how much fits, and only the update moves.

use crate::keys::Command;

/// What fitted on the screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// The rows of a list that fitted; none where no list was drawn.
    pub rows: Option<usize>,
    /// How a text that is scrolled fitted; none where there was none.
    pub text: Option<Fitted>,
}

/// How a text fitted in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fitted {
    /// By how many lines it can be scrolled until its end is seen.
    pub scroll_max: usize,
    /// The lines of its place.
    pub height: usize,
}

impl Seen {
    /// Scrolls a text that lies `lines` from its beginning, as far as it goes.
    pub fn scroll(self, lines: usize, command: Command) -> usize {
        let Fitted { scroll_max, height } =
            self.text.unwrap_or(Fitted { scroll_max: usize::MAX, height: 10 });
        let from = lines.min(scroll_max);
        match command {
            Command::Up => from.saturating_sub(1),
            Command::Down => from.saturating_add(1).min(scroll_max),
            Command::PageUp => from.saturating_sub(height),
            Command::PageDown => from.saturating_add(height).min(scroll_max),
            Command::First => 0,
            // Nowhere as long as nobody has seen where it ends.
            Command::Last if scroll_max < usize::MAX => scroll_max,
            _ => from,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_scrolled_no_further_than_to_its_end() {
        let seen = Seen { rows: None, text: Some(Fitted { scroll_max: 30, height: 12 }) };
        for (from, command, to) in [
            (0, Command::Up, 0),
            (0, Command::PageDown, 12),
            (25, Command::PageDown, 30),
            (30, Command::Down, 30),
            (900, Command::Up, 29),
            (5, Command::Last, 30),
            (5, Command::First, 0),
        ] {
            assert_eq!(seen.scroll(from, command), to, "{command:?} from {from}");
        }
        assert_eq!(Seen::default().scroll(3, Command::Last), 3);
    }
}
