//! One fault, one incident.

use super::*;

#[tokio::test]
async fn one_root_and_all_that_fail_with_it_are_one_incident() {
    let (registry, monitor) = start().await;
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
async fn whoever_takes_an_incident_up_is_told_and_stays_with_it_over_kill_9_and_its_end() {
    let (registry, monitor) = start().await;
    let endpoint = Endpoint::start(Mood::Good).await;
    register(&registry, "S", &endpoint.url, json!({})).await;
    becomes(&monitor, "S", "healthy").await;
    endpoint.set(Mood::Bad);
    let opened = eventually("it is opened", async || {
        list(&monitor, "/monitor/incidents?open=true").await.into_iter().next()
    })
    .await;
    assert_eq!(opened["acknowledged"], Value::Null);
    let path = format!("/monitor/incidents/{}/ack", opened["id"]);
    let taken_up = monitor.post_json("monitor", &path, json!({ "by": " Ann " })).await.ok().json();
    assert_eq!((&taken_up["acknowledged"]["by"], &taken_up["id"]), (&json!("Ann"), &opened["id"]));
    let monitor = monitor.restart().await;
    let by = async |path| list(&monitor, path).await.first().map(|i| i["acknowledged"]["by"].clone());
    assert_eq!(by("/monitor/incidents?open=true").await, Some(json!("Ann")));
    for (path, body, status) in [
        (&*path, json!({ "by": "  " }), 422),
        (&path, json!({ "by": "x".repeat(2_000) }), 422),
        (&path, json!({ "by": "red\u{1b}[31m" }), 422),
        (&path, json!({}), 422),
        ("/monitor/incidents/77/ack", json!({ "by": "Ann" }), 404),
        ("/monitor/incidents/77/ack", json!({ "by": "Ann", "note": "x" }), 422),
        ("/monitor/incidents/none/ack", json!({ "by": "Ann" }), 400),
    ] {
        monitor.post_json("monitor", path, body).await.problem(status);
    }
    endpoint.set(Mood::Good);
    eventually("it is over", async || {
        list(&monitor, "/monitor/incidents?open=true").await.is_empty().then_some(())
    })
    .await;
    assert_eq!(by("/monitor/incidents").await, Some(json!("Ann")));
    monitor.post_json("monitor", &path, json!({ "by": "Bob" })).await.problem(409);
    let uptimes = list(&monitor, "/monitor/uptime").await;
    let uptime = uptimes.iter().find(|uptime| uptime["service"] == "S").unwrap();
    let day = uptime["day"].as_f64().unwrap();
    assert!(day > 0.0 && day < 1.0 && uptime["days"].as_array().unwrap().len() <= 2, "{uptime}");
    monitor.get("monitor", "/monitor/uptime?service=nobody").await.problem(404);
    let text = monitor.get("monitor", "/monitor/uptime?service=S&format=text").await.ok().body;
    assert!(text.contains("MONTH") && text.contains('%'), "{text}");
}

/// A root and 28 that need it, some over others; all are well.
async fn fleet(registry: &Running, monitor: &Running, of: impl Fn(usize) -> String) {
    for n in 0..29 {
        let requires = if n == 0 { json!([]) } else { json!([format!("s{:02}", n / 4)]) };
        register(registry, &format!("s{n:02}"), &of(n), json!({ "requiredServices": requires })).await;
    }
    eventually("all are well", async || {
        let all = list(monitor, "/monitor/health").await;
        let ours = all.iter().filter(|s| s["name"].as_str().is_some_and(|name| name.starts_with('s')));
        (ours.filter(|s| s["status"] == "healthy").count() == 29).then_some(())
    })
    .await;
}

/// Waits until all are down, and tells every incident there ever was.
async fn all_down(monitor: &Running) -> Vec<Value> {
    eventually("all are down and listed", async || {
        let incidents = list(monitor, "/monitor/incidents").await;
        let affected = incidents.first()?["affected"].as_array()?.len();
        (affected == 28).then_some(incidents)
    })
    .await
}

#[tokio::test]
async fn a_root_and_28_that_fail_with_it_are_one_incident_in_one_graph() {
    for failures in [1, 3] {
        let (registry, monitor) = start_with(|m| m.flag("--monitor-failures", failures)).await;
        let endpoint = Endpoint::start(Mood::Good).await;
        fleet(&registry, &monitor, |_| endpoint.url.clone()).await;
        endpoint.set(Mood::Bad);
        let incidents = all_down(&monitor).await;
        assert_eq!((incidents.len(), &incidents[0]["service"]), (1, &json!("s00")), "{incidents:?}");
        assert_eq!(incidents[0]["dependents"].as_array().unwrap().len(), 28);
        assert_eq!(incidents[0]["dependents"][0]["effect"], "down");
        let opened = incidents[0]["id"].clone();
        endpoint.set(Mood::Good);
        eventually("it is over", async || {
            let incidents = list(&monitor, "/monitor/incidents").await;
            (!incidents[0]["resolved_at"].is_null()).then_some(())
        })
        .await;
        for n in 0..29 {
            becomes(&monitor, &format!("s{n:02}"), "healthy").await;
        }
        let incidents = list(&monitor, "/monitor/incidents").await;
        assert_eq!((incidents.len(), &incidents[0]["id"]), (1, &opened), "{incidents:?}");
    }
}

#[tokio::test]
async fn a_root_that_is_killed_together_with_all_that_need_it_is_one_incident() {
    let (registry, monitor) = start().await;
    let mut listeners = Vec::new();
    for _ in 0..29 {
        listeners.push(tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap());
    }
    let urls: Vec<String> = listeners.iter().map(|l| format!("tcp://{}", l.local_addr().unwrap())).collect();
    fleet(&registry, &monitor, |n| urls[n].clone()).await;
    // Nobody accepts any more: each connection is refused.
    drop(listeners);
    let incidents = all_down(&monitor).await;
    assert_eq!((incidents.len(), &incidents[0]["service"]), (1, &json!("s00")), "{incidents:?}");
}

#[tokio::test]
async fn what_flaps_is_one_incident_and_stays_one_over_kill_9() {
    let flap = |m: Setup| {
        m.flag("--monitor-failures", 1)
            .flag("--monitor-successes", 1)
            .flag("--monitor-flap-changes", 3)
            .flag("--monitor-flap-window", "1m")
    };
    let (registry, monitor) = start_with(flap).await;
    let endpoint = Endpoint::start(Mood::Good).await;
    register(&registry, "S", &endpoint.url, json!({})).await;
    becomes(&monitor, "S", "healthy").await;
    for _ in 0..3 {
        endpoint.set(Mood::Bad);
        becomes(&monitor, "S", "unhealthy").await;
        endpoint.set(Mood::Good);
        becomes(&monitor, "S", "healthy").await;
    }
    let flapping = eventually("it is found to flap", async || {
        list(&monitor, "/monitor/incidents?open=true").await.pop().filter(|i| i["kind"] == "flapping")
    })
    .await;
    let monitor = monitor.restart().await;
    for _ in 0..3 {
        endpoint.set(Mood::Bad);
        becomes(&monitor, "S", "unhealthy").await;
        endpoint.set(Mood::Good);
        assert_eq!(becomes(&monitor, "S", "healthy").await["flapping"], true);
    }
    let open = list(&monitor, "/monitor/incidents?open=true").await;
    assert_eq!((open.len(), &open[0]), (1, &flapping));
}
