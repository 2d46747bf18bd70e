//! Keys and what they do: dispatch, footer and help are all read from one
//! [`table`].

mod table;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fmt;

/// A key, or a key held with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// The key.
    pub code: KeyCode,
    /// What is held with it; Shift is left out where the character says it.
    pub modifiers: KeyModifiers,
}

impl Key {
    /// A key by itself.
    pub const fn plain(code: KeyCode) -> Self {
        Self { code, modifiers: KeyModifiers::NONE }
    }

    /// A character.
    pub const fn char(c: char) -> Self {
        Self::plain(KeyCode::Char(c))
    }

    /// A character with Ctrl.
    pub const fn ctrl(c: char) -> Self {
        Self { code: KeyCode::Char(c), modifiers: KeyModifiers::CONTROL }
    }
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        // Terminals disagree whether `G` and Shift-Tab come with Shift.
        let said = matches!(event.code, KeyCode::Char(_) | KeyCode::BackTab);
        let modifiers = if said { event.modifiers.difference(KeyModifiers::SHIFT) } else { event.modifiers };
        Self { code: event.code, modifiers }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            f.write_str("Ctrl-")?;
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(c) if self.modifiers.contains(KeyModifiers::CONTROL) => {
                write!(f, "{}", c.to_ascii_uppercase())
            }
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::Up => f.write_str("↑"),
            KeyCode::Down => f.write_str("↓"),
            KeyCode::Left => f.write_str("←"),
            KeyCode::Right => f.write_str("→"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::PageDown => f.write_str("PgDn"),
            KeyCode::BackTab => f.write_str("Shift-Tab"),
            code => write!(f, "{code}"),
        }
    }
}

/// Where the console is: decides which keys mean what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// Everywhere, even while text is typed.
    Always,
    /// Everywhere but where text is typed or a question is open.
    Anywhere,
    /// The overview.
    Overview,
    /// The table of services.
    Services,
    /// The detail of one instance.
    Service,
    /// The log.
    Log,
    /// The detail of one record.
    Record,
    /// The line in which a search or a filter is typed.
    Prompt,
    /// The incidents.
    Incidents,
    /// The library.
    Library,
    /// A form.
    Form,
    /// A question.
    Confirm,
    /// The help.
    Help,
}

impl Place {
    /// Every place, in the order of the help.
    pub const ALL: [Self; 13] = [
        Self::Anywhere,
        Self::Overview,
        Self::Services,
        Self::Service,
        Self::Log,
        Self::Record,
        Self::Prompt,
        Self::Incidents,
        Self::Library,
        Self::Form,
        Self::Confirm,
        Self::Help,
        Self::Always,
    ];

    /// Its heading in the help.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::Anywhere => "Everywhere",
            Self::Overview => "Overview",
            Self::Services => "Services",
            Self::Service => "Service detail",
            Self::Log => "Log",
            Self::Record => "Record detail",
            Self::Prompt => "Search and filter",
            Self::Incidents => "Incidents",
            Self::Library => "Library",
            Self::Form => "Forms",
            Self::Confirm => "Questions",
            Self::Help => "Help",
        }
    }

    /// Whether the keys of [`Place::Anywhere`] work here.
    const fn is_open(self) -> bool {
        !matches!(self, Self::Prompt | Self::Form | Self::Confirm)
    }
}

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// Leave the program.
    Quit,
    /// Stop like any job of the shell.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Open the help.
    Help,
    /// One step back: close, clear, cancel.
    Back,
    /// Show the tab of this number, counted from 0.
    Tab(usize),
    /// Show the next tab.
    NextTab,
    /// Show the previous tab.
    PreviousTab,
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// A screenful up.
    PageUp,
    /// A screenful down.
    PageDown,
    /// To the first row.
    First,
    /// To the last row; in the log, follow again.
    Last,
    /// To the left.
    Left,
    /// To the right.
    Right,
    /// Open the detail of what is selected.
    Open,
    /// Open the form that registers an instance.
    Register,
    /// Ask whether to remove the selected instance.
    Deregister,
    /// Show the log of the selected service.
    LogOf,
    /// Follow the log, or hold it.
    Follow,
    /// Type a text to search for.
    Search,
    /// To the next match, downwards.
    NextMatch,
    /// To the previous match, upwards.
    PreviousMatch,
    /// Type a query that filters the log.
    Filter,
    /// Show only graver records, round to all again.
    Level,
    /// Show everything again.
    ClearFilter,
    /// Open the form that sends a record.
    Send,
    /// Open the form that adds a book.
    Add,
    /// Open the form that lends a copy.
    Borrow,
    /// Open the form that takes a copy back.
    Return,
    /// Show returned loans too, or hide them.
    Returned,
    /// To the next field.
    NextField,
    /// To the previous field.
    PreviousField,
    /// Send what was typed.
    Submit,
    /// Do what was asked.
    Yes,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Where it holds.
    pub place: Place,
    /// The keys, the one to show first.
    pub keys: &'static [Key],
    /// What they do.
    pub command: Command,
    /// A word for the footer; empty where the footer leaves it out.
    pub label: &'static str,
    /// A sentence for the help.
    pub help: &'static str,
}

/// The keys in force.
#[derive(Debug, Clone)]
pub struct Keymap {
    bindings: Vec<Binding>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self { bindings: table::TABLE.to_vec() }
    }
}

impl Keymap {
    /// What a key does in a place: the place's own meaning goes before the
    /// general one. None where it is text, or nothing.
    pub fn command(&self, place: Place, key: Key) -> Option<Command> {
        let meaning = |within: Place| {
            let mut rows = self.bindings.iter().filter(move |b| b.place == within);
            rows.find(|b| b.keys.contains(&key)).map(|b| b.command)
        };
        meaning(Place::Always)
            .or_else(|| meaning(place))
            .or_else(|| if place.is_open() { meaning(Place::Anywhere) } else { None })
    }

    /// The rows that the footer of a place shows.
    pub fn footer(&self, place: Place) -> impl Iterator<Item = &Binding> {
        let general = place.is_open() && place != Place::Help;
        self.bindings
            .iter()
            .filter(move |b| b.place == place || (general && b.place == Place::Anywhere))
            .filter(|b| !b.label.is_empty())
    }

    /// The rows of a place, for the help.
    pub fn rows(&self, place: Place) -> impl Iterator<Item = &Binding> {
        self.bindings.iter().filter(move |b| b.place == place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for place in Place::ALL {
            let mut seen = HashSet::new();
            for key in Keymap::default().rows(place).flat_map(|b| b.keys) {
                assert!(seen.insert(*key), "{key} in {place:?}");
            }
        }
    }

    #[test]
    fn every_place_shows_in_its_footer_how_to_go_on_and_back() {
        let keymap = Keymap::default();
        for place in Place::ALL {
            if !matches!(place, Place::Always | Place::Anywhere) {
                let commands: Vec<_> = keymap.footer(place).map(|b| b.command).collect();
                let leaves = [Command::Back, Command::Quit].iter().any(|c| commands.contains(c));
                assert!(leaves, "{place:?} shows {commands:?}");
            }
        }
    }

    #[test]
    fn letters_are_text_where_text_is_typed_and_ctrl_c_leaves_from_everywhere() {
        let keymap = Keymap::default();
        for place in Place::ALL {
            assert_eq!(keymap.command(place, Key::ctrl('c')), Some(Command::Quit));
        }
        for place in [Place::Form, Place::Prompt] {
            assert_eq!(keymap.command(place, Key::char('q')), None);
        }
        assert_eq!(keymap.command(Place::Confirm, Key::char('2')), None);
        assert_eq!(keymap.command(Place::Log, Key::char('q')), Some(Command::Quit));
    }

    #[test]
    fn shift_is_left_out_where_the_character_says_it() {
        let event = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        assert_eq!(Key::from(event), Key::char('G'));
        assert_eq!(Key::ctrl('c').to_string(), "Ctrl-C");
        assert_eq!(Key::plain(KeyCode::PageUp).to_string(), "PgUp");
    }
}
