//! Bodies that are slow, packed or left unread.

use crate::harness::raw::{connect, raw, read_all};
use crate::harness::{Answer, Running, Setup};
use reqwest::Method;
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Half of the time that a body may take.
const SOON: Duration = Duration::from_secs(15);

fn begin(log: &Running, head: &str, body: &[u8]) -> TcpStream {
    let mut stream = connect(log.ports["log"]);
    stream.write_all(format!("POST /log HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n").as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    stream
}

fn zipped(text: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text).unwrap();
    gzip.finish().unwrap()
}

#[tokio::test]
async fn bodies_that_announce_much_and_send_little_keep_nobody_out() {
    let log = Setup::new("log").start().await;
    let packed = "Content-Encoding: gzip\r\nTransfer-Encoding: chunked";
    let _slow: Vec<TcpStream> = [packed, packed, packed]
        .iter()
        .map(|head| begin(&log, head, b"1\r\n\x1f\r\n"))
        .chain([begin(&log, "Content-Length: 33550000", b"x"), begin(&log, "Content-Length: 500", b"x")])
        .collect();
    let body = zipped("one of many ".repeat(75).as_bytes());
    let senders = (0..8).map(|_| async {
        for _ in 0..30 {
            let sent = log
                .request(Method::POST, "log", "/log")
                .header("content-encoding", "gzip")
                .body(body.clone());
            Answer::of(sent).await.ok();
        }
    });
    futures_util::future::join_all(senders).await;
}

#[tokio::test]
async fn a_body_that_stalls_gives_its_room_to_those_that_wait() {
    let log = Setup::new("log").start().await;
    // Five times 30 MiB are more than all bodies may take; none of them goes on.
    let piece = vec![b'x'; 30 << 20];
    let mut stalled = Vec::new();
    for _ in 0..5 {
        let mut stream = begin(&log, "Content-Length: 33550000", b"");
        // The last one has to wait for room: its client cannot send on.
        stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
        let _ = stream.write_all(&piece);
        stalled.push(stream);
    }
    let began = Instant::now();
    let large = "y".repeat(900 << 10);
    for _ in 0..8 {
        log.post("log", "/log", large.clone()).await.ok();
    }
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_refusal_that_leaves_a_body_unread_arrives_and_closes_the_connection() {
    let fleet = Setup::new("all").start().await;
    for (daemon, path) in [
        ("registry", "/services"),
        ("log", "/log"),
        ("library", "/library/books"),
        ("provider", "/providers/subscriptions"),
        ("web", "/proxy/log"),
        ("monitor", "/monitor/maintenance"),
    ] {
        let body = "x".repeat(40 << 20);
        for (host, status) in [("localhost", 413), ("rebound.example", 421)] {
            let mut stream = connect(fleet.ports[daemon]);
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).unwrap();
            // As much as the daemon discards; a client would send it before it reads.
            stream.write_all(body.get(..1 << 20).unwrap().as_bytes()).unwrap();
            let answer = read_all(&stream).to_lowercase();
            assert!(answer.starts_with(&format!("http/1.1 {status} ")), "{daemon}: {answer}");
            assert!(answer.contains("\r\nconnection: close\r\n"), "{daemon}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_when_unpacked_is_refused() {
    let log = Setup::new("log").flag("--log-body-max", "1MiB").start().await;
    let mut request = b"POST /log HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\n".to_vec();
    let body = zipped(&vec![b'a'; (1 << 20) + 1]);
    request
        .extend_from_slice(format!("Connection: close\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes());
    request.extend_from_slice(&body);
    let (answer, _) = raw(log.ports["log"], &request);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}
