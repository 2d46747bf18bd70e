//! Requests over kept connections, as fast as they are answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The n-th request, as it goes over the wire.
type Request = Arc<dyn Fn(usize) -> String + Send + Sync>;

/// What is asked, of whom, over how many connections.
#[derive(Clone)]
pub struct Load {
    port: u16,
    request: Request,
    connections: usize,
    next: Arc<AtomicUsize>,
}

/// A request as text.
pub fn request(method: &str, path: &str, media_type: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {media_type}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// What came of it.
pub struct Run {
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

impl Load {
    pub fn new(
        port: u16,
        connections: usize,
        request: impl Fn(usize) -> String + Send + Sync + 'static,
    ) -> Self {
        Self { port, request: Arc::new(request), connections, next: Arc::default() }
    }

    pub fn gets(port: u16, path: &str, connections: usize) -> Self {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        Self::new(port, connections, move |_| request.clone())
    }

    pub fn posts(
        port: u16,
        (path, media_type): (&'static str, &'static str),
        connections: usize,
        body: impl Fn(usize) -> String + Send + Sync + 'static,
    ) -> Self {
        Self::new(port, connections, move |n| request("POST", path, media_type, &body(n)))
    }

    /// The same of another.
    pub fn against(&self, port: u16) -> Self {
        Self { port, ..self.clone() }
    }

    /// For so long.
    pub async fn run(&self, time: Duration) -> Run {
        let began = Instant::now();
        let mut latencies = self.until(move |_| began.elapsed() >= time).await;
        let took = began.elapsed().as_secs_f64();
        latencies.sort_unstable();
        let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize] as f64 / 1e6;
        Run { per_second: latencies.len() as f64 / took, p50_ms: at(0.5), p99_ms: at(0.99) }
    }

    /// So many requests.
    pub async fn times(&self, requests: usize) {
        let each = requests.div_ceil(self.connections);
        self.until(move |done| done >= each).await;
    }

    /// Each connection until `enough` says so of the number that it has done;
    /// the latencies in nanoseconds.
    async fn until(&self, enough: impl Fn(usize) -> bool + Send + Clone + 'static) -> Vec<u64> {
        let workers: Vec<_> = (0..self.connections)
            .map(|_| {
                let (load, enough) = (self.clone(), enough.clone());
                tokio::spawn(async move {
                    let mut stream = TcpStream::connect(("127.0.0.1", load.port)).await.unwrap();
                    stream.set_nodelay(true).unwrap();
                    let mut buffer = Vec::new();
                    let mut latencies = Vec::new();
                    while !enough(latencies.len()) {
                        let request = (load.request)(load.next.fetch_add(1, Ordering::Relaxed));
                        let began = Instant::now();
                        stream.write_all(request.as_bytes()).await.unwrap();
                        answer(&mut stream, &mut buffer).await;
                        latencies.push(u64::try_from(began.elapsed().as_nanos()).unwrap());
                    }
                    latencies
                })
            })
            .collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.await.unwrap());
        }
        all
    }
}

/// Reads one answer, which must be a good one.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) {
    buffer.clear();
    loop {
        assert!(stream.read_buf(buffer).await.unwrap() > 0, "the connection was closed");
        let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&buffer[..end]).unwrap();
        assert!(head.starts_with("HTTP/1.1 20"), "{}", String::from_utf8_lossy(buffer));
        if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
            while !buffer.ends_with(b"\r\n0\r\n\r\n") {
                assert!(stream.read_buf(buffer).await.unwrap() > 0, "the connection was closed");
            }
            return;
        }
        let len: usize = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned))
            .map_or(0, |len| len.parse().unwrap());
        let mut missing = (end + 4 + len).saturating_sub(buffer.len());
        while missing > 0 {
            missing = missing.saturating_sub(stream.read_buf(buffer).await.unwrap());
        }
        return;
    }
}
