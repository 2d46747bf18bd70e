//! The lines: moving among them, and what begins at one of them.

use super::{filter, go, open, prompt, timeline};
use crate::action::Effect;
use crate::keys::Command;
use crate::model::{
    Edge, Filter, Line, LogPane, Model, OpenAt, PromptKind, RecordDetail, Toast, View, holds, nearest,
};
use chrono::{DateTime, Utc};
use shared::wire::log::Level;

/// The cells by which one key scrolls sideways.
const SHIFT_CELLS: usize = 16;
/// The farthest that lines scroll sideways.
const SHIFT_MAX: usize = 4_096;

pub(super) fn run(model: &mut Model, command: Command, now: DateTime<Utc>) -> Vec<Effect> {
    let rows = isize::try_from(model.page()).unwrap_or(isize::MAX);
    let log = &mut model.log;
    match command {
        Command::Up => return step(log, -1),
        Command::Down => return step(log, 1),
        Command::PageUp => return step(log, -rows),
        Command::PageDown => return step(log, rows),
        Command::First => return first(log),
        Command::Last => return follow(log),
        Command::Follow if log.is_following() => return step(log, 0),
        Command::Follow => return follow(log),
        Command::Left => log.shift = log.shift.saturating_sub(SHIFT_CELLS),
        Command::Right => log.shift = (log.shift + SHIFT_CELLS).min(SHIFT_MAX),
        Command::Wrap => log.wrap = !log.wrap,
        Command::Open => {
            if let Some(record) = log.selected().map(|line| line.to_record()) {
                log.detail = Some(RecordDetail::new(record));
                return step(log, 0);
            }
        }
        Command::Search => prompt::open(log, PromptKind::Search, now),
        Command::Filter => prompt::open(log, PromptKind::Filter, now),
        Command::GoTime => prompt::open(log, PromptKind::Time, now),
        Command::Export => prompt::open(log, PromptKind::Export, now),
        Command::Facets => model.log.facet = filter::facets(model).into_iter().next(),
        Command::Timeline => timeline::enter(log, now),
        Command::NextMatch => return seek(model, true, now),
        Command::PreviousMatch => return seek(model, false, now),
        Command::NextError => return seek_error(model, true, now),
        Command::PreviousError => return seek_error(model, false, now),
        Command::Level => return filter::level(log, true),
        Command::LevelDown => return filter::level(log, false),
        Command::ClearFilter => return filter::clear(log),
        Command::Context => {
            if let Some((seq, service)) = log.selected().map(|line| (line.seq, line.service.to_owned())) {
                return context(log, seq, service);
            }
        }
        Command::Mark => return mark(model, now),
        Command::GoMark => match log.marked_before() {
            Some(seq) => return go(log, seq),
            None => model.say(Toast::bad("nothing is marked yet: m marks a record"), now),
        },
        _ => {}
    }
    Vec::new()
}

/// Follows the log, from its newest record on.
pub(super) fn follow(log: &mut LogPane) -> Vec<Effect> {
    if log.follow() { Vec::new() } else { open(log, log.filter.clone(), OpenAt::Newest) }
}

/// To the oldest record of all.
fn first(log: &mut LogPane) -> Vec<Effect> {
    if log.older == Edge::End && !log.opening {
        log.pause(0);
        return page(log);
    }
    open(log, log.filter.clone(), OpenAt::Oldest)
}

/// Moves the cursor, which pauses the log.
pub(super) fn step(log: &mut LogPane, by: isize) -> Vec<Effect> {
    let Some(row) = log.index() else { return Vec::new() };
    if log.is_following() && by > 0 {
        return Vec::new();
    }
    log.pause(row.saturating_add_signed(by).min(log.lines().len().saturating_sub(1)));
    page(log)
}

/// Asks for what lies beyond what is held, where one comes close to it.
pub(super) fn page(log: &mut LogPane) -> Vec<Effect> {
    let needed = log.needed();
    let (generation, filter) = (log.generation, log.filter.clone());
    needed.map(|(side, from)| Effect::Page { generation, filter, side, from }).into_iter().collect()
}

/// Shows a record among all those of its service; Esc leads back.
pub(super) fn context(log: &mut LogPane, seq: u64, service: String) -> Vec<Effect> {
    let view = View { filter: log.filter.clone(), cursor: log.cursor };
    log.back_to.get_or_insert(view);
    log.detail = None;
    open(log, Filter::of_service(service), OpenAt::Seq(seq))
}

pub(super) fn mark(model: &mut Model, now: DateTime<Utc>) -> Vec<Effect> {
    match model.log.mark() {
        Some(true) => model.say(Toast::good("marked: ' leads back here"), now),
        Some(false) => model.say(Toast::good("the mark is taken away"), now),
        None => return Vec::new(),
    }
    step(&mut model.log, 0)
}

fn seek(model: &mut Model, forward: bool, now: DateTime<Utc>) -> Vec<Effect> {
    let log = &mut model.log;
    let Some(search) = &log.search else {
        model.say(Toast::bad("nothing is searched for yet: / begins"), now);
        return Vec::new();
    };
    let Some(from) = log.index() else { return Vec::new() };
    match nearest(log.lines(), from, forward, |line| holds(line, search)) {
        Some(row) => {
            log.pause(row);
            page(log)
        }
        None => {
            let said = format!("no further line here holds '{search}'");
            model.say(Toast::bad(said), now);
            Vec::new()
        }
    }
}

/// To the nearest error, among those held or beyond them.
fn seek_error(model: &mut Model, forward: bool, now: DateTime<Utc>) -> Vec<Effect> {
    let log = &mut model.log;
    let Some(from) = log.index() else { return Vec::new() };
    let bad = |line: &Line<'_>| line.level >= Level::Error;
    // While following, the newest record itself may be one.
    let from = if log.is_following() && !forward { from + 1 } else { from };
    if let Some(row) = nearest(log.lines(), from, forward, bad) {
        log.pause(row);
        return page(log);
    }
    let end = if forward { log.lines().last() } else { log.lines().first() };
    let goes_on = if forward { log.newer } else { log.older } != Edge::End;
    let filter = log.filter.at_least(Level::Error);
    match end {
        Some(end) if goes_on && !filter.levels.is_none() => {
            vec![Effect::Find { generation: log.generation, filter, from: end.seq, forward }]
        }
        _ => {
            model.say(Toast::bad(no_error(forward)), now);
            Vec::new()
        }
    }
}

pub(super) const fn no_error(forward: bool) -> &'static str {
    if forward { "no error comes after this" } else { "no error comes before this" }
}
