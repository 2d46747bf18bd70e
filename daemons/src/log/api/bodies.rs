//! The bodies of `POST /log`: what they share, and how they are unpacked.

use crate::log::ingest::{Encoding, Unpacker};
use crate::log::limits::{UNDER_WAY_MAX, UNPACKERS_MAX};
use crate::runtime::body::{BodyBudget, Reservation, WAIT_MAX};
use crate::runtime::error::ApiError;
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Bytes that a packed body is first unpacked to; each step doubles that.
const UNPACKED_FIRST: usize = 16 * 1024;
/// The largest step.
const UNPACKED_STEP_MAX: usize = 4 << 20;

/// What the bodies of all requests share.
pub struct Bodies {
    budget: Arc<BodyBudget>,
    unpackers: Semaphore,
}

impl Default for Bodies {
    fn default() -> Self {
        Self { budget: BodyBudget::new(UNDER_WAY_MAX), unpackers: Semaphore::new(UNPACKERS_MAX) }
    }
}

impl Bodies {
    /// Room for a body; none is held yet.
    pub fn reserve(&self) -> Reservation {
        self.budget.reserve()
    }

    /// Unpacks a body; `room` grows before each step.
    pub async fn unpack(
        &self,
        encoding: Encoding,
        body: Bytes,
        max: usize,
        room: &mut Reservation,
    ) -> Result<Bytes, ApiError> {
        if encoding == Encoding::Identity {
            return Ok(body);
        }
        let packed_len = body.len();
        let unpacker = tokio::time::timeout(WAIT_MAX, self.unpackers.acquire()).await;
        let _unpacker = unpacker.map_err(|_| {
            ApiError::unavailable("too many packed bodies are under way; send this one again", 1)
        })?;
        let mut unpacker = Unpacker::new(encoding, body, max)?;
        let mut step = UNPACKED_FIRST;
        loop {
            room.grow(packed_len + unpacker.len() + step).await?;
            let (stepped, is_end) = blocking(move || {
                let is_end = unpacker.step(step);
                (unpacker, is_end)
            })
            .await?;
            unpacker = stepped;
            if is_end? {
                let unpacked = unpacker.finish();
                room.shrink(unpacked.len());
                return Ok(unpacked.into());
            }
            step = unpacker.len().min(UNPACKED_STEP_MAX);
        }
    }
}

/// Runs work beside the runtime's threads.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)
}
