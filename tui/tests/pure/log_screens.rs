//! The log tab as it is shown, with and without colour.

use crate::fixture::{act, arrived, buffer, full, hits, press, record, screen};
use distlog_tui::action::Action;
use distlog_tui::model::{LogFeed, Model, Opened};
use distlog_tui::theme::ThemeName;
use ratatui::style::{Color, Modifier};
use shared::wire::log::{Level, Record};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];

/// Pins a screen at each size. Without colour it is the same text, and what
/// colour says is said by it or by a modifier.
fn pin(name: &str, prepare: impl Fn(&mut Model)) {
    for (columns, lines) in SIZES {
        let mut model = full(columns, lines);
        press(&mut model, "3");
        prepare(&mut model);
        let text = screen(&model);
        insta::assert_snapshot!(format!("{name}_{columns}x{lines}"), text);
        model.theme = ThemeName::Monochrome.theme();
        assert_eq!(screen(&model), text, "{name} without colour");
        let plain = |cell: &ratatui::buffer::Cell| cell.fg == Color::Reset && cell.bg == Color::Reset;
        assert!(buffer(&model).content.iter().all(plain), "{name} without colour");
    }
}

fn reversed(model: &Model) -> String {
    let drawn = buffer(model);
    let marked = drawn.content.iter().filter(|cell| cell.modifier.contains(Modifier::REVERSED));
    marked.map(|cell| cell.symbol()).collect()
}

/// Records of every level, one of them longer than a line, one in wide letters.
fn mixed() -> Vec<Record> {
    let long =
        "分布式系统设计 was returned late, and whoever had it says that the e\u{301}tude is on page 1 "
            .repeat(4);
    Level::ALL
        .into_iter()
        .zip(64..)
        .map(|(level, seq)| {
            let message = if level == Level::Warn { long.as_str() } else { "short" };
            record(seq, level, "Müller & Söhne GmbH", message)
        })
        .collect()
}

#[test]
fn every_level_has_a_glyph_and_a_word() {
    pin("log_levels", |model| {
        act(model, arrived(0, mixed()));
    });
}

#[test]
fn long_lines_are_wrapped_below_their_message() {
    pin("log_wrapped", |model| {
        act(model, arrived(0, mixed()));
        press(model, "wkkm");
    });
}

#[test]
fn levels_and_services_are_listed_to_be_toggled() {
    pin("log_facets", |model| {
        press(model, "ojjj<space>");
    });
}

#[test]
fn a_part_of_the_timeline_is_selected() {
    pin("log_timeline", |model| {
        press(model, "z<left><left><left><space><left><left>");
    });
}

#[test]
fn a_word_of_a_filter_is_completed() {
    pin("log_completed", |model| {
        press(model, "Fservice:<tab><tab>");
    });
}

#[test]
fn an_empty_log_says_what_to_do() {
    for (keys, said) in
        [("", "the log is empty: s sends a record"), ("Fzebra<enter>", "x drops it, F changes it")]
    {
        let mut model = full(80, 24);
        press(&mut model, "3");
        press(&mut model, keys);
        if let Some(filter) = model.log.wanted.clone() {
            act(&mut model, Action::LogFiltered { filter, outcome: Ok(()) });
        }
        let generation = model.log.generation;
        act(&mut model, Action::LogOpened { feed: LogFeed::Lines, generation, opened: Opened::default() });
        assert!(screen(&model).contains(said), "{}", screen(&model));
    }
}

#[test]
fn what_keys_act_upon_is_marked_by_a_modifier() {
    for (keys, marked) in [("<up>", "分布式"), ("ojj", "warn"), ("z<left>", "▆"), ("<enter>j", "LogService")]
    {
        for theme in ThemeName::ALL {
            let mut model = full(80, 24);
            model.theme = theme.theme();
            press(&mut model, "3");
            press(&mut model, keys);
            assert!(reversed(&model).contains(marked), "{keys}: {}", reversed(&model));
        }
    }
}

#[test]
fn matches_are_marked_inside_the_line_as_they_are_typed() {
    let mut model = full(80, 24);
    press(&mut model, "3/borrow");
    let matched = model.theme.matched.add_modifier;
    let drawn = buffer(&model);
    let cells = drawn
        .content
        .iter()
        .filter(|cell| cell.modifier.contains(matched) && !cell.symbol().trim().is_empty());
    let marked: String = cells.map(|cell| cell.symbol()).collect();
    assert!(marked.contains("borrowborrow"), "{marked}");
}

#[test]
fn a_narrow_place_leaves_the_timeline_out() {
    for (lines, shown) in [(24, true), (14, false)] {
        let mut model = full(80, lines);
        press(&mut model, "3");
        let counted = hits(&model);
        act(&mut model, counted);
        assert_eq!(screen(&model).contains("◇ other"), shown, "{lines}");
        assert!(screen(&model).contains("cannot write the segment"));
    }
}
