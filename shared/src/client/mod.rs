//! A typed client for each daemon, the registry's mirror, and a balancer that
//! calls any service by its name.

pub mod balance;
mod book;
mod error;
pub mod http;
mod library;
mod log;
mod mirror;
mod monitor;
mod provider;
mod registry;
pub mod sse;

pub use balance::Balancer;
pub use book::{Book, KeptBook};
pub use error::{ClientError, root_cause};
pub use http::Part;
pub use library::LibraryClient;
pub use log::{LogClient, LogQuery, Order, TailEvent};
pub use mirror::{Fleet, Instances, Mirror, Step, Steps};
pub use monitor::{MonitorClient, MonitorEvent};
pub use provider::ProviderClient;
pub use registry::{RegistryClient, WatchEvent};

use backon::{BackoffBuilder, ExponentialBuilder};
use std::time::Duration;

/// The pauses between tries of something that must work some day: from 100 ms,
/// doubled up to `max`, with jitter so that a fleet does not return in step.
pub fn backoff(max: Duration) -> impl Iterator<Item = Duration> + Send {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(max)
        .with_jitter()
        .without_max_times()
        .build()
}
