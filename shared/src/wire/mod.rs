//! The JSON that crosses the network, one file a daemon.

pub mod alert;
pub mod health;
pub mod library;
pub mod log;
pub mod monitor;
pub mod problem;
pub mod provider;
pub mod registry;

/// The header of a list that states how many entries match, on all pages.
pub const TOTAL_HEADER: &str = "x-total-count";
