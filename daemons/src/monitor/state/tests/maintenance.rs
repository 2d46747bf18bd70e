//! An operator's word, and what holds after it.

use super::*;
use shared::wire::monitor::MaintenanceMode;

impl Bench {
    /// A second instance of a service that has one.
    fn add(&mut self, service: &str, id: &str) {
        let mut instances = (*self.fleet.services[service]).clone();
        let mut second = (**instances.values().next().unwrap()).clone();
        second.instance_id = id.to_owned();
        instances.insert(id.to_owned(), Arc::new(second));
        self.fleet.services.insert(service.to_owned(), Arc::new(instances));
        self.sync();
    }

    fn hold(&mut self, service: &str, instance: Option<&str>, mode: MaintenanceMode) {
        let instance = instance.map(str::to_owned);
        let since = Some(self.now);
        let said =
            Maintenance { service: service.to_owned(), instance, mode, since, ..Maintenance::default() };
        self.state.begin_maintenance(said, self.now, &mut self.batch);
    }

    fn release(&mut self, service: &str, instance: Option<&str>) {
        let key = (service.to_owned(), instance.map(str::to_owned));
        self.state.end_maintenance(&key, self.now, &mut self.batch);
    }

    fn probe_one(&mut self, service: &str, id: &str, good: bool) {
        let failure = (!good).then(|| Failure { phase: Phase::Http, detail: "status 500".to_owned() });
        let outcome = Outcome { latency: Duration::from_millis(3), failure, warning: None };
        self.state.observe(service, id, &outcome, self.now, &mut self.batch);
    }

    fn instances(&self, service: &str) -> Vec<Status> {
        let report = self.state.report_one(service, self.now).unwrap();
        report.instances.iter().map(|instance| instance.status).collect()
    }
}

#[test]
fn an_instance_under_maintenance_says_nothing_of_its_service() {
    use Status::{Draining, Healthy, Maintenance, Unhealthy, Unknown};
    let mut bench = Bench::new();
    bench.register("a", &[]);
    bench.add("a", "b");
    bench.hold("a", Some("a"), MaintenanceMode::Maintenance);
    assert_eq!((bench.status("a"), bench.instances("a")), (Some(Unknown), vec![Maintenance, Unknown]));
    bench.probe_one("a", "b", true);
    assert_eq!(bench.status("a"), Some(Healthy));
    bench.probe_one("a", "a", true);
    for _ in 0..2 {
        bench.probe_one("a", "b", false);
    }
    assert_eq!(bench.status("a"), Some(Unhealthy), "one that is being worked on is no help");
    bench.hold("a", Some("b"), MaintenanceMode::Drain);
    assert_eq!((bench.status("a"), bench.instances("a")), (Some(Maintenance), vec![Maintenance, Draining]));
    bench.hold("a", Some("a"), MaintenanceMode::Drain);
    assert_eq!(bench.status("a"), Some(Draining));
    bench.release("a", Some("a"));
    assert_eq!(bench.status("a"), Some(Healthy));
}

#[test]
fn the_end_shows_what_the_probes_have_said_meanwhile() {
    for (probes, status, told) in [
        (&[true][..], Status::Healthy, &["a maintenance>healthy"][..]),
        (&[], Status::Unknown, &["a maintenance>unknown"]),
        (&[false], Status::Unknown, &["a maintenance>unknown"]),
        (&[true, false, false], Status::Unhealthy, &["a maintenance>unhealthy", "#1 a"]),
    ] {
        let mut bench = Bench::new();
        bench.register("a", &[]);
        bench.hold("a", None, MaintenanceMode::Maintenance);
        for good in probes {
            bench.probe("a", *good);
        }
        assert_eq!(bench.status("a"), Some(Status::Maintenance), "no probe can undo it");
        bench.told();
        bench.release("a", None);
        assert_eq!(
            (bench.status("a"), bench.told()),
            (Some(status), told.iter().map(|t| (*t).to_owned()).collect())
        );
    }
}

#[test]
fn it_holds_for_an_instance_that_goes_and_comes_back() {
    let mut bench = Bench::new();
    bench.register("a", &[]);
    bench.probe("a", true);
    bench.hold("a", Some("a"), MaintenanceMode::Maintenance);
    bench.told();
    bench.remove("a", true);
    assert_eq!((bench.status("a"), bench.told()), (Some(Status::Maintenance), vec![]), "its lease ran out");
    bench.remove("a", false);
    bench.fleet.expired = Arc::default();
    bench.register("a", &[]);
    assert_eq!(bench.status("a"), Some(Status::Maintenance));
    bench.release("a", Some("a"));
    bench.probe("a", true);
    assert_eq!(bench.told(), ["a maintenance>unknown", "a unknown>healthy"]);
}

#[test]
fn whoever_fails_for_a_maintenance_pages_nobody_until_that_is_over_and_it_had_time_to_recover() {
    let mut bench = Bench::new();
    bench.register("root", &[]);
    bench.register("a", &["root"]);
    for name in ["root", "a"] {
        bench.probe(name, true);
    }
    bench.hold("root", Some("root"), MaintenanceMode::Maintenance);
    bench.told();
    bench.fail("a");
    assert_eq!(bench.told(), ["a healthy>unhealthy"]);
    // Whoever works on the root has stopped it.
    bench.remove("root", false);
    bench.tick();
    assert_eq!(bench.told(), [""; 0]);
    bench.register("root", &[]);
    bench.probe("root", true);
    bench.release("root", Some("root"));
    assert_eq!(bench.told(), ["root unknown>maintenance", "root maintenance>healthy"]);
    bench.probe("a", false);
    bench.probe("root", true);
    assert_eq!(bench.told(), [""; 0], "it has time to recover");
    for _ in 0..4 {
        bench.probe("a", false);
        bench.probe("root", true);
    }
    bench.tick();
    assert_eq!(bench.told(), ["#1 a"], "it is down still");
}

#[test]
fn a_root_that_is_put_under_maintenance_takes_its_incident_with_it() {
    let mut bench = Bench::new();
    bench.register("root", &[]);
    bench.register("a", &["root"]);
    for name in ["root", "a"] {
        bench.fail(name);
    }
    bench.told();
    bench.hold("root", None, MaintenanceMode::Maintenance);
    assert_eq!(bench.told(), ["root unhealthy>maintenance", "#1 root!"]);
    for _ in 0..9 {
        bench.probe("a", false);
        bench.tick();
    }
    assert_eq!(bench.told(), [""; 0], "what fails with it is planned");
}

#[test]
fn one_instance_that_is_drained_excuses_nobody_when_all_of_them_are_gone() {
    let mut bench = Bench::new();
    bench.register("root", &[]);
    bench.add("root", "second");
    bench.register("a", &["root"]);
    for name in ["root", "a"] {
        bench.probe(name, true);
    }
    bench.hold("root", Some("second"), MaintenanceMode::Drain);
    bench.remove("root", false);
    bench.told();
    bench.fail("a");
    assert_eq!(bench.told(), ["a healthy>unhealthy", "#1 a"]);
    // Had both been drained it would have waited.
    bench.hold("root", Some("root"), MaintenanceMode::Drain);
    assert!(bench.state.is_gone_planned("root"));
    bench.release("root", Some("second"));
    assert!(!bench.state.is_gone_planned("root"));
}
