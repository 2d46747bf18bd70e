//! The log over HTTP: every way in, every way out.

use crate::harness::{Answer, Running, Setup, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use std::process::Command;

async fn records(log: &Running, query: &str) -> Vec<Value> {
    let answer = log.get("log", &format!("/log?{query}")).await.ok();
    answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn messages(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["message"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn hello_on_a_fresh_start_stands_in_the_file() {
    let log = Setup::new("log").start().await;
    let answer = log.post("log", "/log", "Hello").await.ok();
    assert_eq!(answer.json(), json!({"accepted": 1, "first": 1, "last": 1}));
    let text = std::fs::read_to_string(log.log_file()).unwrap();
    assert!(text.ends_with("  INFO unknown: Hello\n"), "{text}");
    // A time on arrival has six digits of a second.
    assert_eq!(text.find('Z'), Some(26), "{text}");
    assert_eq!(log.get("log", "/log?format=text").await.ok().body, text);
}

#[tokio::test]
async fn a_batch_is_stored_whole_or_not_at_all() {
    let log = Setup::new("log").start().await;
    let bad = json!([{"message": "a"}, {"message": 5}]);
    let refused = log.post_json("log", "/log", bad).await;
    let problem = refused.problem(422);
    assert_eq!(problem["field"], "message");
    assert!(problem["detail"].as_str().unwrap().starts_with("record 2"), "{problem}");
    let good = json!([{"message": "a", "service": "S", "level": "warning", "n": 1.50}, {"message": "b"}]);
    let accepted = log.post_json("log", "/log?service=D&level=error", good).await.ok().json();
    assert_eq!(accepted, json!({"accepted": 2, "first": 1, "last": 2}));
    let stored = records(&log, "order=asc").await;
    assert_eq!(
        (&stored[0]["service"], &stored[0]["level"], &stored[0]["fields"]),
        (&json!("S"), &json!("warn"), &json!({"n": 1.5}))
    );
    assert_eq!((&stored[1]["service"], &stored[1]["level"]), (&json!("D"), &json!("error")));
    assert!(std::fs::read_to_string(log.log_file()).unwrap().contains("\t{\"n\":1.5}\n"));
}

#[tokio::test]
async fn what_is_no_record_is_refused_with_a_reason() {
    let log = Setup::new("log").start().await;
    let send = async |media_type: &str, encoding: &str, body: &str| {
        let request = log.request(Method::POST, "log", "/log").header("content-type", media_type);
        Answer::of(request.header("content-encoding", encoding).body(body.to_owned())).await
    };
    send("text/plain", "identity", "").await.problem(400);
    send("application/json", "identity", "{\"message\"").await.problem(400);
    send("application/x-ndjson", "identity", "\n\n").await.problem(400);
    send("image/png", "identity", "x").await.problem(415);
    send("text/plain", "br", "x").await.problem(415);
    send("text/plain", "gzip", "no gzip").await.problem(400);
    log.post("log", "/log?level=loud", "x").await.problem(400);
    log.post("log", "/log?colour=red", "x").await.problem(400);
    assert_eq!(records(&log, "").await.len(), 0);
}

#[tokio::test]
async fn a_body_is_bounded_packed_and_unpacked() {
    let log = Setup::new("log").flag("--log-body-max", "64KiB").start().await;
    log.post("log", "/log", "x".repeat(64 * 1024 + 1)).await.problem(413);
    let bomb = zstd::encode_all("x".repeat(64 * 1024 + 1).as_bytes(), 3).unwrap();
    let request = log.request(Method::POST, "log", "/log").header("content-encoding", "zstd").body(bomb);
    Answer::of(request).await.problem(413);
    let packed = zstd::encode_all(b"packed".as_slice(), 3).unwrap();
    let request = log.request(Method::POST, "log", "/log").header("content-encoding", "zstd").body(packed);
    Answer::of(request).await.ok();
    assert_eq!(messages(&records(&log, "").await), ["packed"]);
}

#[tokio::test]
async fn bytes_that_are_no_text_come_back_exactly_as_text() {
    let log = Setup::new("log").start().await;
    let body = b"\xff\x00\x1b[31m\n\\ \xe4\xb9\xa6".to_vec();
    Answer::of(log.request(Method::POST, "log", "/log").body(body)).await.ok();
    let line = log.get("log", "/log?format=text").await.ok().body;
    assert!(line.ends_with("unknown: \\xff\\x00\\x1b[31m\\n\\\\ 书\n"), "{line}");
    assert_eq!(records(&log, "").await[0]["message"], "\u{fffd}\0\u{1b}[31m\n\\ 书");
}

#[tokio::test]
async fn a_repeated_key_stores_once_and_gets_the_first_answer_over_kill_9() {
    let mut log = Setup::new("log").start().await;
    let send = async |log: &Running, key: &str| {
        let request = log.request(Method::POST, "log", "/log").header("idempotency-key", key);
        Answer::of(request.body("once")).await.ok().json()
    };
    log.post("log", "/log", "before").await.ok();
    let first = send(&log, "k-1").await;
    assert_eq!(send(&log, "k-1").await, first);
    log.kill();
    let log = log.restart().await;
    assert_eq!(send(&log, "k-1").await, first);
    let both = tokio::join!(send(&log, "k-1"), send(&log, "k-1"));
    assert_eq!(both, (first.clone(), first));
    assert_eq!(messages(&records(&log, "order=asc").await), ["before", "once"]);
}

#[tokio::test]
async fn an_idempotency_key_with_another_request_is_refused_and_nothing_is_stored() {
    let mut log = Setup::new("log").start().await;
    let send = async |log: &Running, path: &str, media_type: &str, encoding: &str, body: Vec<u8>| {
        let request = log.request(Method::POST, "log", path).header("idempotency-key", "k 1");
        let request = request.header("content-type", media_type).header("content-encoding", encoding);
        Answer::of(request.body(body)).await
    };
    let body = br#"{"message":"one"}"#.to_vec();
    let json = "application/json";
    let first = send(&log, "/log", json, "identity", body.clone()).await.ok().json();
    for restart in [false, true] {
        if restart {
            log.kill();
            log = log.restart().await;
        }
        let packed = zstd::encode_all(body.as_slice(), 3).unwrap();
        assert_eq!(send(&log, "/log", json, "zstd", packed).await.ok().json(), first);
        for (path, media_type, body) in [
            ("/log", json, br#"{"message":"two"}"#.to_vec()),
            ("/log", "text/plain", body.clone()),
            ("/log?level=warn", json, body.clone()),
            ("/log?service=S", json, body.clone()),
        ] {
            let problem = send(&log, path, media_type, "identity", body).await.problem(422);
            assert_eq!(problem["field"], "Idempotency-Key", "{path} {media_type}");
        }
    }
    assert_eq!(messages(&records(&log, "").await), ["one"]);
}

#[tokio::test]
async fn times_in_many_forms_are_taken_and_what_was_assumed_is_answered() {
    let log = Setup::new("log").start().await;
    for (ts, want, notes) in [
        (json!("2018-02-24T12:11:12+02:00"), "2018-02-24T10:11:12.000000Z", 0),
        (json!("2018-02-24 12:11:12 +0200"), "2018-02-24T10:11:12.000000Z", 0),
        (json!("24/Feb/2018:11:11:12 +0100"), "2018-02-24T10:11:12.000000Z", 0),
        (json!(1_519_467_072), "2018-02-24T10:11:12.000000Z", 0),
        (json!(1_519_467_072_123_u64), "2018-02-24T10:11:12.123000Z", 0),
        (json!("2018-02-24 10:11:12"), "2018-02-24T10:11:12.000000Z", 1),
        (json!("03/04/2018 10:11:12"), "2018-03-04T10:11:12.000000Z", 2),
    ] {
        let answer =
            log.post_json("log", "/log", json!({"message": "m", "ts": ts, "level": 40})).await.ok().json();
        assert_eq!(answer["notes"].as_array().map_or(0, Vec::len), notes, "{answer}");
        let record = &records(&log, &format!("after={}", answer["first"].as_u64().unwrap() - 1)).await[0];
        assert_eq!((record["ts"].as_str(), record["level"].as_str()), (Some(want), Some("warn")), "{ts}");
    }
    for ts in [json!("yesterday"), json!("2018-02-24 10:11:12 Europe/Berlin"), json!(5), json!(true)] {
        let problem = log.post_json("log", "/log", json!({"message": "m", "ts": ts})).await.problem(422);
        assert_eq!(problem["field"], "ts", "{ts}");
    }
    assert_eq!(records(&log, "").await.len(), 7);
}

#[tokio::test]
async fn records_that_retention_deletes_soon_are_counted_in_the_answer() {
    let log = Setup::new("log").flag("--log-keep-age", "30d").start().await;
    let record = |age_days: i64| {
        let ts = chrono::Utc::now() - chrono::Duration::days(age_days);
        json!({"message": "m", "ts": ts.to_rfc3339()})
    };
    let answer = log.post_json("log", "/log", json!([record(31), record(29), record(400)])).await.ok().json();
    assert_eq!((&answer["accepted"], &answer["expires"]), (&json!(3), &json!(2)));
    let answer = log.post_json("log", "/log", json!([record(29)])).await.ok().json();
    assert_eq!(answer.get("expires"), None);
}

#[tokio::test]
async fn a_search_filters_pages_and_counts() {
    let log = Setup::new("log").flag("--log-rotate-size", "1KiB").start().await;
    for n in 0..100 {
        let level = if n % 10 == 0 { "error" } else { "info" };
        let record = json!({
            "ts": format!("2026-11-22T10:{:02}:00Z", n / 2), "service": format!("S{}", n % 3), "level": level,
            "message": format!("request {n} done"), "n": n
        });
        log.post_json("log", "/log", record).await.ok();
    }
    assert_eq!(records(&log, "").await.len(), 100);
    assert_eq!(
        messages(&records(&log, "q=n:%3C3").await),
        ["request 2 done", "request 1 done", "request 0 done"]
    );
    assert_eq!(records(&log, "level=error").await.len(), 10);
    assert_eq!(records(&log, "service=S0&level=error").await.len(), 4);
    assert_eq!(records(&log, "since=2026-11-22T10:10:00Z&until=2026-11-22T10:11:00Z").await.len(), 2);
    assert_eq!(
        records(&log, "after=10&before=13&order=asc")
            .await
            .iter()
            .map(|r| r["seq"].as_u64().unwrap())
            .collect::<Vec<_>>(),
        [11, 12]
    );

    // Pages follow each other without a gap.
    let mut seen = Vec::new();
    let mut before = String::new();
    loop {
        let page = log.get("log", &format!("/log?format=json&limit=7&q=request{before}")).await.ok().json();
        seen.extend(page["records"].as_array().unwrap().iter().map(|r| r["seq"].as_u64().unwrap()));
        assert_eq!(page["partial"], false);
        match page["next"].as_str() {
            Some(next) => before = format!("&before={next}"),
            None => break,
        }
    }
    assert_eq!(seen, (1..=100).rev().collect::<Vec<_>>());

    let hits = log.get("log", "/log/hits?step=10m&by=level&service=S0").await.ok().json();
    assert_eq!((&hits["step_seconds"], &hits["total"]), (&json!(600), &json!(34)));
    assert_eq!(hits["series"][0]["by"], json!({"level": "error"}));
    let points: u64 = hits["series"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|s| s["points"].as_array().unwrap())
        .map(|p| p[1].as_u64().unwrap())
        .sum();
    assert_eq!(points, 34);
    let stats = log.get("log", "/log/stats?by=service,level&limit=2&q=NOT+level:error").await.ok().json();
    assert_eq!(stats["total"], 90);
    assert_eq!(stats["groups"].as_array().unwrap().len(), 2);
    assert_eq!(stats["groups"][0], json!({"by": {"service": "S0", "level": "info"}, "count": 30}));
    let by_field = log.get("log", "/log/stats?by=n&limit=1").await.ok().json();
    assert_eq!(by_field["groups"][0], json!({"by": {"n": "0"}, "count": 1}));

    let context = log.get("log", "/log/context?seq=50&before=2&after=1&format=json").await.ok().json();
    let seqs: Vec<u64> =
        context["records"].as_array().unwrap().iter().map(|r| r["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, [44, 47, 50, 53]);
    log.get("log", "/log/context?seq=5000").await.problem(404);
}

#[tokio::test]
async fn a_bad_query_points_at_the_character() {
    let log = Setup::new("log").start().await;
    let problem = log.get("log", "/log?q=a+AND+(b").await.problem(400);
    assert_eq!((&problem["field"], &problem["position"]), (&json!("q"), &json!(6)));
    log.get("log", "/log?since=soon").await.problem(400);
    log.get("log", "/log?limit=0").await.problem(400);
    log.get("log", "/log?limit=many").await.problem(400);
    log.get("log", "/log/tail?q=)").await.problem(400);
}

#[tokio::test]
async fn a_full_disk_refuses_records_reads_on_and_ends_by_itself() {
    // A limit on the size of files stands for a full disk: both end a write early.
    let log = Setup::new("log").after("trap '' XFSZ; ulimit -S -f 64").start().await;
    let line = "x".repeat(4_000);
    let mut stored = 0;
    let refused = loop {
        let answer = log.post("log", "/log", line.clone()).await;
        if answer.status != 200 {
            break answer;
        }
        stored += 1;
    };
    refused.problem(503);
    assert_eq!(refused.header("retry-after"), "5");
    assert_eq!(log.get("log", "/health").await.status, 503);
    assert_eq!(records(&log, "limit=1000").await.len(), stored);
    let pid = log.pid().to_string();
    assert!(Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status().unwrap().success());
    eventually("records are taken again", async || {
        (log.post("log", "/log", "more").await.status == 200).then_some(())
    })
    .await;
    assert_eq!(log.get("log", "/health").await.status, 200);
    let text = std::fs::read_to_string(log.log_file()).unwrap();
    assert_eq!(text.lines().count(), records(&log, "limit=1000").await.len());
    assert!(text.lines().all(|line| line.ends_with('x') || line.ends_with("more")));
}

#[tokio::test]
async fn numbers_of_any_size_are_stored_compared_and_answered_exactly() {
    let log = Setup::new("log").flag("--log-rotate-size", "1KiB").start().await;
    let fields =
        r#"{"id":9007199254740993,"max":18446744073709551616,"big":1e400,"dec":0.10000000000000000555}"#;
    let record = format!(r#"{{"message":"exact",{}"#, fields.trim_start_matches('{'));
    let request = log.request(Method::POST, "log", "/log").header("content-type", "application/json");
    Answer::of(request.body(record)).await.ok();
    for n in 0..20 {
        log.post_json("log", "/log", json!({"message": "other", "id": 9_007_199_254_740_992_u64, "n": n}))
            .await
            .ok();
    }
    for form in ["ndjson", "json", "text"] {
        let request = log.request(Method::GET, "log", "/log").query(&[("q", "exact"), ("format", form)]);
        let answer = Answer::of(request).await.ok().body;
        assert!(answer.contains(fields), "{form}: {answer}");
    }
    let context = log.get("log", "/log/context?seq=1").await.ok().body;
    assert!(context.contains(fields), "{context}");
    // Live and sealed, with an index and without one.
    let sealed = async || {
        let unsealed = log.get("log", "/metrics").await.ok().body;
        unsealed.lines().any(|line| line == "distlog_log_segments_unsealed 0").then_some(())
    };
    for _ in 0..2 {
        for (query, want) in [
            ("id:>9007199254740992", 1),
            ("id:>=9007199254740992", 21),
            ("id:=9007199254740993.0", 1),
            ("id:=9007199254740992", 20),
            ("max:>18446744073709551615", 1),
            ("big:>1e399", 1),
            ("big:=10e399", 1),
            ("dec:<0.10000000000000000556", 1),
        ] {
            let request = log.request(Method::GET, "log", "/log/stats").query(&[("q", query), ("by", "id")]);
            let stats = Answer::of(request).await.ok().json();
            assert_eq!(stats["total"], want, "{query}");
        }
        eventually("sealed", sealed).await;
    }
    let stats = log.get("log", "/log/stats?by=id,big").await.ok().json();
    assert_eq!(
        stats["groups"][1],
        json!({"by": {"id": "9007199254740993", "big": "1e400"}, "count": 1}),
        "{stats}"
    );
}

#[tokio::test]
async fn a_word_behind_a_colour_is_found_live_and_sealed() {
    let log = Setup::new("log").flag("--log-rotate-size", "1KiB").start().await;
    log.post("log", "/log", "\u{1b}[31merror\u{1b}[0m: disk 7").await.ok();
    log.post_json("log", "/log", json!({"message": "x", "text": "\u{1b}[1;31mbroken\u{1b}[0m"})).await.ok();
    for n in 0..20 {
        log.post("log", "/log", format!("filler {n} for a segment to be sealed")).await.ok();
    }
    let sealed = async || {
        let unsealed = log.get("log", "/metrics").await.ok().body;
        unsealed.lines().any(|line| line == "distlog_log_segments_unsealed 0").then_some(())
    };
    for _ in 0..2 {
        for query in
            ["error", "\"error: disk\"".replace(": ", "\u{1b}[0m: ").as_str(), "text:broken", "disk 7"]
        {
            let request = log.request(Method::GET, "log", "/log/stats").query(&[("q", query)]);
            assert_eq!(Answer::of(request).await.ok().json()["total"], 1, "{query}");
        }
        eventually("sealed", sealed).await;
    }
}
