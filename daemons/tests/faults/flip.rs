//! One bit, anywhere in the files of a log that is stopped.
//!
//! A record that is answered is what was written, or the damage is reported: by
//! `distlogd log verify`, which the operator runs, and by the service itself,
//! whose health is no longer `pass` or whose answer is `partial`.

use crate::Rounds;
use crate::harness::fixture::Fixture;
use crate::harness::{Running, Setup, eventually};
use crate::writers::Request;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const REQUESTS: u64 = 120;

pub async fn run(rounds: &mut Rounds) -> String {
    let setup = Setup::new("log").flag("--log-rotate-size", "64KiB");
    let log = setup.clone().start().await;
    let mut written = BTreeMap::new();
    for n in 0..REQUESTS {
        let request = Request::new("flip", n, &mut rounds.rng);
        let first = request.send(&crate::harness::client(), &log.url("log")).await.unwrap();
        written.extend((first..).zip(request.texts));
    }
    eventually("everything is sealed", async || {
        let metrics = log.get("log", "/metrics").await.body;
        metrics.contains("distlog_log_segments_unsealed 0").then_some(())
    })
    .await;
    let dir = setup.dir().to_owned();
    let (status, _, _) = log.terminate();
    assert!(status.success());
    let mut kept = vec![(dir.join("distributed.log"), fs::read(dir.join("distributed.log")).unwrap())];
    keep(&dir.join("distlog-data/log"), &mut kept);
    let log = setup.clone().start().await;
    assert_eq!(look(&log, &written).await, (0, false), "without a flip nothing is reported");
    drop(log);
    restore(&dir, &kept);
    let (mut flips, mut reported, mut harmless, mut refused) = (0, 0, 0, 0);
    while rounds.another() {
        let (path, bytes) = rounds.rng.choice(&kept).unwrap();
        let at = rounds.rng.usize(..bytes.len().max(1));
        let Some(byte) = bytes.get(at) else { continue };
        let flipped = byte ^ 1 << rounds.rng.u32(..8);
        fs::OpenOptions::new().write(true).open(path).unwrap().write_all_at(&[flipped], at as u64).unwrap();
        let (verified, said) = Fixture { dir: &dir }.told(&["verify"]);
        flips += 1;
        let place = format!("bit of byte {at} of {}", path.display());
        let (wrong, is_told) = match try_start(&setup).await {
            None => {
                refused += 1;
                (0, true)
            }
            Some(log) => look(&log, &written).await,
        };
        if wrong > 0 {
            assert!(verified != 0, "{place}: {wrong} answers differ, and verify says: {said}");
            assert!(is_told, "{place}: {wrong} answers differ, and the log service says nothing");
        }
        if verified != 0 || is_told {
            reported += 1
        } else {
            harmless += 1
        }
        restore(&dir, &kept);
    }
    format!(
        "{flips} flips: {reported} reported ({refused} by a refused start), {harmless} without effect, none silent"
    )
}

/// None when the log refuses to start, which it says.
async fn try_start(setup: &Setup) -> Option<Running> {
    let started = tokio::spawn(setup.clone().start()).await;
    started.ok()
}

/// How many answers differ from what was written, and whether the service says
/// that something is damaged.
async fn look(log: &Running, written: &BTreeMap<u64, String>) -> (usize, bool) {
    let page = log.get("log", "/log?format=json&order=asc&after=0&limit=10000").await;
    let page = page.ok().json();
    let mut missing = written.len();
    let mut wrong = 0;
    for record in page["records"].as_array().unwrap() {
        match written.get(&record["seq"].as_u64().unwrap()) {
            Some(text) if record["message"] == text.as_str() => missing -= 1,
            Some(_) => {
                wrong += 1;
                missing -= 1;
            }
            None => wrong += 1,
        }
    }
    let health = log.get("log", "/health").await.json();
    (wrong + missing, page["partial"] == true || health["status"] != "pass" && is_damage(&health))
}

/// The registry is away in this test, which is a warning of another part.
fn is_damage(health: &serde_json::Value) -> bool {
    let checks = health["checks"].as_object().unwrap();
    checks.iter().any(|(name, check)| name != "registration" && check["status"] != "pass")
}

/// Every file below a directory that holds something.
fn keep(dir: &Path, kept: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            keep(&path, kept);
        } else {
            kept.push((path.clone(), fs::read(path).unwrap()));
        }
    }
}

/// Puts every file back and removes those that are new.
fn restore(dir: &Path, kept: &[(PathBuf, Vec<u8>)]) {
    fs::remove_dir_all(dir.join("distlog-data")).unwrap();
    for (path, bytes) in kept {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}
