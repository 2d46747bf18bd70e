//! A full disk.

use crate::harness::{Running, eventually};
use crate::mount::Small;
use crate::power::fleet_on;
use serde_json::json;

async fn can_be_read(fleet: &Running) {
    assert!(fleet.get("registry", "/services/S").await.ok().body.contains("127.0.0.1:9"));
    assert!(fleet.get("log", "/log?q=hello").await.ok().body.contains("hello"));
    assert!(fleet.get("library", "/library/books").await.ok().body.contains("kept"));
    assert!(fleet.get("provider", "/providers/subscriptions").await.ok().body.contains("127.0.0.1:9"));
    assert!(fleet.get("monitor", "/monitor/maintenance").await.ok().body.contains("kept"));
    fleet.get("web", "/web").await.ok();
}

async fn starts_and_recovers(killed: bool) {
    let small = Small::new("24m");
    let mut fleet = fleet_on(&small.mount).start().await;
    let service = json!({"serviceName": "S", "serviceUrl": "http://127.0.0.1:9"});
    fleet.post_json("registry", "/services", service).await.ok();
    fleet.post("log", "/log", "hello").await.ok();
    let book = json!({"title": "kept", "author": "A"});
    fleet.post_json("library", "/library/books", book.clone()).await.ok();
    let wish = json!({"service": "S", "callbackUrl": "http://127.0.0.1:9/"});
    fleet.post_json("provider", "/providers/subscriptions", wish).await.ok();
    let maintenance = json!({"service": "S", "owner": "kept", "reason": "r"});
    fleet.post_json("monitor", "/monitor/maintenance", maintenance).await.ok();
    if killed {
        fleet.kill();
        drop(fleet);
    } else {
        let (status, _, diagnostics) = fleet.terminate();
        assert!(status.success(), "{diagnostics}");
    }

    small.fill();
    let fleet = fleet_on(&small.mount).start().await;
    can_be_read(&fleet).await;
    // Nothing is half acknowledged.
    let refused = fleet.post_json("library", "/library/books", book.clone()).await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert_eq!(fleet.post("log", "/log", "refused").await.status, 503);
    for daemon in ["log", "library"] {
        let health = fleet.get(daemon, "/health").await.json();
        assert_eq!(health["status"], "fail", "{daemon}: {health}");
    }

    small.empty();
    eventually("the library writes again", async || {
        let answer = fleet.post_json("library", "/library/books", book.clone()).await;
        (answer.status == 201).then_some(())
    })
    .await;
    eventually("the log writes again", async || {
        (fleet.post("log", "/log", "again").await.status == 200).then_some(())
    })
    .await;
    for daemon in ["registry", "library", "provider", "monitor"] {
        eventually("its store is well again", async || {
            let health = fleet.get(daemon, "/health").await.json();
            (health["checks"]["store"]["status"] == "pass").then_some(())
        })
        .await;
    }
    can_be_read(&fleet).await;
}

#[tokio::test]
#[ignore = "needs root, to mount a small file system"]
async fn all_six_start_on_a_full_disk_serve_what_is_there_and_recover() {
    starts_and_recovers(false).await;
}

#[tokio::test]
#[ignore = "needs root, to mount a small file system"]
async fn after_a_kill_all_six_start_on_a_full_disk_too() {
    starts_and_recovers(true).await;
}
