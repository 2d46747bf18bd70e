//! Flipped bits: the registry starts, serves no wrong registration, and reports
//! what it lost.

use super::*;
use crate::runtime::database::{Database, OnDamage, Source};
use crate::runtime::health::Board;
use crate::runtime::metrics::Metrics;
use shared::daemon::Daemon;
use shared::wire::registry::ChangeKind;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const REGISTRATIONS: u64 = 120;
const SEEDS: u64 = 150;

type Files = [Option<Vec<u8>>; 2];

fn registration(revision: u64) -> Registration {
    serde_json::from_value(serde_json::json!({
        "serviceName": format!("service-{}", revision % 7), "serviceUrl": format!("http://host:{revision}"),
        "instanceId": format!("instance-{revision}"), "tags": ["a", "b"],
        "registeredAt": "2026-01-01T00:00:00Z", "revision": revision,
    }))
    .unwrap()
}

/// The database file and its write-ahead log; `is_clean` says that the log is
/// checkpointed.
fn filled(dir: &Path, is_clean: bool) -> Files {
    let path = dir.join("registry.db");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;").unwrap();
    for (number, migration) in (1..).zip(MIGRATIONS) {
        connection
            .execute_batch(&format!("BEGIN; {migration}; PRAGMA user_version={number}; COMMIT;"))
            .unwrap();
    }
    let kept = Kept { age_ms: 1_000_000, count: 1_000 };
    for revision in 1..=REGISTRATIONS {
        let change = Change { kind: ChangeKind::Registered, registration: registration(revision) };
        put(&connection, &Record { change, detail: None }, 0, kept).unwrap();
    }
    let files =
        |dir: &Path| ["registry.db", "registry.db-wal"].map(|name| std::fs::read(dir.join(name)).ok());
    if !is_clean {
        return files(dir);
    }
    drop(connection);
    files(dir)
}

/// Opens the files in a directory of their own: the registrations, and whether
/// the health warns; or why the start is refused.
async fn started(files: &Files) -> Result<(Vec<Registration>, bool), String> {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in ["registry.db", "registry.db-wal"].iter().zip(files) {
        if let Some(bytes) = bytes {
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
    }
    let health = Arc::new(Board::new(Daemon::Registry));
    let source = Source {
        path: &dir.path().join("registry.db"),
        migrations: MIGRATIONS,
        on_damage: OnDamage::Rebuild,
        health: &health,
        metrics: &Metrics::default(),
    };
    let (database, loaded) =
        Database::open(&source, |loading| load(loading, 1_000)).map_err(|error| error.to_string())?;
    database.close().await;
    let report = health.report();
    let warns = ["rows", "damage"].iter().any(|part| report.checks.contains_key(*part));
    Ok((loaded.registrations, warns))
}

/// Flips up to four bits of one of the files.
fn flipped(files: &Files, random: &mut fastrand::Rng, file: usize) -> Files {
    let mut files = files.clone();
    let bytes = files[file].as_mut().unwrap();
    for _ in 0..random.usize(1..=4) {
        let at = random.usize(..bytes.len());
        bytes[at] ^= 1 << random.u8(..8);
    }
    files
}

#[tokio::test]
async fn no_flip_of_the_database_gives_a_wrong_registration_or_an_unreported_loss() {
    let dir = tempfile::tempdir().unwrap();
    let files = filled(dir.path(), true);
    let (whole, warns) = started(&files).await.unwrap();
    assert_eq!((whole.len() as u64, warns), (REGISTRATIONS, false));
    let known: BTreeMap<u64, Registration> = (1..=REGISTRATIONS).map(|n| (n, registration(n))).collect();
    for seed in 0..SEEDS {
        match started(&flipped(&files, &mut fastrand::Rng::with_seed(seed), 0)).await {
            Ok((registrations, warns)) => {
                for found in &registrations {
                    assert_eq!(known.get(&found.revision), Some(found), "seed {seed}");
                }
                assert!(warns || registrations.len() as u64 == REGISTRATIONS, "seed {seed}: unreported");
            }
            Err(refusal) => {
                assert!(
                    refusal.contains(".recover") || refusal.contains("later version"),
                    "seed {seed}: {refusal}"
                );
            }
        }
    }
}

/// SQLite ends its write-ahead log at the first frame whose checksum is wrong:
/// what follows is lost, and nothing says so.
#[tokio::test]
async fn no_flip_of_the_write_ahead_log_gives_a_wrong_registration_or_keeps_the_registry_from_starting() {
    let dir = tempfile::tempdir().unwrap();
    let files = filled(dir.path(), false);
    assert_eq!(started(&files).await.unwrap().0.len() as u64, REGISTRATIONS);
    for seed in 0..SEEDS {
        let found = started(&flipped(&files, &mut fastrand::Rng::with_seed(seed), 1)).await;
        let (registrations, _) = found.unwrap_or_else(|refusal| panic!("seed {seed}: {refusal}"));
        for found in registrations {
            assert_eq!(found, registration(found.revision), "seed {seed}");
        }
    }
}
