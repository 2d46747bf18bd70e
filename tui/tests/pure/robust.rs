//! What must not happen, whatever the terminal is and whatever it is told.

use crate::fixture::{self, act, buffer, full, now, press, record, study};
use distlog_tui::action::{Action, Failure};
use distlog_tui::model::{LogFeed, Model, Toast};
use distlog_tui::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use shared::wire::log::Level;
use shared::wire::monitor::Acknowledgement;

/// Keys that lead to every screen and everything that lies over one.
const SCREENS: &[&str] = &[
    "1",
    "2",
    "2<enter>",
    "2r",
    "2r<enter>",
    "2d",
    "2m",
    "2/x",
    "2s",
    "3",
    "3k",
    "3<enter>",
    "3/x",
    "3Fx",
    "3s",
    "3w",
    "3mw",
    "3o",
    "3z<left>v<left>",
    "3t",
    "3F<tab>",
    "4",
    "4jj",
    "4<enter>",
    "4a",
    "4<right>",
    "4p",
    "5",
    "5b",
    "5/x",
    "?",
    ":",
    ":lend<enter>",
    "T",
];

#[test]
fn no_size_is_too_small_to_be_drawn() {
    for keys in SCREENS {
        let mut model = full(80, 24);
        press(&mut model, keys);
        act(&mut model, study("LibraryService"));
        model.say(Toast::bad("something went wrong, and it takes a long sentence to say what"), now());
        for columns in 1..=42 {
            for lines in 1..=15 {
                model.size = (columns, lines);
                let mut terminal = Terminal::new(TestBackend::new(columns, lines)).unwrap();
                terminal.draw(|frame| view::render(&model, now(), frame)).unwrap();
            }
        }
    }
}

/// Everything that can come from outside, saying something hostile.
fn told(text: &str) -> Model {
    let mut model = full(120, 40);
    let mut registration = match fixture::registry() {
        Action::Registry { registrations, .. } => registrations[1].clone(),
        _ => unreachable!(),
    };
    for value in
        [&mut registration.service_name, &mut registration.service_url, &mut registration.instance_id]
    {
        *value = text.to_owned();
    }
    registration.tags = vec![text.to_owned()];
    registration.required_services = vec![text.to_owned()];
    registration.metadata = [(text.to_owned(), text.to_owned())].into();
    registration.service_version = Some(text.to_owned());
    act(&mut model, Action::Registry { revision: 18, registrations: vec![registration] });
    if let Action::Monitor { mut health, mut incidents, mut maintenances } = fixture::monitor(4) {
        for status in &mut health {
            status.name = text.to_owned();
            status.detail = Some(text.to_owned());
        }
        for incident in incidents.open.rows.iter_mut().chain(&mut incidents.past.rows) {
            incident.service = text.to_owned();
            incident.detail = Some(text.to_owned());
            incident.affected = vec![text.to_owned()];
            incident.acknowledged = Some(Acknowledgement { by: text.to_owned(), at: now() });
            for dependent in &mut incident.dependents {
                dependent.service = text.to_owned();
            }
        }
        for maintenance in &mut maintenances {
            (maintenance.service, maintenance.reason) = (text.to_owned(), text.to_owned());
            (maintenance.owner, maintenance.instance) = (text.to_owned(), Some(text.to_owned()));
        }
        act(&mut model, Action::Monitor { health, incidents, maintenances });
    }
    model.operator = text.to_owned();
    if let Action::Library { mut books, mut loans } = fixture::library() {
        for book in &mut books.rows {
            (book.id, book.title, book.author) = (text.to_owned(), text.to_owned(), text.to_owned());
        }
        for loan in &mut loans.rows {
            (loan.book_id, loan.borrower) = (text.to_owned(), text.to_owned());
        }
        act(&mut model, Action::Library { books, loans });
    }
    let mut hostile = record(99, Level::Error, text, text);
    hostile.fields.insert(text.to_owned(), text.into());
    act(
        &mut model,
        Action::LogArrived {
            feed: LogFeed::Errors,
            generation: 0,
            lines: [hostile.clone()].into_iter().collect(),
            missed: 0,
        },
    );
    act(&mut model, fixture::arrived(0, vec![hostile.clone()]));
    act(&mut model, Action::Uptimes(vec![fixture::uptime(text)]));
    act(&mut model, Action::Paste(text.to_owned()));
    model.say(Toast::bad(text), now());
    model
}

/// What is told of the service that is looked at closely.
fn hostile_study(text: &str) -> Action {
    let Action::Study(mut study) = study(text) else { unreachable!() };
    if let Some(explanation) = &mut study.explanation {
        explanation.words = vec![text.to_owned()];
    }
    if let Some(history) = &mut study.history {
        history.transitions.iter_mut().for_each(|transition| transition.detail = Some(text.to_owned()));
        for probe in &mut history.probes {
            (probe.instance_id, probe.detail) = (text.to_owned(), Some(text.to_owned()));
        }
    }
    Action::Study(study)
}

#[test]
fn hostile_text_never_reaches_the_terminal() {
    let long = "x".repeat(10_000);
    let zalgo = format!("a{}", "\u{301}".repeat(10_000));
    for text in [
        "\x1b[31mred\x1b]0;title\x07",
        "\u{9b}31m",
        "\u{202e}txt.exe\u{2066}",
        "zero\u{200b}width\u{feff}",
        "\u{26a0}\u{fe0f}",
        "line\nfeed\r\n\ttab",
        "分布式\u{3000}系统",
        "👨‍👩‍👧‍👦🏳️‍🌈",
        &long,
        &zalgo,
    ] {
        for keys in SCREENS {
            let mut model = told(text);
            press(&mut model, keys);
            act(&mut model, hostile_study(text));
            act(&mut model, Action::Paste(text.to_owned()));
            act(&mut model, Action::Failed(Failure { message: text.to_owned(), ..Failure::default() }));
            for cell in &buffer(&model).content {
                let symbol = cell.symbol();
                let hazard = symbol.chars().any(|c| shared::sanitize::is_hazard(c) || c == '\u{fe0f}');
                assert!(!hazard, "{symbol:?} on {keys}");
                assert!(symbol.len() <= 40, "a cell of {} bytes on {keys}", symbol.len());
            }
        }
    }
}

#[test]
fn wide_text_leaves_the_columns_aligned() {
    let mut model = full(80, 24);
    press(&mut model, "2");
    let drawn = buffer(&model);
    // The first cell of the URL, in the row of each instance.
    let url =
        |y| (14..76).find(|x| (0..7).map(|i| drawn[(x + i, y)].symbol()).collect::<String>() == "http://");
    let found: Vec<_> = (4..8).map(url).collect();
    assert!(found[0].is_some() && found.iter().all(|x| *x == found[0]), "{found:?}");
}
