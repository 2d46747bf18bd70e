//! Services that have not been well yet, and those that are gone for good.

use super::*;

#[tokio::test]
async fn a_service_that_has_not_been_well_yet_is_pending_and_opens_no_incident() {
    let (registry, monitor) = start_with(|monitor| monitor.flag("--monitor-grace", "1h")).await;
    let endpoint = Endpoint::start(Mood::Bad).await;
    register(&registry, "S", &endpoint.url, json!({})).await;
    let pending = becomes(&monitor, "S", "pending").await;
    assert_eq!((&pending["reason"], &pending["instances"][0]["status"]), (&json!("http"), &json!("pending")));
    eventually("it fails more often than is tolerated", async || (endpoint.calls().len() > 5).then_some(()))
        .await;
    let text = monitor.get("monitor", "/monitor/explain/S?format=text").await.ok().body;
    assert!(text.contains("it has not been well since it came"), "{text}");
    assert_eq!(service(&monitor, "S").await.unwrap()["status"], "pending");
    assert_eq!(list(&monitor, "/monitor/incidents").await, [] as [Value; 0]);
    eventually("it is counted as pending", async || {
        let metrics = monitor.get("monitor", "/metrics").await.body;
        metrics.contains("distlog_monitor_services{status=\"pending\"} 1").then_some(())
    })
    .await;
    let monitor = monitor.restart().await;
    assert_eq!(service(&monitor, "S").await.unwrap()["status"], "pending");
    endpoint.set(Mood::Good);
    becomes(&monitor, "S", "healthy").await;
    endpoint.set(Mood::Bad);
    becomes(&monitor, "S", "unhealthy").await;
    let history = eventually("all of it is in the history", async || {
        let history = history(&monitor, "S").await;
        (history["transitions"].as_array()?.len() == 3).then_some(history)
    });
    let history = history.await;
    let to: Vec<_> = history["transitions"].as_array().unwrap().iter().map(|t| &t["to"]).collect();
    assert_eq!(to, ["unhealthy", "healthy", "pending"]);
}

#[tokio::test]
async fn a_service_that_is_never_well_is_unhealthy_after_the_grace() {
    let (registry, monitor) = start_with(|monitor| monitor.flag("--monitor-grace", "1s")).await;
    register(&registry, "S", "http://127.0.0.1:1", json!({})).await;
    becomes(&monitor, "S", "pending").await;
    becomes(&monitor, "S", "unhealthy").await;
    eventually("its incident is open", async || {
        (list(&monitor, "/monitor/incidents?open=true").await.len() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_service_whose_lease_ran_out_is_forgotten_after_a_time_and_its_incident_resolved() {
    let (registry, monitor) = start_with(|monitor| monitor.flag("--monitor-forget-after", "2s")).await;
    register(&registry, "S", "http://127.0.0.1:1", json!({ "ttlSeconds": 1 })).await;
    becomes(&monitor, "S", "unhealthy").await;
    eventually("it is forgotten", async || service(&monitor, "S").await.is_none().then_some(())).await;
    eventually("its incident is resolved", async || {
        let incidents = list(&monitor, "/monitor/incidents").await;
        (incidents.len() == 1 && incidents[0]["resolved_at"].is_string()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_service_whose_lease_ran_out_can_be_forgotten_and_its_incident_is_resolved() {
    let (registry, monitor) = start().await;
    register(&registry, "S", "http://127.0.0.1:1", json!({ "ttlSeconds": 1 })).await;
    becomes(&monitor, "S", "unhealthy").await;
    eventually("its lease runs out", async || {
        service(&monitor, "S").await.filter(|service| service["reason"] == "lease")
    })
    .await;
    assert_eq!(monitor.delete("monitor", "/monitor/health/S").await.status, 204);
    monitor.delete("monitor", "/monitor/health/S").await.problem(404);
    eventually("its incident is resolved", async || {
        list(&monitor, "/monitor/incidents?open=true").await.is_empty().then_some(())
    })
    .await;
}
