//! The monitor, seen from outside.

mod incidents;
mod maintenance;
mod probes;
mod scale;
mod starting;
mod told;

use crate::harness::endpoint::{Endpoint, Mood};
use crate::harness::lines::Lines;
use crate::harness::{Running, Setup, eventually};
use reqwest::Method;
use serde_json::{Value, json};

/// A registry, and a monitor that probes every 200 ms.
async fn start() -> (Running, Running) {
    start_with(|monitor| monitor).await
}

/// As [`start`], with more flags for the monitor.
async fn start_with(configure: impl FnOnce(Setup) -> Setup) -> (Running, Running) {
    let registry = Setup::new("registry").start().await;
    let monitor = Setup::new("monitor")
        .peers_of(&registry)
        .flag("--monitor-interval", "200ms")
        .flag("--monitor-timeout", "2s")
        .flag("--monitor-concurrency", "16");
    let monitor = configure(monitor).start().await;
    (registry, monitor)
}

async fn register(registry: &Running, service: &str, url: &str, more: Value) {
    let mut body = json!({ "serviceName": service, "serviceUrl": url });
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    registry.post_json("registry", "/services", body).await.ok();
}

async fn service(monitor: &Running, name: &str) -> Option<Value> {
    let answer = monitor.get("monitor", &format!("/monitor/health/{name}")).await;
    (answer.status == 200).then(|| answer.json())
}

async fn becomes(monitor: &Running, name: &str, status: &str) -> Value {
    eventually(&format!("{name} is {status}"), async || {
        service(monitor, name).await.filter(|service| service["status"] == status)
    })
    .await
}

async fn list(monitor: &Running, path: &str) -> Vec<Value> {
    monitor.get("monitor", path).await.ok().json().as_array().unwrap().clone()
}

async fn history(monitor: &Running, name: &str) -> Value {
    monitor.get("monitor", &format!("/monitor/history/{name}?limit=1000")).await.json()
}

#[tokio::test]
async fn a_status_flips_only_after_so_many_failures_in_a_row() {
    let (registry, monitor) = start().await;
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
        let history = history(&monitor, "S").await;
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
    let (registry, monitor) = start().await;
    let mut hanging = Vec::new();
    for n in 0..30 {
        let endpoint = Endpoint::start(Mood::Hang).await;
        register(&registry, &format!("hang-{n}"), &endpoint.url, json!({})).await;
        hanging.push(endpoint);
    }
    eventually("all hang", async || hanging.iter().all(|e| !e.calls().is_empty()).then_some(())).await;
    let before: Vec<usize> = hanging.iter().map(|endpoint| endpoint.calls().len()).collect();
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
    // Whoever waited behind one that hangs would be probed as seldom as that.
    let fewest = good.iter().map(|endpoint| endpoint.calls().len()).min().unwrap();
    let calls = hanging.iter().zip(before).map(|(endpoint, before)| endpoint.calls().len() - before);
    let most = calls.max().unwrap();
    assert!(fewest > 2 * most, "a good one was probed {fewest} times, one that hangs {most} times");
    let service = becomes(&monitor, "hang-3", "unhealthy").await;
    assert_eq!(service["reason"], "timeout");
}

#[tokio::test]
async fn history_and_streaks_survive_kill_9() {
    let (registry, monitor) = start().await;
    let endpoint = Endpoint::start(Mood::Bad).await;
    endpoint.script(&[Mood::Good]);
    register(&registry, "S", &endpoint.url, json!({})).await;
    let streak = |service: &Value| service["instances"][0]["streak"].as_i64().unwrap();
    let before = eventually("it has failed ten times", async || {
        service(&monitor, "S").await.filter(|service| streak(service) <= -10)
    })
    .await;
    let incidents = list(&monitor, "/monitor/incidents?open=true").await;
    let monitor = monitor.restart().await;
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
    let history = history(&monitor, "S").await;
    let ids: Vec<_> = history["transitions"].as_array().unwrap().iter().map(|t| t["id"].as_u64()).collect();
    assert!(ids.is_sorted_by(|a, b| a > b), "{ids:?}");
}

#[tokio::test]
async fn events_resume_where_a_reader_left_off() {
    let (registry, monitor) = start().await;
    let endpoint = Endpoint::start(Mood::Good).await;
    register(&registry, "S", &endpoint.url, json!({})).await;
    let follow = |monitor: &Running, after: &str| {
        let request = monitor.request(Method::GET, "monitor", "/monitor/events");
        if after.is_empty() { request } else { request.header("last-event-id", after.to_owned()) }
    };
    let mut events = Lines::open(follow(&monitor, "")).await;
    becomes(&monitor, "S", "healthy").await;
    endpoint.set(Mood::Bad);
    let mut heard: u64 = loop {
        let (name, id, data) = events.event().await.unwrap();
        if name == "transition" && data.contains(r#""name":"S""#) && data.contains(r#""to":"unhealthy""#) {
            break id.parse().unwrap();
        }
    };
    let monitor = monitor.restart().await;
    endpoint.set(Mood::Good);
    becomes(&monitor, "S", "healthy").await;
    let mut events = Lines::open(follow(&monitor, &heard.to_string())).await;
    let mut told = Vec::new();
    while told.len() < 3 {
        let (name, id, data) = events.event().await.unwrap();
        let id: u64 = id.parse().unwrap();
        assert!(id > heard, "{data}");
        heard = id;
        // The daemons themselves are listed too, and may change in between.
        if !data.contains(r#""name":"S""#) && !data.contains(r#""service":"S""#) {
            continue;
        }
        told.push((name, data.contains(r#""resolved_at":null"#)));
    }
    let name = |name: &str| name.to_owned();
    assert_eq!(told, [(name("incident"), true), (name("transition"), false), (name("incident"), false)]);
    assert_eq!(follow(&monitor, "999999").send().await.unwrap().status(), 410);
    assert_eq!(follow(&monitor, "x").send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_service_whose_lease_ran_out_is_seen_until_it_returns_and_one_that_deregisters_is_not() {
    let (registry, monitor) = start().await;
    let endpoint = Endpoint::start(Mood::Good).await;
    for name in ["crashed", "left"] {
        register(&registry, name, &endpoint.url, json!({ "ttlSeconds": 2 })).await;
        becomes(&monitor, name, "healthy").await;
    }
    registry.delete("registry", "/services/left").await.ok();
    let service = becomes(&monitor, "crashed", "unhealthy").await;
    assert_eq!(service["detail"], "its lease expired");
    monitor.get("monitor", "/monitor/health/left").await.problem(404);
    monitor.get("monitor", "/monitor/history/left").await.ok();
    register(&registry, "crashed", &endpoint.url, json!({})).await;
    becomes(&monitor, "crashed", "healthy").await;
    monitor.delete("monitor", "/monitor/health/crashed").await.problem(409);
}

#[tokio::test]
async fn what_was_known_is_probed_although_the_registry_is_away() {
    let (mut registry, monitor) = start().await;
    let endpoint = Endpoint::start(Mood::Good).await;
    register(&registry, "S", &endpoint.url, json!({})).await;
    becomes(&monitor, "S", "healthy").await;
    eventually("its check is on disk", async || {
        let history = history(&monitor, "S").await;
        (!history["probes"].as_array()?.is_empty()).then_some(())
    })
    .await;
    registry.kill();
    let monitor = monitor.restart().await;
    let calls = endpoint.calls().len();
    eventually("it is probed", async || (endpoint.calls().len() > calls).then_some(())).await;
    let health = monitor.get("monitor", "/health").await;
    assert_eq!((health.status, &health.json()["status"]), (200, &json!("warn")));
    endpoint.set(Mood::Bad);
    becomes(&monitor, "S", "unhealthy").await;
}

#[tokio::test]
async fn lists_are_bounded_and_readable_on_a_terminal() {
    let (registry, monitor) = start().await;
    let endpoint = Endpoint::start(Mood::Good).await;
    register(&registry, "服务", &endpoint.url, json!({})).await;
    eventually("it is listed", async || {
        let text = monitor.get("monitor", "/monitor/health?format=text").await.body;
        (text.starts_with("SERVICE") && text.contains("服务  ")).then_some(())
    })
    .await;
    for path in ["/monitor/incidents?limit=0", "/monitor/history/x?limit=1001"] {
        assert_eq!(monitor.get("monitor", path).await.problem(400)["field"], "limit", "{path}");
    }
    for path in ["/monitor/incidents?limit=x", "/monitor/health?nonsense=1"] {
        monitor.get("monitor", path).await.problem(400);
    }
}
