//! A log that the first version wrote is read by this one.
//!
//! | file | sequences | what it is |
//! |---|---|---|
//! | `00000000000000000001` | 1 to 2700 | sealed and recompressed, two frames, the last 1500 with a key |
//! | `00000000000000002701-quiet` | 2701 to 3000 | sealed, `trace` and `debug` |
//! | `00000000000000002701` | 2701 to 3000 | sealed, all else |
//! | `00000000000000003001.log` | 3001 to 3030 | rotated, with a key |
//! | `distributed.log` | 3031 to 3043 | active: ten records with a key, two lines by hand, bytes that are no text with a key |
//!
//! The files are never written again. What stands in them, [`record`] says.

use crate::harness::fixture::{Fixture, SEALED, kept};
use crate::harness::{Answer, Running, Setup, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;

const SERVICES: [&str; 4] = ["Checkout", "Library", "Größe", "a: b"];
const LEVELS: [&str; 6] = ["trace", "debug", "info", "warn", "error", "fatal"];
/// Records made by [`record`].
const MADE: u64 = 3040;
/// All records.
const RECORDS: u64 = 3043;

/// The record with a sequence.
fn record(n: u64) -> Value {
    let (seconds, ms) = (n / 4, n % 4 * 250);
    let mut message = format!("request {} took {} ms", n % 50, n % 9);
    if n.is_multiple_of(11) {
        message.push_str("\n\tat \u{1b}[31m C:\\new 日志 \u{202e}");
    }
    message.push(' ');
    message.push_str(&"the same text again and again, ".repeat(12));
    let mut record = json!({
        "seq": n,
        "ts": format!(
            "2026-01-01T{:02}:{:02}:{:02}.{ms:03}000{}Z",
            seconds / 3600, seconds / 60 % 60, seconds % 60, if n.is_multiple_of(7) { "123" } else { "" }
        ),
        "service": SERVICES[n as usize % 4],
        "level": LEVELS[n as usize % 6],
        "message": message,
    });
    if n.is_multiple_of(3) {
        record["fields"] = json!({ "order": n % 50, "ok": n.is_multiple_of(2), "nested": { "deep": [1, 2.5, null, "ä\u{0}"] } });
    }
    record
}

/// A log service on a copy.
async fn start(setup: &Setup) -> Running {
    let setup = setup.clone().flag("--log-recompress-after", "36500d").flag("--log-rotate-age", "36500d");
    setup.start().await
}

/// All records, in order.
fn exported(fixture: &Fixture<'_>, log: &Running) -> Vec<Value> {
    let (status, text) = fixture.told(&["export", "--log-url", &log.url("log")]);
    assert_eq!(status, 0, "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[track_caller]
fn assert_all_there(records: &[Value]) {
    assert_eq!(records.len() as u64, RECORDS);
    for (n, found) in (1..=MADE).zip(records) {
        assert_eq!(*found, record(n));
    }
    let rest: Vec<_> =
        records[MADE as usize..].iter().map(|r| (r["seq"].clone(), r["message"].clone())).collect();
    let by_hand = "and by another hand: \t \\q 日志";
    let bytes = "bytes \u{fffd}\u{fffd} that are no text\n";
    let wanted = [(3041, "written by hand"), (3042, by_hand), (3043, bytes)];
    assert_eq!(rest, wanted.map(|(seq, message)| (json!(seq), json!(message))));
    // A line by hand has the time of its neighbour.
    assert_eq!(records[3041]["ts"], records[3039]["ts"]);
}

async fn answered_again(log: &Running, key: &str) -> Value {
    let request = log.request(Method::POST, "log", "/log").header("idempotency-key", key).body("again");
    Answer::of(request).await.ok().json()
}

async fn count(log: &Running, query: &str) -> u64 {
    let request = log.request(Method::GET, "log", "/log/stats").query(&[("by", "level"), ("q", query)]);
    Answer::of(request).await.ok().json()["total"].as_u64().unwrap()
}

/// What a query finds is what it is to find, with an index as without one.
async fn assert_found(log: &Running) {
    let made = |wanted: &dyn Fn(u64) -> bool| (1..=MADE).filter(|n| wanted(*n)).count() as u64;
    assert_eq!(count(log, "").await, RECORDS);
    assert_eq!(count(log, "request level:error").await, made(&|n| n % 6 == 4));
    assert_eq!(count(log, "日志 service:Größe").await, made(&|n| n % 11 == 0 && n % 4 == 2));
    assert_eq!(count(log, "order:=49").await, made(&|n| n % 3 == 0 && n % 50 == 49));
    assert_eq!(count(log, "nowhere").await, 0);
}

fn indexes(fixture: &Fixture<'_>) -> [Vec<u8>; 3] {
    SEALED.map(|name| fs::read(fixture.segment(&format!("{name}.idx"))).unwrap_or_default())
}

#[tokio::test]
async fn every_record_of_the_first_version_is_there_and_every_key_is_known() {
    let setup = Setup::new("log");
    let fixture = Fixture::copy_to(setup.dir());
    let log = start(&setup).await;
    assert_all_there(&exported(&fixture, &log));
    assert_found(&log).await;
    for (key, first, last) in [
        ("rotated, with spaces", 1201, 2700),
        ("not sealed", 3001, 3030),
        ("active", 3031, 3040),
        ("bytes", 3043, 3043),
    ] {
        let wanted = json!({ "accepted": last - first + 1, "first": first, "last": last });
        assert_eq!(answered_again(&log, key).await, wanted, "{key}");
    }
    // What was rotated is sealed by now, or will be.
    let sealed = fixture.segment("00000000000000003001.log.zst");
    let plain = fixture.segment("00000000000000003001.log");
    eventually("sealed", async || (sealed.exists() && !plain.exists()).then_some(())).await;
    let are_rebuilt = async || fixture.told(&["verify", "--quiet"]).1.contains("all is well").then_some(());
    eventually("rebuilt", are_rebuilt).await;
    assert_all_there(&exported(&fixture, &log));
    assert_found(&log).await;
    assert_eq!(log.post("log", "/log", "next").await.ok().json()["first"], RECORDS + 1);
    log.terminate();
    // The indexes of the first version are rebuilt: words are others by now.
    let kept = SEALED.map(|name| fs::read(kept().join(format!("data/segments/{name}.idx"))).unwrap());
    assert!(indexes(&fixture).iter().zip(&kept).all(|(index, kept)| index != kept));
    assert_eq!(fixture.told(&["verify", "--quiet"]), (0, "12 files: all is well\n".to_owned()));
}

#[tokio::test]
async fn indexes_that_were_deleted_are_rebuilt_to_the_same_bytes_by_whoever_does_it() {
    let setup = Setup::new("log");
    let fixture = Fixture::copy_to(setup.dir());
    for name in SEALED {
        fs::remove_file(fixture.segment(&format!("{name}.idx"))).unwrap();
    }
    let log = start(&setup).await;
    assert_found(&log).await;
    let are_there = async || indexes(&fixture).iter().all(|index| !index.is_empty()).then_some(());
    eventually("indexes", are_there).await;
    assert_found(&log).await;
    assert_all_there(&exported(&fixture, &log));
    log.terminate();
    let rebuilt = indexes(&fixture);
    let (status, told) = fixture.told(&["verify", "--quiet"]);
    assert_eq!(status, 0, "{told}");
    let (status, told) = fixture.told(&["rebuild-index", "--all"]);
    assert!(status == 0 && told.contains("quiet.idx: rebuilt\n"), "{told}");
    assert!(indexes(&fixture) == rebuilt);
}
