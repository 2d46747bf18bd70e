//! A client that takes as little as can be of the cores that it shares with
//! what it measures.

use std::io::{self, Read, Write};
use std::net::TcpStream;

/// A connection that is kept.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::new() }
    }

    /// The body of a good answer.
    pub fn get(&mut self, path: &str, query: &[(&str, &str)]) -> String {
        let target = target(path, query);
        self.stream
            .write_all(format!("GET {target} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes())
            .unwrap();
        self.answer()
    }

    /// The body of a good answer.
    pub fn post(&mut self, path: &str, media_type: &str, body: &[u8]) -> String {
        self.send(path, media_type, body);
        self.answer()
    }

    /// Posts without waiting for the answer.
    pub fn send(&mut self, path: &str, media_type: &str, body: &[u8]) {
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {media_type}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.stream.write_all(&request).unwrap();
    }

    /// Reads an answer, which must be a good one and say its length.
    pub fn answer(&mut self) -> String {
        self.buffer.clear();
        let end = head(&mut self.stream, &mut self.buffer).unwrap();
        let head = std::str::from_utf8(&self.buffer[..end]).unwrap();
        let len = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let len: usize = len.expect("an answer says its length").parse().unwrap();
        let is_good = head.starts_with("HTTP/1.1 200 ");
        let there = self.buffer.len();
        self.buffer.resize(end + len, 0);
        self.stream.read_exact(&mut self.buffer[there..]).unwrap();
        let body = String::from_utf8_lossy(&self.buffer[end..]).into_owned();
        assert!(is_good, "{body}");
        body
    }
}

/// A tail that is open.
pub struct Tail(TcpStream);

impl Tail {
    pub fn open(port: u16, query: &[(&str, &str)]) -> io::Result<Self> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        let target = target("/log/tail", query);
        stream.write_all(format!("GET {target} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes())?;
        let mut buffer = Vec::new();
        head(&mut stream, &mut buffer)?;
        if !buffer.starts_with(b"HTTP/1.1 200 ") {
            return Err(io::Error::other(String::from_utf8_lossy(&buffer).into_owned()));
        }
        Ok(Self(stream))
    }

    /// Reads until a word has come.
    pub fn wait_for(&mut self, word: &str) {
        let mut buffer = Vec::new();
        while !String::from_utf8_lossy(&buffer).contains(word) {
            more(&mut self.0, &mut buffer).unwrap();
        }
    }
}

/// Reads the head of an answer, and maybe something of its body: where that begins.
fn head(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<usize> {
    loop {
        more(stream, buffer)?;
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            return Ok(at + 4);
        }
    }
}

fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<()> {
    let mut piece = [0; 16 << 10];
    match stream.read(&mut piece)? {
        0 => Err(io::Error::other("the connection was closed")),
        len => {
            buffer.extend_from_slice(&piece[..len]);
            Ok(())
        }
    }
}

fn target(path: &str, query: &[(&str, &str)]) -> String {
    let url = reqwest::Url::parse_with_params(&format!("http://localhost{path}"), query).unwrap();
    format!("{path}?{}", url.query().unwrap_or_default())
}
