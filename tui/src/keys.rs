//! The one table of keys: dispatch, footer and help are all read from it.

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

const fn bind(
    place: Place,
    keys: &'static [Key],
    command: Command,
    label: &'static str,
    help: &'static str,
) -> Binding {
    Binding { place, keys, command, label, help }
}

const ESC: Key = Key::plain(KeyCode::Esc);
const ENTER: Key = Key::plain(KeyCode::Enter);
const TAB: Key = Key::plain(KeyCode::Tab);
const BACK_TAB: Key = Key::plain(KeyCode::BackTab);
const UP: Key = Key::plain(KeyCode::Up);
const DOWN: Key = Key::plain(KeyCode::Down);
const LEFT: Key = Key::plain(KeyCode::Left);
const RIGHT: Key = Key::plain(KeyCode::Right);
const PAGE_UP: Key = Key::plain(KeyCode::PageUp);
const PAGE_DOWN: Key = Key::plain(KeyCode::PageDown);
const HOME: Key = Key::plain(KeyCode::Home);
const END: Key = Key::plain(KeyCode::End);

/// The table as it is delivered. A place's own rows go before those of
/// [`Place::Anywhere`], and the footer shows them in this order.
static TABLE: &[Binding] = &[
    bind(Place::Services, &[ENTER], Command::Open, "detail", "Show everything about the instance"),
    bind(
        Place::Services,
        &[Key::char('r'), Key::char('a')],
        Command::Register,
        "register",
        "Register an instance in a form",
    ),
    bind(
        Place::Services,
        &[Key::char('d')],
        Command::Deregister,
        "deregister",
        "Remove the instance, after a question",
    ),
    bind(Place::Services, &[Key::char('l')], Command::LogOf, "its log", "Show the log of this service alone"),
    bind(Place::Service, &[ESC], Command::Back, "close", "Close the detail"),
    bind(Place::Service, &[UP, Key::char('k')], Command::Up, "scroll", "Scroll up"),
    bind(Place::Service, &[DOWN, Key::char('j')], Command::Down, "", "Scroll down"),
    bind(
        Place::Service,
        &[Key::char('d')],
        Command::Deregister,
        "deregister",
        "Remove the instance, after a question",
    ),
    bind(Place::Service, &[Key::char('l')], Command::LogOf, "its log", "Show the log of this service alone"),
    bind(
        Place::Log,
        &[Key::char('f'), Key::char(' ')],
        Command::Follow,
        "follow",
        "Follow the log, or hold it",
    ),
    bind(Place::Log, &[Key::char('/')], Command::Search, "search", "Search the lines that are held"),
    bind(
        Place::Log,
        &[Key::char('F'), Key::char(':')],
        Command::Filter,
        "filter",
        "Filter with a query: error OR level:>=warn, user:ann*, -noise",
    ),
    bind(Place::Log, &[Key::char('v')], Command::Level, "level", "Raise the least level shown, round to all"),
    bind(Place::Log, &[ENTER], Command::Open, "detail", "Show the record with all its fields"),
    bind(Place::Log, &[Key::char('s')], Command::Send, "send", "Send a record in a form"),
    bind(Place::Log, &[Key::char('n')], Command::NextMatch, "", "To the next match, downwards"),
    bind(Place::Log, &[Key::char('N')], Command::PreviousMatch, "", "To the previous match, upwards"),
    bind(Place::Log, &[Key::char('x')], Command::ClearFilter, "", "Drop the filter: show every record"),
    bind(Place::Log, &[LEFT, Key::char('h')], Command::Left, "", "Scroll long lines to the left"),
    bind(Place::Log, &[RIGHT], Command::Right, "", "Scroll long lines to the right"),
    bind(Place::Record, &[ESC], Command::Back, "close", "Close the detail"),
    bind(Place::Record, &[UP, Key::char('k')], Command::Up, "scroll", "Scroll up"),
    bind(Place::Record, &[DOWN, Key::char('j')], Command::Down, "", "Scroll down"),
    bind(Place::Record, &[LEFT, Key::char('p')], Command::Left, "previous", "Show the record before it"),
    bind(Place::Record, &[RIGHT, Key::char('n')], Command::Right, "next", "Show the record after it"),
    bind(Place::Prompt, &[ENTER], Command::Submit, "apply", "Search or filter with what was typed"),
    bind(Place::Prompt, &[ESC], Command::Back, "cancel", "Leave it as it was"),
    bind(
        Place::Incidents,
        &[LEFT, Key::char('h')],
        Command::Left,
        "service",
        "Show the history of the previous service",
    ),
    bind(
        Place::Incidents,
        &[RIGHT, Key::char('l')],
        Command::Right,
        "",
        "Show the history of the next service",
    ),
    bind(Place::Library, &[Key::char('a')], Command::Add, "add", "Add a book in a form"),
    bind(Place::Library, &[Key::char('b')], Command::Borrow, "borrow", "Lend a copy of the book in a form"),
    bind(Place::Library, &[Key::char('r')], Command::Return, "return", "Take a copy back in a form"),
    bind(Place::Library, &[LEFT, Key::char('h')], Command::Left, "books", "To the books"),
    bind(Place::Library, &[RIGHT, Key::char('l')], Command::Right, "loans", "To the loans"),
    bind(
        Place::Library,
        &[Key::char('o')],
        Command::Returned,
        "returned",
        "Show returned loans too, or hide them",
    ),
    bind(Place::Form, &[ENTER], Command::Submit, "send", "Check the form and send it"),
    bind(Place::Form, &[TAB, DOWN], Command::NextField, "next field", "To the next field"),
    bind(Place::Form, &[BACK_TAB, UP], Command::PreviousField, "", "To the previous field"),
    bind(Place::Form, &[ESC], Command::Back, "cancel", "Close the form and send nothing"),
    bind(Place::Confirm, &[Key::char('y')], Command::Yes, "yes", "Do it"),
    bind(
        Place::Confirm,
        &[Key::char('n'), ESC, Key::char('q')],
        Command::Back,
        "no",
        "Leave everything as it is",
    ),
    bind(Place::Help, &[ESC, Key::char('?'), Key::char('q')], Command::Back, "close", "Close the help"),
    bind(Place::Anywhere, &[UP, Key::char('k')], Command::Up, "", "One row up"),
    bind(Place::Anywhere, &[DOWN, Key::char('j')], Command::Down, "", "One row down"),
    bind(Place::Anywhere, &[PAGE_UP, Key::ctrl('b')], Command::PageUp, "", "A screenful up"),
    bind(Place::Anywhere, &[PAGE_DOWN, Key::ctrl('f')], Command::PageDown, "", "A screenful down"),
    bind(Place::Anywhere, &[Key::char('g'), HOME], Command::First, "", "To the first row"),
    bind(
        Place::Anywhere,
        &[Key::char('G'), END],
        Command::Last,
        "",
        "To the last row; follows the log again",
    ),
    bind(Place::Anywhere, &[Key::char('1')], Command::Tab(0), "", "Overview"),
    bind(Place::Anywhere, &[Key::char('2')], Command::Tab(1), "", "Services"),
    bind(Place::Anywhere, &[Key::char('3')], Command::Tab(2), "", "Log"),
    bind(Place::Anywhere, &[Key::char('4')], Command::Tab(3), "", "Incidents"),
    bind(Place::Anywhere, &[Key::char('5')], Command::Tab(4), "", "Library"),
    bind(Place::Anywhere, &[TAB], Command::NextTab, "", "The next tab"),
    bind(Place::Anywhere, &[BACK_TAB], Command::PreviousTab, "", "The previous tab"),
    bind(Place::Anywhere, &[ESC], Command::Back, "", "One step back"),
    bind(Place::Anywhere, &[Key::char('?')], Command::Help, "help", "This help"),
    bind(Place::Anywhere, &[Key::char('q')], Command::Quit, "quit", "Leave"),
    bind(Place::Always, &[Key::ctrl('c')], Command::Quit, "", "Leave at once"),
    bind(Place::Always, &[Key::ctrl('z')], Command::Suspend, "", "Back to the shell; fg returns"),
    bind(Place::Always, &[Key::ctrl('l')], Command::Redraw, "", "Draw the screen anew"),
];

/// The keys in force.
#[derive(Debug, Clone)]
pub struct Keymap {
    bindings: Vec<Binding>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self { bindings: TABLE.to_vec() }
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
