//! What is held of the log, and what is fetched around it.

use super::*;

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
fn what_was_passed_over_leaves_no_gap_in_what_is_held() {
    let lagged =
        || Action::LogArrived { feed: LogFeed::Lines, generation: 0, lines: numbered(500, 510), missed: 400 };
    let mut model = full(80, 24);
    press(&mut model, "3");
    act(&mut model, lagged());
    assert!(screen(&model).contains("400 missed"));
    assert!(model.log.lines().iter().map(|line| line.seq).eq(500..510) && model.log.older == Edge::More);
    let effects = press(&mut model, "<up>");
    assert!(matches!(effects[..], [Effect::Page { side: LogSide::Older, from: 500, .. }]), "{effects:?}");
    // Who has paused keeps what is held; what was passed over is fetched behind it.
    let mut model = full(80, 24);
    model.log.older = Edge::End;
    press(&mut model, "3<up>");
    act(&mut model, lagged());
    assert_eq!((model.log.lines().len(), model.log.newer), (63, Edge::More));
    let effects = press(&mut model, "<down>");
    assert!(matches!(effects[..], [Effect::Page { side: LogSide::Newer, from: 63, .. }]), "{effects:?}");
}

#[test]
fn of_long_records_few_are_held_and_standing_still_fetches_nothing_more() {
    let mut model = full(80, 24);
    press(&mut model, "3");
    let long = "x".repeat(BYTES_MAX / 12);
    let page = |from: u64, to: u64| lines((from..to).map(|seq| record(seq, Level::Info, "S", &long)));
    model.log.open(Opened { lines: page(1_000, 1_008), at: Some(1_004), older: true, newer: true });
    let mut effects = press(&mut model, "<up><up><up>");
    for _ in 0..3 {
        let [Effect::Page { side, from, .. }] = effects.as_slice() else { break };
        let (side, from) = (*side, *from);
        let around = if side == LogSide::Older { page(from - 20, from) } else { page(from + 1, from + 21) };
        effects = act(&mut model, Action::LogPaged { generation: 0, side, from, page: Ok((around, true)) });
    }
    assert_eq!(effects, []);
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
                    act(&mut model, Action::LogArrived { feed: LogFeed::Lines, generation: 0, lines: some, missed });
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
