//! Forms and questions: opened, sent, answered.

use super::general;
use crate::action::{Effect, Failure};
use crate::model::{Confirm, Form, Model, Overlay, Toast};
use chrono::{DateTime, Utc};

pub(super) fn open(model: &mut Model, form: Form) {
    model.overlay = Some(Overlay::Form(form));
}

/// Asks before the selected instance is removed.
pub(super) fn ask_deregister(model: &mut Model, now: DateTime<Utc>) {
    let Some(instance) = model.services.subject(&model.fleet) else {
        general::nothing(model, now);
        return;
    };
    let (service, id) = instance.key();
    let leased = instance.registration.ttl_seconds.is_some();
    model.overlay = Some(Overlay::Confirm(Confirm::deregister(service, id, leased)));
}

/// Goes to the next or the previous field; one that is left says what is wrong
/// with it.
pub(super) fn step(form: &mut Form, forward: bool, now: DateTime<Utc>) {
    form.check_field(now);
    form.step(forward);
}

/// Checks the form and sends it; it stays open until the daemon has answered.
pub(super) fn submit(model: &mut Model, now: DateTime<Utc>) -> Vec<Effect> {
    let Some(Overlay::Form(form)) = &mut model.overlay else { return Vec::new() };
    if form.sending {
        return Vec::new();
    }
    let effect = form.check(now);
    form.sending = effect.is_some();
    effect.into_iter().collect()
}

/// Does what the open question asks about.
pub(super) fn yes(model: &mut Model) -> Vec<Effect> {
    match model.overlay.take() {
        Some(Overlay::Confirm(confirm)) => vec![confirm.effect],
        other => {
            model.overlay = other;
            Vec::new()
        }
    }
}

/// The answer to a request: a form that waits for it closes, or says what is
/// wrong; where none waits any more, a toast says it.
pub(super) fn done(model: &mut Model, outcome: Result<String, Failure>, now: DateTime<Utc>) {
    let waiting = match &mut model.overlay {
        Some(Overlay::Form(form)) if form.sending => Some(form),
        _ => None,
    };
    match (outcome, waiting) {
        (Err(failure), Some(form)) => {
            form.sending = false;
            form.refuse(failure.field.as_deref(), failure.message);
        }
        (Err(failure), None) => model.say(Toast::bad(failure.message), now),
        (Ok(said), waiting) => {
            if waiting.is_some() {
                model.overlay = None;
            }
            model.say(Toast::good(said), now);
        }
    }
}
