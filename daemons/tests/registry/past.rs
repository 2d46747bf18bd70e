//! Who did what and when, and how things stood.

use super::{alone, instance, names};
use crate::harness::{Running, eventually};
use reqwest::Method;
use serde_json::{Value, json};

async fn history(registry: &Running, query: &str) -> Vec<Value> {
    let list = registry.get("registry", &format!("/services/history?{query}")).await.ok().json();
    list.as_array().unwrap().clone()
}

fn column(entries: &[Value], key: &str) -> Vec<String> {
    entries.iter().map(|entry| entry[key].as_str().unwrap_or_default().to_owned()).collect()
}

async fn delete_by_url(registry: &Running, url: &str) {
    let request = registry.request(Method::DELETE, "registry", "/services").body(url.to_owned());
    crate::harness::Answer::of(request).await.ok();
}

#[tokio::test]
async fn the_history_says_what_happened_to_whom_and_why() {
    let registry = alone().start().await;
    let mut leased = instance("S", 1);
    leased["ttlSeconds"] = json!(1);
    registry.post_json("registry", "/services", leased).await.ok();
    eventually("it expires", async || {
        (registry.get("registry", "/services/S").await.status == 404).then_some(())
    })
    .await;
    registry.post_json("registry", "/services", instance("S", 2)).await.ok();
    let mut tagged = instance("S", 2);
    tagged["tags"] = json!(["blue"]);
    registry.post_json("registry", "/services", tagged).await.ok();
    registry.delete("registry", "/services/S/S-localhost-2").await.ok();
    for port in [3, 4] {
        registry.post_json("registry", "/services", instance("T", port)).await.ok();
    }
    delete_by_url(&registry, "http://localhost:3").await;
    registry.delete("registry", "/services/T").await.ok();

    let all = history(&registry, "order=asc").await;
    assert_eq!(
        column(&all, "cause"),
        [
            "registered",
            "expired",
            "registered",
            "updated",
            "deregistered",
            "registered",
            "registered",
            "deregistered",
            "deregistered"
        ]
    );
    assert_eq!(
        column(&all, "change"),
        ["added", "removed", "added", "updated", "removed", "added", "added", "removed", "removed"]
    );
    assert_eq!(all[1]["detail"], "its lease of 1 s ran out");
    assert_eq!(all[4]["detail"], "by its id");
    assert_eq!(all[7]["detail"], "by its URL");
    assert_eq!(all[8]["detail"], "by the name of the service");
    assert_eq!(all[3]["registration"]["tags"], json!(["blue"]));
    assert!((1..).zip(&all).all(|(revision, entry)| entry["revision"] == revision));

    assert_eq!(column(&history(&registry, "service=T&limit=3").await, "id"), ["9", "8", "7"]);
    assert_eq!(column(&history(&registry, "service=T&limit=3&before=7").await, "id"), ["6"]);
    assert_eq!(column(&history(&registry, "instance=S-localhost-2").await, "id"), ["5", "4", "3"]);
    assert_eq!(column(&history(&registry, "order=asc&after=7").await, "id"), ["8", "9"]);
    assert_eq!(history(&registry, "until=1h").await.len(), 0);
    assert_eq!(history(&registry, "since=1h&service=S").await.len(), 5);
    let text = registry.get("registry", "/services/history?format=text&service=T").await.ok().body;
    assert!(text.starts_with("ID  TIME") && text.contains("by its URL"), "{text}");
    for (query, status) in [("limit=0", 400), ("since=x", 400), ("after=x", 400), ("colour=1", 400)] {
        registry.get("registry", &format!("/services/history?{query}")).await.problem(status);
    }
}

#[tokio::test]
async fn every_state_can_be_read_again_over_restart_and_kill_9() {
    let mut registry = alone().start().await;
    let mut states = vec![json!([])];
    for round in 0..3_u16 {
        for port in 0..4 {
            let mut register = instance(if port % 2 == 0 { "S" } else { "T" }, port);
            register["metadata"] = json!({"round": round.to_string()});
            registry.post_json("registry", "/services", register).await.ok();
            states.push(registry.get("registry", "/services").await.ok().json());
        }
        registry.delete("registry", &format!("/services/S/S-localhost-{}", round % 2 * 2)).await.ok();
        states.push(registry.get("registry", "/services").await.ok().json());
        if round == 0 {
            registry.kill();
        }
        registry = registry.restart().await;
    }
    for (revision, state) in states.iter().enumerate() {
        let then = registry.get("registry", &format!("/services?at={revision}")).await.ok();
        assert_eq!((&then.json(), then.header("x-distlog-index")), (state, revision.to_string().as_str()));
    }
    let last = states.len() - 1;
    let at = registry.get("registry", "/services/history?limit=1").await.ok().json()[0]["at"].clone();
    let then = registry.get("registry", &format!("/services?at={}", at.as_str().unwrap())).await.ok();
    assert_eq!((&then.json(), then.header("x-distlog-index")), (&states[last], last.to_string().as_str()));
    assert_eq!(registry.get("registry", "/services?at=1h").await.ok().json(), json!([]));
    let one = registry.get("registry", "/services/T?at=2").await.ok().json();
    assert_eq!(names(&one), ["T-localhost-1"]);
    registry.get("registry", "/services/T?at=1").await.problem(404);
    assert_eq!(registry.get("registry", "/services?at=999").await.problem(422)["field"], "at");
    assert_eq!(registry.get("registry", "/services?at=1&healthy=true").await.problem(422)["field"], "at");
    assert_eq!(registry.get("registry", "/services?at=yesterday").await.problem(400)["field"], "at");
}

#[tokio::test]
async fn what_is_older_than_the_history_is_gone_and_the_rest_is_right() {
    let registry = alone().flag("--registry-history", "1s").start().await;
    for port in 1..=5 {
        registry.post_json("registry", "/services", instance("S", port)).await.ok();
    }
    eventually("the old is forgotten", async || (history(&registry, "").await.len() == 1).then_some(()))
        .await;
    let gone = registry.get("registry", "/services?at=3").await.problem(410);
    assert!(gone["detail"].as_str().unwrap().contains("begins at revision 4"), "{gone}");
    registry.get("registry", "/services?at=1h").await.problem(410);
    let now = registry.get("registry", "/services").await.ok().json();
    assert_eq!(registry.get("registry", "/services?at=5").await.ok().json(), now);
    let registry = registry.restart().await;
    assert_eq!(registry.get("registry", "/services").await.ok().header("x-distlog-index"), "5");
    assert_eq!(registry.get("registry", "/services?at=4").await.ok().json().as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_lease_shows_how_long_it_has_left() {
    let registry = alone().start().await;
    let mut leased = instance("S", 1);
    leased["ttlSeconds"] = json!(60);
    registry.post_json("registry", "/services", leased).await.ok();
    registry.post_json("registry", "/services", instance("S", 2)).await.ok();
    let lease = registry.get("registry", "/services/S/S-localhost-1/lease").await.ok().json();
    let (age, left) = (lease["ageSeconds"].as_f64().unwrap(), lease["expiresInSeconds"].as_f64().unwrap());
    assert_eq!((lease["ttlSeconds"].as_u64(), (age + left).round()), (Some(60), 60.0));
    let none = registry.get("registry", "/services/S/S-localhost-2/lease").await.ok().json();
    assert_eq!((&none["ttlSeconds"], &none["expiresInSeconds"]), (&Value::Null, &Value::Null));
    registry.get("registry", "/services/S/nobody/lease").await.problem(404);
}
