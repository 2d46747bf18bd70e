//! How soon a record is seen, and what those cost who wait for one.

use crate::client::{Client, Tail};
use crate::process::Log;
use crate::readers::Readers;
use crate::short::or_short;
use std::time::Instant;

/// Files beside those of the tails.
const FILES: usize = 300;

/// Milliseconds at the median and at the 99th of a hundred.
pub struct Latency {
    pub p50: f64,
    pub p99: f64,
}

impl Latency {
    fn of(mut ms: Vec<f64>) -> Self {
        ms.sort_by(f64::total_cmp);
        Self { p50: ms[ms.len() / 2], p99: ms[ms.len() * 99 / 100] }
    }
}

/// From the acknowledgement to the answer of a search that has the record.
pub fn found(log: &Log) -> Latency {
    let (mut posting, mut searching) = (Client::connect(log.port), Client::connect(log.port));
    let one = |_| {
        let word = format!("found{:x}x", fastrand::u64(..));
        posting.post("/log?service=bench", "text/plain", format!("{word} is there").as_bytes());
        let began = Instant::now();
        // Of the last minute: what is measured is when it is there, not a search of everything.
        let query = [("q", word.as_str()), ("since", "1m"), ("limit", "1"), ("format", "json")];
        while !searching.get("/log", &query).contains(&word) {}
        began.elapsed().as_secs_f64() * 1e3
    };
    Latency::of((0..or_short(200, 5)).map(one).collect())
}

/// From the beginning of a post to the line at a tail.
pub fn told(log: &Log) -> Latency {
    let mut posting = Client::connect(log.port);
    let mut tail = Tail::open(log.port, &[("service", "bench"), ("format", "text")]).unwrap();
    let one = |_| {
        let word = format!("told{:x}x", fastrand::u64(..));
        let began = Instant::now();
        posting.send("/log?service=bench", "text/plain", format!("{word} is there").as_bytes());
        tail.wait_for(&word);
        let took = began.elapsed();
        posting.answer();
        took.as_secs_f64() * 1e3
    };
    Latency::of((0..or_short(200, 5)).map(one).collect())
}

fn has_descriptors(tails: usize) -> Result<(), String> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    match limit {
        Some(limit) if limit < (tails + FILES) as u64 => Err(format!("needs `ulimit -Hn {}`", tails + FILES)),
        _ => Ok(()),
    }
}

/// The time to the acknowledgement of a batch of 10,000 lines, and of one line,
/// while so many tails are read. They share the cores with the log.
pub fn acknowledged(log: &Log, tails: usize, batch: bool) -> Result<Latency, String> {
    has_descriptors(tails)?;
    let _readers = Readers::open(log.port, tails);
    let mut posting = Client::connect(log.port);
    let lines: String =
        (0..10_000).map(|n| format!("{{\"message\":\"line {n} {}\"}}\n", "z".repeat(100))).collect();
    let (posts, media_type, body) = if batch {
        (or_short(50, 2), "application/x-ndjson", lines.as_bytes())
    } else {
        (or_short(200, 5), "text/plain", b"one line".as_slice())
    };
    let one = |_| {
        let began = Instant::now();
        posting.post("/log?service=tails", media_type, body);
        let took = began.elapsed();
        // So that the tails have something to do during each post.
        std::thread::sleep(std::time::Duration::from_millis(20));
        took.as_secs_f64() * 1e3
    };
    Ok(Latency::of((0..posts).map(one).collect()))
}

/// Opens many tails that have nothing to tell: the megabytes that they take
/// together, or why that cannot be measured here.
pub fn idle_tails(log: &Log) -> Result<f64, String> {
    let tails = or_short(10_000, 100);
    has_descriptors(tails)?;
    let before = log.memory_mb("VmRSS");
    let open = |_| Tail::open(log.port, &[("q", "nobodysaysthis")]);
    let tails: Result<Vec<Tail>, _> = (0..tails).map(open).collect();
    let tails = tails.map_err(|error| error.to_string())?;
    std::thread::sleep(std::time::Duration::from_secs(2));
    let taken = log.memory_mb("VmRSS") - before;
    drop(tails);
    Ok(taken)
}
