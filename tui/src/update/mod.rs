//! What every action does to the model: pure, with the clock passed in.
//!
//! What has to be done outside is returned as effects; the runtime does it and
//! comes back with further actions.

mod command;
mod feeds;
mod forms;
mod general;
mod incidents;
mod library;
mod log;
mod palette;
mod services;
mod typing;
mod undo;

use crate::action::{Action, Effect};
use crate::model::{Histogram, Model, SourceName, Tab, Toast};
use chrono::{DateTime, Utc};

/// Applies one action. Sets [`Model::changed`] where the screen has to be drawn
/// anew.
pub fn update(model: &mut Model, action: Action, now: DateTime<Utc>) -> Vec<Effect> {
    // A feed that only repeats what is known is no reason to draw.
    let mut changed = true;
    let mut effects = match action {
        Action::Key(key) => typing::press(model, key, now),
        Action::Paste(text) => typing::paste(model, &text),
        Action::Mouse(mouse) => general::moved(model, mouse, now),
        Action::Resize(columns, lines) => {
            model.size = (columns, lines);
            Vec::new()
        }
        Action::Tick => {
            changed = model.is_ageing();
            model.toasts.expire(now);
            changed |= log::tick(model, now);
            feeds::lease(model).into_iter().collect()
        }
        Action::Terminate => vec![Effect::Quit],
        Action::Suspend => vec![Effect::Suspend],
        Action::Away { source, cause, retry_in } => {
            model.sources.get_mut(source).lost(cause, retry_in, now);
            Vec::new()
        }
        Action::Heard(source) => {
            changed = model.sources.get_mut(source).heard(now);
            Vec::new()
        }
        Action::Alive(source) => {
            model.sources.get_mut(source).alive(now);
            changed = false;
            Vec::new()
        }
        Action::Registry { revision, registrations } => {
            changed = feeds::registry(model, revision, registrations, now);
            Vec::new()
        }
        Action::Guard(guard) => {
            changed = feeds::guard(model, guard);
            Vec::new()
        }
        Action::Monitor { health, incidents, maintenances } => {
            changed = feeds::monitor(model, health, incidents, maintenances, now);
            let mut effects = if changed { feeds::wanted(model) } else { Vec::new() };
            if model.tab == Tab::Incidents && model.incidents.wants_uptimes(now) {
                effects.push(Effect::Uptimes);
            }
            effects
        }
        Action::Study(study) => {
            changed = feeds::studied(model, *study);
            Vec::new()
        }
        Action::Around(around) => {
            changed = feeds::told_around(model, around);
            Vec::new()
        }
        Action::Uptimes(uptimes) => {
            model.incidents.set_uptimes(uptimes, now);
            feeds::wanted(model)
        }
        Action::Lease(status) => {
            changed = feeds::told_lease(model, status, now);
            Vec::new()
        }
        Action::Volume(hits) => {
            let volume = Some(Histogram::until(now, &hits));
            changed = model.volume != volume;
            model.volume = volume;
            Vec::new()
        }
        Action::Library { books, loans } => {
            changed = feeds::library(model, books, loans, now);
            Vec::new()
        }
        Action::LogOpened { stream, generation, opened } => {
            log::opened(model, stream, generation, opened, now);
            Vec::new()
        }
        Action::LogArrived { stream, generation, lines, missed } => {
            changed = log::arrived(model, stream, generation, &lines, missed, now);
            Vec::new()
        }
        Action::LogFiltered { filter, outcome } => log::filtered(model, filter, outcome, now),
        Action::LogChecked { query, outcome } => {
            log::checked(model, &query, outcome);
            Vec::new()
        }
        Action::LogPaged { generation, side, from, page } => {
            log::paged(model, generation, side, from, page, now);
            Vec::new()
        }
        Action::LogFound { generation, seek, found } => log::found(model, generation, seek, found, now),
        Action::LogHits { asked, hits } => {
            changed = log::hits(model, asked, hits, now);
            Vec::new()
        }
        Action::Exported(outcome) => {
            log::exported(model, outcome, now);
            Vec::new()
        }
        Action::Exists(export) => {
            log::exists(model, *export, now);
            Vec::new()
        }
        Action::Done(outcome) => {
            forms::done(model, outcome, now);
            Vec::new()
        }
        Action::Answered(answer) => {
            forms::answered(model, *answer, now);
            Vec::new()
        }
        Action::Deregistered(removed) => {
            undo::deregistered(model, removed, now);
            Vec::new()
        }
        Action::TakenBack { effect, outcome } => {
            undo::taken_back(model, *effect, outcome, now);
            Vec::new()
        }
        Action::Restored { left, outcome } => {
            undo::restored(model, left, outcome, now);
            Vec::new()
        }
        Action::Remembered(queries) => {
            model.log.recent_filters.add_older(queries);
            changed = false;
            Vec::new()
        }
        Action::Local(local) => {
            if let Some(fault) = local.fault() {
                model.say(Toast::bad(fault), now);
            }
            model.local = Some(local);
            Vec::new()
        }
    };
    effects.extend(log::count(model, now));
    model.log.pack();
    // Books and loans are asked for where they are seen.
    if model.tab != Tab::Library {
        model.sources.get_mut(SourceName::Library).rest();
    }
    model.changed |= changed;
    effects
}
