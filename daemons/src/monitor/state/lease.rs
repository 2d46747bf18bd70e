//! The uptime of instances that are not probed but known by their leases: those
//! that ask for no more, and those whose lease ran out.

use super::super::batch::Batch;
use super::State;
use crate::runtime::probe::Kind;
use chrono::{DateTime, Utc};
use std::time::Duration;

/// How much time is counted at once: so often is the sum of each written.
const COUNTED: Duration = Duration::from_secs(10);

impl State {
    /// Counts the time that has passed between two looks, `passed`, of which a
    /// standstill is no part: for who has a lease, against who has lost it.
    pub(super) fn count_leases(&mut self, passed: Duration, now: DateTime<Utc>, batch: &mut Batch) {
        self.uncounted += passed;
        if self.uncounted < COUNTED {
            return;
        }
        let for_ms = u64::try_from(std::mem::take(&mut self.uncounted).as_millis()).unwrap_or(u64::MAX);
        for (name, service) in &mut self.services {
            for instance in service.instances.values().filter(|instance| instance.hold.is_none()) {
                if instance.lost || matches!(instance.spec.kind, Kind::Lease) {
                    let bucket = service.uptime.count(!instance.lost, for_ms, now);
                    batch.uptime.insert((name.clone(), bucket.number), bucket);
                }
            }
        }
    }
}
