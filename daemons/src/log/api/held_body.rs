//! A whole answer that counts among what answers hold until it was read.

use crate::log::limits::CHUNK;
use crate::log::search::{QueryMemory, Reservation};
use crate::runtime::error::ApiError;
use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

struct HeldBody {
    rest: Bytes,
    _held: Reservation,
}

/// A body of these bytes.
///
/// # Errors
/// When answers that have not been read hold too much.
pub fn held_body(memory: &Arc<QueryMemory>, bytes: Vec<u8>) -> Result<Body, ApiError> {
    if bytes.len() <= CHUNK {
        return Ok(Body::from(bytes));
    }
    let mut held = memory.reservation();
    if held.try_resize(bytes.capacity()) {
        Ok(Body::new(HeldBody { rest: bytes.into(), _held: held }))
    } else {
        Err(ApiError::unavailable("too many large answers are being read", 5))
    }
}

/// As [`held_body`], of an answer that is made already.
///
/// # Errors
/// As there.
pub async fn held(
    memory: &Arc<QueryMemory>,
    answer: axum::response::Response,
) -> Result<axum::response::Response, ApiError> {
    let (parts, body) = answer.into_parts();
    let bytes = body.collect().await.map_err(ApiError::internal)?.to_bytes();
    Ok(axum::response::Response::from_parts(parts, held_body(memory, bytes.into())?))
}

impl HttpBody for HeldBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let len = self.rest.len().min(CHUNK);
        Poll::Ready((len > 0).then(|| Ok(Frame::data(self.rest.split_to(len)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
