//! The past with other rules.

use super::super::check::Thresholds;
use super::super::flap::FlapRules;
use super::super::service::Instance;
use super::super::state::Rules;
use super::record::Record;
use super::run::run;
use chrono::{DateTime, TimeDelta, Utc};
use shared::wire::monitor::{Phase, ProbeRecord, Status, Transition};
use std::collections::BTreeMap;
use std::time::Duration;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
}

fn rules(failures: u32, changes: u32) -> Rules {
    Rules {
        thresholds: Thresholds { failures, successes: 1, grace: TimeDelta::zero() },
        interval: Duration::from_secs(10),
        confirm: Duration::from_secs(2),
        history: TimeDelta::days(7),
        forget_after: TimeDelta::days(7),
        recovery: TimeDelta::seconds(40),
        flaps: FlapRules { changes, window: TimeDelta::minutes(10) },
    }
}

/// Probes every ten seconds: `+` went well, `-` failed.
fn probes(service: &str, begin: i64, pattern: &str) -> (String, Vec<ProbeRecord>) {
    let probe = |(n, c)| ProbeRecord {
        at: at(begin + 10 * n),
        instance_id: service.to_owned(),
        healthy: c == '+',
        latency: (c == '+').then_some(2),
        reason: (c == '-').then_some(Phase::Http),
        detail: (c == '-').then(|| "status 500".to_owned()),
    };
    (service.to_owned(), (0_i64..).zip(pattern.chars()).map(probe).collect())
}

fn instances(requires: &[(&str, &[&str])]) -> BTreeMap<String, BTreeMap<String, Instance>> {
    let instance = |requires: &[&str]| Instance {
        url: "http://h:1".to_owned(),
        requires: requires.iter().map(|name| (*name).to_owned()).collect(),
        ..Instance::default()
    };
    requires
        .iter()
        .map(|(name, requires)| {
            ((*name).to_owned(), BTreeMap::from([((*name).to_owned(), instance(requires))]))
        })
        .collect()
}

fn told(record: Record, rules: Rules) -> Vec<String> {
    run(record, rules, at(100_000))
        .iter()
        .map(|incident| format!("{}<{}", incident.service, incident.affected.join(",")))
        .collect()
}

#[test]
fn fewer_failures_would_have_paged_more_often() {
    let pattern = "++--++--++---+++++++";
    let record = || Record { probes: BTreeMap::from([probes("a", 0, pattern)]), ..Record::default() };
    assert_eq!(told(record(), rules(3, 0)), ["a<"]);
    assert_eq!(told(record(), rules(2, 0)), ["a<", "a<", "a<"]);
    assert_eq!(told(record(), rules(2, 2)).len(), 2, "then it flaps");
}

#[test]
fn who_requires_whom_makes_one_of_two() {
    let record = |requires: &[(&str, &[&str])]| Record {
        instances: instances(requires),
        probes: BTreeMap::from([probes("a", 3, "++----++++++"), probes("b", 0, "++----++++++")]),
        ..Record::default()
    };
    assert_eq!(told(record(&[("a", &["b"]), ("b", &[])]), rules(2, 0)), ["b<a"]);
    assert_eq!(told(record(&[("a", &[]), ("b", &[])]), rules(2, 0)), ["b<", "a<"]);
}

#[test]
fn who_is_deregistered_fails_no_longer() {
    let transition = Transition {
        id: 0,
        at: at(100),
        name: "b".to_owned(),
        from: Status::Healthy,
        to: Status::Unhealthy,
        reason: None,
        detail: None,
    };
    let record = Record {
        instances: instances(&[("c", &[])]),
        gone: BTreeMap::from([("b".to_owned(), at(900))]),
        probes: BTreeMap::from([probes("a", 0, "++----"), probes("c", 0, "++----")]),
        transitions: vec![transition],
        ..Record::default()
    };
    let incidents = run(record, rules(3, 0), at(100_000));
    let open_until: Vec<_> = incidents
        .iter()
        .map(|one| (one.service.as_str(), one.resolved_at.map(|at| at.timestamp())))
        .collect();
    assert_eq!(open_until, [("a", Some(50)), ("c", None), ("b", Some(900))]);
}

#[test]
fn what_failed_before_all_that_is_recorded_is_no_news() {
    let mut silent = instances(&[("job", &[]), ("a", &[])]);
    let check = &mut silent.get_mut("job").unwrap().get_mut("job").unwrap().check;
    (check.status, check.since) = (Status::Unhealthy, Some(at(-5_000)));
    let record = Record {
        instances: silent,
        probes: BTreeMap::from([probes("job", 0, "------"), probes("a", 0, "++---+")]),
        ..Record::default()
    };
    let opened: Vec<_> = run(record, rules(3, 0), at(100_000))
        .into_iter()
        .map(|one| (one.service, one.opened_at.timestamp(), one.resolved_at.is_some()))
        .collect();
    assert_eq!(opened, [("job".to_owned(), -5_000, false), ("a".to_owned(), 40, true)]);
}

#[test]
fn before_the_probes_the_transitions_are_gone_by() {
    let transition = |second, from, to| Transition {
        id: 0,
        at: at(second),
        name: "a".to_owned(),
        from,
        to,
        reason: None,
        detail: None,
    };
    let record = Record {
        transitions: vec![
            transition(100, Status::Unknown, Status::Healthy),
            transition(200, Status::Healthy, Status::Unhealthy),
            transition(300, Status::Unhealthy, Status::Healthy),
            transition(400, Status::Healthy, Status::Maintenance),
            transition(500, Status::Maintenance, Status::Unhealthy),
            transition(600, Status::Unhealthy, Status::Healthy),
            // This one the probes make themselves.
            transition(5_020, Status::Healthy, Status::Unhealthy),
        ],
        probes: BTreeMap::from([probes("a", 5_000, "+---+++")]),
        ..Record::default()
    };
    assert_eq!(told(record, rules(3, 0)), ["a<", "a<", "a<"]);
}

#[test]
fn a_transition_of_one_with_thresholds_of_its_own_is_made_by_those() {
    let way = BTreeMap::from([("distlog.failures".to_owned(), "9".to_owned())]);
    let mut instance = Instance { url: "http://h:1".to_owned(), way, ..Instance::default() };
    instance.read();
    let record = Record {
        instances: BTreeMap::from([("a".to_owned(), BTreeMap::from([("i".to_owned(), instance)]))]),
        transitions: vec![Transition {
            id: 0,
            at: at(200),
            name: "a".to_owned(),
            from: Status::Healthy,
            to: Status::Unhealthy,
            reason: None,
            detail: None,
        }],
        ..Record::default()
    };
    assert_eq!(told(record, rules(3, 0)), ["a<"]);
}
