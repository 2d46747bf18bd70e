//! The other side of a connection, as handlers see it, and the socket under it.
//!
//! The connection of a stream that has many readers moves to the threads for
//! streams: they have a lower priority, so that writing to readers delays no
//! answer. The connection keeps its state; its socket registers with the reactor
//! of those threads.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// The client of a request: an extension of every request.
#[derive(Debug, Clone)]
pub struct Peer(Arc<Connection>);

#[derive(Debug)]
struct Connection {
    id: ClientId,
    wants_to_move: Notify,
    has_moved: AtomicBool,
}

/// Clients that share what each client may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientId {
    /// Every connection from this address.
    Address(IpAddr),
    /// One connection from this machine, whose clients have one address.
    Local(u64),
}

impl Peer {
    /// The peer of a new connection.
    pub fn new(address: IpAddr) -> Self {
        static CONNECTIONS: AtomicU64 = AtomicU64::new(0);
        let id = if address.to_canonical().is_loopback() {
            ClientId::Local(CONNECTIONS.fetch_add(1, Ordering::Relaxed))
        } else {
            ClientId::Address(address)
        };
        Self(Arc::new(Connection { id, wants_to_move: Notify::new(), has_moved: AtomicBool::new(false) }))
    }

    /// The client that the connection counts for.
    pub fn client(&self) -> ClientId {
        self.0.id
    }

    /// Moves the connection to the threads for streams.
    pub fn move_to_streams(&self) {
        if !self.0.has_moved.load(Ordering::Acquire) {
            self.0.wants_to_move.notify_one();
        }
    }

    /// Waits until the connection is to move. The caller moves it.
    pub(super) async fn wants_to_move(&self) {
        self.0.wants_to_move.notified().await;
        self.0.has_moved.store(true, Ordering::Release);
    }
}

/// A connection's socket. After the move it registers with the reactor of the
/// runtime that polls it.
pub struct Socket {
    /// Missing only after a failed registration.
    stream: Option<TcpStream>,
    peer: Peer,
    is_registered_anew: bool,
}

impl Socket {
    /// The socket of this peer.
    pub const fn new(stream: TcpStream, peer: Peer) -> Self {
        Self { stream: Some(stream), peer, is_registered_anew: false }
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        if !self.is_registered_anew && self.peer.0.has_moved.load(Ordering::Acquire) {
            self.is_registered_anew = true;
            let stream = self.stream.take().map(TcpStream::into_std).transpose()?;
            self.stream = stream.map(TcpStream::from_std).transpose()?;
        }
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.get_mut().stream()?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().stream()?.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().stream()?.poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream()?.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream()?.poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[test]
    fn clients_of_this_machine_are_told_apart_by_connection_and_others_by_address() {
        let local = || Peer::new(Ipv4Addr::LOCALHOST.into()).client();
        assert_ne!(local(), local());
        let remote = || Peer::new(Ipv4Addr::new(10, 0, 0, 1).into()).client();
        assert_eq!(remote(), remote());
    }

    #[test]
    fn a_socket_goes_on_under_another_runtime() {
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (first, second) = (runtime(), runtime());
        let (mut socket, mut client, peer) = first.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (stream, from) = listener.accept().await.unwrap();
            let peer = Peer::new(from.ip());
            (Socket::new(stream, peer.clone()), client, peer)
        });
        peer.move_to_streams();
        first.block_on(peer.wants_to_move());
        // The first runtime is gone: the socket must not need its reactor.
        drop(first);
        std::io::Write::write_all(&mut client, b"ping").unwrap();
        second.block_on(async {
            let mut read = [0; 4];
            socket.read_exact(&mut read).await.unwrap();
            assert_eq!(&read, b"ping");
            socket.write_all(b"pong").await.unwrap();
        });
        let mut read = [0; 4];
        std::io::Read::read_exact(&mut client, &mut read).unwrap();
        assert_eq!(&read, b"pong");
    }
}
