//! The log tab: following and holding, searching, filtering, scrolling back.

use crate::action::{Effect, Failure};
use crate::keys::Command;
use crate::model::{
    ERRORS_MAX, Filter, LogPane, Model, Older, Prompt, PromptKind, RecordDetail, SourceName, Stream, Tab,
    Toast,
};
use chrono::{DateTime, Utc};
use shared::wire::log::{Level, Page, Record};
use tui_input::Input;

/// The cells by which one key scrolls sideways.
const SHIFT_CELLS: usize = 16;
/// The farthest that lines scroll sideways.
const SHIFT_MAX: usize = 4_096;

pub(super) fn opened(model: &mut Model, stream: Stream, generation: u64, page: Page, now: DateTime<Utc>) {
    match stream {
        Stream::Errors => {
            model.errors = page.records.into_iter().take(ERRORS_MAX).rev().collect();
        }
        Stream::Lines if generation == model.log.generation => {
            model.sources.get_mut(SourceName::Log).heard(now);
            let filter = model.log.filter.clone();
            model.log.open(filter, page);
        }
        Stream::Lines => {}
    }
}

pub(super) fn arrived(
    model: &mut Model,
    stream: Stream,
    generation: u64,
    records: Vec<Record>,
    missed: u64,
    now: DateTime<Utc>,
) -> bool {
    let news = !records.is_empty() || missed > 0;
    match stream {
        Stream::Errors => {
            model.errors.extend(records);
            let over = model.errors.len().saturating_sub(ERRORS_MAX);
            model.errors.drain(..over);
            news
        }
        Stream::Lines if generation == model.log.generation => {
            let back = model.sources.get_mut(SourceName::Log).heard(now);
            model.log.push(records);
            model.log.missed += missed;
            back || news
        }
        Stream::Lines => false,
    }
}

/// A filter that the log accepts begins the tab anew; one that it refuses
/// leaves everything as it was, and says what is wrong with it.
pub(super) fn filtered(
    model: &mut Model,
    filter: Filter,
    page: Result<Page, Failure>,
    now: DateTime<Utc>,
) -> Vec<Effect> {
    let waiting = model.log.prompt.as_mut().filter(|prompt| prompt.waiting);
    match (page, waiting) {
        (Ok(page), waiting) => {
            if waiting.is_some() {
                model.log.prompt = None;
            }
            model.log.open(filter.clone(), page);
            model.log.generation += 1;
            vec![Effect::Follow { generation: model.log.generation, filter }]
        }
        (Err(failure), Some(prompt)) => {
            prompt.waiting = false;
            prompt.failure = Some(failure);
            Vec::new()
        }
        (Err(failure), None) => {
            model.say(Toast::bad(failure.message), now);
            Vec::new()
        }
    }
}

pub(super) fn older(model: &mut Model, generation: u64, page: Result<Page, Failure>, now: DateTime<Utc>) {
    if generation != model.log.generation {
        return;
    }
    match page {
        Ok(page) => model.log.push_older(page),
        Err(failure) => {
            model.log.older = Older::Perhaps;
            model.say(Toast::bad(failure.message), now);
        }
    }
}

/// A command in the log, or in the detail of a record.
pub(super) fn run(model: &mut Model, command: Command, now: DateTime<Utc>) -> Vec<Effect> {
    let page = isize::try_from(model.page()).unwrap_or(isize::MAX);
    let log = &mut model.log;
    if log.detail.is_some() {
        look(log, command);
        return Vec::new();
    }
    match command {
        Command::Up => step(log, -1),
        Command::Down => step(log, 1),
        Command::PageUp => step(log, -page),
        Command::PageDown => step(log, page),
        Command::First => step(log, isize::MIN),
        Command::Last => {
            log.follow();
            Vec::new()
        }
        Command::Follow => {
            match log.index() {
                Some(index) if log.is_following() => log.hold(index),
                _ => log.follow(),
            }
            Vec::new()
        }
        Command::Left => {
            log.shift = log.shift.saturating_sub(SHIFT_CELLS);
            Vec::new()
        }
        Command::Right => {
            log.shift = (log.shift + SHIFT_CELLS).min(SHIFT_MAX);
            Vec::new()
        }
        Command::Open => {
            if let Some(index) = log.index() {
                log.hold(index);
                log.detail = log.selected().map(|record| RecordDetail { record: record.clone(), scroll: 0 });
            }
            Vec::new()
        }
        Command::Search => {
            let typed = log.search.clone().unwrap_or_default();
            log.prompt = Some(prompt(PromptKind::Search, typed));
            Vec::new()
        }
        Command::Filter => {
            log.prompt = Some(prompt(PromptKind::Filter, log.filter.query.clone()));
            Vec::new()
        }
        Command::NextMatch => seek(model, true, now),
        Command::PreviousMatch => seek(model, false, now),
        Command::Level => {
            let level = match log.filter.level {
                None => Some(Level::Info),
                Some(Level::Info) => Some(Level::Warn),
                Some(Level::Warn) => Some(Level::Error),
                Some(_) => None,
            };
            vec![Effect::Filter(Filter { level, ..log.filter.clone() })]
        }
        Command::ClearFilter => vec![Effect::Filter(Filter::default())],
        _ => Vec::new(),
    }
}

/// One step back: the line of input, the detail, the search, the hold.
pub(super) fn back(log: &mut LogPane) {
    if log.prompt.take().is_some() || log.detail.take().is_some() || log.search.take().is_some() {
        return;
    }
    log.follow();
}

/// Shows one service's log alone.
pub(super) fn of_service(model: &mut Model, service: String) -> Vec<Effect> {
    model.tab = Tab::Log;
    model.log.detail = None;
    vec![Effect::Filter(Filter { service: Some(service), ..Filter::default() })]
}

/// Searches or filters with what was typed.
pub(super) fn submit(model: &mut Model, now: DateTime<Utc>) -> Vec<Effect> {
    let Some(prompt) = &mut model.log.prompt else { return Vec::new() };
    let typed = prompt.input.value().trim().to_owned();
    match prompt.kind {
        PromptKind::Filter if prompt.waiting => Vec::new(),
        PromptKind::Filter => {
            prompt.waiting = true;
            vec![Effect::Filter(Filter { query: typed, ..model.log.filter.clone() })]
        }
        PromptKind::Search => {
            model.log.prompt = None;
            model.log.search = Some(typed).filter(|typed| !typed.is_empty());
            // The nearest match before the newest is what one looks for in a log.
            let Some(from) = model.log.index().filter(|_| model.log.search.is_some()) else {
                return Vec::new();
            };
            let found = model.log.find(from, false).or_else(|| model.log.find(from, true));
            found_at(model, found, now)
        }
    }
}

fn prompt(kind: PromptKind, typed: String) -> Prompt {
    Prompt { kind, input: Input::new(typed), failure: None, waiting: false }
}

fn seek(model: &mut Model, forward: bool, now: DateTime<Utc>) -> Vec<Effect> {
    if model.log.search.is_none() {
        model.say(Toast::bad("nothing is searched for yet: / begins"), now);
        return Vec::new();
    }
    let Some(from) = model.log.index() else { return Vec::new() };
    let found = if forward {
        model.log.find(from + 1, true)
    } else {
        from.checked_sub(1).and_then(|from| model.log.find(from, false))
    };
    found_at(model, found, now)
}

fn found_at(model: &mut Model, found: Option<usize>, now: DateTime<Utc>) -> Vec<Effect> {
    match found {
        Some(index) => model.log.hold(index),
        None => {
            let search = model.log.search.clone().unwrap_or_default();
            model.say(Toast::bad(format!("no further line here holds '{search}'")), now);
        }
    }
    Vec::new()
}

/// Moves the cursor; the log is held by moving up, and near the oldest record
/// older ones are asked for.
fn step(log: &mut LogPane, by: isize) -> Vec<Effect> {
    let Some(index) = log.index() else { return Vec::new() };
    if log.is_following() && by > 0 {
        return Vec::new();
    }
    let last = log.records().len().saturating_sub(1);
    log.hold(index.saturating_add_signed(by).min(last));
    let near = log.index().unwrap_or(0) == 0;
    match log.records().front() {
        Some(first) if near && log.older == Older::Perhaps && log.has_room() => {
            let (generation, filter, before) = (log.generation, log.filter.clone(), first.seq);
            log.older = Older::Loading;
            vec![Effect::Older { generation, filter, before }]
        }
        _ => Vec::new(),
    }
}

/// A command in the detail of a record: scroll it, or look at a neighbour.
fn look(log: &mut LogPane, command: Command) {
    let neighbour = match command {
        Command::Left => log.index().and_then(|index| index.checked_sub(1)),
        Command::Right => log.index().map(|index| index + 1),
        _ => None,
    };
    if let Some(record) = neighbour.and_then(|index| log.records().get(index)).cloned() {
        log.cursor = Some(record.seq);
        log.detail = Some(RecordDetail { record, scroll: 0 });
    } else if let Some(detail) = &mut log.detail {
        scroll(&mut detail.scroll, command);
    }
}

/// Scrolls something that is taller than its place; the view stops at its end.
pub(super) const fn scroll(lines: &mut usize, command: Command) {
    *lines = match command {
        Command::Up => lines.saturating_sub(1),
        Command::Down => lines.saturating_add(1),
        Command::PageUp => lines.saturating_sub(10),
        Command::PageDown => lines.saturating_add(10),
        Command::First => 0,
        _ => *lines,
    };
}
