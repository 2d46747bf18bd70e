//! Forms and questions: opened, sent, answered.

use super::{general, undo};
use crate::action::{Answer, Effect};
use crate::model::{Confirm, Form, FormKind, Model, Overlay, Toast};
use chrono::{DateTime, Utc};
use tui_input::InputRequest;

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

/// Takes the next or the previous of the few values that a field may have; in a
/// field that may have any, the cursor moves.
pub(super) fn choose(form: &mut Form, forward: bool) {
    let Some(field) = form.focused() else { return };
    if !field.choose(forward) {
        let request = if forward { InputRequest::GoToNextChar } else { InputRequest::GoToPrevChar };
        field.input.handle(request);
    }
    field.error = None;
}

/// Checks the form and sends it; it stays open until the daemon has answered.
pub(super) fn submit(model: &mut Model, now: DateTime<Utc>) -> Vec<Effect> {
    let Some(Overlay::Form(form)) = &mut model.overlay else { return Vec::new() };
    if form.sending.is_some() {
        return Vec::new();
    }
    let Some(request) = form.check(now) else { return Vec::new() };
    model.requests += 1;
    form.sending = Some(model.requests);
    vec![Effect::Request { number: form.sending, request }]
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

/// The answer to a request: the form that waits for it closes, or says what is
/// wrong; where none waits any more, a toast says it.
pub(super) fn answered(model: &mut Model, answer: Answer, now: DateTime<Utc>) {
    let waiting = match &mut model.overlay {
        Some(Overlay::Form(form)) if form.sending.is_some() && form.sending == answer.number => Some(form),
        _ => None,
    };
    match (answer.outcome, waiting) {
        (Err(failure), Some(form)) => {
            // The form can be closed before it is read.
            model.toasts.keep(Toast::bad(failure.message.clone()), now);
            form.sending = None;
            // A monitor that does not know a service says so of the whole request.
            let unknown =
                (form.kind == FormKind::Maintain && failure.status == Some(404)).then_some("service");
            form.refuse(failure.field.as_deref().or(unknown), failure.message);
        }
        (Err(failure), None) => model.say(Toast::bad(failure.message), now),
        (Ok(deed), waiting) => {
            if waiting.is_some() {
                model.overlay = None;
            }
            let said = undo::remember(model, deed.said, deed.undo);
            model.say(Toast::good(said), now);
        }
    }
}
