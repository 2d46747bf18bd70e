//! The log tab: following and pausing, filtering, going from one record to
//! another, looking closer.

mod detail;
mod export;
mod feed;
mod filter;
mod lines;
mod prompt;
mod seek;
mod timeline;

pub(super) use export::{exists, exported};
pub(super) use feed::{arrived, checked, filtered, found, hits, opened, paged};
pub(super) use prompt::{submit, typed};
pub(super) use timeline::{count, tick};

use crate::action::Effect;
use crate::keys::Command;
use crate::model::{BackStep, Filter, LogPane, Model, OpenAt, Tab};
use chrono::{DateTime, Utc};

/// A command in the log, or in what lies over its lines.
pub(super) fn run(model: &mut Model, command: Command, now: DateTime<Utc>) -> Vec<Effect> {
    let log = &model.log;
    if log.prompt.is_some() {
        prompt::run(model, command)
    } else if log.detail.is_some() {
        detail::run(model, command, now)
    } else if log.facet.is_some() {
        filter::toggle(model, command, now)
    } else if log.timeline.cursor.is_some() {
        timeline::run(model, command, now)
    } else {
        lines::run(model, command, now)
    }
}

/// Opens the log at a place, in place of what is held.
fn open(log: &mut LogPane, filter: Filter, at: OpenAt) -> Vec<Effect> {
    let unbounded = |filter: &Filter| Filter { stretch: None, ..filter.clone() };
    if unbounded(&filter) != unbounded(&log.filter) {
        log.timeline.clear();
    }
    log.generation += 1;
    log.opening = Some(at);
    log.shift = 0;
    (log.wanted, log.open_at) = (None, None);
    log.filter = filter.clone();
    vec![Effect::Follow { generation: log.generation, filter, at }]
}

/// Opens the log at the record of a sequence, if it is not held.
fn go(log: &mut LogPane, seq: u64) -> Vec<Effect> {
    let row = log.lines().row_of(seq);
    if log.lines().get(row).is_some_and(|line| line.seq == seq) {
        log.pause(row);
        return lines::page(log);
    }
    open(log, log.filter.clone(), OpenAt::Seq(seq))
}

/// One step back. None where there is nothing to go back from.
pub(super) fn back(log: &mut LogPane, now: DateTime<Utc>) -> Option<Vec<Effect>> {
    let closed = log.prompt.take().is_some()
        || log.detail.take().is_some()
        || log.facet.take().is_some()
        || timeline::leave(log);
    if closed {
        return Some(Vec::new());
    }
    Some(match log.back_step(now)? {
        BackStep::Search => {
            (log.search, log.found) = (None, None);
            Vec::new()
        }
        BackStep::Context => {
            let before = log.back_to.take()?;
            let at = before.at();
            open(log, before.filter, at)
        }
        BackStep::Led => {
            let before = log.led_from.take()?;
            if before.filter == log.filter {
                // The log has not accepted the other one yet: it need not any more.
                (log.wanted, log.open_at) = (None, None);
                return Some(Vec::new());
            }
            let at = before.at();
            open(log, before.filter, at)
        }
        BackStep::Follow => lines::follow(log),
        BackStep::Stretch => {
            // What came before and after is shown around where one is.
            let here = log.selected().filter(|_| log.has_ended(now));
            let at = here.map_or(OpenAt::Newest, |line| OpenAt::Seq(line.seq));
            open(log, Filter { stretch: None, ..log.filter.clone() }, at)
        }
        BackStep::Filter => open(log, Filter::default(), OpenAt::Newest),
    })
}

/// Shows one service's log alone: as it was when an incident that is looked at was
/// opened, else as it is now.
pub(super) fn of_service(model: &mut Model, service: String) -> Vec<Effect> {
    let incident = model.incidents.incident().filter(|_| model.tab == Tab::Incidents);
    let at = incident.map_or(OpenAt::Newest, |incident| OpenAt::Time(incident.opened_at));
    model.tab = Tab::Log;
    let log = &mut model.log;
    (log.detail, log.prompt, log.facet, log.search) = (None, None, None, None);
    timeline::leave(log);
    let before = log.led_from.take().unwrap_or_else(|| log.spot());
    let effects = filter::try_out(log, Filter::of_service(service));
    (log.open_at, log.led_from) = (Some(at), Some(before));
    effects
}
