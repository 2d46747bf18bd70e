//! The sockets: datagrams and connections, so many at a time.

use super::{Responder, Transport};
use crate::runtime::{Context, StartError, announce};
use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener as StdListener, UdpSocket as StdSocket};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Semaphore;

/// Datagrams under way at a time; one more is dropped, and its client asks again.
const DATAGRAMS_MAX: usize = 1_024;
/// Connections at a time; one more waits in the kernel.
const CONNECTIONS_MAX: usize = 256;
/// How long a connection may be idle, and how long one message may take.
const IDLE_MAX: Duration = Duration::from_secs(10);
/// The longest question: a name has at most 255 bytes, EDNS adds options.
const QUESTION_MAX: usize = 4_096;
/// The pause after an error of the socket itself.
const PAUSE: Duration = Duration::from_millis(100);

/// Binds every address and answers there in the background.
pub fn spawn(context: &Context, responder: &Arc<Responder>) -> Result<(), StartError> {
    for text in &context.settings.registry.dns.0 {
        let address: SocketAddr = text.parse().map_err(|_| {
            StartError::Bind(format!("registry.dns: '{text}' is no address; write it as 127.0.0.1:5353"))
        })?;
        if !address.ip().is_loopback() && !context.settings.general.insecure {
            return Err(StartError::Bind(format!(
                "registry.dns: will not answer at {address}: whoever reaches that address could see the whole \
                 fleet. Stay with loopback, or say --insecure if the network is trusted"
            )));
        }
        let (datagrams, listener) = bind(address).map_err(|error| explain(address, &error))?;
        let bound = datagrams.local_addr().map_err(|error| explain(address, &error))?;
        announce(&format!("Registry DNS started on {bound}"));
        context.spawn(answer_datagrams(datagrams, Arc::clone(responder), context.clone()));
        context.spawn(answer_connections(listener, Arc::clone(responder), context.clone()));
    }
    Ok(())
}

/// Both sockets on one port. Where the system is to choose it, the port that it
/// gives for one may be taken for the other; then another one is tried.
fn bind(address: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let mut tries = if address.port() == 0 { 20 } else { 1 };
    loop {
        let listener = StdListener::bind(address)?;
        match StdSocket::bind(listener.local_addr()?) {
            Ok(datagrams) => {
                listener.set_nonblocking(true)?;
                datagrams.set_nonblocking(true)?;
                return Ok((UdpSocket::from_std(datagrams)?, TcpListener::from_std(listener)?));
            }
            Err(error) if tries <= 1 => return Err(error),
            Err(_) => tries -= 1,
        }
    }
}

fn explain(address: SocketAddr, error: &io::Error) -> StartError {
    let why = match error.kind() {
        ErrorKind::AddrInUse => "it is taken; see who has it with 'ss -lunp' and 'ss -ltnp'".to_owned(),
        ErrorKind::PermissionDenied => "not allowed; give a port above 1023".to_owned(),
        _ => error.to_string(),
    };
    StartError::Bind(format!("registry.dns: cannot answer at {address}: {why}"))
}

async fn answer_datagrams(socket: UdpSocket, responder: Arc<Responder>, context: Context) {
    let socket = Arc::new(socket);
    let slots = Arc::new(Semaphore::new(DATAGRAMS_MAX));
    let mut buffer = vec![0; QUESTION_MAX];
    loop {
        // An error here is a client's that has gone (ICMP), or the system is out of memory.
        let Ok((len, from)) = socket.recv_from(&mut buffer).await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else { continue };
        let question: Vec<u8> = buffer.iter().take(len).copied().collect();
        let (socket, responder) = (Arc::clone(&socket), Arc::clone(&responder));
        context.spawn(async move {
            if let Some(answer) = responder.answer(&question, Transport::Datagram).await {
                let _ = socket.send_to(&answer, from).await;
            }
            drop(slot);
        });
    }
}

async fn answer_connections(listener: TcpListener, responder: Arc<Responder>, context: Context) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let responder = Arc::clone(&responder);
        context.spawn(async move {
            converse(stream, &responder).await;
            drop(slot);
        });
    }
}

/// One question after the other, each with its length before it (RFC 7766).
async fn converse(mut stream: TcpStream, responder: &Responder) {
    while let Some(question) = in_time(read(&mut stream)).await {
        let Some(answer) = responder.answer(&question, Transport::Connection).await else { return };
        if in_time(write(&mut stream, &answer)).await.is_none() {
            return;
        }
    }
}

async fn in_time<T>(step: impl Future<Output = io::Result<T>>) -> Option<T> {
    tokio::time::timeout(IDLE_MAX, step).await.ok()?.ok()
}

async fn read(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let len = usize::from(stream.read_u16().await?);
    if len > QUESTION_MAX {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut question = vec![0; len];
    stream.read_exact(&mut question).await?;
    Ok(question)
}

async fn write(stream: &mut TcpStream, answer: &[u8]) -> io::Result<()> {
    let len = u16::try_from(answer.len()).map_err(|_| ErrorKind::InvalidData)?;
    let mut framed = len.to_be_bytes().to_vec();
    framed.extend_from_slice(answer);
    stream.write_all(&framed).await
}
