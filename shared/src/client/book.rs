//! What the monitor says of everyone: its last word, and the latencies that its
//! probes measured.

use super::balance::PeakEwma;
use super::{ClientError, MonitorClient};
use crate::wire::monitor::{InstanceStatus, ServiceStatus, Status};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// What was measured so long ago has lost most of its weight: a few rounds of
/// probes.
const DECAY: Duration = Duration::from_secs(60);

/// How often the monitor is asked: what an operator takes out of use is picked no
/// longer than that.
const ASK: Duration = Duration::from_millis(500);

/// The monitor's last word, kept up to date by [`KeptBook::follow`]; while the
/// monitor is away it counts on. It is kept in memory alone: until the monitor
/// is heard for the first time, everyone counts as healthy.
#[derive(Debug, Default)]
pub struct KeptBook(RwLock<Arc<Book>>);

impl KeptBook {
    /// The book as it is now.
    pub fn book(&self) -> Arc<Book> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks the monitor for ever, and says how each time went. Drop the future
    /// to stop.
    pub async fn follow(&self, monitor: &MonitorClient, mut heard: impl FnMut(Result<(), ClientError>)) {
        loop {
            let said = monitor.health().await.map(|said| {
                let book = Arc::new(self.book().after(said));
                *self.0.write().unwrap_or_else(PoisonError::into_inner) = book;
            });
            heard(said);
            tokio::time::sleep(ASK).await;
        }
    }
}

/// The monitor's last word.
#[derive(Debug, Default)]
pub struct Book(HashMap<String, Entry>);

#[derive(Debug)]
struct Entry {
    status: Status,
    instances: HashMap<String, Known>,
}

#[derive(Debug)]
struct Known {
    said: InstanceStatus,
    latency: Option<PeakEwma>,
}

impl Book {
    /// The book after the monitor has said this, with what was measured before.
    #[must_use]
    pub fn after(&self, said: Vec<ServiceStatus>) -> Self {
        let entry = |service: ServiceStatus| {
            let before = self.0.get(&service.name);
            let known = |said: InstanceStatus| {
                let before = before.and_then(|entry| entry.instances.get(&said.instance_id));
                let latency = measured(before, &said);
                (said.instance_id.clone(), Known { said, latency })
            };
            let instances = service.instances.into_iter().map(known).collect();
            (service.name, Entry { status: service.status, instances })
        };
        Self(said.into_iter().map(entry).collect())
    }

    /// What it holds of a service.
    pub fn status(&self, service: &str) -> Status {
        self.0.get(service).map_or(Status::Unknown, |entry| entry.status)
    }

    /// What it holds of an instance, if it knows it.
    pub fn instance(&self, service: &str, instance: &str) -> Option<&InstanceStatus> {
        self.known(service, instance).map(|known| &known.said)
    }

    /// The mean latency of an instance's good probes in milliseconds, the last
    /// ones and bad news above all; none before the first.
    pub fn latency_ms(&self, service: &str, instance: &str) -> Option<f64> {
        self.known(service, instance)?.latency.map(|latency| latency.mean_ms())
    }

    /// Whether an instance may be picked: one that was not probed yet may; one
    /// that has not been well yet may not, nor one that its operator takes out of use may not, on its own or with its service.
    pub fn is_healthy(&self, service: &str, instance: &str) -> bool {
        self.is_in_use(service, instance)
            && self
                .instance(service, instance)
                .is_none_or(|said| !matches!(said.status, Status::Unhealthy | Status::Pending))
    }

    /// Whether an instance was not taken out of use by its operator.
    pub fn is_in_use(&self, service: &str, instance: &str) -> bool {
        let out = |status: Status| matches!(status, Status::Maintenance | Status::Draining);
        let said = self.instance(service, instance).map(|said| said.status);
        !out(self.status(service)) && !said.is_some_and(out)
    }

    fn known(&self, service: &str, instance: &str) -> Option<&Known> {
        self.0.get(service)?.instances.get(instance)
    }
}

/// The latency with the last probe, if that is a new one and went well.
fn measured(before: Option<&Known>, said: &InstanceStatus) -> Option<PeakEwma> {
    let kept = before.and_then(|before| before.latency);
    let last = before.and_then(|before| before.said.last_check);
    let (Some(at), Some(latency), None) = (said.last_check, said.latency, said.reason) else { return kept };
    let sample_ms = f64::from(u32::try_from(latency).unwrap_or(u32::MAX));
    match (kept, last) {
        (Some(kept), Some(last)) if at <= last => Some(kept),
        (Some(mut kept), Some(last)) => {
            kept.observe(sample_ms, (at - last).to_std().unwrap_or_default(), DECAY);
            Some(kept)
        }
        _ => Some(PeakEwma::new(sample_ms)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::monitor::Phase;
    use chrono::DateTime;

    fn said(service: Status, status: Status, at: i64, latency: u64, reason: Option<Phase>) -> ServiceStatus {
        let instance = InstanceStatus {
            instance_id: "a".to_owned(),
            status,
            last_check: DateTime::from_timestamp(at, 0),
            latency: Some(latency),
            reason,
            ..InstanceStatus::default()
        };
        ServiceStatus {
            name: "S".to_owned(),
            status: service,
            instances: vec![instance],
            ..ServiceStatus::default()
        }
    }

    #[test]
    fn each_good_probe_is_measured_once() {
        let mut book = Book::default();
        let mut hear = |at, latency, reason| {
            book = book.after(vec![said(Status::Healthy, Status::Healthy, at, latency, reason)]);
            book.latency_ms("S", "a").unwrap()
        };
        assert_eq!(hear(0, 100, None), 100.0);
        let second = hear(10, 20, None);
        assert!((20.0..100.0).contains(&second), "{second}");
        assert_eq!(hear(10, 20, None), second, "the same probe, asked for again");
        assert_eq!(hear(20, 3_000, Some(Phase::Timeout)), second, "a failure is no latency");
        assert_eq!(hear(30, 500, None), 500.0);
        assert_eq!(book.latency_ms("S", "b"), None);
    }

    #[test]
    fn whoever_is_taken_out_of_use_is_not_picked_alone_or_with_its_service() {
        use Status::{Draining, Healthy, Maintenance, Unhealthy, Unknown};
        let may = |service, instance| {
            let book = Book::default().after(vec![said(service, instance, 0, 1, None)]);
            (book.is_healthy("S", "a"), book.is_in_use("S", "a"))
        };
        assert_eq!([may(Healthy, Healthy), may(Unknown, Unknown)], [(true, true); 2]);
        assert_eq!(may(Unhealthy, Unhealthy), (false, true));
        for out in [Maintenance, Draining] {
            assert_eq!([may(Healthy, out), may(out, Healthy)], [(false, false); 2]);
        }
        assert!(Book::default().is_healthy("S", "a"), "one of whom nothing is known");
    }
}
