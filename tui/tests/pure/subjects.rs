//! What is open keeps its subject when the list below it changes, and no list
//! hides what is open.

use crate::fixture::{act, ago, full, library, monitor, press, registry, screen};
use distlog_tui::action::{Action, Effect, Request};
use distlog_tui::model::{Filter, IncidentLists, Model, Overlay, PAST_FIRST, Tab};
use shared::wire::monitor::{Incident, Status};

fn incident(id: u64, service: &str, opened: i64, resolved: Option<i64>) -> Incident {
    Incident {
        id,
        service: service.to_owned(),
        opened_at: ago(opened),
        resolved_at: resolved.map(ago),
        ..Incident::default()
    }
}

/// The monitor's answer with other incidents.
fn with(incidents: IncidentLists) -> Action {
    let Action::Monitor { health, maintenances, .. } = monitor(4) else { unreachable!() };
    Action::Monitor { health, incidents, maintenances }
}

/// The service that the open form names.
fn form_of(model: &Model) -> String {
    let Some(Overlay::Form(form)) = &model.overlay else { panic!("no form:\n{}", screen(model)) };
    form.value("service").to_owned()
}

/// Another incident is opened above the one that was there, which is resolved.
fn overtaken() -> Action {
    let open = incident(9, "WebService", 5, None);
    let resolved = incident(3, "LogService", 250, Some(1));
    with(vec![open, resolved, incident(2, "WebService", 90_000, Some(89_900))].into())
}

#[test]
fn an_incident_page_keeps_its_incident_and_silences_its_service() {
    let mut model = full(80, 24);
    press(&mut model, "4<enter>");
    assert!(screen(&model).contains("LogService, incident 3"), "{}", screen(&model));
    act(&mut model, overtaken());
    let shown = screen(&model);
    assert!(shown.contains("LogService, incident 3") && shown.contains("✓ LogService was down"), "{shown}");
    press(&mut model, "m");
    assert_eq!(form_of(&model), "LogService");
    press(&mut model, "<esc>a");
    assert!(screen(&model).contains("incident 3 is resolved already"), "{}", screen(&model));
    let wanted = Filter::of_service("LogService".to_owned());
    assert_eq!(press(&mut model, "l"), [Effect::Filter(wanted)]);
}

#[test]
fn a_page_of_a_dependent_and_one_of_an_uptime_keep_their_service() {
    for (keys, service) in [("4j<enter>", "LibraryService"), ("4<right><enter>", "LibraryService")] {
        let mut model = full(80, 24);
        let names = ["LibraryService", "WebService"].map(crate::fixture::uptime);
        act(&mut model, Action::Uptimes(names.to_vec()));
        press(&mut model, keys);
        act(&mut model, overtaken());
        act(&mut model, Action::Uptimes(vec![crate::fixture::uptime("AService")]));
        press(&mut model, "m");
        assert_eq!(form_of(&model), service, "{keys}");
    }
}

#[test]
fn a_form_a_question_and_a_page_act_on_what_they_were_opened_for() {
    // The forms of an incident and of a service.
    let mut model = full(80, 24);
    press(&mut model, "4aAnn");
    act(&mut model, overtaken());
    let wanted = Request::Acknowledge { incident: 3, by: "Ann".to_owned() };
    assert_eq!(press(&mut model, "<enter>"), [wanted.into()]);
    let mut model = full(80, 24);
    press(&mut model, "4m");
    act(&mut model, overtaken());
    assert_eq!(form_of(&model), "LogService");
    // The page and the question of an instance.
    let mut model = full(80, 24);
    press(&mut model, "2<enter>");
    let Action::Registry { mut registrations, .. } = registry() else { unreachable!() };
    registrations[0].service_name = "AaaService".to_owned();
    act(&mut model, Action::Registry { revision: 18, registrations: registrations.clone() });
    press(&mut model, "d");
    registrations.remove(1);
    act(&mut model, Action::Registry { revision: 19, registrations });
    let wanted = Request::Deregister {
        service: "LibraryService".to_owned(),
        instance: "LibraryService-localhost-5000".to_owned(),
    };
    assert_eq!(press(&mut model, "y"), [wanted.into()]);
    // The forms of a book and of a loan.
    for (keys, book) in [("5b", "1"), ("5<right>r", "2")] {
        let mut model = full(80, 24);
        press(&mut model, keys);
        let Action::Library { mut books, mut loans } = library() else { unreachable!() };
        books.rows.remove(0);
        loans.rows.remove(0);
        act(&mut model, Action::Library { books, loans });
        let Some(Overlay::Form(form)) = &model.overlay else { panic!("no form") };
        assert_eq!(form.value("book_id"), book, "{keys}");
    }
}

#[test]
fn the_palette_acts_on_what_was_selected_when_it_was_opened_or_on_nothing() {
    // The overview lists the worst first: another service becomes the worst.
    let mut model = full(80, 24);
    press(&mut model, "1:overview.its-incidents");
    let Action::Monitor { mut health, incidents, maintenances } = monitor(4) else { unreachable!() };
    health[0].status = Status::Unhealthy;
    act(&mut model, Action::Monitor { health, incidents, maintenances });
    press(&mut model, "<enter>");
    assert_eq!(model.incidents.only.as_deref(), Some("LogService"), "{}", screen(&model));

    for (tab, command, change, said) in [
        ("4", "incidents.service-maintenance", overtaken(), ""),
        ("4", "incidents.acknowledge", with(vec![incident(9, "WebService", 5, None)].into()), "incident 3"),
        (
            "2",
            "services.deregister",
            Action::Registry { revision: 18, registrations: Vec::new() },
            "LibraryService-localhost-5000",
        ),
        (
            "5",
            "library.borrow",
            Action::Library { books: vec_of_last_book(), loans: Vec::new().into() },
            "book 1",
        ),
    ] {
        let mut model = full(80, 24);
        press(&mut model, &format!("{tab}:{command}"));
        act(&mut model, change);
        press(&mut model, "<enter>");
        if said.is_empty() {
            assert_eq!(form_of(&model), "LogService", "its row has moved");
        } else {
            assert!(model.overlay.is_none(), "{command}:\n{}", screen(&model));
            let said = format!("{said} is not listed any more");
            assert!(screen(&model).contains(&said), "{command}:\n{}", screen(&model));
        }
    }
}

fn vec_of_last_book() -> shared::client::Part<shared::wire::library::Book> {
    let Action::Library { books, .. } = library() else { unreachable!() };
    books.rows.into_iter().skip(3).collect::<Vec<_>>().into()
}

#[test]
fn open_incidents_are_shown_however_many_were_resolved_since() {
    let mut lists: IncidentLists =
        (10..10 + 100).map(|id| incident(id, "WebService", 60, Some(30))).collect::<Vec<_>>().into();
    lists.past.total = 182;
    lists.open = vec![incident(1, "LogService", 90_000, None)].into();
    let mut model = full(80, 24);
    act(&mut model, with(lists));
    assert!(
        screen(&model).contains("✗ 1 incident") && !screen(&model).contains("✓ none"),
        "{}",
        screen(&model)
    );
    press(&mut model, "4");
    let shown = screen(&model);
    assert!(shown.contains("Incidents: 1 open, the last 100 of 182 past"), "{shown}");
    assert!(shown.lines().any(|line| line.contains("✗ down") && line.contains("LogService")), "{shown}");
}

#[test]
fn further_past_incidents_are_fetched_when_the_last_row_is_near() {
    let past = |fetched: u64| {
        let mut lists: IncidentLists =
            (10..10 + fetched).map(|id| incident(id, "WebService", 60, Some(30))).collect::<Vec<_>>().into();
        lists.past.total = 450;
        with(lists)
    };
    let mut model = full(80, 24);
    act(&mut model, past(PAST_FIRST as u64));
    assert!(!press(&mut model, "4j").iter().any(|effect| matches!(effect, Effect::ShowPast(_))));
    assert!(press(&mut model, "G").contains(&Effect::ShowPast(300)));
    assert!(
        !press(&mut model, "k").iter().any(|effect| matches!(effect, Effect::ShowPast(_))),
        "it is asked once"
    );
    act(&mut model, past(300));
    assert!(press(&mut model, "G").contains(&Effect::ShowPast(500)));
    act(&mut model, past(450));
    assert!(screen(&model).contains("0 open, 450 past of a month"), "{}", screen(&model));
    assert!(!press(&mut model, "G").iter().any(|effect| matches!(effect, Effect::ShowPast(_))));
}

#[test]
fn a_list_of_the_library_that_is_cut_says_of_how_many() {
    let mut model = full(80, 24);
    let Action::Library { mut books, mut loans } = library() else { unreachable!() };
    (books.total, loans.total) = (12_345, 2);
    act(&mut model, Action::Library { books, loans });
    press(&mut model, "5");
    let shown = screen(&model);
    assert!(shown.contains("Books: 4 of 12345") && shown.contains("out: 2"), "{shown}");
}

#[test]
fn a_service_is_forgotten_after_a_question_and_only_without_an_instance() {
    for (keys, tab) in [("1", Tab::Overview), ("4", Tab::Incidents), ("4<enter>", Tab::Incidents)] {
        let mut model = full(80, 24);
        press(&mut model, &format!("{keys}f"));
        assert_eq!(model.tab, tab);
        assert!(model.overlay.is_none());
        assert!(screen(&model).contains("LogService has 1 registered instance"), "{}", screen(&model));
        let Action::Registry { mut registrations, .. } = registry() else { unreachable!() };
        registrations.remove(0);
        act(&mut model, Action::Registry { revision: 18, registrations });
        press(&mut model, "f");
        let shown = screen(&model);
        assert!(shown.contains("Forget LogService?") && shown.contains("cannot be undone"), "{shown}");
        assert_eq!(press(&mut model, "y"), [Request::Forget("LogService".to_owned()).into()], "{keys}");
    }
    // In the table, a page whose instance has gone has the service.
    let mut model = full(120, 24);
    press(&mut model, "2j<enter>");
    let Action::Registry { mut registrations, .. } = registry() else { unreachable!() };
    registrations.remove(0);
    act(&mut model, Action::Registry { revision: 18, registrations });
    press(&mut model, "f");
    assert_eq!(press(&mut model, "y"), [Request::Forget("LogService".to_owned()).into()]);
    press(&mut model, "<esc>");
    assert!(screen(&model).contains("3 instances; 1 service has none"), "{}", screen(&model));
}

#[test]
fn a_maintenance_takes_an_hour_unless_another_end_is_typed() {
    for (typed, minutes) in [("", Some(60)), ("30m", Some(30)), ("forever", None)] {
        let mut model = full(80, 24);
        press(&mut model, "2M<tab><tab><tab>");
        let effects = press(&mut model, &format!("{typed}<enter>"));
        let [Effect::Request { request: Request::BeginMaintenance(begun), .. }] = &effects[..] else {
            panic!("{effects:?}\n{}", screen(&model))
        };
        assert_eq!(begun.until, minutes.map(|minutes| ago(-60 * minutes)), "{typed}");
    }
}
