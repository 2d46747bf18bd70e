//! What actions do to the log tab, and what they want done.

mod filter;
mod follow;
mod held;
mod search;
mod time;

use crate::fixture::{act, ago, arrived, full, hits, press, record, screen};
use distlog_tui::action::{Action, Effect, Failure};
use distlog_tui::keys::Place;
use distlog_tui::model::{
    BYTES_MAX, Edge, Facet, Filter, LINES_MAX, Levels, Lines, LogFeed, LogSide, Model, OpenAt, Opened,
    Overlay, Seek, ServiceFilter, Sought, SourceName, Tab,
};
use proptest::prelude::*;
use shared::wire::log::{Level, Record};

fn lines(records: impl IntoIterator<Item = Record>) -> Lines {
    records.into_iter().collect()
}

fn numbered(from: u64, to: u64) -> Lines {
    lines((from..to).map(|seq| record(seq, Level::Info, "S", "x")))
}

fn refused(message: &str, position: Option<usize>) -> Failure {
    Failure { message: message.to_owned(), status: Some(400), field: Some("q".to_owned()), position }
}

fn opened(generation: u64, opened: Opened) -> Action {
    Action::LogOpened { feed: LogFeed::Lines, generation, opened }
}

fn query(query: &str) -> Filter {
    Filter { query: query.to_owned(), ..Filter::default() }
}

/// The log accepts a filter that it was asked about; answers where it is opened.
fn accept(model: &mut Model) -> OpenAt {
    let filter = model.log.wanted.clone().unwrap();
    let effects = act(model, Action::LogFiltered { filter: filter.clone(), outcome: Ok(()) });
    let [Effect::Follow { generation, filter: followed, at }, ..] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!((*generation, followed), (model.log.generation, &filter));
    *at
}

fn selected(model: &Model) -> u64 {
    model.log.selected().unwrap().seq
}
