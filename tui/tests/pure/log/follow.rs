//! Followed and paused, and what is done with the record one is at.

use super::*;

#[test]
fn it_is_followed_until_one_scrolls_up_and_again_from_the_end() {
    let mut model = full(80, 24);
    press(&mut model, "3");
    for (keys, following) in [
        ("<down>", true),
        ("<up>", false),
        ("G", true),
        ("f", false),
        ("f", true),
        ("<pgup>", false),
        ("<end>", true),
        ("<enter><esc>", false),
        ("<esc>", true),
        ("m", false),
    ] {
        press(&mut model, keys);
        assert_eq!(model.log.is_following(), following, "{keys}");
    }
    act(&mut model, arrived(0, vec![record(64, Level::Info, "S", "a"), record(65, Level::Info, "S", "b")]));
    assert!(screen(&model).contains("■ paused · 2 new"));
    press(&mut model, "G");
    assert!(screen(&model).contains("▶ following") && model.log.arrived == 0);
}

#[test]
fn esc_goes_one_step_back() {
    let mut model = full(80, 24);
    press(&mut model, "3/borrowed<enter><enter>");
    let steps = [Place::Record, Place::Log, Place::Log];
    for place in steps {
        assert_eq!(model.place(), place);
        press(&mut model, "<esc>");
    }
    assert!(model.log.search.is_none() && model.log.is_following());
    for (keys, place) in
        [("F", Place::Prompt), ("o", Place::Facets), ("z", Place::Timeline), ("t", Place::Prompt)]
    {
        press(&mut model, keys);
        assert_eq!(model.place(), place, "{keys}");
        press(&mut model, "<esc>");
        assert_eq!(model.place(), Place::Log, "{keys}");
    }
}

#[test]
fn marks_are_gone_back_to_wherever_one_is() {
    let mut model = full(80, 24);
    press(&mut model, "3<up><up>m<up><up><up>m");
    assert!(screen(&model).contains('◆'));
    for want in [61, 58, 61] {
        press(&mut model, "'");
        assert_eq!(selected(&model), want);
    }
    press(&mut model, "g");
    act(&mut model, opened(1, Opened { lines: numbered(0, 10), at: Some(0), older: false, newer: true }));
    let effects = press(&mut model, "'");
    assert_eq!(effects, [Effect::Follow { generation: 2, filter: Filter::default(), at: OpenAt::Seq(61) }]);
    // A log that begins anew has other records under these sequences.
    act(&mut model, opened(2, Opened { lines: numbered(0, 3), ..Opened::default() }));
    act(&mut model, opened(2, Opened { lines: numbered(0, 3), ..Opened::default() }));
    press(&mut model, "'");
    assert!(screen(&model).contains("nothing is marked yet"));
}

#[test]
fn what_needs_a_record_says_so_where_there_is_none() {
    for keys in ["<enter>", "c", "m"] {
        let mut model = crate::fixture::fresh(80, 24);
        assert_eq!(press(&mut model, &format!("3{keys}")), [], "{keys}");
        assert!(screen(&model).contains("no record is selected here"), "{keys}");
    }
}

#[test]
fn esc_undoes_one_thing_after_the_other_and_the_footer_says_which() {
    let mut model = full(160, 24);
    press(&mut model, "3vFbook<enter>");
    accept(&mut model);
    act(&mut model, opened(1, Opened { lines: numbered(0, 60), ..Opened::default() }));
    press(&mut model, "<up>/x<enter>");
    for word in ["end search", "follow", "all records"] {
        assert!(screen(&model).contains(&format!("Esc {word}")), "{}", screen(&model));
        press(&mut model, "<esc>");
    }
    assert!(model.log.filter.is_empty() && !screen(&model).contains("Esc "));
}

#[test]
fn its_log_opens_at_the_newest_record_and_nothing_changes_before_the_log_has_agreed() {
    let mut model = full(80, 24);
    press(&mut model, "3<up><up>2jl");
    assert!(!model.log.is_following(), "nothing is opened yet");
    assert_eq!(accept(&mut model), OpenAt::Newest);
}

#[test]
fn a_line_that_is_scrolled_sideways_shows_it_and_another_view_begins_at_its_left() {
    let mut model = full(80, 24);
    press(&mut model, "3<right>");
    assert!(screen(&model).contains("LogService      …segment"), "{}", screen(&model));
    press(&mut model, "G");
    assert_eq!(model.log.shift, 0);
}

#[test]
fn a_record_s_detail_scrolls_to_its_end_and_back_at_once() {
    let mut model = full(80, 24);
    let long = record(64, Level::Info, "S", &"line\n".repeat(100));
    act(&mut model, arrived(0, vec![long]));
    press(&mut model, "3<enter>");
    for keys in ["G", "<pgdn><pgdn><pgdn><pgdn><pgdn><pgdn><pgdn><pgdn><pgdn><pgdn>"] {
        press(&mut model, keys);
        let end = model.log.detail.as_ref().unwrap().scroll;
        assert!(screen(&model).contains("│line") && !screen(&model).contains('↓'), "{}", screen(&model));
        press(&mut model, "<pgup>");
        assert!(model.log.detail.as_ref().unwrap().scroll < end && screen(&model).contains('↓'));
        press(&mut model, "<home>");
    }
    press(&mut model, "jjjjj");
    assert_eq!(model.log.detail.as_ref().map(|detail| (detail.row, detail.scroll)), Some((1, 4)));
    press(&mut model, "kkkkk");
    assert_eq!(model.log.detail.as_ref().map(|detail| (detail.row, detail.scroll)), Some((0, 0)));
}

#[test]
fn a_field_s_value_is_copied_alone_and_a_record_so_that_pasting_it_is_harmless() {
    let mut model = full(80, 24);
    press(&mut model, "3<enter>jj");
    assert_eq!(press(&mut model, "v"), [Effect::Copy("28".to_owned())]);
    act(&mut model, arrived(0, vec![record(64, Level::Info, "S", "a\u{202e}b")]));
    let effects = press(&mut model, "<esc>Gy");
    assert!(matches!(&effects[..], [Effect::Copy(text)] if text.contains("a\\u202eb")), "{effects:?}");
}

#[test]
fn what_is_held_is_written_to_a_file_and_replaces_none_unasked() {
    let mut model = full(80, 24);
    let effects = press(&mut model, "3X<ctrl-u>out.txt<enter>");
    let [Effect::Export(export)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((export.path.as_str(), export.overwrite, export.lines.len()), ("out.txt", false, 63));
    assert!(export.more && screen(&model).contains("the 63 records that are held, the log has more"));
    act(&mut model, Action::Exists(export.clone()));
    assert!(matches!(model.overlay, Some(Overlay::Confirm(_))));
    assert!(screen(&model).contains("Replace out.txt?"));
    let effects = press(&mut model, "y");
    assert!(matches!(&effects[..], [Effect::Export(export)] if export.overwrite));
    let full = Failure { message: "no space left".to_owned(), ..Failure::default() };
    act(&mut model, Action::Exported(Err(full)));
    assert!(screen(&model).contains("write to: out.txt") && screen(&model).contains("✗ no space left"));
    assert!(matches!(press(&mut model, "<enter>")[..], [Effect::Export(_)]));
    act(&mut model, Action::Exported(Ok("63 records were written".to_owned())));
    assert_eq!(model.place(), Place::Log);
    assert_eq!(press(&mut model, "X<ctrl-u><enter>"), []);
    assert!(screen(&model).contains("a file name is needed"));
}

#[test]
fn a_question_about_a_file_takes_no_keys_from_whoever_does_something_else_by_now() {
    let mut model = full(80, 24);
    let effects = press(&mut model, "3X<ctrl-u>out.txt<enter>");
    let [Effect::Export(export)] = effects.as_slice() else { panic!("{effects:?}") };
    press(&mut model, "<esc>s");
    act(&mut model, Action::Exists(export.clone()));
    assert!(matches!(model.overlay, Some(Overlay::Form(_))), "what is typed is not lost");
    assert!(screen(&model).contains("is there already: nothing was written"));
}

#[test]
fn a_service_leads_to_its_log() {
    let mut model = full(80, 24);
    let filter = Filter::of_service("LogService".to_owned());
    assert_eq!(press(&mut model, "2jl"), [Effect::Filter(filter)]);
    assert_eq!(model.tab, Tab::Log);
    assert_eq!(accept(&mut model), OpenAt::Newest);
}

#[test]
fn an_incident_leads_to_the_log_of_its_moment() {
    for (keys, service) in [("4l", "LogService"), ("4<enter>l", "LogService"), ("4jl", "LibraryService")] {
        let mut model = full(80, 24);
        let filter = Filter::of_service(service.to_owned());
        assert_eq!(press(&mut model, keys), [Effect::Filter(filter)], "{keys}");
        assert_eq!(accept(&mut model), OpenAt::Time(ago(250)), "{keys}");
        act(&mut model, opened(1, Opened { lines: numbered(5, 9), at: Some(5), older: true, newer: true }));
        assert!(screen(&model).contains("■ paused"), "{}", screen(&model));
    }
}

#[test]
fn one_step_back_from_a_log_that_one_was_led_to_undoes_its_filter_and_leads_back() {
    let mut model = full(80, 24);
    press(&mut model, "3F<ctrl-u>level:error<enter>");
    accept(&mut model);
    act(&mut model, opened(1, Opened { lines: numbered(5, 60), at: Some(40), older: true, newer: true }));
    press(&mut model, "2l");
    accept(&mut model);
    act(&mut model, opened(2, Opened { lines: numbered(5, 9), at: None, older: true, newer: false }));
    // What was done since goes first.
    press(&mut model, "k/x<enter><enter><esc><esc>");
    assert_eq!((model.tab, model.log.search.is_none()), (Tab::Log, true));
    assert!(screen(&model).contains("Esc back"), "{}", screen(&model));
    let effects = press(&mut model, "<esc>");
    let want = Effect::Follow { generation: 3, filter: query("level:error"), at: OpenAt::Seq(40) };
    assert_eq!((model.tab, effects), (Tab::Services, vec![want]));
}

#[test]
fn a_filter_that_one_has_chosen_where_one_was_led_stays() {
    let mut model = full(80, 24);
    press(&mut model, "2l");
    accept(&mut model);
    press(&mut model, "v");
    accept(&mut model);
    press(&mut model, "<esc>");
    assert_eq!(model.tab, Tab::Log, "the filter is dropped first");
    press(&mut model, "2l2");
    accept(&mut model);
    press(&mut model, "3<esc>");
    assert_eq!(model.tab, Tab::Log, "who has gone elsewhere is led back no more");
}

#[test]
fn one_step_back_does_not_wait_for_the_log_to_accept() {
    let mut model = full(80, 24);
    press(&mut model, "2l");
    let filter = model.log.wanted.clone().unwrap();
    assert_eq!(press(&mut model, "<esc>"), []);
    assert_eq!(act(&mut model, Action::LogFiltered { filter, outcome: Ok(()) }), [], "it is too late");
    assert_eq!((model.tab, model.log.filter.is_empty()), (Tab::Services, true));
}

#[test]
fn what_arrives_unseen_is_no_reason_to_draw() {
    let mut model = full(80, 24);
    model.changed = false;
    act(&mut model, arrived(0, vec![record(64, Level::Info, "S", "unseen")]));
    assert!(!model.changed && selected(&model) == 64);
    press(&mut model, "3");
    model.changed = false;
    act(&mut model, Action::Tick);
    assert!(!model.changed, "the time has not moved on by a part of the timeline");
    assert!(model.is_sliding() && !model.is_ageing());
}

#[test]
fn the_log_that_is_away_keeps_what_it_told() {
    let mut model = full(80, 24);
    press(&mut model, "3");
    act(&mut model, crate::fixture::away(SourceName::Log));
    assert!(screen(&model).contains("cannot write the segment"));
}
