//! What can be done everywhere: copy, undo, change the looks; and the mouse.

use super::command;
use crate::action::{Effect, Local, Mouse, Target};
use crate::keys::{Command, Key, Place};
use crate::model::{COPIED_BYTES_MAX, Copied, Model, SourceName, Tab, Toast, copied};
use crate::theme::ThemeName;
use chrono::{DateTime, Utc};
use crossterm::event::KeyCode;

/// Rows that one notch of the wheel moves.
const WHEEL_ROWS: usize = 3;

pub(super) fn copy(model: &mut Model, what: Copied, now: DateTime<Utc>) -> Vec<Effect> {
    let Some((name, text)) = copied(model, what) else {
        model.say(Toast::bad("nothing that could be copied is selected here"), now);
        return Vec::new();
    };
    if text.len() > COPIED_BYTES_MAX {
        let said = format!("{name} is too long for a terminal's clipboard: {} bytes", text.len());
        model.say(Toast::bad(said), now);
        return Vec::new();
    }
    model.say(Toast::good(format!("{name} was copied")), now);
    vec![Effect::Copy(text)]
}

/// Says that a key has nothing to act upon, and why.
pub(super) fn nothing(model: &mut Model, now: DateTime<Utc>) {
    let said = match (model.tab, &model.services.detail) {
        _ if model.sources.get(SourceName::Registry).is_new() => {
            "the registry has not answered yet".to_owned()
        }
        (Tab::Services, Some((_, instance))) => format!("{instance} is not registered any more"),
        (Tab::Services, None) => "no instance is selected here".to_owned(),
        _ => "no service is selected here".to_owned(),
    };
    model.say(Toast::bad(said), now);
}

/// A key that has no meaning here says so, and where it has one.
pub(super) fn unbound(model: &mut Model, key: Key, now: DateTime<Utc>) {
    let place = model.place();
    let is_letter = matches!(key.code, KeyCode::Char(_)) && place.tab().is_some();
    if !is_letter || matches!(place, Place::Prompt | Place::Find) {
        return;
    }
    let others = Place::ALL.into_iter().filter(|other| other.tab() == place.tab() && *other != place);
    let row = others.flat_map(|other| model.keymap.rows(other)).find(|row| row.keys.contains(&key));
    let said = match row {
        Some(row) => format!("{key} works in \"{}\": {}", row.place.title(), row.help),
        None => {
            format!("{key} does nothing here: {} lists the keys", model.keymap.key_of(place, Command::Help))
        }
    };
    let toast = Toast::bad(said);
    if model.toasts.iter().next_back() != Some(&toast) {
        model.say(toast, now);
    }
}

/// Tries again at once whatever is away; what `--local` had started is started
/// again.
pub(super) fn retry(model: &mut Model, now: DateTime<Utc>) -> Vec<Effect> {
    let away = model.sources.iter().filter(|(_, source)| source.away.is_some());
    let away: Vec<&str> = away.map(|(name, _)| name.word()).collect();
    if away.is_empty() {
        model.say(Toast::good("no daemon is away"), now);
        return Vec::new();
    }
    let is_here = model.sources.get(SourceName::Registry).away.is_none();
    let said = match model.local.as_ref().and_then(Local::fault).filter(|_| !is_here) {
        Some(_) => "starting distlogd all again".to_owned(),
        None => format!("trying again: {}", away.join(", ")),
    };
    model.say(Toast::good(said), now);
    vec![Effect::Retry]
}

/// Takes the next theme.
pub(super) fn theme(model: &mut Model, now: DateTime<Utc>) {
    let name = ThemeName::after(&model.theme);
    model.theme = name.theme();
    model.say(Toast::good(format!("the theme is {}", name.word())), now);
}

/// Listens to the mouse, or leaves it to the terminal.
pub(super) fn mouse(model: &mut Model, now: DateTime<Utc>) -> Vec<Effect> {
    model.mouse = !model.mouse;
    let said = if model.mouse {
        "the wheel scrolls and a click selects; hold Shift to select text"
    } else {
        "the mouse is the terminal's again"
    };
    model.say(Toast::good(said), now);
    vec![Effect::Mouse(model.mouse)]
}

/// What the mouse did, as the commands that do the same.
pub(super) fn moved(model: &mut Model, mouse: Mouse, now: DateTime<Utc>) -> Vec<Effect> {
    let (command, times) = match mouse {
        Mouse::WheelUp => (Command::Up, WHEEL_ROWS),
        Mouse::WheelDown => (Command::Down, WHEEL_ROWS),
        Mouse::Click(Target::Tab(tab)) => {
            model.overlay = None;
            return command::show(model, tab);
        }
        // A click on what is selected already opens it.
        Mouse::Click(Target::Row(0)) if model.place() == Place::Palette => (Command::Submit, 1),
        Mouse::Click(Target::Row(0)) => (Command::Open, 1),
        Mouse::Click(Target::Row(by)) if by < 0 => (Command::Up, by.unsigned_abs()),
        Mouse::Click(Target::Row(by)) => (Command::Down, by.unsigned_abs()),
    };
    // Where text is typed, a wheel must not leave the field.
    if matches!(model.place(), Place::Form | Place::Confirm | Place::Prompt) {
        return Vec::new();
    }
    // No more rows than a screen has can be clicked.
    let times = times.min(usize::from(model.size.1));
    (0..times).flat_map(|_| command::run(model, command, now)).collect()
}
