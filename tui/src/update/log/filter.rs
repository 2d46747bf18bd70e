//! The filter: tried out with the log, toggled, added to.

use super::prompt;
use crate::action::Effect;
use crate::keys::Command;
use crate::model::{Facet, Filter, Levels, LogPane, Model, PromptKind, Selected, is_in};
use crate::update::command;
use chrono::{DateTime, Utc};
use shared::wire::log::Level;

/// Asks the log whether it accepts a filter.
pub(super) fn try_out(log: &mut LogPane, filter: Filter) -> Vec<Effect> {
    (log.wanted, log.open_at, log.led_from) = (Some(filter.clone()), None, None);
    vec![Effect::Filter(filter)]
}

/// The filter as it will be, once the log has accepted what it was asked about.
pub(super) fn coming(log: &LogPane) -> Filter {
    log.wanted.clone().unwrap_or_else(|| log.filter.clone())
}

/// Raises the least level that is shown, or lowers it, round to the other end.
pub(super) fn level(log: &mut LogPane, up: bool) -> Vec<Effect> {
    const STEPS: usize = Level::ALL.len();
    let filter = coming(log);
    // Levels that were chosen one by one give way to all of them.
    let least = filter.levels.least().unwrap_or(if up { Level::Fatal } else { Level::Debug });
    let at = Level::ALL.iter().position(|level| *level == least).unwrap_or(0);
    let at = (at + if up { 1 } else { STEPS - 1 }) % STEPS;
    let levels = Level::ALL.get(at).map_or_else(Levels::default, |least| Levels::from(*least));
    try_out(log, Filter { levels, ..filter })
}

/// Shows everything, of all times.
pub(super) fn clear(log: &mut LogPane) -> Vec<Effect> {
    log.back_to = None;
    try_out(log, Filter::default())
}

/// Adds a term to what was typed.
pub(super) fn with_term(filter: &Filter, term: &str) -> Filter {
    let typed = filter.query.trim();
    let query = if typed.is_empty() {
        term.to_owned()
    } else if typed.contains("OR") {
        // Once more than needed does no harm.
        format!("({typed}) {term}")
    } else {
        format!("{typed} {term}")
    };
    Filter { query, ..filter.clone() }
}

/// Everything that can be toggled.
fn facets(model: &Model) -> Vec<Facet> {
    let fleet = model.fleet.services.iter().map(|service| service.name.as_str());
    Facet::all(&coming(&model.log), model.log.lines(), fleet)
}

/// To the first of those listed that has what is typed; or to the next one, down
/// or up, round to the other end.
pub(super) fn find(model: &mut Model, next: Option<bool>) {
    let Some(typed) = model.log.prompt.as_ref().map(|prompt| prompt.text().to_owned()) else { return };
    let all = facets(model);
    let Some(selected) = &mut model.log.facet else { return };
    selected.keep(&all);
    let has = |facet: &&Facet| typed.is_empty() || is_in(facet.name(), &typed);
    let (before, from) = all.split_at_checked(selected.index(all.len()).unwrap_or(0)).unwrap_or((&all, &[]));
    let found = match next {
        None => all.iter().find(has),
        Some(true) => from.iter().skip(1).chain(before).find(has),
        Some(false) => before.iter().rev().chain(from.iter().rev()).find(has),
    };
    if let Some(found) = found {
        selected.select(found, &all);
    }
}

/// Lists levels and services, to be shown or hidden.
pub(super) fn list(model: &mut Model) {
    let mut selected = Selected::default();
    selected.step(0, &facets(model));
    model.log.facet = Some(selected);
}

/// A command while levels and services are listed.
pub(super) fn toggle(model: &mut Model, command: Command, now: DateTime<Utc>) -> Vec<Effect> {
    let (all, by) = (facets(model), command::rows(model, command));
    let log = &mut model.log;
    let Some(selected) = &mut log.facet else { return Vec::new() };
    selected.keep(&all);
    if let Some(by) = by {
        selected.step(by, &all);
        return Vec::new();
    }
    let facet = selected.key().cloned();
    match (command, facet) {
        (Command::Toggle, Some(facet)) => return try_out(log, facet.toggled(&coming(log))),
        (Command::Only, Some(facet)) => return try_out(log, facet.only(&coming(log))),
        (Command::ClearFilter, _) => return clear(log),
        (Command::Search, _) => prompt::open(log, PromptKind::Facet, now),
        _ => {}
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_added_so_that_the_rest_keeps_its_meaning() {
        for (query, want) in [
            ("", "x:=1"),
            ("a b", "a b x:=1"),
            ("a OR b", "(a OR b) x:=1"),
            ("(a OR b) OR(c)", "((a OR b) OR(c)) x:=1"),
            ("(a OR b) OR c", "((a OR b) OR c) x:=1"),
        ] {
            let filter = Filter { query: query.to_owned(), ..Filter::default() };
            assert_eq!(with_term(&filter, "x:=1").query, want);
        }
    }
}
