//! What actions do to the log tab, and what they want done.

use crate::fixture::{act, arrived, full, hits, press, record, screen};
use distlog_tui::action::{Action, Effect, Failure};
use distlog_tui::keys::Place;
use distlog_tui::model::{
    BYTES_MAX, Edge, Facet, Filter, LINES_MAX, Levels, Lines, LogSide, Model, OpenAt, Opened, Overlay,
    Seek, Services, Sought, SourceName, Stream, Tab,
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
    Action::LogOpened { stream: Stream::Lines, generation, opened }
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
fn scrolling_near_the_oldest_record_fetches_older_ones_once() {
    let mut model = full(80, 24);
    let wanted = Effect::Page { generation: 0, filter: Filter::default(), side: LogSide::Older, from: 1 };
    assert_eq!(press(&mut model, "3<up>"), [wanted]);
    assert_eq!(press(&mut model, "<up>"), [], "it is being fetched");
    let page = |page| Action::LogPaged { generation: 0, side: LogSide::Older, from: 1, page };
    act(&mut model, page(Err(refused("not now", None))));
    assert_eq!(press(&mut model, "<up>").len(), 1, "once more");
    let first = lines([record(0, Level::Info, "S", "first of all")]);
    assert_eq!(act(&mut model, page(Ok((first, false)))), []);
    assert_eq!(model.log.older, Edge::End);
    assert_eq!(press(&mut model, "g"), [], "the beginning is held");
    assert!(screen(&model).contains("first of all"));
}

#[test]
fn the_first_record_of_all_is_gone_to_without_all_that_lies_between() {
    let mut model = full(80, 24);
    let wanted = Effect::Follow { generation: 1, filter: Filter::default(), at: OpenAt::Oldest };
    assert_eq!(press(&mut model, "3g"), [wanted]);
    act(&mut model, arrived(0, vec![record(64, Level::Info, "S", "of before")]));
    let at = Opened { lines: numbered(0, 1_000), at: Some(0), older: false, newer: true };
    act(&mut model, opened(1, at));
    assert_eq!((selected(&model), model.log.lines().len()), (0, 1_000));
    // What arrives is far away: it is counted, not held.
    act(&mut model, arrived(1, vec![record(5_000, Level::Info, "S", "now")]));
    assert_eq!((model.log.arrived, model.log.lines().len()), (1, 1_000));
    // Down at the end of what is held the log goes on.
    for _ in 0..60 {
        if let [Effect::Page { side, from, .. }, ..] = press(&mut model, "<pgdn>").as_slice() {
            assert_eq!((*side, *from), (LogSide::Newer, 999));
            break;
        }
    }
    let page = |from, to, more| Action::LogPaged {
        generation: 1,
        side: LogSide::Newer,
        from,
        page: Ok((numbered(from + 1, to), more)),
    };
    act(&mut model, page(999, 3_000, true));
    assert_eq!(model.log.newer, Edge::More);
    press(&mut model, "<pgdn>");
    act(&mut model, page(2_999, 4_999, false));
    assert_eq!(model.log.newer, Edge::More, "5,000 arrived, and is not held yet");
    act(&mut model, page(4_998, 5_001, false));
    assert_eq!(model.log.newer, Edge::End);
    act(&mut model, arrived(1, vec![record(5_001, Level::Info, "S", "next")]));
    assert!(model.log.lines().iter().map(|line| line.seq).eq(0..=5_001), "without a gap or a repeat");
    assert_eq!(press(&mut model, "G"), []);
    assert!(model.log.is_following());
}

#[test]
fn following_opens_the_log_at_its_end_where_that_is_not_held() {
    let mut model = full(80, 24);
    press(&mut model, "3g");
    act(&mut model, opened(1, Opened { lines: numbered(0, 10), at: Some(0), older: false, newer: true }));
    let wanted = Effect::Follow { generation: 2, filter: Filter::default(), at: OpenAt::Newest };
    assert_eq!(press(&mut model, "G"), [wanted]);
    act(&mut model, opened(2, Opened { lines: numbered(90, 100), at: None, older: true, newer: false }));
    assert_eq!((selected(&model), model.log.is_following()), (99, true));
}

#[test]
fn a_page_that_does_not_fit_any_more_is_dropped() {
    let mut model = full(80, 24);
    press(&mut model, "3<up>");
    for (generation, from) in [(7, 1), (0, 5)] {
        let page = Ok((lines([record(0, Level::Info, "S", "older")]), true));
        act(&mut model, Action::LogPaged { generation, side: LogSide::Older, from, page });
        assert_eq!(model.log.lines().first().map(|line| line.seq), Some(1), "{generation} {from}");
    }
}

#[test]
fn a_filter_opens_the_log_anew_only_when_the_log_accepts_it() {
    let mut model = full(80, 24);
    assert_eq!(press(&mut model, "3Fdisk"), [Effect::Check("disk".to_owned())]);
    assert_eq!(press(&mut model, "<enter>"), [Effect::Filter(query("disk"))]);
    act(&mut model, Action::LogFiltered { filter: query("disk"), outcome: Err(refused("no", None)) });
    assert!(model.log.filter.is_empty() && model.log.prompt.is_some());
    assert_eq!(press(&mut model, "<enter>"), [Effect::Filter(query("disk"))], "once more");
    assert_eq!(accept(&mut model), OpenAt::Newest);
    assert!(model.log.prompt.is_none());
    let found = lines([record(61, Level::Warn, "S", "the disk is full")]);
    act(&mut model, opened(1, Opened { lines: found, ..Opened::default() }));
    assert_eq!((model.log.filter.clone(), model.log.lines().len()), (query("disk"), 1));
    model.changed = false;
    act(&mut model, arrived(0, vec![record(70, Level::Info, "S", "of the old filter")]));
    assert!(!model.changed && model.log.lines().len() == 1);
    assert_eq!(press(&mut model, "x"), [Effect::Filter(Filter::default())]);
}

#[test]
fn a_query_is_checked_as_it_is_typed_and_the_place_of_the_error_is_marked() {
    let mut model = full(80, 24);
    assert_eq!(press(&mut model, "3Fa ("), [Effect::Check("a (".to_owned())]);
    let checked = |query: &str, outcome| Action::LogChecked { query: query.to_owned(), outcome };
    act(&mut model, checked("a", Ok(())));
    act(&mut model, checked("a (", Err(refused("this '(' has no ')'", Some(2)))));
    assert!(screen(&model).contains("\n│          ^") && screen(&model).contains("✗ this '(' has no ')'"));
    press(&mut model, "b");
    act(&mut model, checked("a (", Err(refused("of before", Some(2)))));
    assert!(!screen(&model).contains('✗') || !screen(&model).contains("of before"));
    press(&mut model, ")");
    act(&mut model, checked("a (b)", Ok(())));
    assert!(model.log.prompt.as_ref().unwrap().failure.is_none());
    let away = Failure { message: "not reachable".to_owned(), ..Failure::default() };
    act(&mut model, checked("a (b)", Err(away)));
    assert!(model.log.prompt.as_ref().unwrap().failure.is_none(), "that the log is away is said elsewhere");
}

#[test]
fn a_filter_changes_where_one_is_and_what_is_paused_stays_in_sight() {
    let mut model = full(80, 24);
    press(&mut model, "3<up><up>v");
    let debug = Filter::default().at_least(Level::Debug);
    assert_eq!(model.log.wanted, Some(debug));
    assert_eq!(accept(&mut model), OpenAt::Seq(61));
}

#[test]
fn quick_toggles_add_up_before_the_log_has_answered() {
    let mut model = full(80, 24);
    // Fatal, error, warn, info, debug: the last two go.
    press(&mut model, "3ojjj<space>j<space>");
    let levels = Levels::default().toggled(Level::Info).toggled(Level::Debug);
    assert_eq!(model.log.wanted.as_ref().map(|filter| filter.levels), Some(levels));
    let stale = Filter { levels: Levels::default().toggled(Level::Info), ..Filter::default() };
    assert_eq!(act(&mut model, Action::LogFiltered { filter: stale, outcome: Ok(()) }), []);
    accept(&mut model);
    assert_eq!(model.log.facet, Some(Facet::Level(Level::Debug)), "the list stays open");
    press(&mut model, "<end>a");
    assert!(
        matches!(&model.log.wanted.as_ref().unwrap().services, Services::Only(names) if names.len() == 1)
    );
    press(&mut model, "a");
    assert_eq!(model.log.wanted.as_ref().unwrap().services, Services::All);
}

#[test]
fn levels_are_raised_and_lowered_round_to_the_other_end() {
    let mut model = full(80, 24);
    press(&mut model, "3");
    for (key, least) in [
        ("v", Level::Debug),
        ("v", Level::Info),
        ("v", Level::Warn),
        ("v", Level::Error),
        ("v", Level::Fatal),
        ("v", Level::Trace),
        ("V", Level::Fatal),
        ("V", Level::Error),
    ] {
        press(&mut model, key);
        accept(&mut model);
        assert_eq!(model.log.filter.levels.least(), Some(least), "{key}");
    }
}

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
fn what_was_typed_comes_back_with_the_arrows_and_words_are_completed() {
    let mut model = full(80, 24);
    press(&mut model, "3");
    for typed in ["disk", "segment"] {
        press(&mut model, &format!("F<ctrl-u>{typed}<enter>"));
        accept(&mut model);
    }
    let typed = |model: &Model| model.log.prompt.as_ref().unwrap().input.value().to_owned();
    press(&mut model, "F<ctrl-u><up>");
    assert_eq!(typed(&model), "segment");
    press(&mut model, "<up>");
    assert_eq!(typed(&model), "disk");
    press(&mut model, "<esc>x");
    accept(&mut model);
    press(&mut model, "Fser<tab>We<tab>");
    assert_eq!(typed(&model), "service:=WebService", "the fleet has it, no record does");
    press(&mut model, " pa<tab>");
    assert_eq!(typed(&model), "service:=WebService path:", "a record has it");
    press(&mut model, "<tab>");
    assert_eq!(typed(&model), "service:=WebService path:=\"/var/lib/distlog\"", "and its value");
}

#[test]
fn errors_are_gone_to_among_those_held_and_beyond() {
    let mut model = full(80, 24);
    press(&mut model, "3E");
    assert_eq!(selected(&model), 63, "the newest record is one");
    assert_eq!(press(&mut model, "e"), []);
    assert!(screen(&model).contains("no error comes after this"));
    model.log.older = Edge::More;
    let wanted = Effect::Find {
        generation: 0,
        filter: Filter::default().at_least(Level::Error),
        from: 1,
        seek: Seek { sought: Sought::Error, forward: false, round: false },
    };
    assert_eq!(press(&mut model, "E"), [wanted.clone()]);
    let Effect::Find { seek, .. } = wanted else { panic!() };
    let found = |found| Action::LogFound { generation: 0, seek, found: Ok(found) };
    act(&mut model, found(None));
    assert!(screen(&model).contains("no error comes before this"));
    let effects = act(&mut model, found(Some(0)));
    assert_eq!(effects, [Effect::Follow { generation: 1, filter: Filter::default(), at: OpenAt::Seq(0) }]);
}

#[test]
fn a_time_is_gone_to_or_the_mistake_in_it_is_told() {
    let mut model = full(80, 24);
    assert_eq!(press(&mut model, "3tsoon<enter>"), []);
    assert!(screen(&model).contains("✗ a time is 14:30"));
    let at = OpenAt::Time("2026-11-22T10:30:00Z".parse().unwrap());
    let effects = press(&mut model, "<ctrl-u>10:30<enter>");
    assert_eq!(effects, [Effect::Follow { generation: 1, filter: Filter::default(), at }]);
}

#[test]
fn the_timeline_narrows_the_log_to_what_is_selected_and_esc_widens_it() {
    let mut model = full(80, 24);
    let effects = press(&mut model, "3z<left><left><space><left><enter>");
    let [Effect::Follow { filter, at: OpenAt::Newest, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    let stretch = filter.stretch.unwrap();
    assert_eq!(stretch.since.to_rfc3339(), "2026-11-22T10:39:00+00:00");
    assert_eq!(stretch.until.to_rfc3339(), "2026-11-22T10:41:00+00:00");
    assert!(model.log.timeline.known, "the timeline stays as it is");
    act(&mut model, opened(1, Opened::default()));
    assert!(screen(&model).contains("10:39:00 to 10:41:00"));
    let effects = press(&mut model, "<esc>");
    assert!(matches!(&effects[..], [Effect::Follow { filter, .. }, ..] if filter.is_empty()), "{effects:?}");
}

#[test]
fn the_timeline_is_counted_when_it_is_seen_zoomed_or_moved_and_then_counts_by_itself() {
    let mut model = full(80, 24);
    assert_eq!(press(&mut model, "3"), [], "it is fresh");
    let before: u64 = model.log.timeline.counts(distlog_tui::model::Gravity::Bad).sum();
    act(&mut model, arrived(0, vec![record(64, Level::Error, "S", "bad")]));
    let after: u64 = model.log.timeline.counts(distlog_tui::model::Gravity::Bad).sum();
    assert_eq!(after, before + 1);
    let effects = press(&mut model, "z+");
    let [Effect::Hits { asked, span, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((*asked, span.step_s), (2, 15));
    let stale = Action::LogHits { asked: 1, hits: Err(Failure::default()) };
    model.changed = false;
    act(&mut model, stale);
    assert!(!model.changed && !model.log.timeline.known);
    let counted = hits(&model);
    act(&mut model, counted);
    assert!(model.log.timeline.known);
    let effects = press(&mut model, "<esc>v");
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Hits { .. })));
    let filter = model.log.wanted.clone().unwrap();
    let effects = act(&mut model, Action::LogFiltered { filter, outcome: Ok(()) });
    assert!(
        matches!(effects[..], [Effect::Follow { .. }, Effect::Hits { .. }]),
        "another filter, other counts"
    );
}

#[test]
fn a_field_of_a_record_is_taken_into_the_filter_or_out_of_it() {
    for (keys, want) in [
        ("+", Filter { levels: Levels::only(Level::Error), ..Filter::default() }),
        ("-", Filter { levels: Levels::default().toggled(Level::Error), ..Filter::default() }),
        ("j+", Filter::of_service("LogService".to_owned())),
        ("j-", Filter { services: Services::But(vec!["LogService".to_owned()]), ..Filter::default() }),
        ("jj+", query("code:=28")),
        ("jj-", query("-code:=28")),
        ("jjjj+", query("path:=\"/var/lib/distlog\"")),
    ] {
        let mut model = full(80, 24);
        press(&mut model, "3<enter>");
        assert_eq!(press(&mut model, keys), [Effect::Filter(want)], "{keys}");
    }
    let mut model = full(80, 24);
    assert_eq!(press(&mut model, "3<enter>jjj+"), []);
    assert!(screen(&model).contains("nested.a has no single value"));
}

#[test]
fn the_context_of_a_record_is_all_of_its_service_and_esc_leads_back() {
    let mut model = full(80, 24);
    press(&mut model, "3Fdisk<enter>");
    accept(&mut model);
    let found = lines([record(61, Level::Warn, "Müller", "the disk is full")]);
    act(&mut model, opened(1, Opened { lines: found, ..Opened::default() }));
    let effects = press(&mut model, "<up>c");
    let of_service = Filter::of_service("Müller".to_owned());
    assert_eq!(effects[0], Effect::Follow { generation: 2, filter: of_service, at: OpenAt::Seq(61) });
    let effects = press(&mut model, "<esc>");
    assert_eq!(effects[0], Effect::Follow { generation: 3, filter: query("disk"), at: OpenAt::Seq(61) });
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
fn what_is_held_is_written_to_a_file_and_replaces_none_unasked() {
    let mut model = full(80, 24);
    let effects = press(&mut model, "3X<ctrl-u>out.txt<enter>");
    let [Effect::Export(export)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((export.path.as_str(), export.overwrite, export.lines.len()), ("out.txt", false, 63));
    act(&mut model, Action::Exists(export.clone()));
    assert!(matches!(model.overlay, Some(Overlay::Confirm(_))));
    assert!(screen(&model).contains("Replace out.txt?"));
    let effects = press(&mut model, "y");
    assert!(matches!(&effects[..], [Effect::Export(export)] if export.overwrite));
    assert_eq!(press(&mut model, "X<ctrl-u><enter>"), []);
    assert!(screen(&model).contains("a file name is needed"));
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

/// What can happen to a log that is looked at, for the property below.
#[derive(Debug, Clone)]
enum Happens {
    Arrive(u64, usize),
    Scroll(&'static str),
    Page(bool),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        3 => (1..8_000_u64, 1..400_usize).prop_map(|(count, size)| Happens::Arrive(count, size)),
        1 => (1..3_u64).prop_map(|count| Happens::Arrive(count, BYTES_MAX / 3)),
        2 => prop::sample::select(vec!["<up>", "<pgup>", "<pgdn>", "<pgup><pgup><pgup>"]).prop_map(Happens::Scroll),
        1 => any::<bool>().prop_map(Happens::Page),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever arrives, and whatever is fetched around it: the bounds hold, the
    /// cursor stays on its record, and what is held has no gap.
    #[test]
    fn no_more_is_held_than_the_bounds_allow_and_the_cursor_stays(steps in prop::collection::vec(happens(), 1..25)) {
        let mut model = full(80, 24);
        press(&mut model, "3");
        let first = 10_000_000;
        let mut next = first;
        let start = Opened { lines: numbered(first, first + 500), at: None, older: true, newer: false };
        act(&mut model, opened(0, start));
        next += 500;
        for step in steps {
            let cursor = model.log.cursor;
            match step {
                Happens::Arrive(count, size) => {
                    let message = "x".repeat(size);
                    let some = lines((next..next + count).map(|seq| record(seq, Level::Info, "S", &message)));
                    let missed = 0;
                    act(&mut model, Action::LogArrived { stream: Stream::Lines, generation: 0, lines: some, missed });
                    next += count;
                    prop_assert_eq!(model.log.cursor, cursor);
                    if let Some(cursor) = cursor {
                        prop_assert_eq!(selected(&model), cursor);
                    }
                }
                Happens::Scroll(keys) => {
                    press(&mut model, keys);
                }
                Happens::Page(older) => {
                    let log = &model.log;
                    let (side, from) = if older {
                        (LogSide::Older, log.lines().first().unwrap().seq)
                    } else {
                        (LogSide::Newer, log.lines().last().unwrap().seq)
                    };
                    let page = match side {
                        LogSide::Older => numbered(from - 1_000, from),
                        LogSide::Newer => numbered(from + 1, (from + 1_001).min(next)),
                    };
                    let more = side == LogSide::Older || from + 1_001 < next;
                    act(&mut model, Action::LogPaged { generation: 0, side, from, page: Ok((page, more)) });
                    prop_assert_eq!(model.log.cursor, cursor);
                }
            }
            let held = model.log.lines();
            prop_assert!(held.len() <= LINES_MAX);
            prop_assert!(held.bytes() <= BYTES_MAX || held.len() == 1, "{} bytes", held.bytes());
            let begin = held.first().unwrap().seq;
            prop_assert!(held.iter().map(|line| line.seq).eq(begin..begin + held.len() as u64), "no gap");
            if model.log.newer == Edge::End {
                prop_assert_eq!(held.last().unwrap().seq, next - 1);
            }
        }
    }
}
