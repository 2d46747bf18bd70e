//! The palette: finds a command, goes where it holds, does it.

use super::{command, services};
use crate::action::Effect;
use crate::keys::{Command, Place};
use crate::model::{Model, Overlay, Palette, Tab, Toast, commands};
use chrono::{DateTime, Utc};

pub(super) fn open(model: &mut Model) {
    let subject = model.pin_subject();
    model.overlay = Some(Overlay::Palette(Palette { subject, ..Palette::default() }));
}

/// A command while the palette is open.
pub(super) fn run(model: &mut Model, command: Command, now: DateTime<Utc>) -> Vec<Effect> {
    match command {
        Command::Submit => return submit(model, now),
        Command::Back => model.overlay = None,
        _ => {}
    }
    let (Some(by), Some(Overlay::Palette(palette))) = (command::rows(model, command), &model.overlay) else {
        return Vec::new();
    };
    let found = commands(model, palette.input.value());
    let keys: Vec<(Place, Command)> = found.iter().map(|binding| (binding.place, binding.command)).collect();
    if let Some(Overlay::Palette(palette)) = &mut model.overlay {
        palette.selected.step(by, &keys);
    }
    Vec::new()
}

/// Does the selected command where it holds. A form that it opens asks its
/// fields one by one.
fn submit(model: &mut Model, now: DateTime<Utc>) -> Vec<Effect> {
    let Some(Overlay::Palette(palette)) = &model.overlay else { return Vec::new() };
    let found = commands(model, palette.input.value());
    let Some(binding) = palette.selected.index(found.len()).and_then(|at| found.get(at)) else {
        return Vec::new();
    };
    let (command, tab) = (binding.command, binding.place.tab());
    let subject = palette.subject.clone();
    model.overlay = None;
    if let Some(subject) = subject.filter(|_| command.has_subject())
        && model.pin_subject().as_ref() != Some(&subject)
    {
        // Its row has gone: the command must not act on the row in its place.
        model.say(Toast::bad(format!("{} is not listed any more", subject.name())), now);
        return Vec::new();
    }
    let mut effects = match tab {
        Some(tab) if tab != model.tab => {
            let from = model.tab;
            // What is selected here is what is meant there.
            if let Some(service) = model.subject().map(str::to_owned) {
                let (found, what) = match tab {
                    Tab::Services => (services::select(model, &service), "no instance"),
                    Tab::Incidents => (model.incidents.select(&service), "no open incident"),
                    _ => (true, ""),
                };
                if !found && command.has_subject() {
                    model.say(Toast::bad(format!("there is {what} of {service}")), now);
                    return Vec::new();
                }
            }
            let which = which_of_several(model, command);
            let effects = command::show(model, tab);
            model.came_from = Some(from);
            if let Some(which) = which {
                model.say(Toast::bad(which), now);
                return effects;
            }
            effects
        }
        _ => Vec::new(),
    };
    effects.extend(command::run(model, command, now));
    if let Some(Overlay::Form(form)) = &mut model.overlay {
        form.stepwise = true;
    }
    effects
}

/// What to say where a command is done to one instance, and a service with
/// several was selected: which of them, only the services tab can tell.
fn which_of_several(model: &Model, command: Command) -> Option<String> {
    let service = model.subject().filter(|_| matches!(command, Command::Deregister | Command::Maintain))?;
    let instances = model.fleet.instances_of(service).count();
    let key = model.keymap.key_of(Place::Services, command);
    (instances > 1).then(|| format!("{service} has {instances} instances: select one, then {key}"))
}
