//! Taking back what was done last, then what was done before it.

use crate::action::{Effect, Failure, Request};
use crate::keys::{Command, Place};
use crate::model::{Model, Toast, UNDO_MAX, Undo};
use chrono::{DateTime, Utc};
use shared::wire::registry::Registration;

/// Remembers what was done and what takes it back; answers what to say about it.
///
/// What nothing takes back is remembered too: else the key would take back
/// something that was done long before it.
pub(super) fn remember(model: &mut Model, said: String, request: Option<Request>) -> String {
    let key = model.keymap.key_of(Place::Anywhere, Command::Undo);
    let told = if request.is_none() || key.is_empty() {
        said.clone()
    } else {
        format!("{said}; {key} takes it back")
    };
    push(model, Undo { said, request });
    told
}

fn push(model: &mut Model, undo: Undo) {
    if model.undo.len() == UNDO_MAX {
        model.undo.pop_front();
    }
    model.undo.push_back(undo);
}

/// Takes back what was done last.
pub(super) fn run(model: &mut Model, now: DateTime<Utc>) -> Vec<Effect> {
    match model.undo.pop_back() {
        Some(Undo { request: Some(Request::Restore(removed)), .. }) => {
            // One that is there again by itself must not get its old URL or version.
            let is_back = |gone: &Registration| {
                let key = (gone.service_name.as_str(), gone.instance_id.as_str());
                model.fleet.instances.iter().any(|instance| instance.key() == key)
            };
            let (back, gone): (Vec<_>, Vec<_>) = removed.into_iter().partition(is_back);
            for instance in back {
                let said = format!("{} is registered again already", instance.instance_id);
                model.say(Toast::good(said), now);
            }
            if gone.is_empty() { Vec::new() } else { vec![Effect::TakeBack(Request::Restore(gone))] }
        }
        Some(Undo { request: Some(request), .. }) => vec![Effect::TakeBack(request)],
        Some(Undo { said, request: None }) => {
            model.say(Toast::bad(format!("this cannot be taken back: {said}")), now);
            Vec::new()
        }
        None => {
            model.say(Toast::bad("there is nothing to take back"), now);
            Vec::new()
        }
    }
}

/// What became of that. What was not taken back can be tried again.
pub(super) fn taken_back(
    model: &mut Model,
    request: Request,
    outcome: Result<String, Failure>,
    now: DateTime<Utc>,
) {
    if outcome.is_err() {
        push(model, Undo { said: String::new(), request: Some(request) });
    }
    model.say(outcome.map_or_else(|failure| Toast::bad(failure.message), Toast::good), now);
}
