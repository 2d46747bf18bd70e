//! An operator's word goes before every probe.

use super::*;

#[tokio::test]
async fn maintenance_opens_no_incident_outlives_kill_9_and_ends_when_it_is_taken_away() {
    let (registry, monitor) = start().await;
    let endpoint = Endpoint::start(Mood::Good).await;
    register(&registry, "S", &endpoint.url, json!({})).await;
    becomes(&monitor, "S", "healthy").await;
    let path = "/monitor/maintenance";
    let body = json!({ "service": "S", "reason": "new disk", "owner": "me" });
    monitor.post_json("monitor", path, body).await.ok();
    endpoint.set(Mood::Bad);
    let monitor = monitor.restart().await;
    eventually("it fails", async || {
        let service = service(&monitor, "S").await?;
        (service["instances"][0]["probed"] == "unhealthy").then_some(())
    })
    .await;
    assert_eq!(becomes(&monitor, "S", "maintenance").await["uptime"], 1.0);
    assert_eq!(list(&monitor, "/monitor/incidents").await, [] as [Value; 0]);
    monitor.delete("monitor", "/monitor/maintenance?service=S").await.ok();
    becomes(&monitor, "S", "unhealthy").await;
    monitor.delete("monitor", "/monitor/maintenance?service=S").await.problem(404);
    for (body, status) in [
        (json!({ "service": "nobody" }), 404),
        (json!({ "service": "S", "instance": "nobody" }), 404),
        (json!({ "service": "S", "mode": "nonsense" }), 422),
        (json!({ "service": "S", "until": "2001-01-01T00:00:00Z" }), 422),
        (json!({ "service": "S", "reason": "x".repeat(2_000) }), 422),
        (json!({ "reason": "no service" }), 422),
    ] {
        monitor.post_json("monitor", path, body).await.problem(status);
    }
}

#[tokio::test]
async fn an_instance_that_is_restarted_under_maintenance_stays_under_it() {
    let (registry, monitor) = start().await;
    let endpoint = Endpoint::start(Mood::Good).await;
    for id in ["one", "two"] {
        register(&registry, "S", &endpoint.url, json!({ "instanceId": id })).await;
    }
    becomes(&monitor, "S", "healthy").await;
    let body = json!({ "service": "S", "instance": "one", "mode": "drain", "owner": "me" });
    let said = monitor.post_json("monitor", "/monitor/maintenance", body).await.ok().json();
    assert!(said["since"].is_string(), "{said}");
    let status_of = async |monitor: &Running, id: &str| {
        let service = service(monitor, "S").await?;
        service["instances"].as_array()?.iter().find(|i| i["instance_id"] == id).map(|i| i["status"].clone())
    };
    let monitor = monitor.restart().await;
    assert_eq!(status_of(&monitor, "one").await, Some(json!("draining")));
    becomes(&monitor, "S", "healthy").await;
    registry.delete("registry", "/services/S/one").await.ok();
    eventually("it is gone", async || status_of(&monitor, "one").await.is_none().then_some(())).await;
    register(&registry, "S", &endpoint.url, json!({ "instanceId": "one" })).await;
    eventually("it is back", async || status_of(&monitor, "one").await.filter(|s| s == "draining")).await;
    let text = monitor.get("monitor", "/monitor/maintenance?format=text").await.ok().body;
    assert!(text.contains("one") && text.contains("drain"), "{text}");
    monitor.delete("monitor", "/monitor/maintenance?service=S").await.problem(404);
    monitor.delete("monitor", "/monitor/maintenance?service=S&instance=one").await.ok();
    eventually("it is healthy", async || status_of(&monitor, "one").await.filter(|s| s == "healthy")).await;
    assert_eq!(list(&monitor, "/monitor/incidents").await, [] as [Value; 0]);
}
