//! What the writer measures.

use crate::runtime::metrics::Metrics;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

/// Counters of what is put on disk.
pub struct Measured {
    pub records: Counter,
    pub bytes: Counter,
    pub commits: Counter,
    pub seconds: Histogram,
}

impl Measured {
    /// Registers them.
    pub fn register(metrics: &Metrics) -> Self {
        let own = Self {
            records: Counter::default(),
            bytes: Counter::default(),
            commits: Counter::default(),
            // 50 µs to 1.6 s.
            seconds: Histogram::new(exponential_buckets(0.000_05, 2.0, 16)),
        };
        metrics.register(|registry| {
            registry.register("log_records", "Records stored", own.records.clone());
            registry.register("log_written_bytes", "Bytes of lines written", own.bytes.clone());
            registry.register("log_commits", "Group commits", own.commits.clone());
            registry.register(
                "log_commit_duration_seconds",
                "Time of a write and its sync",
                own.seconds.clone(),
            );
        });
        own
    }
}
