//! Overview, services, incidents and library: what keys and news do to them.

use crate::fixture::{
    act, ago, answer, around, fresh, full, lease, library, monitor, now, press, registry, screen, study,
    uptime,
};
use distlog_tui::action::{Action, Effect, Failure, Request};
use distlog_tui::model::{IncidentsView, Model, Overlay, Period, SortBy, Tab};
use distlog_tui::update::update;
use shared::wire::monitor::{Dependent, Incident, Maintenance, MaintenanceMode};
use shared::wire::registry::Registration;
use std::time::Duration;

/// The services of the rows of the table, in their order.
fn rows(model: &Model) -> Vec<String> {
    let row = |at| model.services.row(at, &model.fleet).unwrap().registration.service_name.clone();
    (0..model.services.len()).map(row).collect()
}

fn selected_service(model: &Model) -> String {
    model.services.subject(&model.fleet).unwrap().registration.service_name.clone()
}

#[test]
fn the_table_of_services_is_narrowed_as_one_types() {
    for (keys, found) in [
        ("2/", vec!["LibraryService", "LogService", "WebService", "图书馆服务"]),
        ("2/service 4000", vec!["LogService"]),
        ("2/Web", vec!["WebService"]),
        ("2/WEB", vec![]),
        ("2/core", vec!["LogService"]),
        ("2/zone a", vec!["LibraryService"]),
        ("2/maintenance", vec!["图书馆服务"]),
        ("2/web<enter>", vec!["WebService"]),
        ("2/web<esc>", vec!["LibraryService", "LogService", "WebService", "图书馆服务"]),
        ("2/web<enter><esc>", vec!["LibraryService", "LogService", "WebService", "图书馆服务"]),
        ("2/q<backspace>", vec!["LibraryService", "LogService", "WebService", "图书馆服务"]),
    ] {
        let mut model = full(80, 24);
        press(&mut model, keys);
        assert_eq!(rows(&model), found, "{keys}");
    }
}

#[test]
fn what_is_selected_stays_so_while_the_table_is_narrowed_and_sorted() {
    let mut model = full(80, 24);
    press(&mut model, "2jj");
    assert_eq!(selected_service(&model), "WebService");
    for keys in ["/service", "<enter>", "s", "S", "s", "<esc>", "S"] {
        press(&mut model, keys);
        assert_eq!(selected_service(&model), "WebService", "{keys}");
    }
}

#[test]
fn the_table_is_sorted_by_each_column_and_the_other_way_round() {
    for (keys, by, first, last) in [
        ("2", SortBy::Service, "LibraryService", "图书馆服务"),
        ("2S", SortBy::Service, "图书馆服务", "LibraryService"),
        ("2s", SortBy::Status, "LogService", "WebService"),
        ("2ss", SortBy::Latency, "LibraryService", "LogService"),
        ("2sss", SortBy::Lease, "图书馆服务", "WebService"),
        ("2ssss", SortBy::Url, "LogService", "图书馆服务"),
        ("2sssss", SortBy::Service, "LibraryService", "图书馆服务"),
    ] {
        let mut model = full(80, 24);
        press(&mut model, keys);
        let rows = rows(&model);
        assert_eq!(
            (model.services.sort, rows.first().unwrap().as_str(), rows.last().unwrap().as_str()),
            (by, first, last),
            "{keys}"
        );
    }
}

#[test]
fn every_stop_of_the_order_is_marked_in_a_column_that_is_seen() {
    for columns in [60, 80, 100, 200] {
        let mut model = full(columns, 24);
        press(&mut model, "2");
        for _ in SortBy::ALL {
            let shown = screen(&model);
            let marked = |mark: char| shown.contains(&format!("{}{mark}", model.services.sort.title()));
            let mark = if model.services.sort.falls() { '↓' } else { '↑' };
            assert!(marked(mark) || columns == 60, "{}: {shown}", model.services.sort.title());
            press(&mut model, "s");
        }
    }
}

#[test]
fn long_metadata_is_read_in_full() {
    let mut model = full(80, 24);
    let Action::Registry { mut registrations, .. } = registry() else { unreachable!() };
    registrations[1].metadata = [("long".to_owned(), format!("{}end", "x".repeat(150)))].into();
    act(&mut model, Action::Registry { revision: 18, registrations });
    press(&mut model, "2<enter>");
    let shown = screen(&model);
    assert!(shown.contains("Metadata    long=xxx") && shown.contains("xend"), "{shown}");
}

#[test]
fn what_is_only_at_risk_has_not_lasted() {
    let mut model = full(80, 24);
    press(&mut model, "4");
    let shown = screen(&model);
    let line = |text: &str| shown.lines().find(|line| line.contains(text)).unwrap().to_owned();
    assert!(!line("at risk").contains("4m") && line("图书馆服务").contains("follows from it"), "{shown}");
    press(&mut model, "2jjji");
    assert!(screen(&model).contains("Incidents of 图书馆服务 (Esc: back): 1 open"), "{}", screen(&model));
}

#[test]
fn an_opened_instance_is_looked_at_and_its_lease_counted_down() {
    let mut model = full(80, 24);
    let (service, instance) = ("LibraryService".to_owned(), "LibraryService-localhost-5000".to_owned());
    let asked = Effect::Lease { service: service.clone(), instance: instance.clone() };
    assert_eq!(press(&mut model, "2<enter>"), [Effect::Study(service), asked.clone()]);
    act(&mut model, lease("LogService", "another"));
    assert!(model.services.lease.is_none(), "of another instance");
    act(&mut model, lease("LibraryService", &instance));
    assert!(screen(&model).contains("12s left of 15s, renewed 3s ago"), "{}", screen(&model));
    assert!(model.is_ageing());
    let later = now() + Duration::from_secs(5);
    assert!(crate::fixture::screen_at(&model, later).contains("7s left of 15s, renewed 8s ago"));
    assert!(crate::fixture::screen_at(&model, now() + Duration::from_secs(20)).contains("✗ over"));
    assert_eq!(update(&mut model, Action::Tick, later), [asked]);
    press(&mut model, "<esc>");
    assert_eq!(update(&mut model, Action::Tick, later), []);
}

#[test]
fn an_instance_is_put_under_maintenance_in_a_form_and_its_service_too() {
    for (keys, instance) in [("2jm", Some("LogService-localhost-4000")), ("2jM", None), ("4m", None)] {
        let mut model = full(80, 24);
        model.operator = "Ann".to_owned();
        press(&mut model, keys);
        let effects = press(&mut model, "<ctrl-u>drain<tab>new disk<tab><tab>2h<enter>");
        let wanted = Maintenance {
            service: "LogService".to_owned(),
            instance: instance.map(str::to_owned),
            mode: MaintenanceMode::Drain,
            reason: "new disk".to_owned(),
            owner: "Ann".to_owned(),
            since: None,
            until: Some(now() + Duration::from_secs(7_200)),
        };
        assert_eq!(effects, [Request::BeginMaintenance(Box::new(wanted)).into()], "{keys}");
    }
}

#[test]
fn what_is_under_maintenance_is_ended_after_a_question_that_says_whose_it_is() {
    let mut model = full(80, 24);
    press(&mut model, "2jjjM");
    let shown = screen(&model);
    assert!(
        shown.contains("End the maintenance of 图书馆服务?") && shown.contains("by Ann (new shelves)"),
        "{shown}"
    );
    let wanted = Request::EndMaintenance { service: "图书馆服务".to_owned(), instance: None };
    assert_eq!(press(&mut model, "y"), [wanted.into()]);
}

#[test]
fn a_service_leads_to_its_incidents_and_back_to_all() {
    for (keys, found) in [("2jji", vec![3, 2]), ("2i", vec![3]), ("2i<esc>", vec![3, 2]), ("1i", vec![3])] {
        let mut model = full(80, 24);
        press(&mut model, keys);
        let incidents = model.incidents.rows.iter().filter(|row| row.dependent.is_none());
        let ids: Vec<u64> = incidents.map(|row| model.incidents.incidents[row.incident].id).collect();
        let tab = if keys.ends_with("<esc>") { Tab::Services } else { Tab::Incidents };
        assert_eq!((model.tab, ids), (tab, found), "{keys}");
    }
}

#[test]
fn the_overview_selects_what_is_wrong_and_opens_it() {
    let mut model = full(80, 24);
    assert_eq!(model.subject(), Some("LogService"));
    press(&mut model, "jjj");
    assert_eq!(model.subject(), Some("WebService"), "the worst are first");
    press(&mut model, "<enter>");
    assert_eq!((model.tab, selected_service(&model).as_str()), (Tab::Services, "WebService"));
}

#[test]
fn names_deep_in_a_chain_of_failures_are_whole_at_80_columns() {
    let mut model = full(80, 24);
    let Action::Registry { registrations, .. } = registry() else { unreachable!() };
    let Action::Monitor { health, mut incidents, maintenances } = monitor(4) else { unreachable!() };
    let root = incidents.open.rows.iter_mut().find(|incident| incident.id == 3).unwrap();
    let names: Vec<String> = (1..=6).map(|n| format!("chain-service-number-{n}")).collect();
    let mut before = root.service.clone();
    let mut chain = Vec::new();
    for name in &names {
        let required_services = vec![std::mem::replace(&mut before, name.clone())];
        chain.push(Registration {
            service_name: name.clone(),
            required_services,
            ..registrations[0].clone()
        });
    }
    let dependent = |service: &String| Dependent { service: service.clone(), ..root.dependents[2].clone() };
    root.dependents = names.iter().map(dependent).collect();
    act(&mut model, Action::Registry { revision: 18, registrations: chain });
    act(&mut model, Action::Monitor { health, incidents, maintenances });
    press(&mut model, "4");
    let shown = screen(&model);
    assert!(names.iter().all(|name| shown.contains(name)), "{shown}");
}

#[test]
fn what_follows_from_an_open_incident_stands_below_it_and_is_looked_at_by_itself() {
    let mut model = full(80, 24);
    press(&mut model, "4");
    let rows: Vec<(u64, Option<&str>)> = (model.incidents.rows.iter())
        .map(|row| {
            let incident = &model.incidents.incidents[row.incident];
            (incident.id, row.dependent.map(|at| incident.dependents[at].service.as_str()))
        })
        .collect();
    let below = |service| (3, Some(service));
    assert_eq!(
        rows,
        [(3, None), below("LibraryService"), below("WebService"), below("图书馆服务"), (2, None)],
        "in the order of who requires whom"
    );
    let log = |incident, service: &str, at: i64| Effect::Around {
        incident,
        service: service.to_owned(),
        since: ago(at + 60),
        until: ago(at - 120),
    };
    for (key, service, incident, at) in
        [("j", "LibraryService", 3, 250), ("j", "WebService", 3, 250), ("G", "WebService", 2, 90_000)]
    {
        let wanted = [Effect::Study(service.to_owned()), log(incident, service, at)];
        assert_eq!(press(&mut model, key), wanted, "{key}");
    }
}

#[test]
fn what_was_asked_for_and_is_not_shown_any_more_is_dropped() {
    let mut model = full(80, 24);
    press(&mut model, "4");
    for other in [study("WebService"), around("WebService")] {
        act(&mut model, other);
        assert!(model.study.is_none() && model.incidents.around.is_none());
    }
    act(&mut model, study("LogService"));
    act(&mut model, around("LogService"));
    assert!(model.study.is_some() && model.incidents.around.is_some());
    // A monitor that went away says nothing: what is shown stays.
    act(
        &mut model,
        Action::Study(Box::new(distlog_tui::model::Study {
            service: "LogService".to_owned(),
            ..Default::default()
        })),
    );
    assert!(model.study.as_ref().is_some_and(|study| study.history.is_some()));
}

#[test]
fn the_selected_incident_stays_selected_while_others_come_and_go() {
    let mut model = full(80, 24);
    press(&mut model, "4G");
    assert_eq!(model.incidents.incident().map(|incident| incident.id), Some(2));
    let Action::Monitor { health, mut incidents, maintenances } = monitor(4) else { unreachable!() };
    incidents.open.total += 1;
    incidents.open.rows.push(Incident {
        id: 4,
        service: "图书馆服务".to_owned(),
        opened_at: ago(5),
        ..Incident::default()
    });
    act(&mut model, Action::Monitor { health, incidents, maintenances });
    assert_eq!(model.incidents.incident().map(|incident| incident.id), Some(2));
}

#[test]
fn past_incidents_are_those_of_a_day_a_week_or_a_month() {
    let mut model = full(80, 24);
    press(&mut model, "4");
    for (period, found) in [(Period::Month, 2), (Period::Day, 1), (Period::Week, 2)] {
        assert_eq!(model.incidents.period, period);
        let incidents = model.incidents.rows.iter().filter(|row| row.dependent.is_none()).count();
        assert_eq!(incidents, found, "{period:?}");
        press(&mut model, "p");
    }
}

#[test]
fn an_incident_is_acknowledged_by_whoever_operates_and_only_while_it_is_open() {
    let mut model = full(80, 24);
    model.operator = "Ann".to_owned();
    assert_eq!(press(&mut model, "4ja"), []);
    let wanted = Request::Acknowledge { incident: 3, by: "Ann".to_owned() };
    assert_eq!(press(&mut model, "<enter>"), [wanted.into()], "also from what follows from it");
    answer(&mut model, Ok("Ann looks after incident 3"));
    assert_eq!(press(&mut model, "Ga"), []);
    assert!(model.overlay.is_none() && screen(&model).contains("incident 2 is resolved already"));
}

#[test]
fn uptimes_are_asked_for_where_they_are_shown_and_not_too_often() {
    let mut model = full(80, 24);
    assert!(press(&mut model, "4<right>").contains(&Effect::Uptimes));
    let reports = ["LibraryService", "LogService"].map(uptime);
    assert_eq!(
        act(&mut model, Action::Uptimes(reports.into())),
        [Effect::Study("LibraryService".to_owned())]
    );
    assert_eq!(press(&mut model, "j"), [Effect::Study("LogService".to_owned())], "they are fresh");
    assert!(update(&mut model, monitor(4), now() + Duration::from_secs(40)).contains(&Effect::Uptimes));
    press(&mut model, "<esc>");
    assert_eq!(model.incidents.view, IncidentsView::Incidents);
}

#[test]
fn news_of_the_monitor_bring_the_study_that_is_shown_and_of_its_repetition_nothing() {
    let mut model = fresh(80, 24);
    act(&mut model, registry());
    press(&mut model, "4");
    let effects = act(&mut model, monitor(1));
    assert!(
        effects.contains(&Effect::Study("LogService".to_owned())),
        "the root of what is open: {effects:?}"
    );
    assert_eq!(act(&mut model, monitor(1)), []);
}

#[test]
fn books_and_loans_are_narrowed_together_and_borrowed_from_what_is_found() {
    let mut model = full(80, 24);
    press(&mut model, "5/王");
    assert_eq!((model.library.book_count(), model.library.loan_count()), (1, 1));
    assert_eq!(model.library.subject().map(|book| book.id.as_str()), Some("3"));
    press(&mut model, "<enter>b");
    let Some(Overlay::Form(form)) = &model.overlay else { panic!("no form") };
    assert_eq!(form.value("book_id"), "3");
    assert!(screen(&model).contains("who takes it"));
    press(&mut model, "<up>");
    assert!(screen(&model).contains("HTTP协议详解 by 王五: 1 of 1 in"), "{}", screen(&model));
    press(&mut model, "<esc><esc>");
    assert_eq!((model.library.book_count(), model.library.loan_count()), (4, 2));
}

#[test]
fn the_selected_book_stays_selected_while_the_library_changes() {
    let mut model = full(80, 24);
    press(&mut model, "5jj");
    let Action::Library { mut books, loans } = library() else { unreachable!() };
    books.rows.remove(0);
    act(&mut model, Action::Library { books, loans });
    assert_eq!(model.library.subject().map(|book| book.id.as_str()), Some("3"));
}

#[test]
fn a_field_that_is_left_says_at_once_what_is_wrong_with_it() {
    let mut model = full(80, 24);
    press(&mut model, "5aDune<tab>Herbert<tab>two<tab>");
    let shown = screen(&model);
    assert!(shown.contains("✗ is a whole number from 1 on"), "{shown}");
    press(&mut model, "<up><backspace><backspace><backspace>2<tab>");
    assert!(!screen(&model).contains("whole number"));
}

#[test]
fn a_book_that_is_refused_is_shown_at_its_field() {
    let mut model = full(80, 24);
    press(&mut model, "5bAnn<enter>");
    let failure = Failure {
        message: "no copy of 'Go编程实战' is in: 1 of 1 are lent".to_owned(),
        status: Some(409),
        field: Some("book_id".to_owned()),
        position: None,
    };
    answer(&mut model, Err(failure));
    let Some(Overlay::Form(form)) = &model.overlay else { panic!("the form closed") };
    assert_eq!((form.focus, form.fields[0].error.is_some()), (0, true));
}
