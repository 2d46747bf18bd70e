//! Slots for calls of others, in two lanes: whoever hangs waits with its like.
//!
//! A call of somebody who answered last time takes a quick slot. A call that has
//! no answer within [`PATIENCE`] gives it up: it goes on in a patient slot if one
//! is free, else it is broken off and made again when one is. Whoever let us wait
//! last time starts in the patient lane. So those who hang delay each other, and
//! hold a quick slot for no longer than that, also when the patient lane is full.
//! Both lanes together have the number of slots that is configured; a single slot
//! is both, and whoever hangs holds it for as long as the call may take.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// A call that takes longer than this belongs in the patient lane.
pub const PATIENCE: Duration = Duration::from_millis(PATIENCE_MS);
/// [`PATIENCE`] in milliseconds.
pub const PATIENCE_MS: u64 = 500;

/// The slots.
#[derive(Debug, Clone)]
pub struct Lanes {
    quick: Arc<Semaphore>,
    patient: Arc<Semaphore>,
}

impl Lanes {
    /// So many slots, half of them for the patient lane; a single slot serves both.
    pub fn new(slots: usize) -> Self {
        let patient = slots / 2;
        let quick = Arc::new(Semaphore::new((slots - patient).max(1)));
        let patient = if patient == 0 { Arc::clone(&quick) } else { Arc::new(Semaphore::new(patient)) };
        Self { quick, patient }
    }

    /// Makes `call` when there is a slot for it; it must be one that may be
    /// broken off and made again. `slow` says that the one who is called let us
    /// wait last time.
    pub async fn run<F: Future>(&self, slow: bool, call: impl Fn() -> F) -> F::Output {
        // The semaphores are never closed; without a permit the call is made all the same.
        let slot = async |lane: &Arc<Semaphore>| Arc::clone(lane).acquire_owned().await.ok();
        let single = Arc::ptr_eq(&self.quick, &self.patient);
        if !slow && !single {
            let quick = slot(&self.quick).await;
            let mut call = pin!(call());
            if let Ok(output) = tokio::time::timeout(PATIENCE, call.as_mut()).await {
                return output;
            }
            if let Ok(_patient) = Arc::clone(&self.patient).try_acquire_owned() {
                drop(quick);
                return call.await;
            }
            // Here the call is broken off, and the quick slot is free again.
        }
        let _patient = slot(&self.patient).await;
        call().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    #[tokio::test]
    async fn those_who_hang_leave_the_quick_lane_to_the_others() {
        let lanes = Lanes::new(4);
        for _ in 0..2 {
            let lanes = lanes.clone();
            tokio::spawn(async move { lanes.run(false, pending::<()>).await });
        }
        tokio::task::yield_now().await;
        // Both quick slots are taken by calls that hang; after PATIENCE they are free.
        let answer = tokio::time::timeout(PATIENCE * 2, lanes.run(false, || ready(7))).await;
        assert_eq!(answer, Ok(7));
        // The patient lane is full of them, and one more who hangs does not stay either.
        let late = lanes.clone();
        tokio::spawn(async move { late.run(false, pending::<()>).await });
        tokio::time::sleep(PATIENCE + PATIENCE / 5).await;
        assert_eq!(lanes.quick.available_permits(), 2);
        assert!(tokio::time::timeout(PATIENCE, lanes.run(true, || ready(7))).await.is_err());
    }

    #[tokio::test]
    async fn a_single_slot_serves_both_lanes() {
        let lanes = Lanes::new(1);
        assert_eq!(lanes.run(true, || ready(1)).await + lanes.run(false, || ready(1)).await, 2);
    }
}
