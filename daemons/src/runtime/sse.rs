//! Server-sent events that end when the daemon stops.
//!
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html>

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use serde_json::json;
use std::convert::Infallible;
use std::fmt::Display;
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

/// As [`answer`], of events that may fail: the stream then ends with the event
/// `error` and a broken chunk, so that the client knows that it is not complete.
pub fn answer_fallible<E: Display + Send + 'static>(
    stop: CancellationToken,
    events: impl Stream<Item = Result<Event, E>> + Send + 'static,
) -> Response {
    let events = events.take_until(stop.cancelled_owned()).flat_map(|event| {
        stream::iter(match event {
            Ok(event) => vec![Ok(event)],
            Err(error) => {
                let detail = error.to_string();
                let last = Event::default().event("error").data(json!({ "detail": detail }).to_string());
                vec![Ok(last), Err(Interrupted(detail))]
            }
        })
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

/// A stream cannot go on.
#[derive(Debug, thiserror::Error)]
#[error("the stream is interrupted: {0}")]
struct Interrupted(String);

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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stream_that_cannot_go_on_ends_with_an_error_event_and_a_broken_body() {
        let events = stream::iter([Ok(event("transition", 7, &1)), Err("the database cannot be read")]);
        let mut body = answer_fallible(CancellationToken::new(), events).into_body().into_data_stream();
        let mut text = String::new();
        let broken = loop {
            match body.next().await {
                Some(Ok(part)) => text.push_str(&String::from_utf8_lossy(&part)),
                other => break matches!(other, Some(Err(_))),
            }
        };
        assert!(broken, "a complete end would say that there is no more");
        let last = text.split_once("event: error\n").map_or("", |(_, last)| last);
        assert!(last.contains("the database cannot be read"), "{text}");
    }
}
