//! Failures that only a restart mends, and the end of the process for them.
//!
//! A part that has failed for good (a writer whose disk failed, a thread that
//! panicked) reports it here. The process then stops all its daemons in the
//! order of a SIGTERM and exits with [`EXIT_STATUS`], so that its supervisor
//! starts it again. The watchdog is not fed meanwhile, and a stop that hangs is
//! cut off after [`STOP_MAX`].

use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The exit status after a part failed for good (`EX_SOFTWARE`). A start that
/// fails is 1.
pub const EXIT_STATUS: u8 = 70;
/// After this time the process exits even if the stop has not ended.
const STOP_MAX: Duration = Duration::from_secs(15);

/// Ends the process. Cheap to clone; the first report counts.
#[derive(Debug, Clone, Default)]
pub struct Fatal {
    reason: Arc<OnceLock<String>>,
    reported: CancellationToken,
}

impl Fatal {
    /// Reports that a part has failed for good. Any thread may call this.
    pub fn report(&self, reason: impl Into<String>) {
        let reason = reason.into();
        tracing::error!("{reason}; the process stops, so that it can be restarted");
        let _ = self.reason.set(reason);
        self.reported.cancel();
    }

    /// The first reason that was reported.
    pub fn reason(&self) -> Option<&str> {
        self.reason.get().map(String::as_str)
    }

    /// Returns once a reason was reported.
    pub async fn reported(&self) {
        self.reported.cancelled().await;
    }
}

/// Exits the process after [`STOP_MAX`], whatever the runtime is blocked by.
pub fn bound_stop() {
    let cut_off = std::thread::Builder::new().name("stop-bound".to_owned()).spawn(|| {
        std::thread::sleep(STOP_MAX);
        tracing::error!("the stop took longer than {} s and is cut off", STOP_MAX.as_secs());
        std::process::exit(EXIT_STATUS.into());
    });
    if let Err(error) = cut_off {
        tracing::warn!("the stop has no bound: cannot start its thread: {error}");
    }
}
