//! The overview: what matters most is seen, however small the screen is.

use crate::fixture::{act, ago, full, now, press, screen};
use distlog_tui::action::Action;
use distlog_tui::model::{IncidentLists, Model, SourceName, Tab};
use serde_json::json;
use shared::wire::monitor::ServiceStatus;

/// A fleet of services of these names and statuses.
fn fleet(model: &mut Model, services: &[(&str, &str)]) {
    let registration = |(at, (name, _)): (usize, &(&str, &str))| {
        let url = format!("http://localhost:{}", 7_000 + at);
        json!({
            "serviceName": name, "serviceUrl": url, "instanceId": format!("{name}-1"),
            "registeredAt": ago(60), "revision": at,
        })
    };
    let registrations = services.iter().enumerate().map(registration);
    let registrations = registrations.map(|json| serde_json::from_value(json).unwrap()).collect();
    act(model, Action::Registry { revision: 99, registrations });
    let health = |(name, status): &(&str, &str)| -> ServiceStatus {
        serde_json::from_value(
            json!({"name": name, "url": "http://localhost", "status": status, "instances": []}),
        )
        .unwrap()
    };
    let health = services.iter().map(health).collect();
    act(model, Action::Monitor { health, incidents: IncidentLists::default(), maintenances: Vec::new() });
}

/// Fourteen services, of which the last by name is down.
fn fourteen(model: &mut Model) {
    let names: Vec<String> = ('A'..='M').map(|c| format!("{c}-service")).collect();
    let mut services: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "healthy")).collect();
    services.push(("Zulu", "unhealthy"));
    fleet(model, &services);
}

#[test]
fn the_worst_service_is_seen_first_and_how_many_are_not_seen() {
    let mut model = full(80, 24);
    fourteen(&mut model);
    let shown = screen(&model);
    let line = |text: &str| shown.lines().position(|line| line.contains(text));
    assert!(line("✗ unhealthy   Zulu") < line("A-service") && line("Zulu").is_some(), "{shown}");
    assert!(shown.contains("Services: 8 of 14") && shown.contains('↓'), "{shown}");
    assert_eq!(model.subject(), Some("Zulu"));
    press(&mut model, "G");
    assert_eq!(model.subject(), Some("M-service"));
    assert!(screen(&model).contains('↑'));
}

#[test]
fn a_service_that_becomes_worse_moves_and_stays_selected() {
    let mut model = full(80, 24);
    fleet(&mut model, &[("A", "healthy"), ("B", "healthy"), ("C", "healthy")]);
    press(&mut model, "jj");
    assert_eq!(model.subject(), Some("C"));
    fleet(&mut model, &[("A", "healthy"), ("B", "healthy"), ("C", "unhealthy")]);
    assert_eq!((model.subject(), model.overview_row()), (Some("C"), Some(0)));
}

#[test]
fn a_service_that_fails_alone_is_drawn_with_its_state() {
    let mut model = full(120, 40);
    fleet(&mut model, &[("Dead", "unhealthy"), ("Well", "healthy"), ("Works", "maintenance")]);
    let shown = screen(&model);
    assert!(shown.contains("✗ Dead unhealthy") && shown.contains("◆ Works maintenance"), "{shown}");
    assert!(shown.contains("● alone: Well"), "{shown}");
}

#[test]
fn every_size_shows_a_service_and_every_tab() {
    for (columns, lines) in [(40, 10), (60, 15), (80, 24), (110, 24), (200, 50), (300, 80)] {
        let mut model = full(columns, lines);
        fourteen(&mut model);
        let shown = screen(&model);
        assert!(shown.contains("Zulu"), "{columns}x{lines}:\n{shown}");
        let first = shown.lines().next().unwrap();
        assert!(["1 Overview", "2", "3", "4", "5"].iter().all(|tab| first.contains(tab)), "{first}");
        assert!(!shown.contains("LATE ") && !shown.contains("LATEN "), "a heading is whole:\n{shown}");
    }
}

#[test]
fn two_banners_share_a_line_on_a_small_screen() {
    let mut model = full(80, 24);
    act(&mut model, crate::fixture::away(SourceName::Registry));
    act(&mut model, crate::fixture::away(SourceName::Monitor));
    let shown = screen(&model);
    assert!(shown.contains("▲ registry, monitor away, shown as of"), "{shown}");
}

#[test]
fn the_whole_hour_is_drawn_however_narrow_its_place_is() {
    let mut model = full(110, 40);
    let error = json!([now().format("%Y-%m-%dT%H:%M:00Z").to_string(), 1_234]);
    let first = json!([ago(59 * 60).format("%Y-%m-%dT%H:%M:00Z").to_string(), 1_234]);
    let hits = json!({"step_seconds": 60, "total": 0, "series": [
        {"by": {"level": "error"}, "points": [first, error]},
    ]});
    act(&mut model, Action::Volume(serde_json::from_value(hits).unwrap()));
    let shown = screen(&model);
    assert!(shown.contains("2,468 records"), "{shown}");
    let line = shown.lines().find(|line| line.contains("error+  ")).unwrap();
    let bars: String = line.split("2,468 ").nth(1).unwrap().to_owned();
    assert!(bars.starts_with('█') && bars.trim_end_matches([' ', '│']).ends_with('█'), "{shown}");
}

#[test]
fn the_fleet_at_300x80() {
    let mut model = full(300, 80);
    assert_eq!(model.tab, Tab::Overview);
    insta::assert_snapshot!("overview_300x80", screen(&model));
    fourteen(&mut model);
    assert!(screen(&model).contains("Services: 14"));
}
