//! Passwords in URLs: used, and not shown.

use crate::harness::endpoint::{Endpoint, Mood};
use crate::harness::{Setup, binary, eventually};
use serde_json::json;
use std::process::Command;

const PASSWORD: &str = "s3cret-word";

#[tokio::test]
async fn a_password_in_a_url_is_used_for_calls_and_shown_nowhere() {
    let fleet = Setup::new("all")
        .flag("--monitor-interval", "200ms")
        .flag("--log-url", format!("http://ann:{PASSWORD}@127.0.0.1:1"))
        .start()
        .await;
    let with_password = |url: &str| url.replace("http://", &format!("http://ann:{PASSWORD}@"));
    let (good, bad) = (Endpoint::start(Mood::Good).await, Endpoint::start(Mood::Bad).await);
    for (name, endpoint) in [("Good", &good), ("Bad", &bad)] {
        let body = json!({ "serviceName": name, "serviceUrl": with_password(&endpoint.url) });
        fleet.post_json("registry", "/services", body).await.ok();
    }
    let callback = json!({ "service": "Good", "callbackUrl": with_password(&bad.url) });
    let made = fleet.post_json("provider", "/providers/subscriptions", callback).await.ok();
    assert!(made.body.contains("ann:***@"), "{}", made.body);
    eventually("both are judged and the receiver has refused", async || {
        let status = async |name: &str| {
            let path = format!("/monitor/health/{name}");
            fleet.get("monitor", &path).await.json()["status"].as_str().map(ToOwned::to_owned)
        };
        let judged = (status("Good").await?, status("Bad").await?);
        (judged == ("healthy".to_owned(), "unhealthy".to_owned()) && bad.calls().len() > 1).then_some(())
    })
    .await;
    for (daemon, path) in [
        ("registry", "/services?format=text"),
        ("registry", "/services/history?format=text"),
        ("registry", "/sd/prometheus"),
        ("registry", "/health"),
        ("registry", "/metrics"),
        ("library", "/health"),
        ("provider", "/providers?format=text"),
        ("provider", "/discovery?format=text"),
        ("provider", "/providers/graph"),
        ("provider", "/providers/subscriptions"),
        ("provider", "/providers/subscriptions?format=text"),
        ("provider", "/health"),
        ("provider", "/metrics"),
        ("web", "/web"),
        ("web", "/health/services"),
        ("monitor", "/monitor/health"),
        ("monitor", "/monitor/health/Bad"),
        ("monitor", "/monitor/health?format=text"),
        ("monitor", "/monitor/explain/Bad"),
        ("monitor", "/monitor/incidents"),
        ("monitor", "/monitor/history/Bad"),
        ("monitor", "/monitor/alerts"),
        ("monitor", "/health"),
        ("monitor", "/metrics"),
    ] {
        let body = fleet.get(daemon, path).await.ok().body;
        assert!(!body.contains(PASSWORD), "{daemon}{path}: {body}");
    }
    assert!(good.calls().iter().all(|call| call.authorization.starts_with("Basic ")));
    let listed = fleet.get("registry", "/services/Good").await.ok().body;
    assert!(listed.contains(PASSWORD), "whoever calls it needs it: {listed}");
    let (_, _, diagnostics) = fleet.terminate();
    assert!(!diagnostics.contains(PASSWORD), "{diagnostics}");
}

#[test]
fn a_password_in_the_configuration_is_not_shown_when_it_is_checked() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("http://ann:{PASSWORD}@127.0.0.1:1");
    let file = format!("[log]\nurl = '{url}'\n[[probe]]\nname = 'P'\nurl = '{url}'\n");
    std::fs::write(dir.path().join("distlog.toml"), file).unwrap();
    let output = Command::new(binary()).arg("check-config").current_dir(dir.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.matches("http://ann:***@127.0.0.1:1").count() == 2, "{text}");
}
