//! Leases that run out.

use super::core::Core;
use crate::runtime::error::ApiError;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// The time between two looks at the leases.
const SWEEP: Duration = Duration::from_millis(500);
/// A look that comes later than this was held up: the process was stopped, the
/// machine suspended or choked. Heartbeats were held up with it, so nobody may
/// expire for it.
const STALL: Duration = Duration::from_millis(2_000);

/// What to do at one look, decided from the clock alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Expire whose lease has run out.
    Expire,
    /// Grant every lease afresh.
    Forgive,
}

/// Times in milliseconds on the registry's clock.
fn decide(last_ms: u64, now_ms: u64) -> Look {
    if Duration::from_millis(now_ms.saturating_sub(last_ms)) > STALL { Look::Forgive } else { Look::Expire }
}

/// Looks at the leases for ever.
pub async fn run(core: Arc<Core>) {
    let mut ticks = interval(SWEEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last_ms = core.now_ms();
    loop {
        ticks.tick().await;
        let now_ms = core.now_ms();
        match decide(last_ms, now_ms) {
            Look::Forgive => {
                tracing::warn!("stood still for {} ms: all leases are granted afresh", now_ms - last_ms);
                core.view().state.entries().for_each(|entry| entry.renew(now_ms));
            }
            Look::Expire => {
                if let Err(error) = expire(&core, now_ms).await {
                    tracing::warn!("cannot expire leases now: {error:?}");
                }
            }
        }
        last_ms = core.now_ms().max(now_ms);
    }
}

async fn expire(core: &Arc<Core>, now_ms: u64) -> Result<(), ApiError> {
    let due: Vec<_> =
        core.view().state.entries().filter(|entry| entry.has_expired(now_ms)).cloned().collect();
    if due.is_empty() {
        return Ok(());
    }
    for expired in core.expire(due).await? {
        tracing::info!(service = expired.service_name, instance = expired.instance_id, "lease expired");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_that_was_held_up_expires_nobody() {
        assert_eq!(decide(1_000, 1_500), Look::Expire);
        assert_eq!(decide(1_000, 3_000), Look::Expire);
        assert_eq!(decide(1_000, 3_001), Look::Forgive);
    }
}
