//! What is shown of a daemon that is away, hangs, or is not looked at.

use crate::fixture::{act, away, full, now, press, screen, screen_at};
use distlog_tui::action::{Action, Effect, Local};
use distlog_tui::model::SourceName;
use std::time::Duration;

#[test]
fn a_log_that_was_quiet_for_long_is_shown_as_of_when_it_was_alive_last() {
    let mut model = full(80, 24);
    press(&mut model, "3");
    let at = |seconds| now() + chrono::TimeDelta::seconds(seconds);
    model.changed = false;
    for second in [100, 200, 218] {
        distlog_tui::update::update(&mut model, Action::Alive(SourceName::Log), at(second));
    }
    assert!(!model.changed, "a log that tells nothing is no reason to draw");
    distlog_tui::update::update(&mut model, away(SourceName::Log), at(220));
    assert!(
        screen_at(&model, at(221)).contains("▲ log away, shown as of 3s ago"),
        "{}",
        screen_at(&model, at(221))
    );
}

#[test]
fn books_that_nobody_looked_at_are_shown_with_their_age_until_they_are_told_anew() {
    let mut model = full(120, 24);
    let at = |seconds| now() + chrono::TimeDelta::seconds(seconds);
    press(&mut model, "51");
    distlog_tui::update::update(&mut model, Action::Heard(SourceName::Library), at(60));
    assert!(!screen_at(&model, at(61)).contains("as of"), "nothing of it is shown here");
    press(&mut model, "5");
    assert!(screen_at(&model, at(61)).contains("▲ as of 1m 1s ago"), "{}", screen_at(&model, at(61)));
    distlog_tui::update::update(&mut model, crate::fixture::library(), at(61));
    assert!(!screen_at(&model, at(61)).contains("as of"), "{}", screen_at(&model, at(61)));
    distlog_tui::update::update(&mut model, away(SourceName::Library), at(65));
    assert!(screen_at(&model, at(66)).contains("library away, shown as of 5s ago"));
}

#[test]
fn what_is_away_is_tried_again_at_once_when_asked() {
    let mut model = full(120, 32);
    assert_eq!(press(&mut model, "<ctrl-r>"), []);
    assert!(screen(&model).contains("no daemon is away"));
    act(&mut model, away(SourceName::Monitor));
    act(&mut model, away(SourceName::Log));
    assert!(
        screen(&model).contains("▲ log away, shown as of 0s ago; retry in 3s or Ctrl-R: Connection refused")
    );
    assert_eq!(press(&mut model, "<ctrl-r>"), [Effect::Retry]);
    assert!(screen(&model).contains("trying again: monitor, log"), "{}", screen(&model));
}

#[test]
fn of_daemons_that_share_a_line_each_is_told_why_it_is_away() {
    let mut model = full(200, 24);
    act(&mut model, away(SourceName::Registry));
    act(&mut model, away(SourceName::Log));
    let all = "▲ registry, log away, shown as of 0s ago; retry in 3s or Ctrl-R: Connection refused";
    assert!(screen(&model).contains(all), "{}", screen(&model));
    let cause = "no answer within 3 s".to_owned();
    act(&mut model, Action::Away { source: SourceName::Monitor, cause, retry_in: Duration::from_secs(9) });
    let each = "in 3s or Ctrl-R: registry, log: Connection refused; monitor: no answer within 3 s";
    assert!(screen(&model).contains(each), "{}", screen(&model));
}

#[test]
fn that_the_daemons_of_its_own_have_ended_is_told_once_and_with_what_starts_them_again() {
    let mut model = full(120, 24);
    let ended = Local::Ended { status: "exit status: 101".to_owned(), said: "the disk is full".to_owned() };
    act(&mut model, Action::Local(ended));
    assert!(screen(&model).contains("✗ distlogd all has ended (exit status: 101): the disk is full"));
    press(&mut model, "<esc>");
    for source in [SourceName::Registry, SourceName::Monitor, SourceName::Log] {
        act(&mut model, away(source));
    }
    let shown = screen(&model);
    let line = "(exit status: 101): Ctrl-R starts it again; shown as of 0s ago: the disk is full";
    assert!(shown.contains(line) && !shown.contains("Connection refused"), "{shown}");
    press(&mut model, "<ctrl-r>");
    assert!(screen(&model).contains("starting distlogd all again"));
    act(&mut model, Action::Local(Local::Starting));
    assert!(!screen(&model).contains("has ended"), "{}", screen(&model));
}
