//! What is kept of a service that is not listed.

use super::super::super::schema::MIGRATIONS;
use super::super::super::store::{self, Rows};
use super::*;
use crate::runtime::database::Loading;
use rusqlite::Connection;

impl Bench {
    fn uptime(&self, service: &str) -> Option<f64> {
        self.state.report_one(service, self.now)?.uptime
    }
}

#[test]
fn whoever_comes_back_goes_on_with_its_uptime() {
    let mut bench = Bench::new();
    bench.now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    bench.register("a", &[]);
    bench.fail("a");
    bench.remove("a", false);
    bench.register("a", &[]);
    assert_eq!((bench.status("a"), bench.uptime("a")), (Some(Status::Unknown), Some(0.0)));
    for _ in 0..2 {
        bench.probe("a", true);
    }
    assert_eq!(bench.uptime("a"), Some(0.5));
    let sums: Vec<_> = bench.batch.uptime.values().map(|sum| (sum.good_ms, sum.total_ms)).collect();
    assert_eq!(sums, [(10_001, 20_002)], "what is written has all of it");
}

#[test]
fn that_holds_over_a_restart() {
    let connection = Connection::open_in_memory().unwrap();
    MIGRATIONS.iter().for_each(|migration| connection.execute_batch(migration).unwrap());
    let mut bench = Bench::new();
    bench.register("a", &[]);
    bench.fail("a");
    bench.remove("a", false);
    let rows = Rows::of(&bench.batch, &bench.state);
    store::write(&connection, &bench.batch, &rows.unwrap(), bench.now).unwrap();
    bench.state = store::load(&mut Loading::new(&connection, false), bench.state.rules, bench.now).unwrap();
    assert_eq!(bench.status("a"), None);
    bench.register("a", &[]);
    for _ in 0..2 {
        bench.probe("a", true);
    }
    assert_eq!(bench.uptime("a"), Some(0.5));
}

#[test]
fn it_is_forgotten_when_the_history_is() {
    let mut bench = Bench::new();
    bench.register("a", &[]);
    bench.fail("a");
    bench.remove("a", false);
    bench.batch = Batch::default();
    bench.now += TimeDelta::days(8);
    bench.tick();
    assert!(bench.state.gone.is_empty() && bench.batch.services.contains("a"));
}

#[test]
fn whoever_comes_and_goes_too_often_is_one_incident_also_while_it_is_gone() {
    let mut bench = Bench::new();
    for _ in 0..9 {
        bench.register("a", &[]);
        bench.probe("a", true);
        bench.state.blame(bench.now, &mut bench.batch);
        bench.remove("a", false);
        bench.state.blame(bench.now, &mut bench.batch);
    }
    let incidents: Vec<_> = bench.told().into_iter().filter(|told| told.starts_with('#')).collect();
    assert_eq!(incidents, ["#1 a"]);
    bench.now += TimeDelta::minutes(10);
    bench.tick();
    assert_eq!(bench.told(), ["#1 a!"]);
}
