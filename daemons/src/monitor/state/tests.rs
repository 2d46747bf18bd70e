//! Who is listed, as what, and what that notes to be written.

mod flapping;
mod gone;
mod maintenance;
mod push;

use super::*;
use crate::runtime::probe::Failure;
use shared::wire::monitor::Phase;
use shared::wire::registry::Registration;

/// A monitor on a clock of its own.
struct Bench {
    state: State,
    batch: Batch,
    fleet: Fleet,
    now: DateTime<Utc>,
}

impl Bench {
    fn new() -> Self {
        let rules = Rules {
            thresholds: Thresholds { failures: 2, successes: 2, grace: TimeDelta::zero() },
            interval: Duration::from_secs(10),
            confirm: Duration::from_millis(400),
            history: TimeDelta::days(7),
            forget_after: TimeDelta::days(7),
            recovery: TimeDelta::seconds(40),
            flaps: FlapRules { changes: 6, window: TimeDelta::minutes(10) },
        };
        let fleet = Fleet { known: true, snapshots: 1, ..Fleet::default() };
        Self { state: State::new(rules), batch: Batch::default(), fleet, now: Utc::now() }
    }

    fn register(&mut self, service: &str, requires: &[&str]) {
        let registration: Registration = serde_json::from_value(serde_json::json!({
            "serviceName": service, "serviceUrl": "http://h:1", "instanceId": service,
            "requiredServices": requires, "registeredAt": "2026-01-01T00:00:00Z", "revision": 1,
        }))
        .unwrap();
        let mut instances = Instances::new();
        instances.insert(service.to_owned(), Arc::new(registration));
        self.fleet.services.insert(service.to_owned(), Arc::new(instances));
        self.sync();
    }

    fn remove(&mut self, service: &str, expired: bool) {
        self.fleet.services.remove(service);
        if expired {
            let key = (service.to_owned(), service.to_owned());
            Arc::make_mut(&mut self.fleet.expired).insert(key, 9);
        }
        self.sync();
    }

    fn sync(&mut self) {
        self.state.sync(&Arc::new(self.fleet.clone()), self.now, &mut self.batch);
    }

    /// What time alone does; half a second has passed.
    fn tick(&mut self) {
        self.state.tick(Duration::from_millis(500), self.now, &mut self.batch);
    }

    /// Probes a service, ten seconds after the last time.
    fn probe(&mut self, service: &str, good: bool) {
        self.now += TimeDelta::seconds(10);
        let failure = (!good).then(|| Failure { phase: Phase::Http, detail: "status 500".to_owned() });
        let outcome = Outcome { latency: Duration::from_millis(3), failure, warning: None };
        self.state.observe(service, service, &outcome, self.now, &mut self.batch);
    }

    fn fail(&mut self, service: &str) {
        self.probe(service, false);
        self.probe(service, false);
    }

    fn status(&self, service: &str) -> Option<Status> {
        self.state.report_one(service, self.now).map(|service| service.status)
    }

    /// What was noted to be told: `name from>to`, or `#id service` (`!` resolved).
    fn told(&mut self) -> Vec<String> {
        self.state.blame(self.now, &mut self.batch);
        let events = std::mem::take(&mut self.batch.events);
        let tell = |(_, data): (u64, EventData)| match data {
            EventData::Transition(t) => format!("{} {}>{}", t.name, t.from, t.to),
            EventData::Incident(i) => {
                format!("#{} {}{}", i.id, i.service, if i.resolved_at.is_some() { "!" } else { "" })
            }
        };
        events.into_iter().map(tell).collect()
    }
}

#[test]
fn a_transition_and_its_incident_are_noted_together() {
    let mut bench = Bench::new();
    bench.register("a", &[]);
    bench.probe("a", true);
    assert_eq!(bench.told(), ["a unknown>healthy"]);
    bench.fail("a");
    assert_eq!(bench.told(), ["a healthy>unhealthy", "#1 a"]);
    let report = bench.state.report_one("a", bench.now).unwrap();
    assert_eq!((report.reason, report.detail.as_deref()), (Some(Phase::Http), Some("status 500")));
    bench.probe("a", true);
    assert_eq!(bench.state.report_one("a", bench.now).unwrap().reason, Some(Phase::Http), "still down");
    bench.probe("a", true);
    assert_eq!(bench.told(), ["a unhealthy>healthy", "#1 a!"]);
}

#[test]
fn whoever_begins_to_fail_is_probed_again_soon_and_so_is_what_it_requires() {
    let mut bench = Bench::new();
    bench.register("b", &[]);
    bench.register("a", &["b"]);
    bench.probe("b", true);
    bench.probe("a", true);
    assert_eq!(bench.state.followed("a", "a"), Followed::default());
    bench.probe("a", false);
    let others = vec![("b".into(), "b".into())];
    assert_eq!(bench.state.followed("a", "a"), Followed { again: Some(Duration::from_millis(400)), others });
    bench.probe("a", false);
    assert_eq!(bench.state.followed("a", "a"), Followed::default(), "its failures are enough");
}

#[test]
fn whoever_is_to_be_probed_seldom_is_probed_again_by_that_measure() {
    let mut bench = Bench::new();
    bench.register("a", &[]);
    for (interval, pause_ms) in [("10s", 400), ("5m", 12_000), ("1s", 100), ("100ms", 100)] {
        let mut instances = (*bench.fleet.services["a"]).clone();
        let key = "distlog.probe.interval".to_owned();
        Arc::make_mut(instances.get_mut("a").unwrap()).metadata.insert(key, interval.to_owned());
        bench.fleet.services.insert("a".to_owned(), Arc::new(instances));
        bench.sync();
        bench.probe("a", true);
        bench.probe("a", false);
        let again = bench.state.followed("a", "a").again;
        assert_eq!(again, Some(Duration::from_millis(pause_ms)), "{interval}");
    }
    bench.state.rules.confirm = bench.state.rules.interval;
    assert_eq!(bench.state.followed("a", "a").again, Some(Duration::from_millis(100)), "never longer");
}

#[test]
fn a_service_that_deregisters_leaves_the_list_and_its_incident_is_resolved() {
    let mut bench = Bench::new();
    bench.register("a", &[]);
    bench.fail("a");
    bench.told();
    bench.remove("a", false);
    assert_eq!((bench.status("a"), bench.told()), (None, vec!["#1 a!".to_owned()]));
}

#[test]
fn a_service_whose_lease_ran_out_stays_listed_as_unhealthy_until_it_returns() {
    let mut bench = Bench::new();
    bench.register("a", &[]);
    bench.probe("a", true);
    bench.told();
    bench.remove("a", true);
    assert_eq!(bench.told(), ["a healthy>unhealthy", "#1 a"]);
    let report = bench.state.report_one("a", bench.now).unwrap();
    assert_eq!(report.detail.as_deref(), Some("its lease expired"));
    assert!(bench.state.targets().is_empty(), "it is not probed");
    bench.fleet.expired = Arc::default();
    bench.register("a", &[]);
    bench.probe("a", true);
    assert_eq!(bench.told(), ["a unhealthy>unknown", "a unknown>healthy", "#1 a!"]);
}

#[test]
fn a_lost_service_leaves_the_list_when_it_is_told_to_or_after_the_history() {
    let mut bench = Bench::new();
    for name in ["a", "b"] {
        bench.register(name, &[]);
        bench.remove(name, true);
    }
    assert!(bench.state.forget("a", bench.now, &mut bench.batch));
    assert_eq!((bench.status("a"), bench.status("b")), (None, Some(Status::Unhealthy)));
    bench.now += TimeDelta::days(8);
    bench.tick();
    assert_eq!(bench.status("b"), None);
}

#[test]
fn what_went_unseen_stays_red_if_it_was_red() {
    let mut bench = Bench::new();
    for name in ["red", "green"] {
        bench.register(name, &[]);
    }
    bench.fail("red");
    bench.probe("green", true);
    bench.fleet.services.clear();
    bench.fleet.snapshots += 1;
    bench.sync();
    assert_eq!((bench.status("red"), bench.status("green")), (Some(Status::Unhealthy), None));
}

#[test]
fn maintenance_opens_no_incident_and_stops_the_uptime() {
    let mut bench = Bench::new();
    bench.register("a", &[]);
    bench.probe("a", true);
    let until = Some(bench.now + TimeDelta::minutes(5));
    let maintenance = Maintenance { service: "a".to_owned(), until, ..Maintenance::default() };
    bench.state.begin_maintenance(maintenance, bench.now, &mut bench.batch);
    bench.told();
    bench.fail("a");
    let report = bench.state.report_one("a", bench.now).unwrap();
    assert_eq!((report.status, report.uptime), (Status::Maintenance, Some(1.0)));
    assert_eq!(bench.told(), [""; 0]);
    bench.now += TimeDelta::minutes(5);
    bench.tick();
    assert_eq!(bench.told(), ["a maintenance>unhealthy", "#1 a"]);
}

#[test]
fn probes_made_to_be_sure_weigh_no_more_than_the_time_they_take() {
    let mut bench = Bench::new();
    bench.register("a", &[]);
    for _ in 0..8 {
        bench.probe("a", true);
    }
    bench.probe("a", false);
    for _ in 0..2 {
        bench.now -= TimeDelta::milliseconds(9_500);
        bench.probe("a", false);
    }
    bench.now -= TimeDelta::milliseconds(1_000);
    bench.probe("a", true);
    // Seventy seconds well, eleven not, nine well again.
    assert_eq!(bench.state.report_one("a", bench.now).unwrap().uptime, Some(79_001.0 / 90_001.0));
}

#[test]
fn the_time_without_a_lease_is_no_uptime_however_well_the_last_probe_went() {
    let mut bench = Bench::new();
    bench.register("a", &[]);
    for _ in 0..7 {
        bench.probe("a", true);
    }
    bench.remove("a", true);
    for _ in 0..40 {
        bench.tick();
    }
    // A minute and a moment well, then twenty seconds without a lease.
    assert_eq!(bench.state.report_one("a", bench.now).unwrap().uptime, Some(60_001.0 / 80_001.0));
}

#[test]
fn one_root_and_its_dependents_are_one_incident_whoever_is_seen_first() {
    let mut bench = Bench::new();
    bench.register("root", &[]);
    for name in ["x", "y"] {
        bench.register(name, &["root"]);
    }
    for name in ["root", "x", "y"] {
        bench.probe(name, true);
    }
    bench.told();
    bench.probe("root", false);
    bench.fail("x");
    assert_eq!(bench.told(), ["x healthy>unhealthy"], "it waits, for what it requires wavers");
    bench.probe("root", false);
    bench.fail("y");
    assert_eq!(
        bench.told(),
        ["root healthy>unhealthy", "y healthy>unhealthy", "#1 root"],
        "one incident, drawn once from all that changed"
    );
    assert_eq!(bench.state.open[&1].affected, ["x", "y"]);
    bench.probe("root", true);
    bench.probe("root", true);
    assert_eq!(bench.told(), ["root unhealthy>healthy", "#1 root!"]);
    for name in ["x", "y", "x", "y"] {
        bench.probe(name, true);
    }
    assert_eq!(bench.told(), ["x unhealthy>healthy", "y unhealthy>healthy"], "and no second incident");
}

#[test]
fn who_is_left_behind_when_the_one_between_is_well_again_is_given_time() {
    let mut bench = Bench::new();
    for (name, requires) in [("root", &[][..]), ("mid", &["root"]), ("leaf", &["mid"])] {
        bench.register(name, requires);
    }
    for name in ["root", "mid", "leaf"] {
        bench.fail(name);
    }
    bench.told();
    assert_eq!(bench.state.open[&1].affected, ["leaf", "mid"]);
    bench.probe("mid", true);
    bench.probe("mid", true);
    assert_eq!(bench.told(), ["mid unhealthy>healthy", "#1 root"], "leaf has not been probed yet");
    let leaf = bench.state.open[&1].dependents.iter().find(|d| d.service == "leaf").unwrap().clone();
    assert!(!leaf.own_cause, "{leaf:?}");
    for _ in 0..5 {
        bench.probe("root", false);
        bench.probe("leaf", false);
        bench.tick();
    }
    assert_eq!(
        bench.told(),
        ["#2 leaf", "#1 root"],
        "it has had its time, and is down for a cause of its own"
    );
    assert!(bench.state.open[&1].dependents.iter().any(|d| d.service == "leaf" && d.own_cause));
}

#[test]
fn a_service_is_healthy_while_one_instance_is() {
    let mut bench = Bench::new();
    bench.register("a", &[]);
    let mut instances = (*bench.fleet.services["a"]).clone();
    let mut second = (*instances["a"]).clone();
    second.instance_id = "b".to_owned();
    instances.insert("b".to_owned(), Arc::new(second));
    bench.fleet.services.insert("a".to_owned(), Arc::new(instances));
    bench.sync();
    let good = Outcome::default();
    bench.state.observe("a", "b", &good, bench.now, &mut bench.batch);
    bench.fail("a");
    assert_eq!(bench.status("a"), Some(Status::Healthy));
    assert_eq!(bench.state.report_one("a", bench.now).unwrap().instances[0].status, Status::Unhealthy);
}
