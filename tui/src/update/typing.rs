//! Keys: a command where the table has one, else text for whatever is typed into.

use super::{command, general, log};
use crate::action::Effect;
use crate::keys::Key;
use crate::model::{Finder, Model, Overlay, Selected, Tab};
use chrono::{DateTime, Utc};
use crossterm::event::{Event, KeyEvent};
use tui_input::backend::crossterm::to_input_request;
use tui_input::{Input, InputRequest};

/// How many characters a line of input holds.
const INPUT_CHARS_MAX: usize = 8_192;

pub(super) fn press(model: &mut Model, key: Key, now: DateTime<Utc>) -> Vec<Effect> {
    let place = model.place();
    if let Some(command) = model.keymap.command(place, key) {
        return command::run(model, command, now);
    }
    let request = to_input_request(&Event::Key(KeyEvent::new(key.code, key.modifiers)));
    let before = in_prompt(model);
    match (request, typed_into(model)) {
        (Some(request), Some(input)) => {
            apply(input, request);
            narrow(model);
        }
        (_, None) => general::unbound(model, key, now),
        _ => {}
    }
    log::typed(model, before)
}

/// Pasted text: a line feed in it does not send the form.
pub(super) fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    let before = in_prompt(model);
    if let Some(input) = typed_into(model) {
        for c in text.trim_end_matches(['\r', '\n']).chars().take(INPUT_CHARS_MAX) {
            apply(input, InputRequest::InsertChar(if c.is_control() { ' ' } else { c }));
        }
        narrow(model);
    }
    log::typed(model, before)
}

/// What stands in the log's line of input.
fn in_prompt(model: &Model) -> Option<String> {
    Some(model.log.prompt.as_ref()?.input.value().to_owned())
}

fn apply(input: &mut Input, request: InputRequest) {
    let full = input.value().chars().count() >= INPUT_CHARS_MAX;
    if !(full && matches!(request, InputRequest::InsertChar(_) | InputRequest::Yank)) {
        input.handle(request);
    }
}

/// The input that takes text now; what was wrong with it is forgotten.
fn typed_into(model: &mut Model) -> Option<&mut Input> {
    match &mut model.overlay {
        // What is on its way is not changed any more.
        Some(Overlay::Form(form)) if form.sending.is_some() => None,
        Some(Overlay::Form(form)) => {
            form.error = None;
            let field = form.focused()?;
            field.error = None;
            Some(&mut field.input)
        }
        Some(Overlay::Palette(palette)) => {
            palette.selected = Selected::default();
            Some(&mut palette.input)
        }
        Some(Overlay::Help(help)) if help.finder.typing => {
            help.scroll = 0;
            Some(&mut help.finder.input)
        }
        Some(_) => None,
        None if model.tab == Tab::Log => Some(&mut model.log.prompt.as_mut()?.input),
        None if model.tab == Tab::Services => typed_to_find(&mut model.services.finder),
        None if model.tab == Tab::Library => typed_to_find(&mut model.library.finder),
        None => None,
    }
}

fn typed_to_find(finder: &mut Finder) -> Option<&mut Input> {
    finder.typing.then_some(&mut finder.input)
}

/// A list is narrowed while one types.
fn narrow(model: &mut Model) {
    if model.services.finder.typing {
        model.services.arrange(&model.fleet);
    }
    if model.library.finder.typing {
        model.library.arrange();
    }
}
