//! To the nearest match or error: among what is held, then in the history beyond
//! it, then round from the other end.

use super::{go, lines};
use crate::action::Effect;
use crate::keys::{Command, Place};
use crate::model::{Edge, Line, LogPane, Model, Seek, Sought, Toast, holds, nearest};
use chrono::{DateTime, Utc};
use shared::wire::log::Level;

/// Beyond every record: where a search upwards begins in the whole log.
const END: u64 = u64::MAX - 1;

/// The nearest match of what was just typed: before the newest is where one looks
/// first in a log.
pub(super) fn begin(model: &mut Model, now: DateTime<Utc>) -> Vec<Effect> {
    let log = &mut model.log;
    let Some(from) = log.index().filter(|_| log.search.is_some()) else { return Vec::new() };
    let hit = |line: &Line<'_>| is_sought(log, Sought::Match, line);
    let found = nearest(log.lines(), from + 1, false, hit).or_else(|| nearest(log.lines(), from, true, hit));
    match found {
        Some(row) => arrive(log, row),
        None => beyond(model, Seek { sought: Sought::Match, forward: false, round: false }, now),
    }
}

pub(super) fn run(model: &mut Model, sought: Sought, forward: bool, now: DateTime<Utc>) -> Vec<Effect> {
    let log = &mut model.log;
    if sought == Sought::Match && log.search.is_none() {
        let key = model.keymap.key_of(Place::Log, Command::Search);
        model.say(Toast::bad(format!("nothing is searched for yet: {key} begins")), now);
        return Vec::new();
    }
    let Some(from) = log.index() else { return Vec::new() };
    // While following, the newest record itself may be one.
    let from = if log.is_following() && !forward { from + 1 } else { from };
    match nearest(log.lines(), from, forward, |line| is_sought(log, sought, line)) {
        Some(row) => arrive(log, row),
        None => beyond(model, Seek { sought, forward, round: false }, now),
    }
}

/// What the history beyond what is held has.
pub(super) fn found(model: &mut Model, seek: Seek, found: Option<u64>, now: DateTime<Utc>) -> Vec<Effect> {
    match found {
        Some(seq) => {
            if seek.round {
                say_round(model, seek, now);
            }
            let effects = go(&mut model.log, seq);
            model.log.count_matches();
            effects
        }
        None => none_beyond(model, seek, now),
    }
}

fn is_sought(log: &LogPane, sought: Sought, line: &Line<'_>) -> bool {
    match (sought, &log.search) {
        (Sought::Error, _) => line.level >= Level::Error,
        (Sought::Match, Some(search)) => holds(line, search),
        (Sought::Match, None) => false,
    }
}

fn arrive(log: &mut LogPane, row: usize) -> Vec<Effect> {
    log.pause(row);
    log.count_matches();
    lines::page(log)
}

/// Looks in the history where what is held is not the end of it.
fn beyond(model: &mut Model, seek: Seek, now: DateTime<Utc>) -> Vec<Effect> {
    let log = &model.log;
    let (end, edge) =
        if seek.forward { (log.lines().last(), log.newer) } else { (log.lines().first(), log.older) };
    match end {
        Some(end) if edge != Edge::End => ask(log, seek, end.seq),
        _ => none_beyond(model, seek, now),
    }
}

fn ask(log: &LogPane, seek: Seek, from: u64) -> Vec<Effect> {
    let filter = match (seek.sought, &log.search) {
        (Sought::Match, Some(search)) => log.filter.holding(search, log.lines()),
        _ => log.filter.at_least(Level::Error),
    };
    vec![Effect::Find { generation: log.generation, filter, from, seek }]
}

/// There is none on that side: a search goes round, a walk from error to error
/// ends.
fn none_beyond(model: &mut Model, seek: Seek, now: DateTime<Utc>) -> Vec<Effect> {
    let log = &model.log;
    if seek.sought == Sought::Error || seek.round {
        let search = log.search.as_deref().unwrap_or_default();
        let said = match (seek.sought, seek.forward) {
            (Sought::Error, true) => "no error comes after this".to_owned(),
            (Sought::Error, false) => "no error comes before this".to_owned(),
            (Sought::Match, _) => format!("no record holds '{search}'"),
        };
        model.say(Toast::bad(said), now);
        return Vec::new();
    }
    let seek = Seek { round: true, ..seek };
    let (edge, from) = if seek.forward { (log.older, 0) } else { (log.newer, END) };
    if edge != Edge::End {
        return ask(log, seek, from);
    }
    let hit = |line: &Line<'_>| is_sought(log, Sought::Match, line);
    let held = log.lines();
    let row = if seek.forward {
        held.from(0).find(|(_, line)| hit(line)).map(|(row, _)| row)
    } else {
        nearest(held, held.len(), false, hit)
    };
    match row {
        Some(row) => {
            say_round(model, seek, now);
            arrive(&mut model.log, row)
        }
        None => none_beyond(model, seek, now),
    }
}

fn say_round(model: &mut Model, seek: Seek, now: DateTime<Utc>) {
    let said = if seek.forward { "round to the oldest match" } else { "round to the newest match" };
    model.say(Toast::good(said), now);
}
