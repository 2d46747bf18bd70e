//! The lines: moving among them, and what begins at one of them.

use super::{filter, go, open, prompt, seek, timeline};
use crate::action::Effect;
use crate::keys::{Command, Place};
use crate::model::{
    Edge, Filter, LogPane, MARKS_MAX, Marked, Model, OpenAt, PromptKind, RecordDetail, Sought, Toast,
};
use chrono::{DateTime, Utc};

/// Said where a record is needed and there is none.
const NOTHING: &str = "no record is selected here";
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
        Command::Follow if log.has_ended(now) => {
            // What is past cannot be followed: the time goes on.
            return open(log, Filter { stretch: None, ..log.filter.clone() }, OpenAt::Newest);
        }
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
            model.say(Toast::bad(NOTHING), now);
        }
        Command::Search => prompt::open(log, PromptKind::Search, now),
        Command::Filter => prompt::open(log, PromptKind::Filter, now),
        Command::GoTime => prompt::open(log, PromptKind::Time, now),
        Command::Export => prompt::open(log, PromptKind::Export, now),
        Command::Facets => filter::list(model),
        Command::Timeline => timeline::enter(log, now),
        Command::NextMatch => return seek::run(model, Sought::Match, true, now),
        Command::PreviousMatch => return seek::run(model, Sought::Match, false, now),
        Command::NextError => return seek::run(model, Sought::Error, true, now),
        Command::PreviousError => return seek::run(model, Sought::Error, false, now),
        Command::Level => return filter::level(log, true),
        Command::LevelDown => return filter::level(log, false),
        Command::ClearFilter => return filter::clear(log),
        Command::Context => {
            if let Some((seq, service)) = log.selected().map(|line| (line.seq, line.service.to_owned())) {
                return context(log, seq, service);
            }
            model.say(Toast::bad(NOTHING), now);
        }
        Command::Mark => return mark(model, now),
        Command::GoMark => match log.marked_before() {
            Some(seq) => return go(log, seq),
            None => {
                let key = model.keymap.key_of(Place::Log, Command::Mark);
                model.say(Toast::bad(format!("nothing is marked yet: {key} marks a record")), now);
            }
        },
        _ => {}
    }
    Vec::new()
}

/// Follows the log, from its newest record on.
pub(super) fn follow(log: &mut LogPane) -> Vec<Effect> {
    log.shift = 0;
    if log.opening.is_none() && log.follow() {
        Vec::new()
    } else {
        open(log, log.filter.clone(), OpenAt::Newest)
    }
}

/// To the oldest record of all.
fn first(log: &mut LogPane) -> Vec<Effect> {
    if log.older == Edge::End && log.opening.is_none() {
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
    let here = log.spot();
    log.back_to.get_or_insert(here);
    log.detail = None;
    open(log, Filter::of_service(service), OpenAt::Seq(seq))
}

pub(super) fn mark(model: &mut Model, now: DateTime<Utc>) -> Vec<Effect> {
    let key = model.keymap.key_of(Place::Log, Command::GoMark);
    let said = match model.log.mark() {
        Some(Marked::Now) => Toast::good(format!("marked: {key} leads back here")),
        Some(Marked::NoMore) => Toast::good("the mark is taken away"),
        Some(Marked::Full) => Toast::bad(format!("no more than {MARKS_MAX} records can be marked")),
        None => Toast::bad(NOTHING),
    };
    model.say(said, now);
    step(&mut model.log, 0)
}
