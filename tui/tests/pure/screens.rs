//! Every screen, as it is shown at 80x24, 120x40 and 200x50, and what stands out
//! of it with and without colour.

use crate::fixture::{self, act, away, buffer, fresh, full, now, press, screen, screen_at, study};
use distlog_tui::action::{Action, Failure, Local};
use distlog_tui::model::{Model, SourceName, Toast};
use distlog_tui::theme::Theme;
use ratatui::style::{Color, Modifier};
use std::time::Duration;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];

/// Pins a screen at every size, and its styles at the smallest.
fn pin(name: &str, prepare: impl Fn(&mut Model)) {
    for (looks, theme) in [("colour", Theme::terminal()), ("monochrome", Theme::monochrome())] {
        let mut model = full(80, 24);
        model.theme = theme;
        prepare(&mut model);
        insta::assert_snapshot!(format!("{name}_{looks}"), styles(&model));
    }
    for (columns, lines) in SIZES {
        let mut model = full(columns, lines);
        prepare(&mut model);
        insta::assert_snapshot!(format!("{name}_{columns}x{lines}"), screen(&model));
    }
}

/// A letter for the style of each cell: `r`ed, `g`reen, `y`ellow, `m`agenta,
/// `c`yan, `b`old, `d`im, `u`nderlined, `.` plain; a capital, or `#`, is
/// reversed. What is
/// plain to the end of a line is left out.
fn styles(model: &Model) -> String {
    let drawn = buffer(model);
    let letter = |cell: &ratatui::buffer::Cell| {
        let has = |modifier| cell.modifier.contains(modifier);
        let letter = match cell.fg {
            Color::Red => 'r',
            Color::Green => 'g',
            Color::Yellow => 'y',
            Color::Magenta => 'm',
            Color::Cyan => 'c',
            Color::Reset if has(Modifier::UNDERLINED) => 'u',
            Color::Reset if has(Modifier::BOLD) => 'b',
            Color::Reset if has(Modifier::DIM) => 'd',
            Color::Reset => '.',
            other => panic!("{other} is of no theme here"),
        };
        match (has(Modifier::REVERSED), letter) {
            (false, letter) => letter,
            (true, '.') => '#',
            (true, letter) => letter.to_ascii_uppercase(),
        }
    };
    let line = |cells: &[ratatui::buffer::Cell]| cells.iter().map(letter).collect::<String>();
    let lines = drawn.content.chunks(usize::from(drawn.area.width)).map(line);
    lines.map(|line| line.trim_end_matches('.').to_owned() + "\n").collect()
}

#[test]
fn the_overview() {
    pin("overview", |_| {});
}

#[test]
fn the_console_before_the_daemons_start() {
    for (columns, lines) in SIZES {
        let mut model = fresh(columns, lines);
        for source in SourceName::ALL {
            act(&mut model, away(source));
        }
        insta::assert_snapshot!(format!("waiting_{columns}x{lines}"), screen(&model));
    }
}

#[test]
fn local_daemons_that_cannot_be_started_say_why() {
    let mut model = fresh(80, 24);
    act(&mut model, Action::Local(Local::Starting));
    assert!(screen(&model).contains("distlogd all is starting"));
    act(&mut model, Action::Local(Local::Failed("distlogd is not there".to_owned())));
    assert!(screen(&model).contains("✗ distlogd is not there"));
}

#[test]
fn the_services() {
    pin("services", |model| {
        press(model, "2j");
    });
}

#[test]
fn the_detail_of_a_service() {
    pin("service", |model| {
        press(model, "2<enter>");
        act(model, study("LibraryService"));
        act(model, fixture::lease("LibraryService", "LibraryService-localhost-5000"));
    });
}

#[test]
fn the_form_that_registers_with_what_is_wrong() {
    pin("register", |model| {
        press(model, "2rBilling<tab>localhost:7000<enter>");
    });
}

#[test]
fn the_question_before_deregistering() {
    pin("deregister", |model| {
        press(model, "2d");
    });
}

#[test]
fn the_log_as_it_is_followed() {
    pin("log", |model| {
        press(model, "3");
    });
}

#[test]
fn the_log_held_and_searched_while_more_arrives() {
    pin("log_held", |model| {
        press(model, "3/borrowed<enter>");
        act(
            model,
            fixture::arrived(0, vec![fixture::record(64, shared::wire::log::Level::Info, "S", "late")]),
        );
    });
}

#[test]
fn a_filter_that_is_refused_shows_at_which_character() {
    pin("filter_refused", |model| {
        press(model, "3Ferror OR (warn<enter>");
        let failure = Failure {
            message: "this bracket is never closed".to_owned(),
            status: Some(400),
            field: Some("q".to_owned()),
            position: Some(9),
        };
        let filter = distlog_tui::model::Filter { query: "error OR (warn".to_owned(), ..Default::default() };
        act(model, Action::LogFiltered { filter, outcome: Err(failure) });
    });
}

#[test]
fn the_detail_of_a_record() {
    pin("record", |model| {
        press(model, "3<enter>");
    });
}

#[test]
fn the_form_that_sends_a_record() {
    pin("send", |model| {
        press(model, "3sthe cat sat");
    });
}

#[test]
fn the_incidents() {
    pin("incidents", |model| {
        press(model, "4");
        act(model, study("LogService"));
        act(model, fixture::around("LogService"));
    });
}

#[test]
fn the_evidence_of_an_incident_on_the_whole_screen() {
    pin("incident", |model| {
        press(model, "4<enter>");
        act(model, study("LogService"));
        act(model, fixture::around("LogService"));
    });
}

#[test]
fn the_uptime_of_all_services() {
    pin("uptime", |model| {
        press(model, "4<right>");
        let reports = ["LibraryService", "LogService", "图书馆服务"].map(fixture::uptime);
        act(model, Action::Uptimes(reports.into()));
        press(model, "j");
        act(model, study("LogService"));
    });
}

#[test]
fn the_services_sorted_and_narrowed() {
    pin("services_found", |model| {
        press(model, "2ss/service 400<backspace>");
    });
}

#[test]
fn the_form_of_a_maintenance_with_what_is_wrong() {
    pin("maintain", |model| {
        press(model, "2jm<tab>new disk<tab><tab>soon<enter>");
    });
}

#[test]
fn the_library() {
    pin("library", |model| {
        press(model, "5j");
        model.say(Toast::good("book 2 was borrowed by 王小明"), now());
    });
}

#[test]
fn the_form_that_borrows_with_what_the_library_refused() {
    pin("borrow", |model| {
        press(model, "5bAnn<enter>");
        let failure = Failure {
            message: "no copy of book 1 is in".to_owned(),
            status: Some(409),
            ..Failure::default()
        };
        fixture::answer(model, Err(failure));
    });
}

#[test]
fn the_palette() {
    pin("palette", |model| {
        press(model, ":borr<down>");
    });
}

#[test]
fn a_command_of_the_palette_asking_for_what_it_needs() {
    pin("palette_asks", |model| {
        press(model, ":lend<enter>");
    });
}

#[test]
fn the_messages() {
    pin("messages", |model| {
        model.say(Toast::good("book 2 was borrowed by 王小明"), now());
        model.say(Toast::bad("no copy of book 1 is in"), now());
        press(model, "T");
    });
}

#[test]
fn the_help() {
    pin("help", |model| {
        press(model, "?");
    });
}

#[test]
fn what_is_shown_of_daemons_that_went_away_says_how_old_it_is() {
    for (columns, lines) in SIZES {
        let mut model = full(columns, lines);
        act(&mut model, away(SourceName::Monitor));
        act(&mut model, away(SourceName::Log));
        let later = now() + Duration::from_secs(42);
        insta::assert_snapshot!(format!("stale_{columns}x{lines}"), screen_at(&model, later));
    }
}

#[test]
fn without_colour_every_state_is_told_by_glyph_and_word_and_the_selection_by_a_modifier() {
    for keys in ["1", "2j", "2j<enter>", "2m", "3k", "4", "4jj", "4<enter>", "5", "2r", "2d", "?"] {
        let mut model = full(80, 24);
        model.theme = Theme::monochrome();
        press(&mut model, keys);
        let drawn = buffer(&model);
        assert!(
            drawn.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset),
            "{keys}"
        );
        let reversed = |x: &u16, y| drawn[(*x, y)].modifier.contains(Modifier::REVERSED);
        let row = |y| (0..80).filter(|x| reversed(x, y)).count();
        assert!(row(0) > 5, "the tab is marked: {keys}");
        if ["1", "2j", "3k", "4", "4jj", "5"].contains(&keys) {
            assert!((2..23).any(|y| row(y) > 20), "the row is marked: {keys}");
        }
    }
}
