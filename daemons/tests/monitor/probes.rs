//! Each is probed as its registration, or the configuration, says.

use super::*;

#[tokio::test]
async fn a_registration_says_how_it_is_probed_and_nonsense_is_refused_in_words() {
    let (registry, monitor) = start().await;
    let endpoint = Endpoint::start(Mood::Bad).await;
    let said = |metadata: Value| json!({ "metadata": metadata });
    register(&registry, "closed", &endpoint.url, said(json!({ "distlog.probe.status": "200,500" }))).await;
    register(&registry, "lease", &endpoint.url, said(json!({ "distlog.probe": "lease" }))).await;
    register(&registry, "cloud", "http://169.254.169.254", said(json!({}))).await;
    for name in ["closed", "lease"] {
        becomes(&monitor, name, "healthy").await;
        assert_eq!(registry.get("registry", &format!("/health/{name}")).await.ok().json()["healthy"], true);
    }
    let typo = json!({ "serviceName": "typo", "serviceUrl": endpoint.url, "metadata": { "distlog.probe.stauts": "5" } });
    let refused = registry.post_json("registry", "/services", typo).await.problem(422);
    assert_eq!(refused["field"], "metadata");
    assert!(refused["detail"].as_str().unwrap().contains("distlog.probe.stauts"), "{refused}");
    assert_eq!(becomes(&monitor, "cloud", "unhealthy").await["reason"], "policy");
    let asked = registry.get("registry", "/health/cloud").await.ok().json();
    assert!(asked["instances"][0]["reason"].as_str().unwrap().starts_with("policy: 169.254"), "{asked}");
}

#[tokio::test]
async fn a_job_reports_by_itself_and_its_silence_is_a_failure() {
    let (registry, monitor) = start().await;
    let push = |interval: &str| json!({ "metadata": { "distlog.probe": "push", "distlog.probe.interval": interval } });
    register(&registry, "nightly", "http://backup:1", push("1d")).await;
    register(&registry, "hasty", "http://backup:2", push("500ms")).await;
    becomes(&monitor, "nightly", "unknown").await;
    let report =
        async |query: &str| monitor.post("monitor", &format!("/monitor/push/nightly{query}"), "").await;
    assert_eq!(report("").await.ok().json()["status"], "healthy");
    let failed = report("?status=fail&message=disk%20full").await.ok().json();
    assert_eq!((&failed["status"], &failed["detail"]), (&json!("unhealthy"), &json!("disk full")));
    assert_eq!(report("?status=ok").await.ok().json()["status"], "healthy");
    let silent = becomes(&monitor, "hasty", "unhealthy").await;
    assert_eq!(
        (&silent["reason"], &silent["detail"]),
        (&json!("push"), &json!("it has not reported for 500ms"))
    );
    report("?instance=nobody").await.problem(404);
    report("?status=perhaps").await.problem(400);
    monitor.post("monitor", "/monitor/push/nobody", "").await.problem(404);
    monitor.post("monitor", "/monitor/push/RegistryService", "").await.problem(409);
    // What it would have said meanwhile nobody heard.
    let monitor = monitor.restart().await;
    assert_eq!(service(&monitor, "nightly").await.unwrap()["status"], "healthy");
}

#[tokio::test]
async fn what_is_not_registered_is_probed_as_the_configuration_says() {
    let endpoint = Endpoint::start(Mood::Good).await;
    let website = format!(
        "[[probe]]\nname = 'Website'\nurl = '{}'\ninterval = '100ms'\nrequires = ['Backup']\n",
        endpoint.url
    );
    let setup = Setup::new("monitor").flag("--monitor-interval", "1h");
    let file = setup.dir().join("distlog.toml");
    std::fs::write(&file, format!("{website}[[probe]]\nname = 'Backup'\nkind = 'push'\ninterval = '1d'\n"))
        .unwrap();
    let monitor = setup.start().await;
    becomes(&monitor, "Website", "healthy").await;
    eventually("it is probed by its own interval", async || (endpoint.calls().len() > 3).then_some(())).await;
    monitor.post("monitor", "/monitor/push/Backup", "").await.ok();
    std::fs::write(&file, &website).unwrap();
    let monitor = monitor.restart().await;
    assert_eq!(service(&monitor, "Website").await.unwrap()["status"], "healthy");
    assert_eq!(service(&monitor, "Backup").await, None, "the configuration no longer names it");
}

#[tokio::test]
async fn the_configuration_says_how_a_registered_service_is_probed() {
    let registry = Setup::new("registry").start().await;
    let setup = Setup::new("monitor").peers_of(&registry).flag("--monitor-interval", "200ms");
    std::fs::write(setup.dir().join("distlog.toml"), "[[probe]]\nname = 'S'\nstatus = '500'\n").unwrap();
    let monitor = setup.start().await;
    let endpoint = Endpoint::start(Mood::Bad).await;
    register(&registry, "S", &endpoint.url, json!({})).await;
    becomes(&monitor, "S", "healthy").await;
}

#[test]
fn a_probe_that_makes_no_sense_is_named_before_anything_starts() {
    for (text, want) in [
        ("[[probe]]\nname = 'W'\nurl = 'http://h'\nstatus = '2xx'\n", "probe 'W': status: '2xx'"),
        ("[[probe]]\nname = 'W'\nurl = 'http://h'\nstauts = '200'\n", "unknown field `stauts`"),
        ("[[probe]]\nurl = 'http://h'\n", "probe: one has no name"),
    ] {
        let setup = Setup::new("monitor");
        std::fs::write(setup.dir().join("distlog.toml"), text).unwrap();
        let (status, said) = setup.run_to_end();
        assert!(!status.success() && said.contains(want), "{said}");
    }
}

#[tokio::test]
async fn a_job_that_has_not_reported_is_not_listed_as_healthy() {
    let fleet = Setup::new("all").start().await;
    let metadata = json!({ "distlog.probe": "push", "distlog.probe.interval": "1d" });
    let body = json!({ "serviceName": "nightly", "serviceUrl": "http://backup:1", "metadata": metadata });
    fleet.post_json("registry", "/services", body).await.ok();
    let healthy = async || {
        let listed = fleet.get("registry", "/services/nightly?healthy=true").await.ok().json();
        let probed = fleet.get("registry", "/health/nightly").await.ok().json();
        assert_eq!(probed["healthy"], listed.as_array().unwrap().len() == 1, "{probed}");
        probed
    };
    assert_eq!(healthy().await["healthy"], true, "nothing is known yet");
    eventually("it can report", async || {
        let report = fleet.post("monitor", "/monitor/push/nightly?status=fail&message=no+space", "").await;
        (report.status == 200).then_some(())
    })
    .await;
    let probed = healthy().await;
    assert_eq!(probed["instances"][0]["reason"], "push: no space");
    fleet.post("monitor", "/monitor/push/nightly", "").await.ok();
    assert_eq!(healthy().await["healthy"], true);
}

#[tokio::test]
async fn a_job_that_died_is_missed_by_a_monitor_that_is_restarted_more_often_than_it_reports() {
    let (registry, mut monitor) = start().await;
    let metadata = json!({ "distlog.probe": "push", "distlog.probe.interval": "4s" });
    register(&registry, "job", "http://backup:1", json!({ "metadata": metadata })).await;
    becomes(&monitor, "job", "unknown").await;
    monitor.post("monitor", "/monitor/push/job", "").await.ok();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(40);
    while service(&monitor, "job").await.unwrap()["status"] != "unhealthy" {
        assert!(std::time::Instant::now() < until, "each restart begins to count anew");
        monitor = monitor.restart().await;
    }
}
