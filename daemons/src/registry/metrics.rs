//! What the registry measures.

use crate::runtime::metrics::Metrics;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

/// The registry's own metrics.
#[derive(Default)]
pub struct CoreMetrics {
    pub changes: Counter,
    pub heartbeats: Counter,
    pub registrations: Gauge,
    pub watchers: Gauge,
    pub guard_engaged: Gauge,
    pub held: Gauge,
}

impl CoreMetrics {
    /// Registers them.
    pub fn register(metrics: &Metrics) -> Self {
        let own = Self::default();
        metrics.register(|registry| {
            registry.register("registry_changes", "Changes committed", own.changes.clone());
            registry.register("registry_heartbeats", "Leases renewed", own.heartbeats.clone());
            registry.register("registry_registrations", "Registrations", own.registrations.clone());
            registry.register("registry_watchers", "Watchers", own.watchers.clone());
            registry.register(
                "registry_guard_engaged",
                "Scopes (the fleet, a service) for which expiry is held back",
                own.guard_engaged.clone(),
            );
            registry.register(
                "registry_held_instances",
                "Instances whose lease has run out and that do not expire now",
                own.held.clone(),
            );
        });
        own
    }
}

/// A count as a gauge takes it.
pub fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
