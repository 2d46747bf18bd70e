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
    let misspelt = json!({ "service": "S", "untill": "2027-01-01T00:00:00Z" });
    let refused = monitor.post_json("monitor", "/monitor/maintenance", misspelt).await;
    assert!(refused.status >= 400 && refused.body.contains("untill"), "{}", refused.body);
    monitor.delete("monitor", "/monitor/maintenance?service=S&instance=one").await.ok();
    eventually("it is healthy", async || status_of(&monitor, "one").await.filter(|s| s == "healthy")).await;
    assert_eq!(list(&monitor, "/monitor/incidents").await, [] as [Value; 0]);
}

#[tokio::test]
async fn what_is_taken_out_of_use_is_not_listed_as_healthy() {
    let fleet = Setup::new("all").flag("--monitor-interval", "100ms").start().await;
    becomes(&fleet, "LibraryService", "healthy").await;
    let listed = async || {
        let healthy = fleet.get("registry", "/services/LibraryService?healthy=true").await.ok().json();
        healthy.as_array().unwrap().len()
    };
    assert_eq!(listed().await, 1);
    let drain = json!({ "service": "LibraryService", "mode": "drain" });
    fleet.post_json("monitor", "/monitor/maintenance", drain).await.ok();
    assert_eq!(listed().await, 0);
    fleet.delete("monitor", "/monitor/maintenance?service=LibraryService").await.ok();
    assert_eq!(listed().await, 1);
}

#[tokio::test]
async fn a_maintenance_begins_when_it_says_and_not_before() {
    let (registry, monitor) = start().await;
    let endpoint = Endpoint::start(Mood::Good).await;
    register(&registry, "S", &endpoint.url, json!({})).await;
    becomes(&monitor, "S", "healthy").await;
    let begin = async |since: chrono::DateTime<chrono::Utc>, until: Option<chrono::DateTime<chrono::Utc>>| {
        let body = json!({ "service": "S", "since": since, "until": until });
        monitor.post_json("monitor", "/monitor/maintenance", body).await
    };
    let now = chrono::Utc::now();
    let hours = chrono::TimeDelta::hours;
    let said = begin(now + hours(1), None).await.ok().json();
    assert_eq!(said["since"], json!(now + hours(1)));
    let text = monitor.get("monitor", "/monitor/explain/S?format=text").await.ok().body;
    assert!(text.contains("It will be under maintenance in"), "{text}");
    assert_eq!(service(&monitor, "S").await.unwrap()["status"], "healthy");
    begin(now + hours(2), Some(now + hours(1))).await.problem(422);
    begin(now + hours(24 * 400), None).await.problem(422);
    begin(now + chrono::TimeDelta::seconds(2), None).await.ok();
    becomes(&monitor, "S", "maintenance").await;
    assert!(chrono::Utc::now() >= now + chrono::TimeDelta::seconds(2));
    begin(now - hours(1), None).await.ok();
    let listed = becomes(&monitor, "S", "maintenance").await;
    assert_eq!(listed["instances"][0]["since"], json!(now - hours(1)));
}
