//! The monitor, seen from outside.
#![cfg(test)]

mod harness;

use futures_util::StreamExt;
use harness::endpoint::{Endpoint, Mood};
use harness::{Running, Start, delete, eventually, get, http, post, register, tempdir};
use serde_json::{Value, json};
use shared::client::{MonitorClient, MonitorEvent};
use shared::daemon::Daemon;
use std::time::Duration;
use tempfile::TempDir;

/// A registry, and a monitor that probes every 200 ms.
fn start(dir: &TempDir) -> (Running, Running) {
    let registry = Start::new(Daemon::Registry, dir).run();
    let monitor = Start::new(Daemon::Monitor, dir)
        .with("registry-url", registry.url())
        .with("monitor-interval", "200ms")
        .with("monitor-timeout", "2s")
        .with("monitor-concurrency", "16")
        .run();
    (registry, monitor)
}

async fn service(monitor: &Running, name: &str) -> Option<Value> {
    let answer = get(format!("{}/monitor/health/{name}", monitor.url())).await;
    (answer.status == 200).then(|| answer.json())
}

async fn becomes(monitor: &Running, name: &str, status: &str) -> Value {
    eventually(&format!("{name} is {status}"), async || {
        service(monitor, name).await.filter(|service| service["status"] == status)
    })
    .await
}

async fn list(monitor: &Running, path: &str) -> Vec<Value> {
    let answer = get(format!("{}{path}", monitor.url())).await;
    answer.json().as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_status_flips_only_after_so_many_failures_in_a_row() {
    let dir = tempdir();
    let (registry, monitor) = start(&dir);
    let endpoint = Endpoint::start(Mood::Bad).await;
    endpoint.script(&[Mood::Good, Mood::Bad, Mood::Bad, Mood::Good]);
    register(&registry, "S", &endpoint.url, json!({})).await;
    let service = becomes(&monitor, "S", "unhealthy").await;
    assert_eq!((&service["reason"], &service["latency"]), (&json!("http"), &Value::Null));
    assert!(endpoint.calls().len() >= 7, "four of the script and three failures in a row");
    endpoint.set(Mood::Good);
    becomes(&monitor, "S", "healthy").await;
    assert!(endpoint.accepted().len() >= 4);
    let history = eventually("three transitions are in the history", async || {
        let history = get(format!("{}/monitor/history/S", monitor.url())).await.json();
        (history["transitions"].as_array()?.len() == 3).then_some(history)
    })
    .await;
    let flips: Vec<_> = history["transitions"].as_array().unwrap().iter().map(|t| &t["to"]).collect();
    assert_eq!(flips, ["healthy", "unhealthy", "healthy"]);
    let failed = history["probes"].as_array().unwrap().iter().filter(|p| p["healthy"] == false).count();
    assert!(failed >= 5, "{history}");
}

#[tokio::test]
async fn a_hanging_endpoint_delays_no_other() {
    let dir = tempdir();
    let (registry, monitor) = start(&dir);
    let mut hanging = Vec::new();
    for n in 0..30 {
        let endpoint = Endpoint::start(Mood::Hang).await;
        register(&registry, &format!("hang-{n}"), &endpoint.url, json!({})).await;
        hanging.push(endpoint);
    }
    eventually("all hang", async || hanging.iter().all(|e| !e.calls().is_empty()).then_some(())).await;
    let mut good = Vec::new();
    for n in 0..10 {
        let endpoint = Endpoint::start(Mood::Good).await;
        register(&registry, &format!("good-{n}"), &endpoint.url, json!({})).await;
        good.push(endpoint);
    }
    eventually("the good are probed many times", async || {
        good.iter().all(|endpoint| endpoint.calls().len() > 15).then_some(())
    })
    .await;
    for endpoint in &good {
        let calls = endpoint.calls();
        let longest = calls.windows(2).map(|pair| pair[1].at - pair[0].at).max().unwrap();
        assert!(longest < Duration::from_millis(1_200), "{longest:?} between two probes");
    }
    let service = becomes(&monitor, "hang-3", "unhealthy").await;
    assert_eq!(service["reason"], "timeout");
}

#[tokio::test]
async fn history_and_streaks_survive_kill_9() {
    let dir = tempdir();
    let (registry, mut monitor) = start(&dir);
    let endpoint = Endpoint::start(Mood::Bad).await;
    endpoint.script(&[Mood::Good]);
    register(&registry, "S", &endpoint.url, json!({})).await;
    let streak = |service: &Value| service["instances"][0]["streak"].as_i64().unwrap();
    let before = eventually("it has failed ten times", async || {
        service(&monitor, "S").await.filter(|service| streak(service) <= -10)
    })
    .await;
    let incidents = list(&monitor, "/monitor/incidents?open=true").await;
    monitor.kill9();
    monitor.restart();
    let after = service(&monitor, "S").await.unwrap();
    // Probes are written every half second: at most a few are missing.
    assert!(streak(&after) <= streak(&before) + 5, "{before} {after}");
    assert_eq!((&after["status"], &after["since"]), (&before["status"], &before["since"]));
    assert_eq!(list(&monitor, "/monitor/incidents?open=true").await, incidents);
    endpoint.set(Mood::Good);
    becomes(&monitor, "S", "healthy").await;
    let incident = eventually("the incident is resolved", async || {
        list(&monitor, "/monitor/incidents").await.pop().filter(|incident| !incident["resolved_at"].is_null())
    })
    .await;
    assert_eq!((incident["id"].clone(), list(&monitor, "/monitor/incidents").await.len()), (json!(1), 1));
    let history = get(format!("{}/monitor/history/S?limit=1000", monitor.url())).await.json();
    let ids: Vec<_> = history["transitions"].as_array().unwrap().iter().map(|t| t["id"].as_u64()).collect();
    assert!(ids.is_sorted_by(|a, b| a > b), "{ids:?}");
}

#[tokio::test]
async fn events_resume_where_a_reader_left_off() {
    let dir = tempdir();
    let (registry, mut monitor) = start(&dir);
    let endpoint = Endpoint::start(Mood::Good).await;
    register(&registry, "S", &endpoint.url, json!({})).await;
    let client = MonitorClient::new(&monitor.url(), http());
    let mut events = Box::pin(client.events().await.unwrap());
    becomes(&monitor, "S", "healthy").await;
    endpoint.set(Mood::Bad);
    let heard = eventually("the failure is told", async || match events.next().await {
        Some(Ok(MonitorEvent::Transition(transition))) if transition.name == "S" => {
            (transition.to.as_str() == "unhealthy").then_some(transition)
        }
        _ => None,
    })
    .await;
    monitor.restart();
    endpoint.set(Mood::Good);
    becomes(&monitor, "S", "healthy").await;
    let follow = |after: &str| {
        http().get(format!("{}/monitor/events", monitor.url())).header("last-event-id", after.to_owned())
    };
    let mut response = follow(&heard.id.to_string()).send().await.unwrap();
    let mut text = String::new();
    while text.matches("event: ").count() < 3 {
        text.push_str(&String::from_utf8_lossy(&response.chunk().await.unwrap().unwrap()));
    }
    let ids: Vec<u64> = text.lines().filter_map(|line| line.strip_prefix("id: ")?.parse().ok()).collect();
    // The incident that opened, the recovery, the incident that was resolved.
    assert_eq!(ids[..3], [heard.id + 1, heard.id + 2, heard.id + 3], "{text}");
    assert_eq!(follow("999999").send().await.unwrap().status(), 410);
    assert_eq!(follow("x").send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_service_whose_lease_ran_out_is_seen_until_it_returns_and_one_that_deregisters_is_not() {
    let dir = tempdir();
    let (registry, monitor) = start(&dir);
    let endpoint = Endpoint::start(Mood::Good).await;
    for name in ["crashed", "left"] {
        register(&registry, name, &endpoint.url, json!({ "ttlSeconds": 2 })).await;
        becomes(&monitor, name, "healthy").await;
    }
    assert_eq!(delete(format!("{}/services/left", registry.url())).await.status, 200);
    let service = becomes(&monitor, "crashed", "unhealthy").await;
    assert_eq!(service["detail"], "its lease expired");
    let answer = get(format!("{}/monitor/health/left", monitor.url())).await;
    assert_eq!((answer.status, answer.header("content-type")), (404, Some("application/problem+json")));
    assert_eq!(get(format!("{}/monitor/history/left", monitor.url())).await.status, 200);
    register(&registry, "crashed", &endpoint.url, json!({})).await;
    becomes(&monitor, "crashed", "healthy").await;
    assert_eq!(delete(format!("{}/monitor/health/crashed", monitor.url())).await.status, 409);
}

#[tokio::test]
async fn one_root_and_all_that_fail_with_it_are_one_incident() {
    let dir = tempdir();
    let (registry, monitor) = start(&dir);
    let endpoint = Endpoint::start(Mood::Good).await;
    register(&registry, "root", &endpoint.url, json!({})).await;
    for name in ["a", "b", "c"] {
        register(&registry, name, &endpoint.url, json!({ "requiredServices": ["root"] })).await;
    }
    for name in ["root", "a", "b", "c"] {
        becomes(&monitor, name, "healthy").await;
    }
    endpoint.set(Mood::Bad);
    let incidents = eventually("all that fail are listed", async || {
        let incidents = list(&monitor, "/monitor/incidents?open=true").await;
        incidents.iter().any(|i| i["affected"].as_array().unwrap().len() == 3).then_some(incidents)
    })
    .await;
    assert_eq!((incidents.len(), &incidents[0]["service"]), (1, &json!("root")), "{incidents:?}");
    endpoint.set(Mood::Good);
    eventually("it is over", async || {
        list(&monitor, "/monitor/incidents?open=true").await.is_empty().then_some(())
    })
    .await;
    assert_eq!(list(&monitor, "/monitor/incidents").await.len(), 1);
}

#[tokio::test]
async fn maintenance_opens_no_incident_outlives_kill_9_and_ends_when_it_is_taken_away() {
    let dir = tempdir();
    let (registry, mut monitor) = start(&dir);
    let endpoint = Endpoint::start(Mood::Good).await;
    register(&registry, "S", &endpoint.url, json!({})).await;
    becomes(&monitor, "S", "healthy").await;
    let path = format!("{}/monitor/maintenance", monitor.url());
    let answer = post(&path, &json!({ "service": "S", "reason": "new disk", "owner": "me" })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    monitor.kill9();
    endpoint.set(Mood::Bad);
    monitor.restart();
    eventually("it fails", async || {
        let service = service(&monitor, "S").await?;
        (service["instances"][0]["status"] == "unhealthy").then_some(())
    })
    .await;
    assert_eq!(becomes(&monitor, "S", "maintenance").await["uptime"], 1.0);
    assert_eq!(list(&monitor, "/monitor/incidents").await, [] as [Value; 0]);
    assert_eq!(delete(format!("{path}?service=S")).await.status, 200);
    becomes(&monitor, "S", "unhealthy").await;
    assert_eq!(delete(format!("{path}?service=S")).await.status, 404);
    for (body, status) in [
        (json!({ "service": "nobody" }), 404),
        (json!({ "service": "S", "until": "2001-01-01T00:00:00Z" }), 422),
        (json!({ "service": "S", "reason": "x".repeat(2_000) }), 422),
        (json!({ "reason": "no service" }), 422),
    ] {
        assert_eq!(post(&path, &body).await.status, status, "{body}");
    }
}

#[tokio::test]
async fn what_was_known_is_probed_although_the_registry_is_away() {
    let dir = tempdir();
    let (mut registry, mut monitor) = start(&dir);
    let endpoint = Endpoint::start(Mood::Good).await;
    register(&registry, "S", &endpoint.url, json!({})).await;
    becomes(&monitor, "S", "healthy").await;
    eventually("its check is on disk", async || {
        let history = get(format!("{}/monitor/history/S", monitor.url())).await.json();
        (!history["probes"].as_array()?.is_empty()).then_some(())
    })
    .await;
    registry.kill9();
    monitor.restart();
    let calls = endpoint.calls().len();
    eventually("it is probed", async || (endpoint.calls().len() > calls).then_some(())).await;
    let health = get(format!("{}/health", monitor.url())).await;
    assert_eq!((health.status, &health.json()["status"]), (200, &json!("warn")));
    endpoint.set(Mood::Bad);
    becomes(&monitor, "S", "unhealthy").await;
}

#[tokio::test]
async fn lists_are_bounded_and_readable_on_a_terminal() {
    let dir = tempdir();
    let (registry, monitor) = start(&dir);
    let endpoint = Endpoint::start(Mood::Good).await;
    register(&registry, "服务", &endpoint.url, json!({})).await;
    eventually("it is listed", async || {
        let text = get(format!("{}/monitor/health?format=text", monitor.url())).await.text;
        (text.starts_with("SERVICE") && text.contains("服务  ")).then_some(())
    })
    .await;
    for path in ["/monitor/incidents?limit=0", "/monitor/history/x?limit=1001"] {
        assert_eq!(get(format!("{}{path}", monitor.url())).await.status, 422, "{path}");
    }
    for path in ["/monitor/incidents?limit=x", "/monitor/health?nonsense=1"] {
        assert_eq!(get(format!("{}{path}", monitor.url())).await.status, 400, "{path}");
    }
}
