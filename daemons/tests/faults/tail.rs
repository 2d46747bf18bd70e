//! A batch while many follow. What it costs is measured by the `log` benchmark;
//! here it must not be of another order.

use crate::Rounds;
use crate::harness::Setup;
use crate::harness::lines::Lines;
use reqwest::Method;
use std::time::{Duration, Instant};

const TAILS: usize = 300;
const BATCH: usize = 5_000;
/// Of a build without optimisation on a busy machine; the fault took 7 s.
const MOST: Duration = Duration::from_secs(2);

pub async fn run(rounds: &mut Rounds) -> String {
    let log = Setup::new("log").start().await;
    let body: String = (0..BATCH)
        .map(|n| format!("{{\"message\":\"line {n} of a batch\",\"service\":\"Tails\"}}\n"))
        .collect();
    let post = async || {
        let began = Instant::now();
        let request = log.request(Method::POST, "log", "/log").header("content-type", "application/x-ndjson");
        let answer = request.body(body.clone()).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        began.elapsed()
    };
    let alone = post().await.min(post().await);
    let mut tails = Vec::new();
    for _ in 0..TAILS {
        tails.push(Lines::open(log.request(Method::GET, "log", "/log/tail?format=text")).await);
    }
    let reading: Vec<_> = tails
        .into_iter()
        .map(|mut tail| tokio::spawn(async move { while tail.next().await.is_some() {} }))
        .collect();
    let mut worst = Duration::ZERO;
    while rounds.another() {
        worst = worst.max(post().await);
    }
    reading.iter().for_each(tokio::task::JoinHandle::abort);
    assert!(worst < MOST, "with {TAILS} tails a batch took {worst:?}, alone {alone:?}");
    format!("a batch of {BATCH} lines took {alone:?} alone, at most {worst:?} with {TAILS} tails")
}
