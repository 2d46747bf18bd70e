//! Whatever happens, in whatever order, at whatever size: it is drawn.

use crate::fixture::{self, act, away, fresh, now, record, study};
use crossterm::event::KeyCode;
use distlog_tui::action::{Action, Failure, Mouse, Target};
use distlog_tui::keys::Key;
use distlog_tui::model::{
    Filter, IncidentLists, Lines, LogFeed, LogSide, Model, Opened, Seek, Sought, SourceName, Tab,
};
use distlog_tui::theme::ThemeName;
use distlog_tui::view;
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use shared::client::Part;
use shared::wire::log::{Level, Record};
use std::time::Duration;

fn seek() -> impl Strategy<Value = Seek> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(error, forward, round)| Seek {
        sought: if error { Sought::Error } else { Sought::Match },
        forward,
        round,
    })
}

/// Anything that is typed: mostly what leads somewhere.
fn key() -> impl Strategy<Value = Action> {
    let named = [
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::Backspace,
    ];
    prop_oneof![
        4 => prop::char::range('!', '~').prop_map(Key::char),
        4 => prop::sample::select(named.to_vec()).prop_map(Key::plain),
        1 => any::<char>().prop_map(Key::char),
        1 => prop::char::range('a', 'y').prop_map(Key::ctrl),
    ]
    .prop_map(Action::Key)
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    let one = (0..200_u64, prop::sample::select(Level::ALL.to_vec()), any::<String>(), any::<String>());
    prop::collection::vec(
        one.prop_map(|(seq, level, service, text)| record(seq, level, &service, &text)),
        0..5,
    )
}

/// Anything that a daemon tells, or that it does not answer.
fn told() -> impl Strategy<Value = Action> {
    let lines = |records: Vec<Record>| records.into_iter().collect::<Lines>();
    let side = || prop::sample::select(vec![LogSide::Older, LogSide::Newer]);
    let filter = || any::<String>().prop_map(|query| Filter { query, ..Filter::default() });
    let failure = || {
        (any::<String>(), prop::option::of(0..50_usize)).prop_map(|(message, position)| Failure {
            message,
            position,
            field: Some("title".to_owned()),
            status: Some(422),
        })
    };
    prop_oneof![
        Just(fixture::registry()),
        Just(Action::Registry { revision: 1, registrations: Vec::new() }),
        (0..9_u32).prop_map(fixture::monitor),
        Just(Action::Monitor {
            health: Vec::new(),
            incidents: IncidentLists::default(),
            maintenances: Vec::new()
        }),
        Just(fixture::library()),
        Just(Action::Library { books: Part::default(), loans: Part::default() }),
        prop::sample::select(vec!["LibraryService", "LogService"]).prop_map(study),
        prop::sample::select(vec!["LibraryService", "LogService"]).prop_map(fixture::around),
        Just(fixture::lease("LibraryService", "LibraryService-localhost-5000")),
        Just(fixture::volume()),
        Just(Action::Uptimes(vec![fixture::uptime("LogService")])),
        Just(Action::Uptimes(Vec::new())),
        prop::sample::select(SourceName::ALL.to_vec()).prop_map(away),
        (records(), 0..2_u64, 0..9_u64).prop_map(move |(records, generation, missed)| Action::LogArrived {
            feed: LogFeed::Lines,
            generation,
            lines: lines(records),
            missed
        }),
        (records(), 0..3_u64, prop::option::of(0..200_u64), any::<(bool, bool)>()).prop_map(
            move |(records, generation, at, (older, newer))| Action::LogOpened {
                feed: LogFeed::Lines,
                generation,
                opened: Opened { lines: lines(records), at, older, newer },
            }
        ),
        (records(), side(), 0..200_u64, any::<bool>()).prop_map(move |(records, side, from, more)| {
            Action::LogPaged { generation: 0, side, from, page: Ok((lines(records), more)) }
        }),
        (side(), 0..200_u64, failure()).prop_map(|(side, from, failure)| Action::LogPaged {
            generation: 0,
            side,
            from,
            page: Err(failure)
        }),
        filter().prop_map(|filter| Action::LogFiltered { filter, outcome: Ok(()) }),
        (filter(), failure())
            .prop_map(|(filter, failure)| Action::LogFiltered { filter, outcome: Err(failure) }),
        (any::<String>(), failure())
            .prop_map(|(query, failure)| Action::LogChecked { query, outcome: Err(failure) }),
        (prop::option::of(0..300_u64), seek()).prop_map(|(found, seek)| Action::LogFound {
            generation: 0,
            seek,
            found: Ok(found)
        }),
        Just(fixture::hits(&fixture::fresh(80, 24))),
        failure().prop_map(Action::Failed),
        any::<String>().prop_map(|said| Action::Exported(Ok(said))),
        any::<String>().prop_map(Action::Paste),
        Just(Action::Tick),
    ]
}

fn mouse() -> impl Strategy<Value = Action> {
    prop_oneof![
        Just(Mouse::WheelUp),
        Just(Mouse::WheelDown),
        any::<isize>().prop_map(|by| Mouse::Click(Target::Row(by))),
        prop::sample::select(&Tab::ALL).prop_map(|tab| Mouse::Click(Target::Tab(tab))),
    ]
    .prop_map(Action::Mouse)
}

fn anything() -> impl Strategy<Value = Action> {
    prop_oneof![
        8 => key(),
        3 => told(),
        1 => mouse(),
        1 => (1..300_u16, 1..80_u16).prop_map(|(columns, lines)| Action::Resize(columns, lines)),
        1 => (1..50_u16, 1..14_u16).prop_map(|(columns, lines)| Action::Resize(columns, lines)),
    ]
}

fn draw(model: &Model, later: Duration) {
    let mut terminal = Terminal::new(TestBackend::new(model.size.0, model.size.1)).unwrap();
    terminal.draw(|frame| view::render(model, now() + later, frame)).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_happens_keeps_it_from_being_drawn(
        actions in prop::collection::vec(anything(), 1..60),
        is_full in any::<bool>(),
        theme in prop::sample::select(&ThemeName::ALL),
        later in 0..100_000_u64,
    ) {
        let mut model = if is_full { fixture::full(80, 24) } else { fresh(80, 24) };
        model.theme = theme.theme();
        for action in actions {
            act(&mut model, action);
            draw(&model, Duration::from_secs(later));
        }
        // Esc alone leads back out of wherever it is.
        for _ in 0..20 {
            act(&mut model, Action::Key(Key::plain(KeyCode::Esc)));
        }
        prop_assert!(model.overlay.is_none() && model.place().tab().is_some());
        prop_assert_eq!(model.place(), model.place_below());
    }
}
