//! The timeline: kept up with the time, moved through, narrowed to.

use super::{filter, open, prompt};
use crate::action::Effect;
use crate::keys::Command;
use crate::model::{Filter, LogPane, Model, OpenAt, PARTS, PromptKind, SourceName, Tab};
use chrono::{DateTime, Utc};

/// The parts by which a page moves.
const PAGE: isize = 10;

/// Asks for counts where they are seen and old.
pub(in crate::update) fn count(model: &mut Model, now: DateTime<Utc>) -> Option<Effect> {
    if model.tab != Tab::Log || !model.sources.get(SourceName::Log).is_live() {
        return None;
    }
    let log = &mut model.log;
    if log.timeline.cursor.is_none() && log.opening.is_none() {
        log.timeline.keep(log.moment(now), now);
    }
    let span = log.timeline.ask(now)?;
    let filter = Filter { stretch: None, ..log.filter.clone() };
    Some(Effect::Hits { asked: log.timeline.asked, filter, span })
}

/// A second has passed. True where the time moved on by a part.
pub(in crate::update) fn tick(model: &mut Model, now: DateTime<Utc>) -> bool {
    model.tab == Tab::Log && model.log.timeline.slide(now)
}

/// Lets keys act upon it, from where one is.
pub(super) fn enter(log: &mut LogPane, now: DateTime<Utc>) {
    log.timeline.slide(now);
    let here = log.moment(now).and_then(|at| log.timeline.part_of(at));
    log.timeline.cursor = Some(here.unwrap_or(PARTS - 1));
}

/// Gives the keys back to the lines. True where it had them.
pub(super) fn leave(log: &mut LogPane) -> bool {
    log.timeline.anchor = None;
    log.timeline.cursor.take().is_some()
}

/// A command while keys act upon it.
pub(super) fn run(model: &mut Model, command: Command, now: DateTime<Utc>) -> Vec<Effect> {
    let log = &mut model.log;
    let timeline = &mut log.timeline;
    match command {
        Command::Left => timeline.step(-1, now),
        Command::Right => timeline.step(1, now),
        Command::PageUp => timeline.step(-PAGE, now),
        Command::PageDown => timeline.step(PAGE, now),
        Command::First => timeline.to_begin(),
        Command::Last => timeline.to_now(now),
        Command::ZoomIn => timeline.zoom(true, now),
        Command::ZoomOut => timeline.zoom(false, now),
        Command::Select => {
            timeline.anchor = if timeline.anchor == timeline.cursor { None } else { timeline.cursor }
        }
        Command::Open => {
            let stretch = timeline.selected();
            leave(log);
            return open(log, Filter { stretch, ..filter::coming(log) }, OpenAt::Newest);
        }
        Command::GoTime => prompt::open(log, PromptKind::Time, now),
        Command::ClearFilter => {
            leave(log);
            return filter::clear(log);
        }
        _ => {}
    }
    Vec::new()
}
