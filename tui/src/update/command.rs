//! Commands: what a key does in the place where the console is.

use super::{forms, general, incidents, library, log, overview, palette, services, study, undo};
use crate::action::Effect;
use crate::keys::Command;
use crate::model::{Copied, Form, HelpPage, Model, Overlay, Tab};
use chrono::{DateTime, Utc};

pub(super) fn run(model: &mut Model, command: Command, now: DateTime<Utc>) -> Vec<Effect> {
    match command {
        Command::Quit => return vec![Effect::Quit],
        Command::Suspend => return vec![Effect::Suspend],
        Command::Redraw => return vec![Effect::Redraw],
        Command::Yes => return forms::yes(model),
        _ => {}
    }
    match &mut model.overlay {
        Some(Overlay::Form(form)) => match command {
            Command::Submit if form.asks_on() => forms::step(form, true, now),
            Command::Submit => return forms::submit(model, now),
            Command::NextField => forms::step(form, true, now),
            Command::PreviousField => forms::step(form, false, now),
            Command::NextChoice => forms::choose(form, true),
            Command::PreviousChoice => forms::choose(form, false),
            Command::Back => model.overlay = None,
            _ => {}
        },
        Some(Overlay::Confirm(_)) if command == Command::Back => model.overlay = None,
        Some(Overlay::Confirm(_)) => {}
        Some(Overlay::Palette(_)) => return palette::run(model, command, now),
        Some(Overlay::Help(help)) if help.finder.is_on() && command == Command::Back => help.finder.clear(),
        Some(Overlay::Help(help)) if command == Command::Submit => help.finder.typing = false,
        Some(Overlay::Help(help)) if command == Command::Search => help.finder.begin(),
        Some(overlay @ (Overlay::Help(_) | Overlay::Messages(_) | Overlay::Graph(_))) => {
            let opens = match overlay {
                Overlay::Help(_) => Command::Help,
                Overlay::Messages(_) => Command::Messages,
                _ => Command::Graph,
            };
            if let Overlay::Help(HelpPage { scroll, .. })
            | Overlay::Messages(scroll)
            | Overlay::Graph(scroll) = overlay
            {
                *scroll = model.seen.scroll(*scroll, command);
            }
            match command {
                Command::Back => model.overlay = None,
                // The key that opened it closes it, whichever that is.
                _ if command == opens => model.overlay = None,
                _ if leads_on(command) => {
                    model.overlay = None;
                    return on_screen(model, command, now);
                }
                _ => {}
            }
        }
        None => return on_screen(model, command, now),
    }
    Vec::new()
}

/// Whether a command leads from a text that lies over the tab to another place.
fn leads_on(command: Command) -> bool {
    let over = [Command::NextTab, Command::PreviousTab, Command::Help, Command::Messages, Command::Palette];
    command.tab().is_some() || over.contains(&command)
}

/// A command while nothing lies over the tab.
fn on_screen(model: &mut Model, command: Command, now: DateTime<Utc>) -> Vec<Effect> {
    if let Some(tab) = command.tab() {
        return show(model, tab);
    }
    match command {
        Command::NextTab => show(model, model.tab.step(1)),
        Command::PreviousTab => show(model, model.tab.step(Tab::ALL.len() - 1)),
        Command::Help => {
            model.overlay = Some(Overlay::Help(HelpPage::default()));
            Vec::new()
        }
        Command::Palette => {
            palette::open(model);
            Vec::new()
        }
        Command::Copy => general::copy(model, Copied::Selected, now),
        Command::CopyValue => general::copy(model, Copied::Value, now),
        Command::CopyUrl => general::copy(model, Copied::Url, now),
        Command::CopyCurl => general::copy(model, Copied::Curl, now),
        Command::Undo => undo::run(model, now),
        Command::Retry => general::retry(model, now),
        Command::Mouse => general::mouse(model, now),
        Command::Theme => {
            general::theme(model, now);
            Vec::new()
        }
        Command::Messages => {
            model.overlay = Some(Overlay::Messages(0));
            Vec::new()
        }
        Command::Graph => {
            model.overlay = Some(Overlay::Graph(0));
            Vec::new()
        }
        Command::Back => back(model, now),
        Command::Open | Command::LogOf | Command::IncidentsOf => {
            let from = model.tab;
            let effects = open_in(model, command, now);
            if model.tab != from {
                model.came_from = Some(from);
            }
            effects
        }
        Command::Submit => submit(model, now),
        Command::Register => open(model, Form::register()),
        Command::Send => open(model, Form::send()),
        Command::Maintain | Command::MaintainService => {
            services::maintain(model, command == Command::MaintainService, now);
            Vec::new()
        }
        Command::Forget => {
            services::ask_forget(model, now);
            Vec::new()
        }
        Command::Deregister => {
            forms::ask_deregister(model, now);
            Vec::new()
        }
        _ => on_tab(model, command, now),
    }
}

/// A command of the tab alone.
fn on_tab(model: &mut Model, command: Command, now: DateTime<Utc>) -> Vec<Effect> {
    match (model.tab, rows(model, command)) {
        (Tab::Log, _) => log::run(model, command, now),
        (Tab::Services, rows) => services::run(model, command, rows, now),
        (Tab::Incidents, rows) => incidents::run(model, command, rows, now),
        (Tab::Library, rows) => library::run(model, command, rows),
        (Tab::Overview, rows) => overview::run(model, command, rows, now),
    }
}

/// Opens what is selected, or another tab that shows it.
fn open_in(model: &mut Model, command: Command, now: DateTime<Utc>) -> Vec<Effect> {
    match (command, model.subject().map(str::to_owned)) {
        (Command::LogOf, Some(service)) => log::of_service(model, service),
        (Command::IncidentsOf, Some(service)) => incidents::of_service(model, service, now),
        (Command::LogOf | Command::IncidentsOf, None) => {
            general::nothing(model, now);
            Vec::new()
        }
        _ => on_tab(model, command, now),
    }
}

fn open(model: &mut Model, form: Form) -> Vec<Effect> {
    forms::open(model, form);
    Vec::new()
}

pub(super) fn show(model: &mut Model, tab: Tab) -> Vec<Effect> {
    (model.tab, model.came_from, model.log.led_from) = (tab, None, None);
    study::wanted(model)
}

/// Whether what was opened from another tab is still open.
const fn is_led(model: &Model) -> bool {
    match model.tab {
        Tab::Services => model.services.detail.is_some(),
        Tab::Incidents => model.incidents.only.is_some(),
        Tab::Log => model.log.led_from.is_some(),
        _ => false,
    }
}

/// One step back, of the tab, or to the one from which something was opened
/// here; else the newest toast goes.
fn back(model: &mut Model, now: DateTime<Utc>) -> Vec<Effect> {
    let was_led = is_led(model);
    let mut effects = Vec::new();
    let went = match model.tab {
        Tab::Log => match log::back(&mut model.log, now) {
            Some(wanted) => {
                effects = wanted;
                true
            }
            None => false,
        },
        Tab::Services => services::back(model),
        Tab::Incidents => incidents::back(model, now),
        Tab::Library => library::back(model),
        Tab::Overview => false,
    };
    if let Some(from) = model.came_from.filter(|_| !went || (was_led && !is_led(model))) {
        effects.extend(show(model, from));
    } else if went {
        effects.extend(study::wanted(model));
    } else {
        model.toasts.dismiss();
    }
    effects
}

/// What was typed on the tab is done with.
fn submit(model: &mut Model, now: DateTime<Utc>) -> Vec<Effect> {
    match model.tab {
        Tab::Services => model.services.finder.typing = false,
        Tab::Library => model.library.finder.typing = false,
        _ => return log::submit(model, now),
    }
    Vec::new()
}

/// The rows by which a command moves; none where it does not.
pub(super) fn rows(model: &Model, command: Command) -> Option<isize> {
    let page = isize::try_from(model.page()).unwrap_or(isize::MAX);
    match command {
        Command::Up => Some(-1),
        Command::Down => Some(1),
        Command::PageUp => Some(-page),
        Command::PageDown => Some(page),
        Command::First => Some(isize::MIN),
        Command::Last => Some(isize::MAX),
        _ => None,
    }
}
