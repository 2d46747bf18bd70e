//! What the monitor says of a service, in words and pictures.

use super::*;
use crate::harness::binary;
use std::process::Command;

#[tokio::test]
async fn a_status_is_explained_in_words_and_in_json() {
    let (registry, monitor) = start().await;
    let endpoint = Endpoint::start(Mood::Good).await;
    register(&registry, "S", &endpoint.url, json!({ "requiredServices": ["nobody"], "ttlSeconds": 60 }))
        .await;
    becomes(&monitor, "S", "healthy").await;
    endpoint.set(Mood::Bad);
    let explained = eventually("the incident is named", async || {
        let explained = monitor.get("monitor", "/monitor/explain/S").await.ok().json();
        (!explained["incident"].is_null()).then_some(explained)
    })
    .await;
    assert_eq!(explained["incident"]["root"], "S");
    let instance = &explained["instances"][0];
    assert_eq!((&instance["probe"], &instance["lease"]), (&json!("http"), &json!("held")));
    assert_eq!((&instance["failures_needed"], &instance["lease_seconds"]), (&json!(3), &json!(60)));
    assert_eq!(explained["requires"], json!([{ "service": "nobody", "status": null }]));
    let text = eventually("the failed probes are on disk", async || {
        let text = monitor.get("monitor", "/monitor/explain/S?format=text").await.ok().body;
        text.contains("failed in phase http: status 500").then_some(text)
    })
    .await;
    for part in ["S has been unhealthy", "its lease of 60s is held", "It is the root of incident 1"] {
        assert!(text.contains(part), "{text}");
    }
    monitor.get("monitor", "/monitor/explain/nobody").await.problem(404);
}

#[tokio::test]
async fn pictures_are_svg_with_the_state_in_words() {
    let (registry, monitor) = start().await;
    let endpoint = Endpoint::start(Mood::Good).await;
    register(&registry, "a<b", &endpoint.url, json!({})).await;
    becomes(&monitor, "a<b", "healthy").await;
    for (path, want) in [
        ("badge/a%3Cb.svg", ">healthy</text>"),
        ("badge/a%3Cb.svg?type=uptime&days=7", ">a&lt;b uptime 7d</text>"),
        ("chart/a%3Cb.svg?span=24h", "a&lt;b: "),
        ("chart/a%3Cb.svg?span=1h", "of 1h"),
    ] {
        let answer = monitor.get("monitor", &format!("/monitor/{path}")).await.ok();
        assert_eq!(answer.header("content-type"), "image/svg+xml; charset=utf-8");
        assert_eq!(answer.header("cache-control"), "no-cache");
        assert!(answer.body.contains(want), "{}", answer.body);
    }
    for (path, status) in [
        ("badge/nobody.svg", 404),
        ("badge/a%3Cb.png", 404),
        ("badge/a%3Cb.svg?days=0", 400),
        ("badge/a%3Cb.svg?type=mood", 400),
        ("chart/a%3Cb.svg?span=59m", 400),
    ] {
        monitor.get("monitor", &format!("/monitor/{path}")).await.problem(status);
    }
}

#[tokio::test]
async fn the_past_is_gone_through_with_other_rules_beside_a_monitor_that_runs() {
    let (registry, monitor) = start().await;
    let endpoint = Endpoint::start(Mood::Good).await;
    register(&registry, "S", &endpoint.url, json!({})).await;
    becomes(&monitor, "S", "healthy").await;
    // Two failures: not enough for the rules of this monitor.
    endpoint.script(&[Mood::Bad, Mood::Bad]);
    eventually("both failures are on disk", async || {
        let probes = history(&monitor, "S").await["probes"].as_array().cloned()?;
        (probes.iter().filter(|probe| probe["healthy"] == false).count() == 2).then_some(())
    })
    .await;
    let replay = |more: &[&str]| {
        let output = Command::new(binary())
            .args(["check-config", "--replay", "7d", "--monitor-interval", "200ms"])
            .args(more)
            .current_dir(monitor.dir())
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let (good, text) = replay(&[]);
    assert!(good && text.contains("Would have been paged: 0 incidents"), "{text}");
    let (good, text) = replay(&["--monitor-failures", "2"]);
    assert!(good && text.contains("Would have been paged: 1 incident ("), "{text}");
    assert!(text.contains("http: status 500"), "{text}");
    assert!(!replay(&["--data-dir", "elsewhere"]).0);
}
