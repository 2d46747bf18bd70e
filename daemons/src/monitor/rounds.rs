//! The rounds of probes: each instance at its time, as many at once as are
//! allowed, none behind one that hangs.

use super::core::Core;
use super::schedule::{Key, Schedule};
use super::state::Followed;
use crate::runtime::Context;
use crate::runtime::health::Board;
use crate::runtime::lanes::Lanes;
use crate::runtime::metrics::Metrics;
use crate::runtime::probe::{Outcome, Prober};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use shared::client::Mirror;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;

/// A probe that starts later than this after its time is worth a warning.
const LAG_MAX: Duration = Duration::from_secs(1);
/// How often `/health` is told of the worst lag since the last time.
const REPORT: Duration = Duration::from_secs(5);
/// Ends of probes that may wait to be noted; a probe waits with them.
const DONE_MAX: usize = 1024;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Ended {
    /// `good`, or the phase that failed.
    outcome: &'static str,
}

/// What is measured of the rounds.
#[derive(Clone)]
struct Measures {
    probes: Family<Ended, Counter>,
    lag: Histogram,
    in_flight: Gauge,
    /// The worst lag since it was last looked at, in milliseconds.
    worst_lag_ms: Arc<AtomicU64>,
}

impl Measures {
    fn register(metrics: &Metrics) -> Self {
        let own = Self {
            probes: Family::default(),
            // 1 ms to 65 s, each bucket four times the one before.
            lag: Histogram::new(exponential_buckets(0.001, 4.0, 9)),
            in_flight: Gauge::default(),
            worst_lag_ms: Arc::default(),
        };
        metrics.register(|registry| {
            registry.register("monitor_probes", "Probes by how they ended", own.probes.clone());
            registry.register(
                "monitor_schedule_lag_seconds",
                "From the time of a probe to its start",
                own.lag.clone(),
            );
            registry.register("monitor_probes_in_flight", "Probes under way", own.in_flight.clone());
        });
        own
    }

    fn began(&self, lag: Duration) {
        self.lag.observe(lag.as_secs_f64());
        let lag_ms = u64::try_from(lag.as_millis()).unwrap_or(u64::MAX);
        self.worst_lag_ms.fetch_max(lag_ms, Ordering::Relaxed);
    }

    fn ended(&self, outcome: &Outcome) {
        let outcome = outcome.failure.as_ref().map_or("good", |failure| failure.phase.as_str());
        self.probes.get_or_create(&Ended { outcome }).inc();
    }
}

/// Counts a probe as under way while it lives, for a probe may be broken off.
struct InFlight<'a>(&'a Gauge);

impl<'a> InFlight<'a> {
    fn new(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

struct Rounds {
    core: Arc<Core>,
    prober: Prober,
    lanes: Lanes,
    timeout: Duration,
    measures: Measures,
}

/// Goes its rounds in the background.
pub fn spawn(context: &Context, core: Arc<Core>, mirror: Arc<Mirror>, prober: Prober) {
    let settings = &context.settings.monitor;
    let rounds = Arc::new(Rounds {
        core,
        prober,
        lanes: Lanes::new(settings.concurrency),
        timeout: settings.timeout.0,
        measures: Measures::register(&context.metrics),
    });
    context.spawn(report_lag(rounds.measures.clone(), Arc::clone(&context.health)));
    let schedule = Schedule::new(settings.interval.0);
    context.spawn_part("probes", run(rounds, schedule, mirror, context.clone()));
}

async fn run(rounds: Arc<Rounds>, mut schedule: Schedule, mirror: Arc<Mirror>, context: Context) {
    let mut fleets = mirror.subscribe();
    // What was known before a restart is probed even while the registry is away.
    fleets.mark_changed();
    let (done, mut ended) = mpsc::channel::<(Key, Followed)>(DONE_MAX);
    loop {
        let next = schedule.next_due();
        rounds.core.pulse().next(next);
        let due = next.unwrap_or_else(|| Instant::now() + REPORT);
        tokio::select! {
            changed = fleets.changed() => {
                if changed.is_err() {
                    return;
                }
                let fleet = Arc::clone(&fleets.borrow_and_update());
                let targets = rounds.core.sync(&fleet);
                schedule.update(targets, Instant::now(), since_1970());
            }
            Some((key, followed)) = ended.recv() => {
                schedule.done(&key);
                let now = Instant::now();
                if let Some(pause) = followed.again {
                    schedule.soon(&key, now, pause);
                }
                followed.others.iter().for_each(|other| schedule.soon(other, now, Duration::ZERO));
            }
            () = tokio::time::sleep_until(due.into()) => {
                while let Some((key, due)) = schedule.take_due(Instant::now()) {
                    let (rounds, done) = (Arc::clone(&rounds), done.clone());
                    context.spawn(async move {
                        let followed = rounds.probe(&key, due).await;
                        let _ = done.send((key, followed)).await;
                    });
                }
            }
        }
    }
}

impl Rounds {
    async fn probe(&self, (service, instance): &Key, due: Instant) -> Followed {
        let Some((spec, slow)) = self.core.probe_of(service, instance) else { return Followed::default() };
        // Those who hang wait for each other, and nobody waits for that.
        let waits = (!slow).then(|| self.core.pulse().wait(due));
        let first = Mutex::new(Some(waits));
        let call = || async {
            // Its lag is that of its first try.
            if first.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
                self.measures.began(due.elapsed());
            }
            let _in_flight = InFlight::new(&self.measures.in_flight);
            self.prober.probe(&spec, self.timeout).await
        };
        let outcome = self.lanes.run(slow, call).await;
        self.measures.ended(&outcome);
        self.core.observe(service, instance, &outcome)
    }
}

async fn report_lag(measures: Measures, health: Arc<Board>) {
    loop {
        let worst = Duration::from_millis(measures.worst_lag_ms.swap(0, Ordering::Relaxed));
        if worst > LAG_MAX {
            health.warn(
                "schedule",
                format!(
                    "a probe began {} ms after its time: too many instances hang, or monitor.concurrency is too low",
                    worst.as_millis()
                ),
            );
        } else {
            health.pass("schedule");
        }
        tokio::time::sleep(REPORT).await;
    }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
