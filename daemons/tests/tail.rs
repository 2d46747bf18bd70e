//! Following the log: replay, live, resuming, leaving.

use crate::harness::lines::Lines;
use crate::harness::{Answer, Running, Setup, eventually};
use reqwest::Method;
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
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

/// The sealed segments, in order, once nothing waits to be sealed.
async fn sealed(log: &Running) -> Vec<PathBuf> {
    let segments = log.dir().join("distlog-data/log/segments");
    eventually("every segment is sealed", async || {
        let mut paths: Vec<PathBuf> =
            fs::read_dir(&segments).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let ends = |end: &str| paths.iter().filter(|path| path.to_str().unwrap().ends_with(end)).count();
        let all = ends(".log") == 0 && ends(".new") == 0 && ends(".zst") > 0;
        all.then(|| {
            paths.iter().filter(|path| path.extension().is_some_and(|e| e == "zst")).cloned().collect()
        })
    })
    .await
}

#[tokio::test]
async fn a_tail_is_told_how_many_records_a_damaged_frame_has_lost() {
    let log = Setup::new("log").flag("--log-rotate-size", "4KiB").start().await;
    for n in 1..=200 {
        log.post("log", "/log", format!("record {n}")).await.ok();
    }
    let damaged = sealed(&log).await.swap_remove(1);
    let mut bytes = fs::read(&damaged).unwrap();
    bytes[40] ^= 1;
    fs::write(&damaged, bytes).unwrap();
    let log = log.restart().await;

    let mut sse = tail(&log, "after=0").await;
    let (mut next, mut missed) = (1, 0);
    while next <= 200 {
        let (name, id, data) = sse.event().await.unwrap();
        if name == "lagged" {
            let lagged: Value = serde_json::from_str(&data).unwrap();
            let lost = lagged["missed"].as_u64().unwrap();
            missed += lost;
            next += lost;
        } else {
            assert_eq!(id, next.to_string());
            next += 1;
        }
    }
    assert!((1..200).contains(&missed), "{missed}");
}

#[tokio::test]
async fn a_line_by_hand_has_the_time_of_the_line_before_it() {
    let log = Setup::new("log").start().await;
    let mut lines = tail(&log, "format=ndjson").await;
    let write = |text: &str| {
        let mut file = OpenOptions::new().append(true).open(log.log_file()).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    // Nothing is before the first: it is of the time when the tail began.
    write("first by hand\n");
    log.post_json("log", "/log", serde_json::json!({"message": "a", "ts": "2026-01-02T03:04:05Z"}))
        .await
        .ok();
    write("second by hand\n");
    log.post("log", "/log", "b").await.ok();
    let mut told = Vec::new();
    for _ in 0..4 {
        told.push(serde_json::from_str::<Value>(&lines.next().await.unwrap()).unwrap());
    }
    let messages: Vec<_> = told.iter().map(|record| record["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["first by hand", "a", "second by hand", "b"]);
    assert!(told[0]["ts"].as_str().unwrap() > "2026-01-03", "{}", told[0]);
    assert_eq!(told[2]["ts"], told[1]["ts"]);
}

#[tokio::test]
async fn a_reader_that_stalled_goes_on_where_it_was_when_its_lines_are_held_no_more() {
    const RECORDS: usize = 24_000;
    let log = Setup::new("log").start().await;
    let pad = "x".repeat(1_000);
    for batch in 0..24 {
        let lines: String =
            (0..1_000).map(|n| format!("{{\"message\":\"{} {pad}\"}}\n", batch * 1_000 + n)).collect();
        let request = log.request(Method::POST, "log", "/log").header("content-type", "application/x-ndjson");
        Answer::of(request.body(lines)).await.ok();
    }
    let number = |line: String| line.split(' ').nth(4).unwrap().parse::<usize>().unwrap();
    let mut stalled = tail(&log, "after=0&format=text").await;
    assert_eq!(number(stalled.next().await.unwrap()), 0);
    let mut reading = tail(&log, "after=0&format=text").await;
    for want in 0..RECORDS {
        assert_eq!(number(reading.next().await.unwrap()), want);
    }
    for want in 1..RECORDS {
        assert_eq!(number(stalled.next().await.unwrap()), want);
    }
}

#[tokio::test]
async fn what_many_tails_send_is_written_once() {
    const TAILS: usize = 20;
    let log = Setup::new("log").start().await;
    let mut tails = Vec::new();
    for _ in 0..TAILS {
        tails.push((tail(&log, "format=text").await, tail(&log, "q=wanted&format=text").await));
    }
    let body: String = (0..1_000)
        .map(|n| format!("{{\"message\":\"{} {n}\"}}\n", if n % 2 == 0 { "wanted" } else { "other" }))
        .collect();
    let request = log.request(Method::POST, "log", "/log").header("content-type", "application/x-ndjson");
    Answer::of(request.body(body)).await.ok();
    for (every, wanted) in &mut tails {
        for n in 0..1_000 {
            assert!(every.next().await.unwrap().ends_with(&format!(" {n}")));
        }
        for n in 0..500 {
            assert!(wanted.next().await.unwrap().ends_with(&format!("wanted {}", 2 * n)));
        }
    }
    let metrics = log.get("log", "/metrics").await;
    let value = |name: &str| {
        let line = metrics.body.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()
    };
    assert_eq!(value("distlog_log_tails "), 2 * TAILS);
    // Two threads may write the same piece at the same time: more than once, but
    // never once a tail.
    assert!((1_500..1_500 * 4).contains(&value("distlog_log_tail_records_total ")));
}

#[tokio::test]
async fn a_record_larger_than_what_is_sent_at_a_time_arrives_whole_at_every_tail() {
    let log = Setup::new("log").start().await;
    let mut sse = tail(&log, "").await;
    let mut text = tail(&log, "format=text").await;
    let message = "long ".repeat(150_000);
    for message in [message.as_str(), "short"] {
        log.post("log", "/log", message.to_owned()).await.ok();
    }
    for want in [message.as_str(), "short"] {
        let (_, _, data) = sse.event().await.unwrap();
        assert_eq!(serde_json::from_str::<Value>(&data).unwrap()["message"], want);
        assert!(text.next().await.unwrap().ends_with(&format!(": {want}")));
    }
}
