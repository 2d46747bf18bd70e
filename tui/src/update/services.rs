//! The services tab: moving, sorting, narrowing, looking at one instance.

use super::{general, study};
use crate::action::Effect;
use crate::keys::{Command, Place};
use crate::model::{Confirm, Form, InstanceKey, Model, Overlay, Tab, Toast};
use chrono::{DateTime, Utc};

pub(super) fn run(
    model: &mut Model,
    command: Command,
    rows: Option<isize>,
    now: DateTime<Utc>,
) -> Vec<Effect> {
    let pane = &mut model.services;
    if pane.detail.is_some() {
        pane.scroll = model.seen.scroll(pane.scroll, command);
        return Vec::new();
    }
    match (command, rows) {
        (_, Some(by)) => pane.step(by),
        (Command::Search, _) => pane.finder.begin(),
        (Command::Sort, _) => {
            pane.sort = pane.sort.next(model.size.0.saturating_sub(2));
            pane.arrange(&model.fleet);
        }
        (Command::Reverse, _) => {
            pane.reversed = !pane.reversed;
            pane.arrange(&model.fleet);
        }
        (Command::Open, _) => {
            let key = pane.subject(&model.fleet).map(|instance| instance.key());
            if let Some((service, id)) = key.map(|(service, id)| (service.to_owned(), id.to_owned())) {
                pane.open((service, id));
                return study::wanted(model);
            }
            general::nothing(model, now);
        }
        _ => {}
    }
    Vec::new()
}

/// Shows a service that another screen names: its first instance.
pub(super) fn open(model: &mut Model, service: &str, now: DateTime<Utc>) -> Vec<Effect> {
    let Some(key) = first_of(model, service) else {
        let key = model.keymap.key_of(Place::Overview, Command::IncidentsOf);
        let said = format!("no instance of {service} is registered; {key} shows its incidents");
        model.say(Toast::bad(said), now);
        return Vec::new();
    };
    model.services.open(key);
    super::command::show(model, Tab::Services)
}

/// Selects the first instance of a service that another screen names; false
/// where it has none.
pub(super) fn select(model: &mut Model, service: &str) -> bool {
    let Some(key) = first_of(model, service) else { return false };
    model.services.detail = None;
    model.services.select(&key);
    true
}

/// The first instance of a service, in a table that is not narrowed.
fn first_of(model: &mut Model, service: &str) -> Option<InstanceKey> {
    let id = model.fleet.instances_of(service).next()?.registration.instance_id.clone();
    model.services.finder.clear();
    model.services.arrange(&model.fleet);
    Some((service.to_owned(), id))
}

/// One step back: what narrows the table, or the detail. False where there is
/// neither.
pub(super) fn back(model: &mut Model) -> bool {
    if model.services.detail.take().is_some() {
        return true;
    }
    let narrowed = model.services.finder.is_on();
    model.services.finder.clear();
    model.services.arrange(&model.fleet);
    narrowed
}

/// Opens the form that puts the selected instance, or its service, under
/// maintenance; where it is already, asks whether to end that.
pub(super) fn maintain(model: &mut Model, whole: bool, now: DateTime<Utc>) {
    let selected = model.services.subject(&model.fleet).map(|instance| instance.key().1.to_owned());
    let Some(service) = model.subject().map(str::to_owned).filter(|_| whole || selected.is_some()) else {
        general::nothing(model, now);
        return;
    };
    let instance = selected.filter(|_| !whole);
    model.overlay = Some(match model.fleet.maintenance(&service, instance.as_deref()) {
        Some(maintenance) => Overlay::Confirm(Confirm::end_maintenance(maintenance)),
        None => Overlay::Form(Form::maintain(&service, instance.as_deref(), &model.operator)),
    });
}

/// Asks before a service without an instance is taken from the monitor's list.
pub(super) fn ask_forget(model: &mut Model, now: DateTime<Utc>) {
    let Some(service) = model.subject().map(str::to_owned) else {
        general::nothing(model, now);
        return;
    };
    match model.fleet.instances_of(&service).count() {
        0 => model.overlay = Some(Overlay::Confirm(Confirm::forget(&service))),
        instances => {
            let noun = if instances == 1 { "instance" } else { "instances" };
            let said = format!(
                "{service} has {instances} registered {noun}: only a service without one can be forgotten"
            );
            model.say(Toast::bad(said), now);
        }
    }
}
