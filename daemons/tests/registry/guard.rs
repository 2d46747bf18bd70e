//! The guard against mass expiry: what it holds back, what it says, how it ends.

use super::{alone, instance};
use crate::harness::lines::Lines;
use crate::harness::{Running, eventually};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

const DEAD: std::ops::Range<u16> = 1..5;
const ALIVE: std::ops::Range<u16> = 5..11;

/// Registers at once: nobody's lease runs out before the last is there.
async fn register(registry: &Running, ports: std::ops::Range<u16>, ttl_s: u32) {
    join_all(ports.map(async |port| {
        let mut register = instance("S", port);
        register["ttlSeconds"] = json!(ttl_s);
        registry.post_json("registry", "/services", register).await.ok();
    }))
    .await;
}

async fn renew(registry: &Running, ports: std::ops::Range<u16>) {
    join_all(ports.map(async |port| {
        let path = format!("/services/S/S-localhost-{port}/lease");
        // A clock that jumps ends requests that are under way; the next one counts.
        if let Ok(answer) = registry.request(Method::PUT, "registry", &path).send().await {
            assert_eq!(answer.status(), 200);
        }
    }))
    .await;
}

/// Renews again and again while the other thing is done.
async fn renewing<T>(registry: &Running, ports: std::ops::Range<u16>, other: impl Future<Output = T>) -> T {
    let renewing = async {
        loop {
            renew(registry, ports.clone()).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::select! { done = other => done, () = renewing => unreachable!() }
}

async fn guard(registry: &Running) -> Value {
    registry.get("registry", "/services/guard").await.ok().json()
}

async fn until_held(registry: &Running, count: usize) -> Value {
    eventually("expiry is held back", async || {
        let guard = guard(registry).await;
        (guard["held"].as_array().unwrap().len() == count).then_some(guard)
    })
    .await
}

async fn until_ended(registry: &Running) {
    eventually("the guard ends", async || (guard(registry).await["engaged"] == false).then_some(())).await;
}

/// Why everyone who went has gone, oldest first.
async fn causes(registry: &Running) -> Vec<(String, String)> {
    let history = registry.get("registry", "/services/history?order=asc&limit=1000").await.ok().json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let entries = history.as_array().unwrap().iter();
    entries
        .filter(|entry| entry["cause"] != "registered")
        .map(|entry| (text(&entry["cause"]), text(&entry["instanceId"])))
        .collect()
}

fn ids(ports: std::ops::Range<u16>, cause: &str) -> Vec<(String, String)> {
    ports.map(|port| (cause.to_owned(), format!("S-localhost-{port}"))).collect()
}

#[tokio::test]
async fn forty_per_cent_that_are_gone_for_good_are_held_and_told_of_and_then_go() {
    let registry = alone().flag("--registry-guard-hold", "5s").start().await;
    let mut watch = Lines::open(registry.request(Method::GET, "registry", "/services/watch")).await;
    register(&registry, ALIVE, 30).await;
    register(&registry, DEAD, 3).await;
    let ended = async {
        let held = until_held(&registry, 4).await;
        assert_eq!((&held["engaged"], held["scopes"].as_array().unwrap().len()), (&json!(true), 2));
        assert_eq!(held["held"][0]["instanceId"], "S-localhost-1");
        let health = registry.get("registry", "/health").await.json();
        assert_eq!(
            (&health["status"], &health["checks"]["leases"]["status"]),
            (&json!("warn"), &json!("warn"))
        );
        let words = health["checks"]["leases"]["output"].as_str().unwrap();
        assert!(words.contains("the fleet") && words.contains("service 'S'"), "{words}");
        let metrics = registry.get("registry", "/metrics").await.ok().body;
        assert!(metrics.contains("distlog_registry_held_instances 4"), "{metrics}");
        assert!(metrics.contains("distlog_registry_guard_engaged 2"), "{metrics}");
        let lease = registry.get("registry", "/services/S/S-localhost-1/lease").await.ok().json();
        assert!(lease["heldUntil"].is_string() && lease["expiresInSeconds"] == 0.0, "{lease}");
        let table = registry.get("registry", "/services/guard?format=text").await.ok().body;
        assert!(table.starts_with("SERVICE") && table.contains("S-localhost-4"), "{table}");
        until_ended(&registry).await;
    };
    renewing(&registry, ALIVE, ended).await;
    let went = renewing(&registry, ALIVE, async {
        eventually("they go", async || {
            let causes = causes(&registry).await;
            (causes.len() == 8).then_some(causes)
        })
        .await
    });
    assert_eq!(went.await, [ids(DEAD, "held"), ids(DEAD, "expired")].concat());
    let health = registry.get("registry", "/health").await.json();
    assert_eq!(health["checks"]["leases"]["status"], "pass");
    let mut told = Vec::new();
    while told.last().is_none_or(|(name, _): &(String, String)| name != "expired") {
        let (name, id, _) = watch.event().await.unwrap();
        told.push((name, id));
    }
    // The event of the guard moves no place.
    assert!(told.iter().any(|(name, id)| name == "held" && id.is_empty()), "{told:?}");
    assert!(
        told.iter().filter(|(name, _)| name != "held" && name != "released").all(|(_, id)| !id.is_empty())
    );
}

#[tokio::test]
async fn when_all_renew_nobody_has_gone_and_it_ends() {
    let registry = alone().flag("--registry-guard-hold", "10m").start().await;
    register(&registry, 1..10, 3).await;
    until_held(&registry, 9).await;
    renewing(&registry, 1..10, until_ended(&registry)).await;
    assert_eq!(causes(&registry).await, ids(1..10, "held"));
}

#[tokio::test]
async fn while_it_holds_the_held_can_be_removed_and_others_come() {
    let registry = alone().flag("--registry-guard-hold", "10m").start().await;
    register(&registry, 1..11, 3).await;
    until_held(&registry, 10).await;
    registry.delete("registry", "/services/S/S-localhost-1").await.ok();
    register(&registry, 11..12, 60).await;
    until_held(&registry, 9).await;
    // A new process registers in the place of one that is held.
    register(&registry, 2..3, 60).await;
    until_held(&registry, 8).await;
    registry.delete("registry", "/services/S").await.ok();
    until_ended(&registry).await;
}

#[tokio::test]
async fn it_can_be_turned_off() {
    let registry = alone().flag("--registry-guard-share", "100%").start().await;
    register(&registry, 1..11, 2).await;
    eventually("all expire", async || (causes(&registry).await.len() == 10).then_some(())).await;
    assert!(causes(&registry).await.iter().all(|(cause, _)| cause == "expired"));
}

#[tokio::test]
async fn a_registry_that_stood_still_for_two_leases_expires_nobody() {
    let registry = alone().start().await;
    // Three are no mass: it is not the guard that saves them.
    register(&registry, 1..4, 5).await;
    let still = async {
        registry.signal("STOP");
        tokio::time::sleep(Duration::from_secs(10)).await;
        registry.signal("CONT");
        // Two looks at the leases, while heartbeats go on.
        let quiet = registry.get("registry", "/services?index=3&wait=1s").await.ok();
        assert_eq!(quiet.header("x-distlog-index"), "3");
    };
    renewing(&registry, 1..4, still).await;
    assert_eq!(causes(&registry).await, []);
}

/// The library of Debian's faketime.
const LIBFAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

async fn clock_jumps(monotonic_too: bool) {
    let dont_fake = if monotonic_too { 0 } else { 1 };
    let registry = alone()
        // It is not the guard that saves them.
        .flag("--registry-guard-share", "100%")
        .after(&format!(
            "echo +0 > clock; export LD_PRELOAD={LIBFAKETIME} FAKETIME_TIMESTAMP_FILE=$PWD/clock \
             FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC={dont_fake} DONT_FAKE_MONOTONIC={dont_fake}"
        ))
        .start()
        .await;
    let now = async || {
        let history = registry.get("registry", "/services/history?limit=1").await.ok().json();
        chrono::DateTime::parse_from_rfc3339(history[0]["at"].as_str().unwrap()).unwrap().timestamp()
    };
    register(&registry, 1..4, 5).await;
    let before = now().await;
    let jumping = async {
        // A monotonic clock goes forward, or it is none.
        let jumps = [("+1h", 3_600), ("+0", 0), ("-1h", -3_600), ("+0", 0)];
        for (jump, seconds) in jumps.into_iter().take(if monotonic_too { 1 } else { 4 }) {
            std::fs::write(registry.dir().join("clock"), format!("{jump}\n")).unwrap();
            // One that nobody renews goes: the leases were looked at since then.
            let mut short = instance(&format!("T{jump}"), 1);
            short["ttlSeconds"] = json!(2);
            registry.post_json("registry", "/services", short).await.ok();
            eventually("the short lease runs out", async || {
                let path = format!("/services/T{jump}");
                (registry.get("registry", &path).await.status == 404).then_some(())
            })
            .await;
            let list = registry.get("registry", "/services/S").await.ok().json();
            assert_eq!(list.as_array().unwrap().len(), 3, "{jump}");
            let drift = now().await - before - seconds;
            assert!((0..600).contains(&drift), "the clock was not moved by {jump}: {drift}");
        }
    };
    renewing(&registry, 1..4, jumping).await;
    let gone = causes(&registry).await;
    assert_eq!(gone.len(), if monotonic_too { 1 } else { 4 });
    assert!(gone.iter().all(|(cause, id)| cause == "expired" && id.starts_with('T')), "{gone:?}");
}

#[tokio::test]
#[ignore = "needs Debian's faketime"]
async fn a_clock_that_is_set_an_hour_forward_or_back_expires_nobody() {
    clock_jumps(false).await;
}

#[tokio::test]
#[ignore = "needs Debian's faketime"]
async fn a_monotonic_clock_that_jumps_an_hour_ahead_expires_nobody() {
    clock_jumps(true).await;
}
