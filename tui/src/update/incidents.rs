//! The incidents tab: moving through what went wrong, and taking it up.

use super::{command, study};
use crate::action::Effect;
use crate::keys::Command;
use crate::model::{Form, IncidentsView, Model, Overlay, Tab, Toast};
use chrono::{DateTime, Utc};

pub(super) fn run(
    model: &mut Model,
    command: Command,
    rows: Option<isize>,
    now: DateTime<Utc>,
) -> Vec<Effect> {
    let pane = &mut model.incidents;
    if pane.opened.is_some() && command != Command::Acknowledge {
        pane.scroll = model.seen.scroll(pane.scroll, command);
        return Vec::new();
    }
    match (command, rows) {
        (_, Some(by)) => pane.step(by),
        (Command::Left, _) => pane.view = IncidentsView::Incidents,
        (Command::Right, _) => pane.view = IncidentsView::Uptime,
        (Command::Open, _) => pane.open_detail(&model.fleet),
        (Command::Period, _) => {
            pane.period = pane.period.next();
            pane.arrange(&model.fleet, now);
        }
        (Command::Acknowledge, _) => return acknowledge(model, now),
        _ => return Vec::new(),
    }
    let mut effects = study::wanted(model);
    if model.incidents.wants_uptimes(now) {
        effects.push(Effect::Uptimes);
    }
    effects.extend(model.incidents.more_past(now).map(Effect::ShowPast));
    effects
}

/// Opens the form that says who looks after the selected incident.
fn acknowledge(model: &mut Model, now: DateTime<Utc>) -> Vec<Effect> {
    match model.incidents.incident() {
        Some(incident) if incident.resolved_at.is_none() => {
            model.overlay = Some(Overlay::Form(Form::acknowledge(incident, &model.operator)));
        }
        Some(incident) => {
            model.say(Toast::bad(format!("incident {} is resolved already", incident.id)), now);
        }
        None => model.say(Toast::bad("no incident is selected"), now),
    }
    Vec::new()
}

/// Lists the incidents that a service has a part in.
pub(super) fn of_service(model: &mut Model, service: String, now: DateTime<Utc>) -> Vec<Effect> {
    let pane = &mut model.incidents;
    (pane.view, pane.opened, pane.scroll) = (IncidentsView::Incidents, None, 0);
    pane.only = Some(service);
    pane.arrange(&model.fleet, now);
    command::show(model, Tab::Incidents)
}

/// One step back: the detail, the one service, the uptimes. False where there
/// is nothing to go back from.
pub(super) fn back(model: &mut Model, now: DateTime<Utc>) -> bool {
    let pane = &mut model.incidents;
    if pane.opened.take().is_some() {
        pane.scroll = 0;
        return true;
    }
    let narrowed = pane.only.take().is_some() | (pane.view == IncidentsView::Uptime);
    pane.view = IncidentsView::Incidents;
    pane.arrange(&model.fleet, now);
    narrowed
}
