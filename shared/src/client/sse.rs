//! Server-sent events as a stream (WHATWG HTML, 9.2).

use super::{ClientError, http::STREAM_SILENCE_MAX};
use futures_util::{Stream, StreamExt};
use sse_stream::SseByteStream;

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// Its `event:`; `message` when it has none.
    pub name: String,
    /// Its `id:`.
    pub id: Option<String>,
    /// Its `data:`, lines joined.
    pub data: String,
}

/// The events of an answer, until the connection ends, breaks, or is silent
/// for longer than the server's keep-alive comments allow.
pub(super) fn events(
    base: String,
    response: reqwest::Response,
) -> impl Stream<Item = Result<Event, ClientError>> + Send {
    let bytes = Box::pin(response.bytes_stream());
    // The silence is measured on bytes: keep-alive comments are no events.
    let bytes = futures_util::stream::unfold(bytes, |mut bytes| async move {
        match tokio::time::timeout(STREAM_SILENCE_MAX, bytes.next()).await {
            Ok(Some(Ok(chunk))) => Some((Ok(chunk), bytes)),
            Ok(Some(Err(error))) => Some((Err(std::io::Error::other(error)), bytes)),
            Ok(None) => None,
            Err(_) => Some((Err(std::io::ErrorKind::TimedOut.into()), bytes)),
        }
    });
    SseByteStream::new(Box::pin(bytes)).filter_map(move |block| {
        let event = match block {
            Ok(block) => block.data.map(|data| {
                Ok(Event { name: block.event.unwrap_or_else(|| "message".to_owned()), id: block.id, data })
            }),
            Err(error) => {
                Some(Err(ClientError::Unreachable { url: base.clone(), cause: super::root_cause(&error) }))
            }
        };
        async move { event }
    })
}
