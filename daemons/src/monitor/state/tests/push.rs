//! Whoever reports by itself, and its silence.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

impl Bench {
    /// A job that reports at least every five seconds, and has just done so.
    fn job() -> Self {
        let mut bench = Self::new();
        bench.register("job", &[]);
        let mut instances = (*bench.fleet.services["job"]).clone();
        let job = Arc::make_mut(instances.get_mut("job").unwrap());
        for (key, value) in [("distlog.probe", "push"), ("distlog.probe.interval", "5s")] {
            job.metadata.insert(key.to_owned(), value.to_owned());
        }
        bench.fleet.services.insert("job".to_owned(), Arc::new(instances));
        bench.sync();
        bench.state.hear("job", None, None, bench.now, &mut bench.batch).unwrap();
        bench
    }

    fn pass(&mut self, passed: Duration) {
        self.now += TimeDelta::from_std(passed).unwrap();
        self.state.tick(passed, self.now, &mut self.batch);
    }
}

#[test]
fn silence_fails_it_and_a_report_ends_that() {
    let mut bench = Bench::job();
    for _ in 0..4 {
        bench.pass(SECOND);
    }
    assert_eq!(bench.status("job"), Some(Status::Healthy));
    bench.pass(SECOND);
    assert_eq!(bench.status("job"), Some(Status::Unhealthy));
    bench.state.hear("job", None, None, bench.now, &mut bench.batch).unwrap();
    assert_eq!(bench.status("job"), Some(Status::Healthy));
}

#[test]
fn neither_a_clock_that_is_set_nor_a_standstill_is_silence() {
    let mut bench = Bench::job();
    bench.now += TimeDelta::hours(1);
    bench.pass(SECOND);
    assert_eq!(bench.status("job"), Some(Status::Healthy), "the clock was set an hour ahead");
    bench.pass(SECOND * 600);
    assert_eq!(bench.status("job"), Some(Status::Healthy), "the machine was suspended");
    bench.now -= TimeDelta::days(1);
    for _ in 0..2 {
        bench.pass(SECOND);
    }
    assert_eq!(bench.status("job"), Some(Status::Unhealthy), "a clock that was set back hides nothing");
}

#[test]
fn silence_counts_from_the_last_report_over_restarts_of_the_monitor() {
    let mut bench = Bench::job();
    let restart = |bench: &mut Bench| {
        bench.state.listened = Duration::ZERO;
        bench.state.services.get_mut("job").unwrap().instances.get_mut("job").unwrap().heard = Duration::ZERO;
        bench.state.carry_silence(bench.now);
    };
    for second in 1..=5 {
        assert_eq!(bench.status("job"), Some(Status::Healthy), "{second}");
        restart(&mut bench);
        bench.pass(SECOND);
    }
    assert_eq!(bench.status("job"), Some(Status::Unhealthy));
    let mut bench = Bench::job();
    bench.now += TimeDelta::milliseconds(5_200);
    restart(&mut bench);
    bench.pass(SECOND / 4);
    assert_eq!(bench.status("job"), Some(Status::Healthy), "a report that found nobody can be repeated");
    bench.pass(SECOND / 4);
    assert_eq!(bench.status("job"), Some(Status::Unhealthy));
}
