//! What distlog's daemons and its console agree on.
//!
//! * [`wire`]: the JSON that crosses the network, one file a daemon.
//! * [`client`]: a typed client for each daemon, and the registry's mirror.
//! * [`sanitize`]: the one place that makes text from outside harmless.
//! * [`config`]: where the configuration file is.
//! * [`credentials`]: URLs as they are shown, without a password.
//! * [`daemon`]: names and default ports of the six daemons.
//! * [`span`]: durations as people write them (`15m`, `2h`, `7d`).
//!
//! Nothing here knows a daemon's inside: `shared` is what both sides import,
//! and it imports neither.

pub mod client;
pub mod config;
pub mod credentials;
pub mod daemon;
pub mod sanitize;
pub mod share;
pub mod span;
pub mod wire;
