//! What searches may hold: memory in common, slots shared out, neither kept by
//! readers that do not read.

use crate::harness::{Answer, Running, Setup, eventually};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

const MIB: usize = 1 << 20;
const SEARCHES: usize = 16;

async fn append(log: &Running, records: impl Iterator<Item = Value>) {
    let body: String = records.map(|record| format!("{record}\n")).collect();
    let request = log.request(Method::POST, "log", "/log").header("content-type", "application/x-ndjson");
    Answer::of(request.body(body)).await.ok();
}

/// The largest memory that the daemon has had, in MiB.
fn peak_mib(log: &Running) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", log.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() / 1024
}

/// By how many MiB the peak of the memory grows while the same is asked many
/// times at once, and the answers. The daemon was restarted before: writing has
/// its own peak.
async fn grown(log: &Running, path: &str) -> (usize, Vec<Answer>) {
    log.get("log", "/log?limit=1").await.ok();
    let before = peak_mib(log);
    let answers = join_all((0..SEARCHES).map(|_| log.get("log", path))).await;
    (peak_mib(log) - before, answers)
}

#[tokio::test]
async fn large_answers_share_the_memory_of_searches() {
    let log = Setup::new("log").flag("--log-query-memory", "16MiB").start().await;
    for _ in 0..4 {
        append(&log, (0..5).map(|_| json!({"message": "x".repeat(MIB - 100)}))).await;
    }
    let log = log.stop_and_start().await;
    let (grown, answers) = grown(&log, "/log?limit=1000&format=json").await;
    assert!(grown < 120, "{grown} MiB more");
    let mut whole = 0;
    for answer in answers {
        if answer.status == 200 {
            let page = answer.json();
            let records = page["records"].as_array().unwrap();
            assert!(!records.is_empty());
            // A page ends early where it is too long, and says how to go on.
            assert!(page["next"].is_string(), "{}", page["next"]);
            whole += usize::from(records.len() >= 10);
        } else {
            answer.problem(503);
            assert!(!answer.header("retry-after").is_empty());
        }
    }
    assert!(whole > 0, "some searches found memory");
}

/// The time of a line, to the second.
fn second(line: &str) -> &str {
    line.get(..19).unwrap()
}

#[tokio::test]
async fn records_in_disorder_share_the_memory_of_searches() {
    const RECORDS: usize = 60_000;
    let log = Setup::new("log").flag("--log-query-memory", "16MiB").start().await;
    let ts = |n: usize| {
        let second = n * 7_919 % RECORDS;
        format!("2026-11-22T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60)
    };
    for batch in 0..6 {
        let numbers = (0..10_000).map(|n| batch * 10_000 + n);
        append(&log, numbers.map(|n| json!({"message": format!("{n} {}", "x".repeat(60)), "ts": ts(n)})))
            .await;
    }
    let log = log.stop_and_start().await;
    let (grown, answers) = grown(&log, "/log?limit=1000000&format=text").await;
    assert!(grown < 100, "{grown} MiB more");
    for answer in answers.iter().filter(|answer| answer.status == 200) {
        let lines: Vec<&str> = answer.body.lines().collect();
        let partial = lines.last().unwrap().starts_with("# partial");
        assert!(partial || lines.len() == RECORDS && lines.is_sorted_by(|a, b| second(a) >= second(b)));
    }
    assert!(answers.iter().any(|answer| answer.status == 200));
    // The newest are found by keeping the best alone.
    let newest = log.get("log", "/log?limit=500&format=text").await.ok();
    let times: Vec<String> = newest.body.lines().map(|line| second(line).to_owned()).collect();
    let mut want: Vec<String> = (0..RECORDS).map(ts).collect();
    want.sort_unstable_by(|a, b| b.cmp(a));
    assert!(times.iter().zip(&want).all(|(time, want)| time == second(want)));
    assert_eq!(times.len(), 500);
}

/// A client that has asked and does not read yet.
fn ask(log: &Running, path: &str) -> TcpStream {
    let url = log.url("log");
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    let port: u16 = url.rsplit(':').next().unwrap().parse().unwrap();
    socket.connect(&std::net::SocketAddr::from(([127, 0, 0, 1], port)).into()).unwrap();
    let mut stream = TcpStream::from(socket);
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// The lines of a chunked answer.
fn read_lines(mut stream: TcpStream) -> Vec<String> {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, mut rest) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let mut body = String::new();
    while let Some((len, more)) = rest.split_once("\r\n") {
        let len = usize::from_str_radix(len, 16).unwrap();
        body.push_str(more.get(..len).unwrap());
        rest = more.get(len + 2..).unwrap();
    }
    body.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn readers_that_do_not_read_keep_no_slot_and_go_on_where_they_were() {
    const RECORDS: usize = 16_000;
    let log = Setup::new("log").flag("--log-queries-max", "4").start().await;
    for batch in 0..16 {
        let pad = "x".repeat(1_000);
        append(&log, (0..1_000).map(|n| json!({"message": format!("{} {pad}", batch * 1_000 + n)}))).await;
    }
    let path = format!("/log?limit={RECORDS}&order=asc&format=text");
    let stalled: Vec<TcpStream> = (0..4).map(|_| ask(&log, &path)).collect();
    eventually("the slots of readers that do not read are free", async || {
        (log.get("log", "/log?limit=1").await.status == 200).then_some(())
    })
    .await;
    for stream in stalled {
        let lines = tokio::task::spawn_blocking(move || read_lines(stream)).await.unwrap();
        assert_eq!(lines.len(), RECORDS, "{:?}", lines.last());
        for (n, line) in lines.iter().enumerate() {
            assert_eq!(line.split(' ').nth(4), Some(n.to_string().as_str()));
        }
    }
}
