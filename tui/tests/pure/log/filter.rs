//! Filters: typed, toggled, completed, taken from a record.

use super::*;

/// The level or service that is selected, while they are listed.
fn selected(model: &Model) -> Option<&Facet> {
    model.log.facet.as_ref()?.key()
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
    assert_eq!(selected(&model), Some(&Facet::Level(Level::Debug)), "the list stays open");
    press(&mut model, "<end>a");
    assert!(
        matches!(&model.log.wanted.as_ref().unwrap().services, ServiceFilter::Only(names) if names.len() == 1)
    );
    press(&mut model, "a");
    assert_eq!(model.log.wanted.as_ref().unwrap().services, ServiceFilter::All);
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
fn a_field_of_a_record_is_taken_into_the_filter_or_out_of_it() {
    for (keys, want) in [
        ("+", Filter { levels: Levels::only(Level::Error), ..Filter::default() }),
        ("-", Filter { levels: Levels::default().toggled(Level::Error), ..Filter::default() }),
        ("j+", Filter::of_service("LogService".to_owned())),
        ("j-", Filter { services: ServiceFilter::But(vec!["LogService".to_owned()]), ..Filter::default() }),
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
fn a_filter_that_is_changed_while_one_goes_to_a_time_leads_to_that_time() {
    let mut model = full(80, 24);
    let time = OpenAt::Time("2026-11-22T10:30:00Z".parse().unwrap());
    press(&mut model, "3t10:30<enter>v");
    assert_eq!(accept(&mut model), time, "it has not been opened there yet");
    press(&mut model, "x");
    assert_eq!(accept(&mut model), time);
}

#[test]
fn one_s_place_is_kept_even_where_no_record_passes_the_filter() {
    let mut model = full(80, 24);
    press(&mut model, "3<up><up>Fzebra<enter>");
    assert_eq!(accept(&mut model), OpenAt::Seq(61));
    act(&mut model, opened(1, Opened { at: Some(61), ..Opened::default() }));
    assert!(!model.log.is_following());
    press(&mut model, "x");
    assert_eq!(accept(&mut model), OpenAt::Seq(61));
}

#[test]
fn what_could_be_meant_is_offered_while_one_types() {
    let mut model = full(80, 24);
    press(&mut model, "3Flevel:>=e");
    assert!(screen(&model).contains("│level:>=error"), "{}", screen(&model));
    let effects = press(&mut model, "<tab>");
    assert_eq!(effects, [Effect::Check("level:>=error".to_owned())], "what was put there is checked too");
    press(&mut model, " nes");
    assert!(!screen(&model).contains("nested.a:="), "a list has no value");
    press(&mut model, "<esc>F<ctrl-u>serv");
    assert!(screen(&model).contains("│service:"));
    press(&mut model, "<enter>");
    assert_eq!(model.log.wanted, Some(query("serv")), "what is offered is not taken unasked");
}

#[test]
fn a_query_that_is_typed_on_while_the_log_is_asked_is_not_lost() {
    let mut model = full(80, 24);
    press(&mut model, "3Fdisk<enter>");
    assert!(screen(&model).contains("waiting for the log"));
    press(&mut model, "s");
    assert!(!screen(&model).contains("waiting for the log"));
    assert_eq!(act(&mut model, Action::LogFiltered { filter: query("disk"), outcome: Ok(()) }), []);
    assert!(screen(&model).contains("filter: disks"));
    assert_eq!(press(&mut model, "<enter>"), [Effect::Filter(query("disks"))]);
}

#[test]
fn a_service_in_a_long_list_is_found_by_a_part_of_its_name() {
    let mut model = full(80, 24);
    let many = (0..200).map(|n| record(64 + n, Level::Info, &format!("svc-{n}"), "x")).collect();
    act(&mut model, arrived(0, many));
    press(&mut model, "3o");
    assert!(
        screen(&model).contains("1 of 2") && screen(&model).contains('↓') && !screen(&model).contains('↑')
    );
    press(&mut model, "/svc-17");
    assert_eq!(selected(&model), Some(&Facet::Service("svc-17".to_owned())));
    press(&mut model, "<down>");
    assert_eq!(selected(&model), Some(&Facet::Service("svc-170".to_owned())));
    press(&mut model, "<up><up>");
    assert_eq!(selected(&model), Some(&Facet::Service("svc-179".to_owned())), "round");
    press(&mut model, "<enter>a");
    let only = Filter::of_service("svc-179".to_owned());
    assert_eq!(model.log.wanted, Some(only.clone()));
    press(&mut model, "<space>");
    assert_eq!(model.log.wanted, Some(only), "the last one stays");
}
