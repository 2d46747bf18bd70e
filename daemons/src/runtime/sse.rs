//! Server-sent events that end when the daemon stops.

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};
use std::convert::Infallible;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The pause after which a comment shows that the stream lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// An answer that tells events until they end or the daemon stops: an open
/// stream must not hold up the stop.
pub fn answer(stop: CancellationToken, events: impl Stream<Item = Event> + Send + 'static) -> Response {
    let events = events.map(Ok::<_, Infallible>).take_until(stop.cancelled_owned());
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

/// An event with JSON in it. What cannot be written as JSON is not told.
pub fn event(name: &'static str, id: impl ToString, data: &impl serde::Serialize) -> Event {
    Event::default().event(name).id(id.to_string()).data(serde_json::to_string(data).unwrap_or_default())
}
