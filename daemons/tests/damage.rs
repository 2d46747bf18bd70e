//! Damaged databases: what can be read is served, and `/health` names the rest.

use crate::harness::{Running, Setup};
use rusqlite::Connection;
use serde_json::json;
use std::path::{Path, PathBuf};

/// All six daemons with one row of each kind, stopped.
async fn stopped_fleet() -> Setup {
    let fleet = Setup::new("all").start().await;
    for name in ["A", "B"] {
        let service = json!({"serviceName": name, "serviceUrl": "http://127.0.0.1:9"});
        fleet.post_json("registry", "/services", service).await.ok();
        let book = json!({"title": name, "author": "author"});
        fleet.post_json("library", "/library/books", book).await.ok();
        let subscription = json!({"service": name, "callbackUrl": "http://127.0.0.1:9/"});
        fleet.post_json("provider", "/providers/subscriptions", subscription).await.ok();
        let maintenance = json!({"service": name, "owner": "owner", "reason": "reason"});
        fleet.post_json("monitor", "/monitor/maintenance", maintenance).await.ok();
    }
    let setup = Setup::new("all").in_dir_of(&fleet);
    let (status, _, diagnostics) = fleet.terminate();
    assert!(status.success(), "{diagnostics}");
    setup
}

fn database(dir: &Path, daemon: &str) -> PathBuf {
    dir.join("distlog-data").join(daemon).join(format!("{daemon}.db"))
}

fn damage(dir: &Path, daemon: &str, sql: &str) {
    let changed = Connection::open(database(dir, daemon)).unwrap().execute(sql, []).unwrap();
    assert!(changed > 0, "{sql}");
}

async fn check(fleet: &Running, daemon: &str, part: &str) -> (String, String) {
    let check = fleet.get(daemon, "/health").await.json()["checks"][part].clone();
    (
        check["status"].as_str().unwrap_or_default().to_owned(),
        check["output"].as_str().unwrap_or_default().to_owned(),
    )
}

async fn lists(fleet: &Running, daemon: &str, path: &str, wanted: &str, unwanted: &str) {
    let listed = fleet.get(daemon, path).await.ok().body;
    assert!(listed.contains(wanted), "{daemon} {path}: {listed}");
    assert!(!listed.contains(unwanted), "{daemon} {path}: {listed}");
}

#[tokio::test]
async fn damaged_rows_are_skipped_and_reported_and_no_daemon_fails_to_start() {
    let setup = stopped_fleet().await;
    // One flipped bit, which leaves the JSON valid.
    damage(
        setup.dir(),
        "registry",
        "UPDATE registrations SET registration = replace(registration, '127.0.0.1:9', '127.0.0.1:8') \
         WHERE service = 'A'",
    );
    damage(setup.dir(), "library", "UPDATE books SET copies = 'x' WHERE title = 'A'");
    damage(setup.dir(), "provider", "UPDATE subscriptions SET created_at = 'x' WHERE service = 'A'");
    damage(setup.dir(), "monitor", "UPDATE maintenance SET body = '{' WHERE service = 'A'");
    let fleet = setup.start().await;
    lists(&fleet, "registry", "/services", "\"B\"", "\"A\"").await;
    lists(&fleet, "library", "/library/books", "\"B\"", "\"A\"").await;
    lists(&fleet, "provider", "/providers/subscriptions", "\"B\"", "\"A\"").await;
    lists(&fleet, "monitor", "/monitor/maintenance", "\"B\"", "\"A\"").await;
    for (daemon, skipped) in [
        ("registry", "1 of registrations"),
        ("provider", "1 of subscriptions"),
        ("monitor", "1 of maintenance"),
    ] {
        let (status, output) = check(&fleet, daemon, "rows").await;
        assert_eq!(status, "warn", "{daemon}: {output}");
        assert!(output.contains(skipped) && output.contains(".recover"), "{daemon}: {output}");
        let metrics = fleet.get(daemon, "/metrics").await.ok().body;
        assert!(metrics.contains("database_rows_skipped 1"), "{daemon}: {metrics}");
    }
    // The owner registers again.
    let service = json!({"serviceName": "A", "serviceUrl": "http://127.0.0.1:9"});
    let revision = fleet.post_json("registry", "/services", service).await.ok().json()["revision"].clone();
    assert!(revision.as_u64() > Some(2), "{revision}");
    let fleet = fleet.stop_and_start().await;
    let (status, output) = check(&fleet, "registry", "rows").await;
    assert_eq!((status.as_str(), output.as_str()), ("", ""));
}

#[tokio::test]
async fn a_page_that_cannot_be_read_is_a_503_and_fails_the_health() {
    let library = Setup::new("library").start().await;
    for _ in 0..200 {
        let book = json!({"title": "t".repeat(150), "author": "author"});
        library.post_json("library", "/library/books", book).await.ok();
    }
    let setup = Setup::new("library").in_dir_of(&library);
    let (status, _, diagnostics) = library.terminate();
    assert!(status.success(), "{diagnostics}");
    let path = database(setup.dir(), "library");
    let page: u32 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'books'", [], |row| row.get(0))
        .unwrap();
    let page = usize::try_from(page).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[(page - 1) * 4096..page * 4096].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();

    let library = setup.start().await;
    assert_eq!(check(&library, "library", "damage").await.0, "warn");
    library.get("library", "/library/books").await.problem(503);
    let health = library.get("library", "/health").await;
    assert_eq!(health.json()["status"], "fail", "{}", health.body);
    assert_eq!(check(&library, "library", "reads").await.0, "fail");
}
