//! From a change to everyone who watches, and what that takes.

use crate::etcd::{self, Etcd};
use crate::load::request;
use crate::process::Fleet;
use crate::short::or_short;
use crate::{fill, quantile, registration};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Barrier, mpsc};

const WATCHERS: usize = 500;
/// Between two changes, so that each is told before the next is made.
const PACE: Duration = Duration::from_millis(100);
/// Instances that stand for changes only.
const FIRST_CHANGE: usize = 1_000_000;

pub async fn report() {
    println!(
        "\n| {:<52} | p50 ms | p99 ms | worst ms | resident MB |",
        "from a change to each of 500 watchers"
    );
    println!("|{:-<54}|-------:|-------:|---------:|------------:|", "");
    let registry = Fleet::start("registry");
    let port = registry.port("registry");
    fill(port).await;
    let watch = "GET /services/watch HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned();
    let change = |n| {
        let body = registration(FIRST_CHANGE + n);
        (
            request("POST", "/services", "application/json", &body),
            format!("\"instanceId\":\"i{}\"", FIRST_CHANGE + n),
        )
    };
    let delays = measure(port, &watch, change).await;
    print("distlogd, SSE, beside 5,000 instances", delays, registry.resident_mb());

    if let Some(etcd) = Etcd::start().await {
        etcd.puts(64, registration).times(crate::INSTANCES).await;
        let change = |n| {
            let key = format!("/c/{n:06}");
            (etcd::put(&key, &registration(FIRST_CHANGE + n)), etcd::base64(key.as_bytes()))
        };
        let delays = measure(etcd.port, &etcd::watch(), change).await;
        print("etcd, JSON gateway, beside 5,000 keys", delays, etcd.resident_mb());
    }
}

fn print(name: &str, delays: Vec<f64>, resident_mb: f64) {
    println!(
        "| {name:<52} | {:>6.2} | {:>6.2} | {:>8.2} | {resident_mb:>11.1} |",
        quantile(delays.clone(), 0.5),
        quantile(delays.clone(), 0.99),
        quantile(delays, 1.0),
    );
}

/// Makes changes, each with a request and a text that a watcher sees when it is
/// told; from the sending of the request to that, in milliseconds.
async fn measure(port: u16, watch: &str, change: impl Fn(usize) -> (String, String)) -> Vec<f64> {
    let changes: Vec<(String, String)> = (0..or_short(100, 5)).map(change).collect();
    let texts: Arc<[String]> = changes.iter().map(|(_, text)| text.clone()).collect();
    let ready = Arc::new(Barrier::new(WATCHERS + 1));
    let (seen, mut told) = mpsc::unbounded_channel();
    for _ in 0..WATCHERS {
        let (watch, texts, ready, seen) =
            (watch.to_owned(), Arc::clone(&texts), Arc::clone(&ready), seen.clone());
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            stream.write_all(watch.as_bytes()).await.unwrap();
            let mut buffer = Vec::with_capacity(1 << 16);
            // What comes first is no change: the snapshot.
            quiet(&mut stream, &mut buffer).await;
            ready.wait().await;
            let mut next = 0;
            while next < texts.len() {
                assert!(stream.read_buf(&mut buffer).await.unwrap() > 0, "the watch was cut off");
                let at = Instant::now();
                while next < texts.len() && contains(&buffer, texts[next].as_bytes()) {
                    seen.send((next, at)).unwrap();
                    next += 1;
                    buffer.clear();
                }
            }
        });
    }
    drop(seen);
    ready.wait().await;
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut sent = Vec::new();
    for (request, _) in &changes {
        tokio::time::sleep(PACE).await;
        sent.push(Instant::now());
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 4096];
        assert!(stream.read(&mut answer).await.unwrap() > 0);
    }
    let mut delays = Vec::new();
    while let Some((change, at)) = told.recv().await {
        delays.push(at.saturating_duration_since(sent[change]).as_secs_f64() * 1e3);
    }
    delays
}

/// Reads until nothing has come for a while.
async fn quiet(stream: &mut TcpStream, buffer: &mut Vec<u8>) {
    let wait = Duration::from_millis(1_000);
    while let Ok(read) = tokio::time::timeout(wait, stream.read_buf(buffer)).await {
        assert!(read.unwrap() > 0, "the watch was cut off");
        buffer.clear();
    }
    buffer.clear();
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}
