//! Explanations, read as sentences.

use super::super::batch::Batch;
use super::super::check::Thresholds;
use super::super::flap::FlapRules;
use super::super::state::Rules;
use super::*;
use crate::runtime::probe::{Failure, Outcome};
use shared::client::{Fleet, Instances};
use shared::wire::monitor::{Maintenance, Phase};
use std::sync::Arc;

fn state() -> State {
    let rules = Rules {
        thresholds: Thresholds { failures: 3, successes: 2, grace: TimeDelta::zero() },
        interval: Duration::from_secs(10),
        confirm: Duration::from_secs(2),
        history: TimeDelta::days(7),
        forget_after: TimeDelta::days(7),
        recovery: TimeDelta::seconds(50),
        flaps: FlapRules { changes: 6, window: TimeDelta::minutes(10) },
    };
    let mut fleet = Fleet { known: true, ..Fleet::default() };
    for (service, requires) in [("a", vec!["b"]), ("b", vec![])] {
        let registration = serde_json::from_value(serde_json::json!({
            "serviceName": service, "serviceUrl": "http://h:1", "instanceId": service, "ttlSeconds": 15,
            "requiredServices": requires, "registeredAt": "2026-01-01T00:00:00Z", "revision": 1,
        }));
        let instances = Instances::from([(service.to_owned(), Arc::new(registration.unwrap()))]);
        fleet.services.insert(service.to_owned(), Arc::new(instances));
    }
    let mut state = State::new(rules);
    state.sync(&Arc::new(fleet), at(0), &mut Batch::default());
    state
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
}

fn probe(state: &mut State, service: &str, second: i64, good: bool) {
    let failure = (!good).then(|| Failure::new(Phase::Http, "status 500"));
    let outcome = Outcome { latency: Duration::from_millis(3), failure, warning: None };
    state.observe(service, service, &outcome, at(second), &mut Batch::default());
}

fn words(state: &State, service: &str, second: i64) -> String {
    state.explain(service, &[], at(second)).unwrap().words.join("\n")
}

#[test]
fn it_says_how_many_failures_of_how_many_and_what_it_waits_for() {
    let mut state = state();
    for service in ["a", "b"] {
        probe(&mut state, service, 0, true);
    }
    probe(&mut state, "b", 11, false);
    assert_eq!(
        words(&state, "b", 12),
        "b has been healthy for 12s.\n\
         Instance b is probed by http at http://h:1; its lease of 15s is held.\n\
         Instance b: 1 of 3 failures in a row that make it unhealthy.\n\
         Instance b: the next probe is in about 1s."
    );
    for second in [10, 20, 30] {
        probe(&mut state, "a", second, false);
    }
    let text = words(&state, "a", 31);
    assert!(text.starts_with("a has been unhealthy for 1s, for http: status 500."), "{text}");
    assert!(text.contains("It requires b, which is healthy."), "{text}");
    assert!(text.ends_with(
        "It has no incident: b, which it requires, fails too, but not yet often enough to be called down."
    ));
}

#[test]
fn one_is_one_and_more_are_many() {
    let mut state = state();
    probe(&mut state, "b", 0, true);
    assert!(words(&state, "b", 1).contains("Instance b: 1 success in a row."));
    probe(&mut state, "b", 10, true);
    assert!(words(&state, "b", 11).contains("Instance b: 2 successes in a row."));
    state.rules.thresholds = Thresholds { failures: 1, successes: 1, grace: TimeDelta::zero() };
    probe(&mut state, "b", 20, false);
    assert!(words(&state, "b", 21).contains("Instance b: 1 failure in a row, 1 makes it unhealthy."));
}

#[test]
fn it_names_the_incident_and_its_root() {
    let mut state = state();
    for service in ["b", "a"] {
        for second in [10, 20, 30] {
            probe(&mut state, service, second, false);
        }
    }
    state.blame(at(31), &mut Batch::default());
    assert!(words(&state, "b", 31).ends_with("It is the root of incident 1; 1 has failed with it."));
    assert!(words(&state, "a", 31).ends_with("It is part of incident 1, whose root is b."));
}

#[test]
fn it_says_who_works_on_it_and_until_when() {
    let mut state = state();
    let maintenance = Maintenance {
        service: "b".to_owned(),
        reason: "new disk".to_owned(),
        owner: "me".to_owned(),
        until: Some(at(90)),
        ..Maintenance::default()
    };
    state.begin_maintenance(maintenance, at(0), &mut Batch::default());
    let text = words(&state, "b", 30);
    assert!(text.contains("It is under maintenance by me: new disk; that ends in 1m."), "{text}");
}
