//! What actions do to the model, and what they want done.

use crate::fixture::{
    act, answer, arrived, away, fresh, full, now, press, record, registry, screen, screen_at,
};
use distlog_tui::action::{Action, Effect, Failure, Request};
use distlog_tui::model::{
    Filter, LATENCIES_MAX, LogFeed, Model, Overlay, SourceName, TOASTS_MAX, Tab, Toast,
};
use shared::wire::library::Lend;
use shared::wire::log::Level;
use std::time::Duration;

fn refused(message: &str, field: Option<&str>) -> Failure {
    Failure {
        message: message.to_owned(),
        status: Some(409),
        field: field.map(ToOwned::to_owned),
        position: None,
    }
}

#[test]
fn keys_lead_to_every_tab() {
    for (keys, tab) in [
        ("1", Tab::Overview),
        ("3", Tab::Log),
        ("<tab>", Tab::Services),
        ("<backtab>", Tab::Library),
        ("5<tab>", Tab::Overview),
        ("?4", Tab::Incidents),
        ("2r4", Tab::Services),
    ] {
        let mut model = full(80, 24);
        press(&mut model, keys);
        assert_eq!(model.tab, tab, "{keys}");
    }
}

#[test]
fn what_wants_to_leave() {
    for (keys, leaves) in
        [("q", true), ("<ctrl-c>", true), ("2r<ctrl-c>", true), ("2rq", false), ("2dq", false), ("?q", false)]
    {
        let effects = press(&mut full(80, 24), keys);
        assert_eq!(effects.contains(&Effect::Quit), leaves, "{keys}");
    }
}

#[test]
fn deregistering_asks_first_and_acts_on_the_instance_that_was_asked_about() {
    let mut model = full(80, 24);
    assert_eq!(press(&mut model, "2jd"), []);
    // The table changes while the question is open.
    if let Action::Registry { registrations, .. } = registry() {
        act(
            &mut model,
            Action::Registry { revision: 18, registrations: registrations.into_iter().skip(1).collect() },
        );
    }
    assert_eq!(press(&mut model, "<enter>"), [], "only y is a yes");
    let wanted = Request::Deregister {
        service: "LogService".to_owned(),
        instance: "LogService-localhost-4000".to_owned(),
    };
    assert_eq!(press(&mut model, "y"), [wanted.into()]);
    assert!(model.overlay.is_none());
}

#[test]
fn a_question_answered_with_no_does_nothing() {
    let mut model = full(80, 24);
    assert_eq!(press(&mut model, "2dn"), []);
    assert!(model.overlay.is_none());
}

#[test]
fn the_selection_stays_on_its_instance_while_the_fleet_changes() {
    let mut model = full(80, 24);
    press(&mut model, "2jj");
    let Action::Registry { mut registrations, .. } = registry() else { unreachable!() };
    registrations[0].service_name = "AaaService".to_owned();
    act(&mut model, Action::Registry { revision: 18, registrations });
    let selected = model.services.subject(&model.fleet).unwrap();
    assert_eq!(selected.registration.service_name, "WebService");
}

#[test]
fn a_form_is_sent_once_and_closes_when_the_daemon_agrees() {
    let mut model = full(80, 24);
    let wanted = Request::Borrow(Lend { book_id: "2".to_owned(), borrower: "Ann".to_owned() });
    assert_eq!(press(&mut model, "5jbAnn<enter>"), [wanted.into()]);
    assert_eq!(press(&mut model, "<enter>"), [], "it is on its way");
    answer(&mut model, Ok("book 2 was borrowed by Ann"));
    assert!(model.overlay.is_none());
    assert!(screen(&model).contains("✓ book 2 was borrowed by Ann"));
}

#[test]
fn a_refusal_is_shown_at_the_field_that_the_daemon_names() {
    let mut model = full(80, 24);
    press(&mut model, "5bAnn<enter>");
    answer(&mut model, Err(refused("there is no book 1", Some("book_id"))));
    let Some(Overlay::Form(form)) = &model.overlay else { panic!("the form closed") };
    assert_eq!(form.fields[0].error.as_deref(), Some("there is no book 1"));
    assert_eq!((form.focus, form.sending), (0, None));
    press(&mut model, "<backspace>2");
    let wanted = Request::Borrow(Lend { book_id: "2".to_owned(), borrower: "Ann".to_owned() });
    assert_eq!(press(&mut model, "<enter>"), [wanted.into()]);
}

#[test]
fn the_outcome_of_a_form_that_was_closed_is_still_told() {
    let mut model = full(80, 24);
    press(&mut model, "5bAnn<enter><esc>");
    answer(&mut model, Err(refused("no copy is in", None)));
    assert!(screen(&model).contains("✗ no copy is in"));
}

#[test]
fn returning_offers_the_loan_that_is_selected() {
    for (keys, book, borrower) in [("5<right>r", "2", "王小明"), ("5r", "1", "Ann"), ("5jjr", "3", "")] {
        let mut model = full(80, 24);
        press(&mut model, keys);
        let Some(Overlay::Form(form)) = &model.overlay else { panic!("no form") };
        assert_eq!((form.value("book_id"), form.value("borrower")), (book, borrower), "{keys}");
    }
}

#[test]
fn pasted_text_with_line_feeds_sends_no_form() {
    let mut model = full(80, 24);
    press(&mut model, "3s");
    let effects = act(&mut model, Action::Paste("one\ntwo\n".to_owned()));
    assert_eq!(effects, []);
    let Some(Overlay::Form(form)) = &model.overlay else { panic!("no form") };
    assert_eq!(form.value("message"), "one two");
}

#[test]
fn a_daemon_that_went_away_keeps_what_it_told_until_it_is_back() {
    let mut model = full(80, 24);
    act(&mut model, away(SourceName::Registry));
    let later = now() + Duration::from_secs(42);
    let shown = screen_at(&model, later);
    assert!(shown.contains("▲ registry away") && shown.contains("as of 42s ago"), "{shown}");
    assert!(shown.contains("LibraryService"), "{shown}");
    assert!(model.is_ageing());
    act(&mut model, registry());
    assert!(!screen_at(&model, later).contains("away"));
}

fn act_changes(model: &mut Model, action: Action) -> bool {
    model.changed = false;
    act(model, action);
    model.changed
}

#[test]
fn what_is_known_already_is_no_reason_to_draw() {
    let mut model = full(80, 24);
    for action in [registry(), crate::fixture::monitor(3), crate::fixture::library(), arrived(0, Vec::new())]
    {
        assert!(!act_changes(&mut model, action.clone()), "{action:?}");
        assert!(act_changes(&mut model, away(SourceName::Registry)));
        act(&mut model, registry());
    }
    press(&mut model, "3");
    assert!(act_changes(&mut model, arrived(0, vec![record(64, Level::Info, "S", "new")])));
}

#[test]
fn nothing_ages_on_a_screen_on_which_all_is_live_and_well() {
    let mut model = full(80, 24);
    press(&mut model, "2");
    assert!(!model.is_ageing());
    model.say(Toast::good("done"), now());
    assert!(model.is_ageing());
    distlog_tui::update::update(&mut model, Action::Tick, now() + Duration::from_secs(60));
    assert!(!model.is_ageing(), "toasts go by themselves");
}

#[test]
fn toasts_latencies_and_errors_are_bounded() {
    let mut model = fresh(80, 24);
    for n in 0..200 {
        model.say(Toast::good(n.to_string()), now());
        act(&mut model, crate::fixture::monitor(n));
        let lines = [record(u64::from(n), Level::Error, "S", "x")].into_iter().collect();
        act(&mut model, Action::LogArrived { feed: LogFeed::Errors, generation: 0, lines, missed: 0 });
    }
    assert_eq!(model.toasts.iter().count(), TOASTS_MAX);
    assert_eq!(model.fleet.latencies("WebService").count(), LATENCIES_MAX);
    assert_eq!(model.errors.len(), distlog_tui::model::ERRORS_MAX);
}

#[test]
fn the_palette_does_what_is_found_in_the_place_where_it_holds() {
    let mut model = full(80, 24);
    assert_eq!(press(&mut model, ":show the log<enter>"), []);
    assert_eq!((model.tab, model.overlay.is_none()), (Tab::Log, true));
    press(&mut model, "1:its log<enter>");
    assert_eq!(model.tab, Tab::Log, "the services' own, from the overview");
    let mut model = full(80, 24);
    assert_eq!(press(&mut model, ":leave<enter>"), [Effect::Quit]);
    press(&mut model, ":nothing has these letters<enter>");
    assert!(matches!(model.overlay, Some(Overlay::Palette(_))));
    press(&mut model, "<esc>");
    assert!(model.overlay.is_none());
}

#[test]
fn the_palette_asks_for_what_a_command_needs_one_by_one() {
    let mut model = full(80, 24);
    assert_eq!(press(&mut model, ":lend copy<enter>"), []);
    let shown = screen(&model);
    assert!(shown.contains("Borrow a book: 2 of 2") && shown.contains("who takes it"), "{shown}");
    press(&mut model, "<backtab>");
    let shown = screen(&model);
    assert!(shown.contains("Borrow a book: 1 of 2") && !shown.contains("Borrower  "), "{shown}");
    assert_eq!(press(&mut model, "<backspace>2<enter>"), [], "the next one is asked");
    let wanted = Request::Borrow(Lend { book_id: "2".to_owned(), borrower: "Ann".to_owned() });
    assert_eq!(press(&mut model, "Ann<enter>"), [wanted.into()]);
    answer(&mut model, Err(refused("there is no book 2", Some("book_id"))));
    let shown = screen(&model);
    assert!(shown.contains("✗ there is no book 2") && shown.contains("Ann"), "the whole form:\n{shown}");
}

#[test]
fn the_palette_lists_everything_that_a_key_can_do_here() {
    for keys in ["1", "2", "2<enter>", "3", "3<enter>", "4", "5"] {
        let mut model = full(80, 24);
        press(&mut model, keys);
        let listed: Vec<_> = distlog_tui::model::commands(&model, "").iter().map(|b| b.command).collect();
        let here = model.place();
        for place in [here, distlog_tui::keys::Place::Anywhere, distlog_tui::keys::Place::Always] {
            for binding in model.keymap.rows(place) {
                let is_itself = binding.command == distlog_tui::keys::Command::Palette;
                assert!(is_itself || listed.contains(&binding.command), "{} in {here:?}", binding.name());
            }
        }
    }
}

#[test]
fn what_is_copied_is_what_is_on_the_screen() {
    let registry = "http://localhost:3000";
    for (keys, wanted) in [
        ("2jy", "http://localhost:4000".to_owned()),
        ("2jY", format!("curl -sS '{registry}/services/LogService?format=text'")),
        (
            "2jjj<ctrl-y>",
            format!("{registry}/services/%E5%9B%BE%E4%B9%A6%E9%A6%86%E6%9C%8D%E5%8A%A1?format=text"),
        ),
        ("3Y", "curl -sSN 'http://localhost:4000/log/tail?format=text'".to_owned()),
        ("3k<enter>Y", "curl -sS 'http://localhost:4000/log?after=61&before=63'".to_owned()),
        ("5jy", r#"{"id":"2","title":"分布式系统设计","author":"李四","copies":2,"available":1}"#.to_owned()),
    ] {
        let mut model = full(80, 24);
        assert_eq!(press(&mut model, keys), [Effect::Copy(wanted)], "{keys}");
        assert!(screen(&model).contains("was copied"), "{keys}");
    }
    let mut model = fresh(80, 24);
    assert_eq!(press(&mut model, "5y"), [], "nothing is selected in an empty library");
    assert!(screen(&model).contains("✗ nothing"));
}

#[test]
fn a_filter_is_copied_as_the_log_takes_it() {
    let mut model = full(80, 24);
    model.log.filter = Filter {
        query: "it's & level:>=warn".to_owned(),
        ..Filter::of_service("A/B".to_owned()).at_least(Level::Error)
    };
    let url = "http://localhost:4000/log/tail?q=it%27s%20%26%20level%3A%3E%3Dwarn&service=A%2FB&level=error&format=text";
    assert_eq!(press(&mut model, "3Y"), [Effect::Copy(format!("curl -sSN '{url}'"))]);
}

#[test]
fn a_record_that_no_clipboard_takes_is_not_sent_there() {
    let mut model = full(80, 24);
    act(&mut model, arrived(0, vec![record(64, Level::Info, "S", &"x".repeat(100_000))]));
    assert_eq!(press(&mut model, "3y"), []);
    assert!(screen(&model).contains("too long"));
}

#[test]
fn a_click_selects_and_the_wheel_scrolls() {
    use distlog_tui::action::{Mouse, Target};
    let mut model = full(80, 24);
    act(&mut model, Action::Mouse(Mouse::Click(Target::Tab(Tab::Services))));
    assert_eq!(model.tab, Tab::Services);
    act(&mut model, Action::Mouse(Mouse::Click(Target::Row(2))));
    let selected =
        |model: &Model| model.services.subject(&model.fleet).unwrap().registration.service_name.clone();
    assert_eq!(selected(&model), "WebService");
    act(&mut model, Action::Mouse(Mouse::Click(Target::Row(-1))));
    assert_eq!(selected(&model), "LogService");
    press(&mut model, "3");
    act(&mut model, Action::Mouse(Mouse::WheelUp));
    assert!(!model.log.is_following(), "the wheel holds the log");
    press(&mut model, "2r");
    act(&mut model, Action::Mouse(Mouse::WheelDown));
    let Some(Overlay::Form(form)) = &model.overlay else { panic!("the form closed") };
    assert_eq!(form.focus, 0);
}

#[test]
fn the_mouse_and_the_theme_change_while_it_runs() {
    let mut model = full(80, 24);
    assert_eq!(press(&mut model, ":listen mouse<enter>"), [Effect::Mouse(true)]);
    assert_eq!(press(&mut model, ":listen mouse<enter>"), [Effect::Mouse(false)]);
    let before = model.theme;
    press(&mut model, ":next theme<enter>");
    assert!(model.theme != before && screen(&model).contains("the theme is colour-blind"));
}

#[test]
fn every_message_is_kept_for_whoever_looks_back() {
    let mut model = full(80, 24);
    for n in 0..20 {
        model.say(Toast::good(format!("message {n}")), now());
    }
    press(&mut model, "T");
    let shown = screen(&model);
    assert!(shown.contains("Messages, newest first") && shown.contains("10:42:07 ✓ message 19"), "{shown}");
    press(&mut model, "<down><down><down>");
    assert!(screen(&model).contains("message 0"), "{}", screen(&model));
    press(&mut model, "<esc>");
    assert!(model.overlay.is_none());
}

#[test]
fn expiry_that_is_held_back_is_told_on_every_screen_with_its_end() {
    let guard = |engaged: bool| {
        let held = serde_json::json!({
            "engaged": engaged,
            "scopes": [{"service": null, "since": now(), "until": now() + Duration::from_secs(125)}],
            "held": [{"service": "LogService", "instanceId": "LogService-localhost-4000", "since": now(), "until": now()}],
        });
        Action::Guard(serde_json::from_value(held).unwrap())
    };
    let mut model = full(100, 24);
    for keys in ["1", "2", "3", "4", "5"] {
        press(&mut model, keys);
        assert!(act_changes(&mut model, guard(true)));
        assert!(!act_changes(&mut model, guard(true)));
        assert!(model.is_ageing());
        let shown = screen(&model);
        let said =
            "◆ expiry held back for the fleet until 10:44:12 (2m 5s): 1 instance has not renewed: LogSer";
        assert!(shown.contains(said), "{shown}");
        assert!(act_changes(&mut model, guard(false)));
        assert!(!screen(&model).contains("held back"));
    }
}
