//! The request that a connection is serving: whether it is whole, and whether a
//! refusal left its body unread.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, Response, header};
use bytes::Bytes;
use futures_util::task::AtomicWaker;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll};
use tower::Service as _;

/// Where a connection's request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// There is no request.
    Idle = 0,
    /// The handler has not read the whole body.
    Arriving = 1,
    /// A request that only reads is being answered.
    Reading = 2,
    /// A request that may change something is being answered.
    Writing = 3,
}

/// The request of one connection, shared by its socket and its service.
#[derive(Debug, Default)]
pub struct Exchange {
    phase: AtomicU8,
    left_unread: AtomicBool,
    reader: AtomicWaker,
}

impl Exchange {
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            1 => Phase::Arriving,
            2 => Phase::Reading,
            3 => Phase::Writing,
            _ => Phase::Idle,
        }
    }

    /// Registers the task to wake when the phase changes.
    pub fn register(&self, cx: &Context<'_>) {
        self.reader.register(cx.waker());
    }

    /// Whether a refusal left bytes of a body unread.
    pub fn left_unread(&self) -> bool {
        self.left_unread.load(Ordering::Acquire)
    }

    fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Release);
        if phase == Phase::Idle {
            self.reader.wake();
        }
    }

    /// Answers one request. A refusal that leaves the body unread closes the
    /// connection.
    ///
    /// The request is under way from the call on, not from the first poll: hyper
    /// may see the end of the input before it polls the answer.
    pub fn serve(
        self: Arc<Self>,
        mut router: Router,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Answer>, Infallible>> {
        let phase = match *request.method() {
            Method::GET | Method::HEAD | Method::OPTIONS => Phase::Reading,
            _ => Phase::Writing,
        };
        let has_body = !request.body().is_end_stream();
        self.enter(if has_body { Phase::Arriving } else { phase });
        let under_way = UnderWay(self);
        async move {
            let exchange = &under_way.0;
            let request = request.map(|body| {
                if has_body {
                    Body::new(Arriving { body, exchange: Arc::clone(exchange), phase })
                } else {
                    Body::empty()
                }
            });
            let mut response = router.call(request).await?;
            let is_unread = has_body && exchange.phase() == Phase::Arriving;
            if is_unread && !response.status().is_success() {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                exchange.left_unread.store(true, Ordering::Release);
            }
            if !is_unread {
                // From here on only the answer is left to be sent.
                exchange.enter(Phase::Reading);
            }
            Ok(response.map(|body| Answer { body, _under_way: under_way }))
        }
    }
}

/// Ends the request when it is dropped.
#[derive(Debug)]
struct UnderWay(Arc<Exchange>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.enter(Phase::Idle);
    }
}

/// A request's body; notes when all of it was read.
struct Arriving {
    body: Incoming,
    exchange: Arc<Exchange>,
    phase: Phase,
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(polled, Poll::Ready(None)) || (polled.is_ready() && self.body.is_end_stream()) {
            self.exchange.enter(self.phase);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body; the request is over when it is dropped.
pub struct Answer {
    body: Body,
    _under_way: UnderWay,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
