//! Commands: what a key does in the place where the console is.

use super::{feeds, forms, general, log, palette};
use crate::action::Effect;
use crate::keys::Command;
use crate::model::{Copied, Cursor, Form, Model, Overlay, Side, Tab};
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
            Command::Submit if form.asks_on() => form.step(true),
            Command::Submit => return forms::submit(model),
            Command::NextField => form.step(true),
            Command::PreviousField => form.step(false),
            Command::Back => model.overlay = None,
            _ => {}
        },
        Some(Overlay::Confirm(_)) if command == Command::Back => model.overlay = None,
        Some(Overlay::Confirm(_)) => {}
        Some(Overlay::Palette(_)) => return palette::run(model, command, now),
        Some(Overlay::Help(lines) | Overlay::Messages(lines)) => {
            log::scroll(lines, command);
            match command {
                Command::Back => model.overlay = None,
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
            model.overlay = Some(Overlay::Help(0));
            Vec::new()
        }
        Command::Palette => {
            palette::open(model);
            Vec::new()
        }
        Command::Copy => general::copy(model, Copied::Selected, now),
        Command::CopyUrl => general::copy(model, Copied::Url, now),
        Command::CopyCurl => general::copy(model, Copied::Curl, now),
        Command::Undo => general::undo(model, now),
        Command::Mouse => general::mouse(model, now),
        Command::Theme => {
            general::theme(model, now);
            Vec::new()
        }
        Command::Messages => {
            model.overlay = Some(Overlay::Messages(0));
            Vec::new()
        }
        Command::Back => back(model),
        Command::Submit => log::submit(model, now),
        Command::Register => open(model, Form::register()),
        Command::Send => open(model, Form::send()),
        Command::Add => open(model, Form::add()),
        Command::Borrow => open(model, Form::borrow_book(model.library.selected_book())),
        Command::Return => {
            let library = &model.library;
            let book = library.selected_book().filter(|_| library.side == Side::Books);
            open(model, Form::return_book(library.returnable(), book))
        }
        Command::Deregister => {
            forms::ask_deregister(model);
            Vec::new()
        }
        Command::LogOf => match model.services.subject(&model.fleet) {
            Some(instance) => {
                let service = instance.registration.service_name.clone();
                log::of_service(model, service)
            }
            None => Vec::new(),
        },
        _ => match model.tab {
            Tab::Log => log::run(model, command, now),
            Tab::Services => services(model, command),
            Tab::Incidents => incidents(model, command),
            Tab::Library => library(model, command),
            Tab::Overview => Vec::new(),
        },
    }
}

fn open(model: &mut Model, form: Form) -> Vec<Effect> {
    forms::open(model, form);
    Vec::new()
}

pub(super) fn show(model: &mut Model, tab: Tab) -> Vec<Effect> {
    model.tab = tab;
    feeds::history(model)
}

/// One step back, of the tab; else the newest toast goes.
fn back(model: &mut Model) -> Vec<Effect> {
    let effects = match model.tab {
        Tab::Log => log::back(&mut model.log),
        Tab::Services => model.services.detail.take().map(|_| Vec::new()),
        _ => None,
    };
    effects.unwrap_or_else(|| {
        model.toasts.dismiss();
        Vec::new()
    })
}

/// The rows by which a command moves; none where it does not.
fn rows(model: &Model, command: Command) -> Option<isize> {
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

fn services(model: &mut Model, command: Command) -> Vec<Effect> {
    if model.services.detail.is_some() {
        log::scroll(&mut model.services.scroll, command);
        return Vec::new();
    }
    if let Some(by) = rows(model, command) {
        model.services.cursor.step(by, model.fleet.instances.len());
    } else if command == Command::Open
        && let Some(instance) = model.services.subject(&model.fleet)
    {
        let (service, id) = instance.key();
        model.services.detail = Some((service.to_owned(), id.to_owned()));
        model.services.scroll = 0;
        return feeds::history(model);
    }
    Vec::new()
}

fn incidents(model: &mut Model, command: Command) -> Vec<Effect> {
    match (command, rows(model, command)) {
        (_, Some(by)) => model.incidents.step(by),
        (Command::Left, _) => model.incidents.step_service(false, &model.fleet),
        (Command::Right, _) => model.incidents.step_service(true, &model.fleet),
        _ => return Vec::new(),
    }
    feeds::history(model)
}

fn library(model: &mut Model, command: Command) -> Vec<Effect> {
    match (command, rows(model, command)) {
        (_, Some(by)) => model.library.step(by),
        (Command::Left, _) => model.library.side = Side::Books,
        (Command::Right, _) => model.library.side = Side::Loans,
        (Command::Returned, _) => {
            model.library.returned = !model.library.returned;
            model.library.loan = Cursor::default();
            return vec![Effect::ShowReturned(model.library.returned)];
        }
        _ => {}
    }
    Vec::new()
}
