//! Connections: accepted, bounded, served, drained.
//!
//! `axum::serve` sets no deadline, so that a client which sends half a header
//! (or nothing) holds its connection for ever. Here hyper's header deadline
//! runs from the moment a connection is open or idle, which also bounds the
//! first byte; bodies have their deadline where they are read
//! ([`super::body`]).

mod exchange;
mod wire;

use super::Context;
use super::bind::Listeners;
use super::gate::HEAD_MAX;
use super::peer::{Peer, Socket};
use axum::Router;
use axum::extract::Request;
use exchange::{Answer, Exchange};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{SockRef, TcpKeepalive};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wire::Wire;

/// The largest head that hyper parses. It is twice what the gate accepts, because
/// hyper applies its limit only to what one read brought.
const PARSED_HEAD_MAX: usize = 2 * HEAD_MAX;
/// The pause after a failed accept: out of descriptors, mostly.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The time in which a refused connection must have taken its answer.
const REFUSAL_MAX: Duration = Duration::from_secs(1);
/// The silence after which a connection's other side is asked whether it lives.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// What a connection over the limit is told.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n\
    retry-after: 1\r\ncontent-length: 121\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n\
    content-security-policy: default-src 'none'; frame-ancestors 'none'\r\n\
    cross-origin-resource-policy: same-origin\r\nconnection: close\r\n\r\n\
    {\"type\":\"about:blank\",\"title\":\"too many connections\",\"status\":503,\"detail\":\"all connections are in use; try again later\"}";

/// A daemon's connections.
pub struct Connections(TaskTracker);

impl Connections {
    /// Waits until no connection is open.
    pub async fn drained(&self) {
        self.0.wait().await;
    }
}

struct Server {
    http: http1::Builder,
    router: Router,
    slots: Arc<Semaphore>,
    stop: CancellationToken,
    open: TaskTracker,
    /// Runs the connections of streams.
    streams: Handle,
}

/// Serves a router on a daemon's listeners until it is to stop.
pub fn spawn(listeners: Listeners, router: Router, context: &Context) -> Connections {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(context.settings.general.header_timeout.0)
        .max_buf_size(PARSED_HEAD_MAX);
    let open = TaskTracker::new();
    let server = Arc::new(Server {
        http,
        router,
        slots: Arc::new(Semaphore::new(context.settings.general.connections_max)),
        stop: context.stop.clone(),
        open: open.clone(),
        streams: context.streams.clone(),
    });
    for socket in listeners.sockets {
        match TcpListener::from_std(socket) {
            Ok(listener) => context.spawn_part("http", accept(Arc::clone(&server), listener)),
            Err(error) => tracing::error!("cannot listen: {error}"),
        }
    }
    open.close();
    Connections(open)
}

async fn accept(server: Arc<Server>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => match Arc::clone(&server.slots).try_acquire_owned() {
                Ok(slot) => {
                    let serving = Arc::clone(&server).connection(stream, address.ip(), slot);
                    server.open.spawn(serving);
                }
                Err(_) => {
                    server.open.spawn(async move {
                        let _ = tokio::time::timeout(REFUSAL_MAX, refuse(stream)).await;
                    });
                }
            },
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn refuse(mut stream: TcpStream) {
    // The end is told first by the other side, or by the time-out: closing on
    // what it has sent would reset the answer away.
    if stream.write_all(FULL).await.is_ok() && stream.shutdown().await.is_ok() {
        let _ = stream.read(&mut [0; 1024]).await;
    }
}

/// Lets the kernel end a connection whose other side has vanished, or takes
/// nothing: an idle tail would never notice.
fn watch_over(stream: &TcpStream) {
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(SILENCE_MAX).with_interval(SILENCE_MAX / 4).with_retries(4);
    let _ = socket.set_tcp_keepalive(&keepalive);
    let _ = socket.set_tcp_user_timeout(Some(SILENCE_MAX * 2));
    let _ = stream.set_nodelay(true);
}

impl Server {
    async fn connection(self: Arc<Self>, stream: TcpStream, address: IpAddr, slot: OwnedSemaphorePermit) {
        watch_over(&stream);
        let peer = Peer::new(address);
        let exchange = Arc::new(Exchange::default());
        let socket = Socket::new(stream, peer.clone());
        let wire = TokioIo::new(Wire::new(socket, Arc::clone(&exchange)));
        let (router, of_request) = (self.router.clone(), peer.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(of_request.clone());
            Arc::clone(&exchange).serve(router.clone(), request)
        });
        let mut connection = Box::pin(self.http.serve_connection(wire, service));
        tokio::select! {
            () = drive(connection.as_mut(), &peer, &self.stop) => {}
            () = peer.wants_to_move() => {
                let server = Arc::clone(&self);
                self.streams.spawn(self.open.track_future(async move {
                    drive(connection.as_mut(), &peer, &server.stop).await;
                    drop(slot);
                }));
            }
        }
    }
}

/// Serves a connection to its end; after the signal to stop, to the end of the
/// request in flight.
async fn drive<S>(
    mut connection: Pin<&mut http1::Connection<TokioIo<Wire>, S>>,
    peer: &Peer,
    stop: &CancellationToken,
) where
    S: hyper::service::HttpService<Incoming, ResBody = Answer>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(client = ?peer.client(), "connection: {error}");
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_answer_over_the_limit_is_as_long_as_it_says() {
        let text = std::str::from_utf8(super::FULL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", body.len());
    }
}
