//! The services tab: moving, sorting, narrowing, looking at one instance.

use super::{feeds, log};
use crate::action::Effect;
use crate::keys::Command;
use crate::model::{Confirm, Form, Model, Overlay};

pub(super) fn run(model: &mut Model, command: Command, rows: Option<isize>) -> Vec<Effect> {
    let pane = &mut model.services;
    if pane.detail.is_some() {
        log::scroll(&mut pane.scroll, command);
        return Vec::new();
    }
    match (command, rows) {
        (_, Some(by)) => pane.step(by),
        (Command::Search, _) => pane.finder.begin(),
        (Command::Sort, _) => {
            pane.sort = pane.sort.next();
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
                return feeds::wanted(model);
            }
        }
        _ => {}
    }
    Vec::new()
}

/// Shows a service that another screen names: its first instance.
pub(super) fn open(model: &mut Model, service: &str) -> Vec<Effect> {
    let instance = model.fleet.instances_of(service).next();
    let Some(id) = instance.map(|instance| instance.registration.instance_id.clone()) else {
        return Vec::new();
    };
    model.services.finder.clear();
    model.services.arrange(&model.fleet);
    model.services.open((service.to_owned(), id));
    super::command::show(model, crate::model::Tab::Services)
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
pub(super) fn maintain(model: &mut Model, whole: bool) {
    let Some(service) = model.subject().map(str::to_owned) else { return };
    let selected = || model.services.subject(&model.fleet).map(|instance| instance.key().1.to_owned());
    let instance = if whole { None } else { selected() };
    model.overlay = Some(match model.fleet.maintenance(&service, instance.as_deref()) {
        Some(maintenance) => Overlay::Confirm(Confirm::end_maintenance(maintenance)),
        None => Overlay::Form(Form::maintain(&service, instance.as_deref(), &model.operator)),
    });
}
