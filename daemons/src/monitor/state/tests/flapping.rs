//! What goes up and down is one incident.

use super::*;
use shared::wire::monitor::IncidentKind;

#[test]
fn what_flaps_is_one_incident_until_it_is_steady() {
    let mut bench = Bench::new();
    bench.register("a", &[]);
    bench.probe("a", true);
    for _ in 0..12 {
        bench.fail("a");
        bench.state.blame(bench.now, &mut bench.batch);
        bench.probe("a", true);
        bench.probe("a", true);
        bench.state.blame(bench.now, &mut bench.batch);
    }
    let incidents = |told: Vec<String>| told.into_iter().filter(|t| t.starts_with('#')).collect::<Vec<_>>();
    let told = incidents(bench.told());
    assert_eq!(told, ["#1 a", "#1 a!", "#2 a", "#2 a!", "#3 a", "#3 a!", "#4 a"]);
    assert_eq!(bench.state.open[&4].kind, IncidentKind::Flapping);
    assert_eq!(
        bench.state.open[&4].detail.as_deref(),
        Some("its status changed more than 6 times within 10m")
    );
    assert!(bench.state.report_one("a", bench.now).unwrap().flapping);
    bench.now += TimeDelta::minutes(9);
    bench.tick();
    assert_eq!(bench.told(), [""; 0]);
    bench.now += TimeDelta::minutes(1);
    bench.tick();
    assert_eq!(bench.told(), ["#4 a!"]);
}

#[test]
fn what_flaps_and_then_stays_down_keeps_its_incident() {
    let mut bench = Bench::new();
    bench.register("a", &[]);
    bench.probe("a", true);
    for _ in 0..6 {
        bench.fail("a");
        bench.probe("a", true);
        bench.probe("a", true);
        bench.state.blame(bench.now, &mut bench.batch);
    }
    bench.fail("a");
    bench.told();
    for _ in 0..61 {
        bench.probe("a", false);
        bench.tick();
    }
    assert_eq!(bench.told(), ["#1 a"], "it is told that it does not flap any more");
    assert_eq!((bench.state.open[&1].kind, bench.state.open.len()), (IncidentKind::Down, 1));
}
