//! A sync that fails, a restart, and a power cut.

use crate::harness::{Answer, Setup, eventually};
use crate::mount::{Failing, run};
use reqwest::StatusCode;
use serde_json::json;

async fn register(registry: &crate::harness::Running, name: &str) -> Answer {
    let body = json!({"serviceName": name, "serviceUrl": "http://127.0.0.1:9"});
    registry.post_json("registry", "/services", body).await
}

#[tokio::test]
#[ignore = "needs root, for loop mounts"]
async fn after_a_sync_error_the_process_ends_and_what_a_restart_acknowledges_survives_a_power_cut() {
    let mut failing = Failing::new();
    let setup = |failing: &Failing| {
        Setup::new("registry").flag("--data-dir", failing.disk.mount.join("data").display())
    };
    let registry = setup(&failing).start().await;
    register(&registry, "first").await.ok();
    let (status, _, diagnostics) = registry.terminate();
    assert!(status.success(), "{diagnostics}");
    failing.punch();

    let registry = setup(&failing).start().await;
    register(&registry, "before").await.ok();
    // What the file system itself has to write is written before the disk fails.
    run("sync", &["-f", failing.disk.mount.to_str().unwrap()]);
    failing.under.fill();
    // A commit of many pages needs blocks that the disk does not have.
    let long: Vec<String> = (0..40).map(|n| format!("{n}{}", "x".repeat(200))).collect();
    let mut refused = None;
    for n in 0..200 {
        let body =
            json!({"serviceName": format!("refused-{n}"), "serviceUrl": "http://127.0.0.1:9", "tags": long});
        let sent = registry.request(reqwest::Method::POST, "registry", "/services").json(&body).send().await;
        match sent.map(|answer| answer.status()) {
            Ok(StatusCode::OK) => {}
            other => {
                refused = Some(other);
                break;
            }
        }
    }
    let refused = refused.expect("the disk fails at last");
    assert!(!matches!(refused, Ok(status) if status.is_success()), "{refused:?}");
    let stat = format!("/proc/{}/stat", registry.pid());
    eventually("the process ends", async || {
        std::fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") Z ")).then_some(())
    })
    .await;
    let (status, _, diagnostics) = registry.terminate();
    assert_eq!(status.code(), Some(70), "{diagnostics}");

    failing.under.empty();
    let mut registry = setup(&failing).start().await;
    register(&registry, "before").await.ok();
    let mut acknowledged = Vec::new();
    for n in 0..20 {
        let answer = register(&registry, &format!("after-{n}")).await.ok().json();
        acknowledged.push((format!("after-{n}"), answer["revision"].clone()));
    }
    failing.disk.cut_power();
    registry.kill();
    failing.disk.power_on();

    let registry = setup(&failing).start().await;
    for name in ["first", "before"] {
        registry.get("registry", &format!("/services/{name}")).await.ok();
    }
    for (name, revision) in &acknowledged {
        let found = registry.get("registry", &format!("/services/{name}")).await.ok().json();
        assert_eq!(found[0]["revision"], *revision, "{name}");
    }
    drop(registry);
}
