//! The table of keys, as it is delivered.

use super::Command::*;
use super::{Binding, Command, Key, Place};
use crossterm::event::KeyCode;
use std::borrow::Cow;

const fn bind(
    place: Place,
    keys: &'static [Key],
    command: Command,
    label: &'static str,
    help: &'static str,
) -> Binding {
    Binding { place, keys: Cow::Borrowed(keys), command, label, help }
}

const fn c(c: char) -> Key {
    Key::char(c)
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

/// Place, keys (none: only the palette has it), command, a word for the footer
/// (empty: not there), a sentence for the help and the palette. A place's own
/// rows go before those of [`Place::Anywhere`], and the footer shows them in
/// this order. A screen's keys must not hide those that work everywhere.
#[rustfmt::skip]
pub(super) static TABLE: &[Binding] = &[
    bind(Place::Overview, &[ENTER], Open, "detail", "Show everything about the service"),
    bind(Place::Overview, &[c('l')], LogOf, "its log", "Show the log of this service alone"),
    bind(Place::Overview, &[c('i')], IncidentsOf, "its incidents", "Show the incidents of this service"),
    bind(Place::Overview, &[c('f')], Forget, "", "Take a service without an instance from the list"),
    bind(Place::Overview, &[c('d')], Graph, "who depends", "Show who depends on whom, on the whole screen"),

    bind(Place::Services, &[ENTER], Open, "detail", "Show everything about the instance"),
    bind(Place::Services, &[c('/')], Search, "find", "Narrow the table as you type"),
    bind(Place::Services, &[c('m')], Maintain, "maintain", "Put the instance under maintenance or drain it, or end that"),
    bind(Place::Services, &[c('l')], LogOf, "log", "Show the log of this service alone"),
    bind(Place::Services, &[c('r'), c('a')], Register, "register", "Register an instance in a form"),
    bind(Place::Services, &[c('d')], Deregister, "deregister", "Remove the instance, after a question"),
    bind(Place::Services, &[c('i')], IncidentsOf, "incidents", "Show the incidents of this service"),
    bind(Place::Services, &[c('s')], Sort, "sort", "Sort the table by its next column"),
    bind(Place::Services, &[c('S')], Reverse, "", "Turn the order of the table round"),
    bind(Place::Services, &[c('M')], MaintainService, "", "Put the service as a whole under maintenance or drain it, or end that"),
    bind(Place::Services, &[c('f')], Forget, "", "Take a service without an instance from the list"),

    bind(Place::Service, &[ESC], Back, "close", "Close the detail"),
    bind(Place::Service, &[UP, c('k')], Up, "scroll", "Scroll up"),
    bind(Place::Service, &[DOWN, c('j')], Down, "", "Scroll down"),
    bind(Place::Service, &[c('m')], Maintain, "maintain", "Put the instance under maintenance or drain it, or end that"),
    bind(Place::Service, &[c('M')], MaintainService, "", "Put the service as a whole under maintenance or drain it, or end that"),
    bind(Place::Service, &[c('l')], LogOf, "its log", "Show the log of this service alone"),
    bind(Place::Service, &[c('i')], IncidentsOf, "its incidents", "Show the incidents of this service"),
    bind(Place::Service, &[c('d')], Deregister, "deregister", "Remove the instance, after a question"),
    bind(Place::Service, &[c('f')], Forget, "", "Take a service without an instance from the list"),

    bind(Place::Log, &[c('n')], NextMatch, "next", "To the next match, downwards, on into the history, then round"),
    bind(Place::Log, &[c('N')], PreviousMatch, "previous", "To the previous match, upwards, on into the history, then round"),
    bind(Place::Log, &[c('f'), c(' ')], Follow, "follow", "Follow the log, or pause it"),
    bind(Place::Log, &[c('/')], Search, "search", "Search: n and N go from match to match"),
    bind(Place::Log, &[c('F')], Filter, "filter", "Filter with a query: error OR level:>=warn, user:ann*, -noise"),
    bind(Place::Log, &[c('o')], Facets, "levels", "Show or hide levels and services one by one"),
    bind(Place::Log, &[c('e')], NextError, "error", "To the next error, downwards"),
    bind(Place::Log, &[c('E')], PreviousError, "", "To the previous error, upwards"),
    bind(Place::Log, &[c('t')], GoTime, "time", "Go to a time: 14:30, 2h ago, 2026-11-22T10:00:00Z"),
    bind(Place::Log, &[c('z')], Timeline, "timeline", "Move through the timeline, zoom it, select a part of it"),
    bind(Place::Log, &[ENTER], Open, "detail", "Show the record with all its fields"),
    bind(Place::Log, &[c('c')], Context, "context", "Show the record among all those of its service"),
    bind(Place::Log, &[c('v')], Level, "", "Raise the least level shown, round to all"),
    bind(Place::Log, &[c('V')], LevelDown, "", "Lower the least level shown, round to fatal"),
    bind(Place::Log, &[c('x')], ClearFilter, "", "Drop the filter: show every record"),
    bind(Place::Log, &[c('m')], Mark, "", "Mark the record, or take the mark away"),
    bind(Place::Log, &[c('\'')], GoMark, "", "To the previous mark, round to the last"),
    bind(Place::Log, &[c('w')], Wrap, "", "Wrap long lines, or cut them"),
    bind(Place::Log, &[c('X')], Export, "", "Write what is held to a file: .ndjson, or else text"),
    bind(Place::Log, &[c('s')], Send, "", "Send a record in a form"),
    bind(Place::Log, &[LEFT, c('h')], Left, "", "Scroll long lines to the left"),
    bind(Place::Log, &[RIGHT, c('l')], Right, "", "Scroll long lines to the right"),
    bind(Place::Log, &[ESC], Back, "back", "End the search, follow again, show all times, show every record: one after the other"),

    bind(Place::Record, &[ESC], Back, "close", "Close the detail"),
    bind(Place::Record, &[UP, c('k')], Up, "", "To the previous field; back to it, line by line"),
    bind(Place::Record, &[DOWN, c('j')], Down, "", "To the next field; behind the last, on line by line"),
    bind(Place::Record, &[c('+')], Include, "only such", "Show only records in which this field is the same"),
    bind(Place::Record, &[c('-')], Exclude, "none such", "Show only records in which this field is another"),
    bind(Place::Record, &[c('v')], CopyValue, "copy value", "Copy the value of this field; y copies the whole record"),
    bind(Place::Record, &[LEFT, c('p')], Left, "previous", "Show the record before it"),
    bind(Place::Record, &[RIGHT, c('n')], Right, "next", "Show the record after it"),
    bind(Place::Record, &[c('c')], Context, "context", "Show the record among all those of its service"),
    bind(Place::Record, &[c('m')], Mark, "", "Mark the record, or take the mark away"),

    bind(Place::Facets, &[ESC, c('o'), ENTER], Back, "close", "Close the list"),
    bind(Place::Facets, &[c(' ')], Toggle, "show or hide", "Show the level or service, or hide it"),
    bind(Place::Facets, &[c('a')], Only, "alone", "Show it alone, or all again"),
    bind(Place::Facets, &[c('/')], Search, "find", "To a level or service, as you type a part of its name"),
    bind(Place::Facets, &[c('x')], ClearFilter, "all", "Drop the filter: show every record"),

    bind(Place::Timeline, &[ENTER], Open, "narrow", "Show only the records of what is selected"),
    bind(Place::Timeline, &[c(' '), c('v')], Select, "select", "Begin to select several parts, or begin anew"),
    bind(Place::Timeline, &[c('+'), c('=')], ZoomIn, "closer", "Show a shorter time around it"),
    bind(Place::Timeline, &[c('-')], ZoomOut, "wider", "Show a longer time around it"),
    bind(Place::Timeline, &[LEFT, c('h')], Left, "earlier", "To an earlier part"),
    bind(Place::Timeline, &[RIGHT, c('l')], Right, "later", "To a later part"),
    bind(Place::Timeline, &[c('t')], GoTime, "time", "To the part of a time: 14:30, 2h ago, 2026-11-22T10:00:00Z"),
    bind(Place::Timeline, &[c('x')], ClearFilter, "", "Drop the filter: show every record"),
    bind(Place::Timeline, &[ESC, c('z')], Back, "lines", "Back to the lines"),

    bind(Place::Prompt, &[ENTER], Submit, "apply", "Do it with what was typed"),
    bind(Place::Prompt, &[TAB], Complete, "complete", "Put what could stand here, one after the other"),
    bind(Place::Prompt, &[BACK_TAB], CompleteBack, "", "Put what could stand here, backwards"),
    bind(Place::Prompt, &[UP], Up, "recent", "What was typed before"),
    bind(Place::Prompt, &[DOWN], Down, "", "What was typed after that"),
    bind(Place::Prompt, &[ESC], Back, "cancel", "Leave it as it was"),

    bind(Place::Incidents, &[ENTER], Open, "detail", "Show the evidence on the whole screen"),
    bind(Place::Incidents, &[c('a')], Acknowledge, "acknowledge", "Say who looks after the incident"),
    bind(Place::Incidents, &[c('m')], MaintainService, "maintain", "Put the service under maintenance or drain it, or end that"),
    bind(Place::Incidents, &[c('l')], LogOf, "its log", "Show the log of this service alone"),
    bind(Place::Incidents, &[c('f')], Forget, "", "Take a service without an instance from the list"),
    bind(Place::Incidents, &[c('d')], Graph, "", "Show who depends on whom, on the whole screen"),
    bind(Place::Incidents, &[RIGHT], Right, "uptime", "To the uptime of all services"),
    bind(Place::Incidents, &[LEFT, c('h')], Left, "", "To the incidents"),
    bind(Place::Incidents, &[c('p')], Period, "period", "Past incidents of a day, a week, a month"),

    bind(Place::Incident, &[ESC], Back, "close", "Close the detail"),
    bind(Place::Incident, &[UP, c('k')], Up, "scroll", "Scroll up"),
    bind(Place::Incident, &[DOWN, c('j')], Down, "", "Scroll down"),
    bind(Place::Incident, &[c('a')], Acknowledge, "acknowledge", "Say who looks after the incident"),
    bind(Place::Incident, &[c('m')], MaintainService, "maintain", "Put the service under maintenance or drain it, or end that"),
    bind(Place::Incident, &[c('l')], LogOf, "its log", "Show the log of this service alone"),
    bind(Place::Incident, &[c('f')], Forget, "", "Take a service without an instance from the list"),

    bind(Place::Library, &[c('a')], Add, "add", "Add a book in a form"),
    bind(Place::Library, &[c('b')], Borrow, "borrow", "Lend a copy of the book in a form"),
    bind(Place::Library, &[c('r')], Return, "return", "Take a copy back in a form"),
    bind(Place::Library, &[c('/')], Search, "find", "Narrow books and loans as you type"),
    bind(Place::Library, &[LEFT, c('h')], Left, "books", "To the books"),
    bind(Place::Library, &[RIGHT, c('l')], Right, "loans", "To the loans"),
    bind(Place::Library, &[c('o')], Returned, "returned", "Show returned loans too, or hide them"),

    bind(Place::Find, &[ENTER], Submit, "keep", "Keep what is narrowed down"),
    bind(Place::Find, &[DOWN], Down, "", "One row down"),
    bind(Place::Find, &[UP], Up, "", "One row up"),
    bind(Place::Find, &[PAGE_DOWN], PageDown, "", "A screenful down"),
    bind(Place::Find, &[PAGE_UP], PageUp, "", "A screenful up"),
    bind(Place::Find, &[ESC], Back, "show all", "Show everything again"),

    bind(Place::Form, &[ENTER], Submit, "send", "Check the form and send it"),
    bind(Place::Form, &[TAB, DOWN], NextField, "next field", "To the next field"),
    bind(Place::Form, &[BACK_TAB, UP], PreviousField, "", "To the previous field"),
    bind(Place::Form, &[RIGHT], NextChoice, "", "To the next value where there are a few; else one character on"),
    bind(Place::Form, &[LEFT], PreviousChoice, "", "To the previous value where there are a few; else one character back"),
    bind(Place::Form, &[ESC], Back, "cancel", "Close the form and send nothing"),

    bind(Place::Confirm, &[c('y')], Yes, "yes", "Do it"),
    bind(Place::Confirm, &[c('n'), ESC, c('q')], Back, "no", "Leave everything as it is"),

    bind(Place::Palette, &[ENTER], Submit, "do it", "Do what is selected, asking for what it needs"),
    bind(Place::Palette, &[DOWN, TAB, Key::ctrl('n')], Down, "next", "To the next command"),
    bind(Place::Palette, &[UP, BACK_TAB, Key::ctrl('p')], Up, "", "To the previous command"),
    bind(Place::Palette, &[PAGE_DOWN], PageDown, "", "A screenful down"),
    bind(Place::Palette, &[PAGE_UP], PageUp, "", "A screenful up"),
    bind(Place::Palette, &[ESC], Back, "close", "Close the palette"),

    bind(Place::Messages, &[ESC, c('q'), c('T')], Back, "close", "Close the messages"),
    bind(Place::Messages, &[UP, c('k')], Up, "scroll", "Scroll up"),
    bind(Place::Messages, &[DOWN, c('j')], Down, "", "Scroll down"),

    bind(Place::Graph, &[ESC, c('q'), c('d')], Back, "close", "Close the drawing"),
    bind(Place::Graph, &[UP, c('k')], Up, "scroll", "Scroll up"),
    bind(Place::Graph, &[DOWN, c('j')], Down, "", "Scroll down"),

    bind(Place::Help, &[ESC, c('?'), c('q')], Back, "close", "Close the help"),
    bind(Place::Help, &[c('/')], Search, "find", "Narrow the help as you type"),
    bind(Place::Help, &[UP, c('k')], Up, "scroll", "Scroll up"),
    bind(Place::Help, &[DOWN, c('j')], Down, "", "Scroll down"),
    bind(Place::Help, &[c('g'), HOME], First, "begin", "To its beginning"),
    bind(Place::Help, &[c('G'), END], Last, "end", "To its end"),

    bind(Place::Anywhere, &[UP, c('k')], Up, "", "One row up"),
    bind(Place::Anywhere, &[DOWN, c('j')], Down, "", "One row down"),
    bind(Place::Anywhere, &[PAGE_UP, Key::ctrl('b')], PageUp, "", "A screenful up"),
    bind(Place::Anywhere, &[PAGE_DOWN, Key::ctrl('f')], PageDown, "", "A screenful down"),
    bind(Place::Anywhere, &[c('g'), HOME], First, "", "To the first row"),
    bind(Place::Anywhere, &[c('G'), END], Last, "", "To the last row; follows the log again"),
    bind(Place::Anywhere, &[c('1')], ShowOverview, "", "Show the overview"),
    bind(Place::Anywhere, &[c('2')], ShowServices, "", "Show the services"),
    bind(Place::Anywhere, &[c('3')], ShowLog, "", "Show the log"),
    bind(Place::Anywhere, &[c('4')], ShowIncidents, "", "Show the incidents"),
    bind(Place::Anywhere, &[c('5')], ShowLibrary, "", "Show the library"),
    bind(Place::Anywhere, &[TAB], NextTab, "", "The next tab"),
    bind(Place::Anywhere, &[BACK_TAB], PreviousTab, "", "The previous tab"),
    bind(Place::Anywhere, &[ESC], Back, "", "One step back"),
    bind(Place::Anywhere, &[c('y')], Copy, "", "Copy what is selected"),
    bind(Place::Anywhere, &[c('Y')], CopyCurl, "", "Copy a curl command for what is shown"),
    bind(Place::Anywhere, &[Key::ctrl('y')], CopyUrl, "", "Copy the URL of what is shown"),
    bind(Place::Anywhere, &[c('u')], Undo, "", "Take back what was done last, then what was done before it"),
    bind(Place::Anywhere, &[Key::ctrl('r')], Retry, "", "Try the daemons that are away again at once"),
    bind(Place::Anywhere, &[c('T')], Messages, "", "Show what happened so far"),
    bind(Place::Anywhere, &[], Theme, "", "Change to the next theme"),
    bind(Place::Anywhere, &[], Mouse, "", "Listen to the mouse, or leave it to the terminal"),
    bind(Place::Anywhere, &[c(':')], Palette, "commands", "Find any command by its name and do it"),
    bind(Place::Anywhere, &[c('?')], Help, "help", "This help"),
    bind(Place::Anywhere, &[c('q')], Quit, "quit", "Leave"),

    bind(Place::Always, &[Key::ctrl('c')], Quit, "", "Leave at once"),
    bind(Place::Always, &[Key::ctrl('z')], Suspend, "", "Back to the shell; fg returns"),
    bind(Place::Always, &[Key::ctrl('l')], Redraw, "", "Draw the screen anew"),
];
