//! HTTP by hand, for requests that no client sends.

use super::DEADLINE;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// Connects, with a bound on every read.
pub fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// Reads until the other side closes.
pub fn read_all(mut stream: &TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends bytes and reads until the other side closes; how long that took.
pub fn raw(port: u16, bytes: &[u8]) -> (String, Duration) {
    let began = Instant::now();
    let mut stream = connect(port);
    stream.write_all(bytes).unwrap();
    (read_all(&stream), began.elapsed())
}

/// Sends a whole request, closes the sending side, and reads the answer.
pub fn half_closed(port: u16, bytes: &[u8]) -> String {
    let mut stream = connect(port);
    stream.write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    read_all(&stream)
}
