//! The line of input: opened, typed into, completed, done.

use super::{filter, lines};
use crate::action::{Effect, Export, Failure};
use crate::keys::Command;
use crate::model::{
    Filter, Line, LogPane, Model, OpenAt, Prompt, PromptKind, Toast, complete, holds, nearest, parse_moment,
};
use chrono::{DateTime, Utc};

/// Opens it with what stands for its purpose now.
pub(super) fn open(log: &mut LogPane, kind: PromptKind, now: DateTime<Utc>) {
    let typed = match kind {
        PromptKind::Search => log.search.clone().unwrap_or_default(),
        PromptKind::Filter => log.filter.query.clone(),
        PromptKind::Time => String::new(),
        PromptKind::Export => format!("distlog-{}.ndjson", now.format("%Y%m%d-%H%M%S")),
    };
    log.prompt = Some(Prompt::new(kind, typed));
}

/// A command while it is typed into.
pub(super) fn run(model: &mut Model, command: Command) {
    let log = &mut model.log;
    let Some(prompt) = &mut log.prompt else { return };
    let recent = match prompt.kind {
        PromptKind::Search => Some(&log.recent_searches),
        PromptKind::Filter => Some(&log.recent_filters),
        PromptKind::Time | PromptKind::Export => None,
    };
    match (command, recent) {
        (Command::Up, Some(recent)) => prompt.recall(recent, true),
        (Command::Down, Some(recent)) => prompt.recall(recent, false),
        (Command::Complete | Command::CompleteBack, _) if prompt.kind == PromptKind::Filter => {
            let fleet = model.fleet.services.iter().map(|service| service.name.as_str());
            let Some(mut completed) = log.prompt.take() else { return };
            let (text, cursor) = (completed.input.value().to_owned(), completed.input.cursor());
            let completion = || complete(&text, cursor, log.lines(), fleet);
            completed.complete(completion, command == Command::Complete);
            log.prompt = Some(completed);
        }
        _ => {}
    }
}

/// After a key that is text: what was said of the text before holds no more,
/// and a query is checked.
pub(in crate::update) fn typed(model: &mut Model, before: Option<String>) -> Vec<Effect> {
    let Some(prompt) = &mut model.log.prompt else { return Vec::new() };
    if before.as_deref() == Some(prompt.input.value()) {
        return Vec::new();
    }
    prompt.edited();
    match prompt.kind {
        PromptKind::Filter if !prompt.text().is_empty() => vec![Effect::Check(prompt.text().to_owned())],
        _ => Vec::new(),
    }
}

/// Does what the line is for, with what was typed.
pub(in crate::update) fn submit(model: &mut Model, now: DateTime<Utc>) -> Vec<Effect> {
    let log = &mut model.log;
    let Some(prompt) = &mut log.prompt else { return Vec::new() };
    let typed = prompt.text().to_owned();
    match prompt.kind {
        PromptKind::Filter if prompt.waiting => Vec::new(),
        PromptKind::Filter => {
            prompt.waiting = true;
            let wanted = Filter { query: typed, ..filter::coming(log) };
            filter::try_out(log, wanted)
        }
        PromptKind::Search => {
            log.prompt = None;
            log.recent_searches.push(&typed);
            log.search = Some(typed).filter(|typed| !typed.is_empty());
            search(model, now)
        }
        PromptKind::Time => match parse_moment(&typed, now) {
            Ok(at) => {
                log.prompt = None;
                let outside = log.filter.stretch.filter(|s| !(s.since..s.until).contains(&at));
                let stretch = log.filter.stretch.filter(|_| outside.is_none());
                super::open(log, Filter { stretch, ..log.filter.clone() }, OpenAt::Time(at))
            }
            Err(error) => {
                prompt.failure = Some(Failure { message: error.to_string(), ..Failure::default() });
                Vec::new()
            }
        },
        PromptKind::Export if typed.is_empty() => {
            prompt.failure =
                Some(Failure { message: "a file name is needed".to_owned(), ..Failure::default() });
            Vec::new()
        }
        PromptKind::Export => {
            log.prompt = None;
            let export = Export { path: typed, overwrite: false, lines: log.lines().clone() };
            vec![Effect::Export(Box::new(export))]
        }
    }
}

/// To the nearest match: before the newest is where one looks first in a log.
fn search(model: &mut Model, now: DateTime<Utc>) -> Vec<Effect> {
    let log = &mut model.log;
    let (Some(search), Some(from)) = (&log.search, log.index()) else { return Vec::new() };
    let hit = |line: &Line<'_>| holds(line, search);
    let found = nearest(log.lines(), from + 1, false, hit).or_else(|| nearest(log.lines(), from, true, hit));
    match found {
        Some(row) => {
            log.pause(row);
            lines::page(log)
        }
        None => {
            let said = format!("no line here holds '{search}'; F filters the whole log");
            model.say(Toast::bad(said), now);
            Vec::new()
        }
    }
}
