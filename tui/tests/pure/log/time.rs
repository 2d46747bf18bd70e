//! Going to a time, and the timeline.

use super::*;

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
    let before: u64 = model.log.timeline.histogram.counts(distlog_tui::model::Gravity::Bad).sum();
    act(&mut model, arrived(0, vec![record(64, Level::Error, "S", "bad")]));
    let after: u64 = model.log.timeline.histogram.counts(distlog_tui::model::Gravity::Bad).sum();
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
fn a_range_that_has_ended_says_so_and_is_left_where_one_is() {
    let mut model = full(80, 24);
    press(&mut model, "3z<left><left><space><left><enter>");
    act(&mut model, opened(1, Opened { lines: numbered(10, 20), ..Opened::default() }));
    assert!(screen(&model).contains("Log ■ range · 10:39:00 to 10:41:00"), "{}", screen(&model));
    assert!(!screen(&model).contains("following") && screen(&model).contains("├"));
    press(&mut model, "<up>");
    assert!(screen(&model).contains("■ range"), "nothing new comes");
    let effects = press(&mut model, "<esc>");
    assert!(
        matches!(&effects[..], [Effect::Follow { at: OpenAt::Seq(18), filter, .. }] if filter.is_empty())
    );
}

#[test]
fn following_leaves_a_range_that_has_ended() {
    let mut model = full(80, 24);
    press(&mut model, "3z<left><left><enter>");
    act(&mut model, opened(1, Opened { lines: numbered(10, 20), ..Opened::default() }));
    let effects = press(&mut model, "f");
    assert!(matches!(&effects[..], [Effect::Follow { at: OpenAt::Newest, filter, .. }] if filter.is_empty()));
}

#[test]
fn the_timeline_shows_where_one_is_and_ends_at_now_again_with_the_lines() {
    let mut model = full(80, 24);
    press(&mut model, "3t2h<enter>");
    let mut old = record(1, Level::Info, "S", "long ago");
    old.ts -= chrono::TimeDelta::hours(2);
    let at = Opened { lines: lines([old]), at: Some(1), older: true, newer: true };
    let effects = act(&mut model, opened(1, at));
    assert!(matches!(effects[..], [Effect::Hits { .. }]), "another time, other counts: {effects:?}");
    assert!(screen(&model).contains('^') && !model.log.timeline.slides);
    let effects = press(&mut model, "G");
    assert!(matches!(effects[..], [Effect::Follow { .. }]));
    act(&mut model, opened(2, Opened { lines: numbered(1, 60), ..Opened::default() }));
    assert!(!screen(&model).contains('^') && model.log.timeline.slides);
}

#[test]
fn a_time_that_is_gone_to_in_the_timeline_moves_its_cursor() {
    let mut model = full(80, 24);
    press(&mut model, "3zt10:30<enter>");
    assert_eq!(model.place(), Place::Timeline);
    assert!(screen(&model).contains("10:30:00 to 10:31:00"), "{}", screen(&model));
    press(&mut model, "t2026-11-20 10:00<enter>");
    assert!(screen(&model).contains("11-20 10:00:00 to 10:01:00"), "{}", screen(&model));
    press(&mut model, "G");
    assert!(model.log.timeline.slides, "its end is now");
}

#[test]
fn counts_that_do_not_come_are_asked_for_again_soon() {
    let mut model = full(80, 24);
    press(&mut model, "3z+");
    let asked = model.log.timeline.asked;
    act(&mut model, Action::LogHits { asked, hits: Err(Failure::default()) });
    let later = crate::fixture::now() + chrono::TimeDelta::seconds(6);
    let effects = distlog_tui::update::update(&mut model, Action::Tick, later);
    assert!(matches!(effects[..], [Effect::Hits { .. }]), "{effects:?}");
}
