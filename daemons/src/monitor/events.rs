//! Transitions and incidents as server-sent events. What is told is on disk,
//! each once and in order; a reader that resumes, or is too slow, reads what it
//! missed from the store.

use super::core::Core;
use super::store::Told;
use crate::runtime::error::ApiError;
use axum::http::StatusCode;
use axum::response::sse::Event;
use futures_util::Stream;
use futures_util::stream::{self, StreamExt};
use std::sync::Arc;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// Stored events that are read at a time.
const CHUNK: usize = 200;

/// Stored events cannot be read now; the reader resumes from the last id it has.
#[derive(Debug, thiserror::Error)]
#[error("the stored events cannot be read now; resume with Last-Event-ID")]
pub struct Interrupted;

struct Following {
    core: Arc<Core>,
    queue: Receiver<Arc<Told>>,
    /// The last event that was told, or that need not be.
    told: u64,
    /// Whether there may be stored events that come before what is queued.
    behind: bool,
}

/// The events after `after`, or from now on.
///
/// # Errors
/// 410 when the events after it are no longer kept, or there never was such an
/// event.
pub async fn follow(
    core: Arc<Core>,
    after: Option<u64>,
) -> Result<impl Stream<Item = Result<Event, Interrupted>> + Send, ApiError> {
    // The queue begins before the store is read: nothing falls between them.
    let queue = core.subscribe();
    let (oldest, newest) = core.event_range().await?;
    if let Some(after) = after
        && (after > newest || after.saturating_add(1) < oldest)
    {
        return Err(ApiError::new(
            StatusCode::GONE,
            "the events since that one are no longer kept; follow from now on, and read the incidents",
        ));
    }
    let following =
        Following { core, queue, told: after.unwrap_or(newest), behind: after.is_some_and(|id| id < newest) };
    let events = stream::unfold(Some(following), |following| async move {
        let mut following = following?;
        match following.next().await {
            Ok(None) => None,
            Ok(Some(events)) => Some((events.into_iter().map(Ok).collect(), Some(following))),
            Err(error) => Some((vec![Err(error)], None)),
        }
    });
    Ok(events.flat_map(|events: Vec<_>| stream::iter(events)))
}

impl Following {
    /// The next events; none when the monitor stops.
    async fn next(&mut self) -> Result<Option<Vec<Event>>, Interrupted> {
        loop {
            if self.behind {
                let stored = self.core.events_after(self.told, CHUNK).await.map_err(|error| {
                    tracing::warn!("a reader of events is cut off: {error}");
                    Interrupted
                })?;
                self.behind = stored.len() == CHUNK;
                self.told = stored.last().map_or(self.told, |last| last.id);
                if !stored.is_empty() {
                    return Ok(Some(stored.iter().map(event).collect()));
                }
            }
            match self.queue.recv().await {
                Ok(told) if told.id <= self.told => {}
                Ok(told) => {
                    self.told = told.id;
                    return Ok(Some(vec![event(&told)]));
                }
                Err(RecvError::Lagged(_)) => self.behind = true,
                Err(RecvError::Closed) => return Ok(None),
            }
        }
    }
}

fn event(told: &Told) -> Event {
    Event::default().event(told.name).id(told.id.to_string()).data(&told.data)
}
