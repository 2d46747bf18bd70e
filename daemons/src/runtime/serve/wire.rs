//! A connection's socket, which bridges two gaps between TCP and hyper.
//!
//! * A client may close its sending side after a whole request. hyper takes that
//!   for a client that left and drops the request. Here the end of the input is
//!   held back until a request that may change something is answered, and for
//!   [`HALF_CLOSED_MAX`] from a request that only reads: a client that really
//!   left must not hold a search or a stream for longer. The same time holds for
//!   a body of which the handler has not read the end.
//! * The kernel resets a connection that is closed with unread input, and the
//!   reset overtakes the answer. After a refusal that left a body unread the
//!   input is read and discarded for [`LINGER_MAX`] at most.

use super::exchange::{Exchange, Phase};
use crate::runtime::peer::Socket;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long the end of the input is held back from a request that stores nothing.
const HALF_CLOSED_MAX: Duration = Duration::from_secs(5);
/// How long input is discarded before the connection closes.
const LINGER_MAX: Duration = Duration::from_secs(1);
/// How many bytes are discarded at most.
const LINGER_LEN_MAX: usize = 16 << 20;

/// The socket of one connection.
pub struct Wire {
    stream: Socket,
    exchange: Arc<Exchange>,
    /// Runs from the end of the input.
    half_closed: Option<Pin<Box<Sleep>>>,
    lingering: Option<Lingering>,
}

struct Lingering {
    until: Pin<Box<Sleep>>,
    discarded: usize,
}

impl Wire {
    pub fn new(stream: Socket, exchange: Arc<Exchange>) -> Self {
        Self { stream, exchange, half_closed: None, lingering: None }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.half_closed.is_none() {
            let before = buffer.filled().len();
            ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
            if buffer.filled().len() > before || buffer.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
        }
        let this = &mut *self;
        this.exchange.register(cx);
        let until = this.half_closed.get_or_insert_with(|| Box::pin(sleep(HALF_CLOSED_MAX)));
        match this.exchange.phase() {
            Phase::Idle => Poll::Ready(Ok(())),
            // hyper reads ahead of the handler: the end of the input may come while
            // the handler has yet to read a body that is whole.
            Phase::Arriving | Phase::Reading => until.as_mut().poll(cx).map(Ok),
            Phase::Writing => Poll::Pending,
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.lingering.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            if !this.exchange.left_unread() {
                return Poll::Ready(Ok(()));
            }
        }
        let lingering = this
            .lingering
            .get_or_insert_with(|| Lingering { until: Box::pin(sleep(LINGER_MAX)), discarded: 0 });
        let mut bytes = [0; 16 * 1024];
        while lingering.discarded < LINGER_LEN_MAX && lingering.until.as_mut().poll(cx).is_pending() {
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                break;
            }
            lingering.discarded += buffer.filled().len();
        }
        Poll::Ready(Ok(()))
    }
}
