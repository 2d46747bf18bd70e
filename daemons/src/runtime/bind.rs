//! Ports, bound before anything else happens.

use super::StartError;
use crate::settings::Settings;
use shared::daemon::Daemon;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener};

/// A daemon's listeners, all on the same port.
pub struct Listeners {
    /// The port.
    pub port: u16,
    /// One listener an address.
    pub sockets: Vec<TcpListener>,
}

/// With port 0 the first address gets a free port, which may be taken on the
/// second; then another one is tried, so often at most.
const FREE_PORT_TRIES: usize = 20;

/// The addresses to listen on.
///
/// # Errors
/// When there is none, one is no address, or one is not allowed.
pub fn addresses(settings: &Settings) -> Result<Vec<IpAddr>, StartError> {
    let mut addresses = Vec::new();
    for text in &settings.general.bind.0 {
        let address: IpAddr = text.trim_matches(['[', ']']).parse().map_err(|_| {
            StartError::Bind(format!("general.bind: '{text}' is no address; write it as 127.0.0.1 or ::1"))
        })?;
        if !address.is_loopback() && !settings.general.insecure {
            return Err(StartError::Bind(format!(
                "will not listen on {address}: whoever reaches that address could read and write everything, for \
                 nobody is asked who they are. Stay with loopback (general.bind), or say --insecure if the network \
                 is trusted"
            )));
        }
        addresses.push(address);
    }
    if addresses.is_empty() {
        return Err(StartError::Bind("general.bind: no address to listen on".to_owned()));
    }
    Ok(addresses)
}

/// Binds a daemon's port on every configured address.
pub fn bind(daemon: Daemon, settings: &Settings) -> Result<Listeners, StartError> {
    let addresses = addresses(settings)?;
    let wanted = settings.port(daemon);
    let tries = if wanted == 0 { FREE_PORT_TRIES } else { 1 };
    let mut last = None;
    for _ in 0..tries {
        match bind_all(daemon, &addresses, wanted) {
            Ok(listeners) => return Ok(listeners),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| StartError::Bind("no free port".to_owned())))
}

fn bind_all(daemon: Daemon, addresses: &[IpAddr], wanted: u16) -> Result<Listeners, StartError> {
    let mut port = wanted;
    let mut sockets = Vec::new();
    for address in addresses {
        match listen(SocketAddr::new(*address, port)) {
            Ok(socket) => {
                port = socket.local_addr().map_or(port, |local| local.port());
                sockets.push(socket);
            }
            // A machine without IPv6 has no ::1; the other address serves.
            Err(error)
                if address.is_ipv6()
                    && addresses.len() > 1
                    && matches!(error.kind(), ErrorKind::AddrNotAvailable | ErrorKind::Unsupported) =>
            {
                tracing::debug!("not listening on {address}: {error}");
            }
            Err(error) => return Err(StartError::Bind(explain(daemon, *address, port, &error))),
        }
    }
    if sockets.is_empty() {
        return Err(StartError::Bind(format!("{}: none of the addresses could be used", daemon.title())));
    }
    Ok(Listeners { port, sockets })
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    // std sets SO_REUSEADDR and a backlog of its own choice, which the kernel
    // caps at net.core.somaxconn.
    let socket = TcpListener::bind(address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn explain(daemon: Daemon, address: IpAddr, port: u16, error: &std::io::Error) -> String {
    let title = daemon.title();
    let word = daemon.word();
    match error.kind() {
        ErrorKind::AddrInUse => format!(
            "{title}: port {port} is taken on {address}. See who has it with 'ss -ltnp sport = :{port}', stop that \
             one, or give another port with --{word}-port"
        ),
        ErrorKind::PermissionDenied => format!(
            "{title}: not allowed to listen on port {port} of {address}; give a port above 1023 with --{word}-port"
        ),
        _ => format!("{title}: cannot listen on port {port} of {address}: {error}"),
    }
}
