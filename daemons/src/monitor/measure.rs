//! How many services have each status, as a metric.

use crate::runtime::metrics::Metrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use shared::wire::monitor::Status;

const STATUSES: [Status; 6] = [
    Status::Healthy,
    Status::Unhealthy,
    Status::Unknown,
    Status::Pending,
    Status::Maintenance,
    Status::Draining,
];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StatusLabel {
    status: &'static str,
}

/// The gauge `monitor_services`, by status.
#[derive(Default)]
pub struct ServiceCounts(Family<StatusLabel, Gauge>);

impl ServiceCounts {
    /// Registers the gauge.
    pub fn register(metrics: &Metrics) -> Self {
        let own = Self::default();
        metrics.register(|registry| {
            registry.register("monitor_services", "Services by status", own.0.clone());
        });
        own
    }

    /// Counts the services anew.
    pub fn set(&self, statuses: &[Status]) {
        for status in STATUSES {
            let count = statuses.iter().filter(|one| **one == status).count();
            let gauge = self.0.get_or_create(&StatusLabel { status: status.as_str() });
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
}
