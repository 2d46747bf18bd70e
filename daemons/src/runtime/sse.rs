//! Server-sent events that end when the daemon stops.
//!
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html>

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use std::convert::Infallible;
use std::task::{Poll, ready};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The pause after which a comment shows that the stream lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// An answer that tells events until they end or the daemon stops: an open
/// stream must not hold up the stop.
pub fn answer(stop: CancellationToken, events: impl Stream<Item = Event> + Send + 'static) -> Response {
    let events = events.map(Ok::<_, Infallible>).take_until(stop.cancelled_owned());
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

/// As [`answer`], of events that are written already, so that one that is told
/// to many is written once. A long one may come in several parts.
pub fn answer_written(
    stop: CancellationToken,
    parts: impl Stream<Item = Bytes> + Send + 'static,
) -> Response {
    let mut parts = Box::pin(parts.take_until(stop.cancelled_owned()).fuse());
    let mut silence = Box::pin(tokio::time::sleep(KEEP_ALIVE));
    let mut last = Instant::now();
    let mut within_event = false;
    let living = stream::poll_fn(move |context| {
        if let Poll::Ready(part) = parts.as_mut().poll_next(context) {
            last = Instant::now();
            within_event = part.as_ref().is_some_and(|part| !part.ends_with(b"\n\n"));
            return Poll::Ready(part.map(Ok::<_, Infallible>));
        }
        if within_event {
            return Poll::Pending;
        }
        // The timer is reset when it has run out, not with each part.
        loop {
            ready!(silence.as_mut().poll(context));
            let silent_until = last + KEEP_ALIVE;
            if silent_until <= Instant::now() {
                last = Instant::now();
                silence.as_mut().reset(last + KEEP_ALIVE);
                return Poll::Ready(Some(Ok(Bytes::from_static(b":\n\n"))));
            }
            silence.as_mut().reset(silent_until);
        }
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
    (headers, Body::from_stream(living)).into_response()
}

/// An event as it is sent. Its data must be of one line, as JSON is.
pub fn written(name: &str, id: Option<&str>, data: &str) -> Bytes {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    format!("event: {name}\n{id}data: {data}\n\n").into()
}

/// An event with JSON in it. What cannot be written as JSON is not told.
pub fn event(name: &'static str, id: impl ToString, data: &impl serde::Serialize) -> Event {
    Event::default().event(name).id(id.to_string()).data(serde_json::to_string(data).unwrap_or_default())
}
