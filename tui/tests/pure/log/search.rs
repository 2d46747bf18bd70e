//! Searching, and going from error to error.

use super::*;

#[test]
fn a_search_looks_back_first_and_says_when_nothing_is_found() {
    let mut model = full(80, 24);
    press(&mut model, "3/book 3<enter>");
    let at = selected(&model);
    assert!(model.log.selected().unwrap().message.contains("book 3"));
    press(&mut model, "N");
    assert!(selected(&model) < at);
    press(&mut model, "n");
    assert_eq!(selected(&model), at);
    model.log.older = Edge::End;
    for keys in ["/<ctrl-u>nowhere<enter>", "n"] {
        model.toasts.dismiss();
        assert_eq!(press(&mut model, keys), []);
        assert!(screen(&model).contains("no record holds 'nowhere'"));
    }
}

#[test]
fn errors_are_gone_to_among_those_held_and_beyond() {
    let mut model = full(80, 24);
    press(&mut model, "3E");
    assert_eq!(selected(&model), 63, "the newest record is one");
    assert_eq!(press(&mut model, "e"), []);
    assert!(screen(&model).contains("no error comes after this"));
    model.log.older = Edge::More;
    let seek = Seek { sought: Sought::Error, forward: false, round: false };
    let filter = Filter::default().at_least(Level::Error);
    assert_eq!(press(&mut model, "E"), [Effect::Find { generation: 0, filter, from: 1, seek }]);
    let found = |found| Action::LogFound { generation: 0, seek, found: Ok(found) };
    act(&mut model, found(None));
    assert!(screen(&model).contains("no error comes before this"));
    let effects = act(&mut model, found(Some(0)));
    assert_eq!(effects, [Effect::Follow { generation: 1, filter: Filter::default(), at: OpenAt::Seq(0) }]);
}

/// Where the log is asked to look, and for what.
fn asked(effects: &[Effect]) -> (u64, Seek, String) {
    let [Effect::Find { from, seek, filter, .. }] = effects else { panic!("{effects:?}") };
    (*from, *seek, filter.query.clone())
}

#[test]
fn a_match_says_which_of_how_many_it_is() {
    let mut model = full(120, 24);
    model.log.older = Edge::End;
    press(&mut model, "3/book 3<enter>NN");
    assert!(screen(&model).contains("/book 3 match 7 of 9 "), "{}", screen(&model));
    assert!(screen(&model).contains("n next  N previous"));
    press(&mut model, "<up>");
    assert!(!screen(&model).contains("match 7"), "one is not there any more");
    press(&mut model, "<esc>");
    assert!(!screen(&model).contains("n next"));
}

#[test]
fn a_search_goes_on_into_the_history_and_then_round() {
    let mut model = full(80, 24);
    let backward = Seek { sought: Sought::Match, forward: false, round: false };
    press(&mut model, "3Fa OR b<enter>");
    accept(&mut model);
    let held = lines([record(8, Level::Info, "S", "x.y"), record(9, Level::Info, "S", "else")]);
    act(&mut model, opened(1, Opened { lines: held, at: None, older: true, newer: false }));
    press(&mut model, "/X.y<ctrl-u>x.y<enter>");
    assert_eq!(selected(&model), 8);
    let sought = "(a OR b) (message:~\"x\\\\.y\" OR service:~\"x\\\\.y\")".to_owned();
    assert_eq!(asked(&press(&mut model, "N")), (8, backward, sought));
    let found = |seek, found| Action::LogFound { generation: 1, seek, found: Ok(found) };
    assert_eq!(act(&mut model, found(backward, None)), [], "the newest is held");
    assert!(screen(&model).contains("round to the newest match") && selected(&model) == 8);
    // Downwards there is none; from the beginning of the log there may be.
    let round = Seek { sought: Sought::Match, forward: true, round: true };
    let (from, seek, _) = asked(&press(&mut model, "n"));
    assert_eq!((from, seek), (0, round));
    let effects = act(&mut model, found(round, Some(3)));
    assert!(matches!(effects[..], [Effect::Follow { at: OpenAt::Seq(3), .. }, ..]), "{effects:?}");
    assert!(screen(&model).contains("round to the oldest match"));
}

#[test]
fn a_space_at_the_end_is_searched_for_too() {
    let mut model = full(80, 24);
    act(
        &mut model,
        arrived(0, vec![record(64, Level::Info, "S", "ann1 x"), record(65, Level::Info, "S", "ann10")]),
    );
    press(&mut model, "3/ann1 <enter>");
    assert_eq!(selected(&model), 64);
}

#[test]
fn letters_that_the_sender_escaped_are_shown_and_found() {
    let mut model = full(120, 24);
    let line = distlog_tui::model::Line {
        seq: 64,
        ts_ns: crate::fixture::now().timestamp_nanos_opt().unwrap(),
        level: Level::Info,
        service: "S",
        message: "m",
        fields: "{\"k\":\"\\u0437\\u043d\"}",
    };
    let arrived = [line].into_iter().collect();
    act(&mut model, Action::LogArrived { feed: LogFeed::Lines, generation: 0, lines: arrived, missed: 0 });
    press(&mut model, "3/зн<enter>");
    assert!(selected(&model) == 64 && screen(&model).contains("m {\"k\":\"зн\"}"));
}
