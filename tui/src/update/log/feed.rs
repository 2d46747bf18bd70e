//! What the log's feeds bring.

use super::{open, seek};
use crate::action::{Effect, Failure};
use crate::model::{
    ERRORS_MAX, Filter, Lines, LogFeed, LogSide, Model, Opened, PromptKind, Seek, SourceName, Tab, Toast,
};
use chrono::{DateTime, Utc};
use shared::wire::log::Hits;

pub(crate) fn opened(model: &mut Model, feed: LogFeed, generation: u64, opened: Opened, now: DateTime<Utc>) {
    match feed {
        LogFeed::Errors => {
            model.errors.clear();
            remember_errors(model, &opened.lines);
        }
        LogFeed::Lines if generation == model.log.generation => {
            model.sources.get_mut(SourceName::Log).heard(now);
            model.log.open(opened);
            model.log.count_matches();
            model.log.timeline.outdate();
        }
        LogFeed::Lines => {}
    }
}

/// True where that changes what is shown.
pub(crate) fn arrived(
    model: &mut Model,
    feed: LogFeed,
    generation: u64,
    lines: &Lines,
    missed: u64,
    now: DateTime<Utc>,
) -> bool {
    let news = !lines.is_empty() || missed > 0;
    match feed {
        LogFeed::Errors => {
            remember_errors(model, lines);
            news
        }
        LogFeed::Lines if generation == model.log.generation => {
            let back = model.sources.get_mut(SourceName::Log).heard(now);
            if news {
                model.log.timeline.slide(now);
                model.log.push(lines, missed);
            }
            back || (news && model.tab == Tab::Log)
        }
        LogFeed::Lines => false,
    }
}

fn remember_errors(model: &mut Model, lines: &Lines) {
    let newest = lines.iter().skip(lines.len().saturating_sub(ERRORS_MAX));
    model.errors.extend(newest.map(|line| line.to_record()));
    let over = model.errors.len().saturating_sub(ERRORS_MAX);
    model.errors.drain(..over);
}

/// A filter that the log accepts opens it anew, near where one is; one that it
/// refuses leaves everything as it was, and says what is wrong with it.
pub(crate) fn filtered(
    model: &mut Model,
    filter: Filter,
    outcome: Result<(), Failure>,
    now: DateTime<Utc>,
) -> Vec<Effect> {
    let log = &mut model.log;
    if log.wanted.as_ref() != Some(&filter) {
        return Vec::new();
    }
    log.wanted = None;
    let waiting = log.prompt.as_mut().filter(|prompt| prompt.waiting);
    match (outcome, waiting) {
        (Ok(()), waiting) => {
            if waiting.is_some() {
                log.prompt = None;
            }
            let query = filter.query.trim().to_owned();
            let is_new = log.recent_filters.push(&query);
            log.back_to = None;
            let at = log.open_at.unwrap_or_else(|| log.here());
            let mut effects = open(log, filter, at);
            effects.extend(is_new.then_some(Effect::Remember(query)));
            effects
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

/// What the log says of a query that is being typed; that it is away is said
/// elsewhere.
pub(crate) fn checked(model: &mut Model, query: &str, outcome: Result<(), Failure>) {
    let prompt = model.log.prompt.as_mut();
    let Some(prompt) = prompt.filter(|prompt| prompt.kind == PromptKind::Filter && prompt.text() == query)
    else {
        return;
    };
    if !prompt.waiting {
        prompt.failure = outcome.err().filter(|failure| failure.status == Some(400));
    }
}

/// What comes next is asked for by the next step, not by this: of very long
/// records so few are held that it would never end.
pub(crate) fn paged(
    model: &mut Model,
    generation: u64,
    side: LogSide,
    from: u64,
    page: Result<(Lines, bool), Failure>,
    now: DateTime<Utc>,
) {
    if generation != model.log.generation {
        return;
    }
    match page {
        Ok((page, more)) => {
            model.log.push_page(side, from, &page, more);
        }
        Err(failure) => {
            // As a page that brings nothing.
            model.log.push_page(side, from, &Lines::default(), true);
            model.say(Toast::bad(failure.message), now);
        }
    }
}

pub(crate) fn found(
    model: &mut Model,
    generation: u64,
    seek: Seek,
    found: Result<Option<u64>, Failure>,
    now: DateTime<Utc>,
) -> Vec<Effect> {
    if generation != model.log.generation {
        return Vec::new();
    }
    match found {
        Ok(found) => seek::found(model, seek, found, now),
        Err(failure) => {
            model.say(Toast::bad(failure.message), now);
            Vec::new()
        }
    }
}

/// True where that changes what is shown. Counts that fail to come are asked for
/// again soon; that the log is away is said elsewhere.
pub(crate) fn hits(model: &mut Model, asked: u64, hits: Result<Hits, Failure>, now: DateTime<Utc>) -> bool {
    let timeline = &mut model.log.timeline;
    match hits {
        Ok(hits) if asked == timeline.asked => {
            timeline.told(&hits);
            model.tab == Tab::Log
        }
        Err(_) if asked == timeline.asked => {
            timeline.retry(now);
            false
        }
        _ => false,
    }
}
