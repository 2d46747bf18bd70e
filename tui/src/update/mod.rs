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
mod overview;
mod palette;
mod services;
mod study;
mod typing;
mod undo;

use crate::action::{Action, Effect};
use crate::model::{Model, SourceName, Tab, Toast};
use chrono::{DateTime, Utc};

/// What became of an action.
struct Outcome {
    /// Whether something is to be drawn otherwise than before.
    changed: bool,
    /// What is to be done outside.
    effects: Vec<Effect>,
}

impl Outcome {
    /// It changed something.
    fn changed() -> Self {
        true.into()
    }
}

/// It changed something, or told only what is known.
impl From<bool> for Outcome {
    fn from(changed: bool) -> Self {
        Self { changed, effects: Vec::new() }
    }
}

/// It changed something, and wants more.
impl From<Vec<Effect>> for Outcome {
    fn from(effects: Vec<Effect>) -> Self {
        Self { changed: true, effects }
    }
}

/// Applies one action. Sets [`Model::changed`] where the screen has to be drawn
/// anew.
pub fn update(model: &mut Model, action: Action, now: DateTime<Utc>) -> Vec<Effect> {
    let Outcome { changed, mut effects } = apply(model, action, now);
    effects.extend(log::count(model, now));
    model.log.pack();
    // Books and loans are asked for where they are seen.
    if model.tab != Tab::Library {
        model.sources.get_mut(SourceName::Library).rest();
    }
    // A feed that only repeats what is known is no reason to draw.
    model.changed |= changed;
    effects
}

fn apply(model: &mut Model, action: Action, now: DateTime<Utc>) -> Outcome {
    match action {
        Action::Key(key) => typing::press(model, key, now).into(),
        Action::Paste(text) => typing::paste(model, &text).into(),
        Action::Mouse(mouse) => general::moved(model, mouse, now).into(),
        Action::Resize(columns, lines) => {
            model.size = (columns, lines);
            Outcome::changed()
        }
        Action::Tick => tick(model, now),
        Action::Terminate => vec![Effect::Quit].into(),
        Action::Suspend => vec![Effect::Suspend].into(),
        Action::Away { source, cause, retry_in } => {
            model.sources.get_mut(source).lost(cause, retry_in, now);
            Outcome::changed()
        }
        Action::Heard(source) => model.sources.get_mut(source).heard(now).into(),
        Action::Alive(source) => {
            model.sources.get_mut(source).alive(now);
            false.into()
        }
        Action::Registry { revision, registrations } => {
            feeds::registry(model, revision, registrations, now).into()
        }
        Action::Guard(guard) => feeds::guard(model, guard).into(),
        Action::Monitor { health, incidents, maintenances } => {
            let changed = feeds::monitor(model, health, incidents, maintenances, now);
            let mut effects = if changed { study::wanted(model) } else { Vec::new() };
            if model.tab == Tab::Incidents && model.incidents.wants_uptimes(now) {
                effects.push(Effect::Uptimes);
            }
            Outcome { changed, effects }
        }
        Action::Study(study) => study::told(model, *study).into(),
        Action::Around(around) => study::told_around(model, around).into(),
        Action::Uptimes(uptimes) => {
            model.incidents.set_uptimes(uptimes, now);
            study::wanted(model).into()
        }
        Action::Lease(status) => study::told_lease(model, status, now).into(),
        Action::Volume(hits) => feeds::volume(model, &hits, now).into(),
        Action::Library { books, loans } => feeds::library(model, books, loans, now).into(),
        Action::LogOpened { feed, generation, opened } => {
            log::opened(model, feed, generation, opened, now);
            Outcome::changed()
        }
        Action::LogArrived { feed, generation, lines, missed } => {
            log::arrived(model, feed, generation, &lines, missed, now).into()
        }
        Action::LogFiltered { filter, outcome } => log::filtered(model, filter, outcome, now).into(),
        Action::LogChecked { query, outcome } => {
            log::checked(model, &query, outcome);
            Outcome::changed()
        }
        Action::LogPaged { generation, side, from, page } => {
            log::paged(model, generation, side, from, page, now);
            Outcome::changed()
        }
        Action::LogFound { generation, seek, found } => {
            log::found(model, generation, seek, found, now).into()
        }
        Action::LogHits { asked, hits } => log::hits(model, asked, hits, now).into(),
        Action::Exported(outcome) => {
            log::exported(model, outcome, now);
            Outcome::changed()
        }
        Action::Exists(export) => {
            log::exists(model, *export, now);
            Outcome::changed()
        }
        Action::Answered(answer) => {
            forms::answered(model, *answer, now);
            Outcome::changed()
        }
        Action::TakenBack { request, outcome } => {
            undo::taken_back(model, request, outcome, now);
            Outcome::changed()
        }
        Action::Failed(failure) => {
            model.say(Toast::bad(failure.message), now);
            Outcome::changed()
        }
        Action::Remembered(queries) => {
            model.log.recent_filters.add_older(queries);
            false.into()
        }
        Action::Local(local) => {
            if let Some(fault) = local.fault() {
                model.say(Toast::bad(fault), now);
            }
            model.local = Some(local);
            Outcome::changed()
        }
    }
}

/// A second has passed.
fn tick(model: &mut Model, now: DateTime<Utc>) -> Outcome {
    let is_ageing = model.is_ageing();
    model.toasts.expire(now);
    let has_moved = log::tick(model, now);
    Outcome { changed: is_ageing || has_moved, effects: study::lease(model).into_iter().collect() }
}
