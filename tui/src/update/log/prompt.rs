//! The line of input: opened, typed into, completed, done.

use super::{export, filter, seek};
use crate::action::{Effect, Failure};
use crate::keys::Command;
use crate::model::{Completion, Filter, LogPane, Model, OpenAt, Prompt, PromptKind, complete, parse_moment};
use chrono::{DateTime, Utc};
use tui_input::Input;

/// Opens it with what stands for its purpose now.
pub(super) fn open(log: &mut LogPane, kind: PromptKind, now: DateTime<Utc>) {
    let typed = match kind {
        PromptKind::Search => log.search.clone().unwrap_or_default(),
        PromptKind::Filter => log.filter.query.clone(),
        PromptKind::Time | PromptKind::Facet => String::new(),
        PromptKind::Export => format!("distlog-{}.ndjson", now.format("%Y%m%d-%H%M%S")),
    };
    log.prompt = Some(Prompt::new(kind, typed));
}

/// A command while it is typed into.
pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    let log = &mut model.log;
    let Some(prompt) = &mut log.prompt else { return Vec::new() };
    let before = prompt.input.value().to_owned();
    let recent = match prompt.kind {
        PromptKind::Search => Some(&log.recent_searches),
        PromptKind::Filter => Some(&log.recent_filters),
        PromptKind::Time | PromptKind::Facet | PromptKind::Export => None,
    };
    match (command, recent) {
        (Command::Up, Some(recent)) => prompt.recall(recent, true),
        (Command::Down, Some(recent)) => prompt.recall(recent, false),
        (Command::Up | Command::Down, None) if prompt.kind == PromptKind::Facet => {
            filter::find(model, Some(command == Command::Down));
        }
        (Command::Complete | Command::CompleteBack, _) if prompt.kind == PromptKind::Filter => {
            let Some(mut prompt) = log.prompt.take() else { return Vec::new() };
            let typed = prompt.input.clone();
            prompt.complete(|| completion(model, &typed), command == Command::Complete);
            // What alone could stand here does: what could follow it is next.
            if prompt.completion.as_ref().is_some_and(|put| put.candidates.len() == 1) {
                let next = completion(model, &prompt.input);
                prompt.offer(next);
            }
            model.log.prompt = Some(prompt);
        }
        _ => {}
    }
    match &model.log.prompt {
        Some(prompt) if prompt.input.value() != before => check(prompt).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// A query that was put there is checked, as one that is typed.
fn check(prompt: &Prompt) -> Option<Effect> {
    let is_query = prompt.kind == PromptKind::Filter && !prompt.text().is_empty();
    is_query.then(|| Effect::Check(prompt.text().to_owned()))
}

/// What could stand where the cursor is.
fn completion(model: &Model, input: &Input) -> Completion {
    let fleet = model.fleet.services.iter().map(|service| service.name.as_str());
    complete(input.value(), input.cursor(), model.log.lines(), fleet)
}

/// After a key that is text: what was said of the text before holds no more; a
/// query is checked, and what it could become is offered.
pub(in crate::update) fn typed(model: &mut Model, before: Option<String>) -> Vec<Effect> {
    let Some(mut prompt) = model.log.prompt.take() else { return Vec::new() };
    let mut effects = Vec::new();
    if before.as_deref() != Some(prompt.input.value()) {
        prompt.edited();
        if std::mem::take(&mut prompt.waiting) && prompt.kind == PromptKind::Filter {
            // The answer is of what stood there before.
            model.log.wanted = None;
        }
        if prompt.kind == PromptKind::Filter {
            prompt.offer(completion(model, &prompt.input));
            effects.extend(check(&prompt));
        }
    }
    let finds = prompt.kind == PromptKind::Facet;
    model.log.prompt = Some(prompt);
    if finds {
        filter::find(model, None);
    }
    effects
}

/// Does what the line is for, with what was typed.
pub(in crate::update) fn submit(model: &mut Model, now: DateTime<Utc>) -> Vec<Effect> {
    let log = &mut model.log;
    let Some(prompt) = &mut log.prompt else { return Vec::new() };
    let typed = prompt.text().to_owned();
    match prompt.kind {
        PromptKind::Filter if prompt.waiting && log.wanted.is_some() => Vec::new(),
        PromptKind::Filter => {
            prompt.waiting = true;
            let wanted = Filter { query: typed, ..filter::coming(log) };
            filter::try_out(log, wanted)
        }
        PromptKind::Facet => {
            log.prompt = None;
            Vec::new()
        }
        PromptKind::Search => {
            log.prompt = None;
            log.recent_searches.push(&typed);
            log.search = Some(typed).filter(|typed| !typed.is_empty());
            seek::begin(model, now)
        }
        PromptKind::Time => match parse_moment(&typed, now) {
            Ok(at) if log.timeline.cursor.is_some() => {
                log.prompt = None;
                log.timeline.go(at, now);
                Vec::new()
            }
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
        PromptKind::Export => export::submit(log, typed),
    }
}
