//! Following the log: replay, live, resuming, leaving.

use crate::harness::{Answer, Lines, Running, Setup, eventually};
use reqwest::Method;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

async fn tail(log: &Running, query: &str) -> Lines {
    Lines::open(log.request(Method::GET, "log", &format!("/log/tail?{query}"))).await
}

#[tokio::test]
async fn a_tail_tells_what_comes_and_only_what_matches() {
    let log = Setup::new("log").start().await;
    log.post("log", "/log", "before").await.ok();
    let mut sse = tail(&log, "q=wanted").await;
    let mut text = tail(&log, "format=text").await;
    log.post("log", "/log", "other").await.ok();
    log.post("log", "/log?service=S&level=warn", "wanted").await.ok();
    let (name, id, data) = sse.event().await.unwrap();
    assert_eq!((name.as_str(), id.as_str()), ("message", "3"));
    assert_eq!(serde_json::from_str::<Value>(&data).unwrap()["message"], "wanted");
    assert!(text.next().await.unwrap().ends_with(": other"));
    assert!(text.next().await.unwrap().ends_with("WARN S: wanted"));
}

#[tokio::test]
async fn replay_becomes_live_without_a_gap_or_a_repeat_while_the_log_rotates() {
    let log = Setup::new("log").flag("--log-rotate-size", "4KiB").start().await;
    for n in 1..=200 {
        log.post("log", "/log", format!("record {n}")).await.ok();
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let (request, stop) = (log.request(Method::POST, "log", "/log").body("live"), Arc::clone(&stop));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    Answer::of(request.try_clone().unwrap()).await.ok();
                }
            })
        })
        .collect();
    let mut expected = 51;
    let mut lines = tail(&log, "after=50&format=ndjson").await;
    while expected < 800 {
        let record: Value = serde_json::from_str(&lines.next().await.unwrap()).unwrap();
        assert_eq!(record["seq"], expected);
        expected += 1;
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn a_tail_resumes_over_kill_9_where_it_was() {
    let mut log = Setup::new("log").start().await;
    let mut sse = tail(&log, "").await;
    for text in ["a", "b"] {
        log.post("log", "/log", text).await.ok();
    }
    let (_, id, _) = sse.event().await.unwrap();
    log.kill();
    let log = log.restart().await;
    log.post("log", "/log", "c").await.ok();
    let mut resumed =
        Lines::open(log.request(Method::GET, "log", "/log/tail").header("last-event-id", id)).await;
    for want in ["2", "3"] {
        assert_eq!(resumed.event().await.unwrap().1, want);
    }
}

#[tokio::test]
async fn a_reader_that_does_not_read_or_leaves_holds_nobody_up() {
    let log = Setup::new("log").start().await;
    let idle = tail(&log, "format=text").await;
    drop(tail(&log, "format=text").await);
    drop(log.request(Method::GET, "log", "/log?limit=1000000").send().await.unwrap());
    let line = "x".repeat(100_000);
    for _ in 0..200 {
        log.post("log", "/log", line.clone()).await.ok();
    }
    let mut reading = tail(&log, "after=199&format=ndjson").await;
    assert!(reading.next().await.is_some());
    drop(idle);
    eventually("all searches have ended", async || {
        (log.get("log", "/log?limit=1").await.status == 200).then_some(())
    })
    .await;
}
