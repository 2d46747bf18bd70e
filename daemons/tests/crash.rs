//! `kill -9` in the middle of load: nothing that was acknowledged is lost, torn,
//! repeated or out of order.

use crate::harness::{Running, Setup, client};
use serde_json::Value;
use std::collections::HashMap;

const WRITERS: usize = 16;
const ROUNDS: usize = 50;

/// Writes numbered records until the daemon dies; what was acknowledged, in
/// order, and how far this writer came.
async fn write(
    url: String,
    writer: usize,
    round: usize,
    kill_soon: tokio::sync::mpsc::Sender<()>,
) -> Vec<(u64, String)> {
    let client = client();
    let mut acknowledged = Vec::new();
    for n in 0.. {
        let text = format!("round {round} writer {writer} record {n} {}", "x".repeat(n % 300));
        let sent = client.post(format!("{url}/log?service=w{writer}")).body(text.clone()).send().await;
        let Ok(answer) = sent else { break };
        let Ok(body) = answer.json::<Value>().await else { break };
        let Some(seq) = body["first"].as_u64() else { break };
        acknowledged.push((seq, text));
        let _ = kill_soon.try_send(());
    }
    acknowledged
}

async fn stored(log: &Running) -> HashMap<u64, String> {
    let answer = log.get("log", "/log?limit=1000000&order=asc&after=0").await.ok();
    let mut last = 0;
    let mut stored = HashMap::new();
    for line in answer.body.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let seq = record["seq"].as_u64().unwrap();
        assert!(seq > last, "{seq} after {last}");
        last = seq;
        stored.insert(seq, record["message"].as_str().unwrap().to_owned());
    }
    stored
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_rounds_of_kill_9_under_sixteen_writers_lose_nothing() {
    let mut log = Setup::new("log").flag("--log-rotate-size", "64KiB").start().await;
    let mut acknowledged: Vec<(u64, String)> = Vec::new();
    for round in 0..ROUNDS {
        let (sender, mut kills) = tokio::sync::mpsc::channel(WRITERS * 64);
        let writers: Vec<_> =
            (0..WRITERS).map(|n| tokio::spawn(write(log.url("log"), n, round, sender.clone()))).collect();
        drop(sender);
        // The blow falls after a number of answers that differs from round to round.
        for _ in 0..=(round * 37) % 300 {
            kills.recv().await.expect("a writer goes on until the blow falls");
        }
        log.kill();
        for writer in writers {
            let of_writer = writer.await.unwrap();
            assert!(
                of_writer.windows(2).all(|pair| pair[0].0 < pair[1].0),
                "a writer's records are in its order"
            );
            acknowledged.extend(of_writer);
        }
        log = log.restart().await;
    }
    let stored = stored(&log).await;
    for (seq, text) in &acknowledged {
        assert_eq!(stored.get(seq), Some(text), "record {seq}");
    }
    let mut texts: Vec<&String> = stored.values().collect();
    texts.sort_unstable();
    let all = texts.len();
    texts.dedup();
    assert_eq!(texts.len(), all, "no record is there twice");
    // What the file holds is what the search tells.
    assert!(acknowledged.len() > ROUNDS * 10);
}
