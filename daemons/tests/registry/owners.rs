//! An instance belongs to its registrant; one client's share of the registry.

use super::{alone, instance};
use crate::harness::endpoint::{Endpoint, Mood};
use crate::harness::{Answer, Running, Setup, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

async fn renew(registry: &Running, revision: &Value) -> Answer {
    let path = format!("/services/S/a/lease?revision={revision}");
    Answer::of(registry.request(Method::PUT, "registry", &path)).await
}

#[tokio::test]
async fn another_url_under_a_known_instance_id_is_a_conflict_until_that_is_deregistered() {
    let registry = alone().start().await;
    let register = async |port: u16| {
        let url = format!("http://localhost:{port}");
        let body = json!({"serviceName": "S", "instanceId": "a", "serviceUrl": url, "ttlSeconds": 60});
        registry.post_json("registry", "/services", body).await
    };
    let stored = register(1).await.ok().json();
    let refused = register(2).await.problem(409);
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("http://localhost:1") && detail.contains("deregister it first"), "{detail}");
    assert_eq!(registry.get("registry", "/services/S").await.json()[0], stored, "nothing has changed");
    registry.delete("registry", "/services/S/a").await.ok();
    register(2).await.ok();
}

#[tokio::test]
async fn a_heartbeat_of_a_registration_that_another_client_replaced_is_a_conflict() {
    let registry = alone().start().await;
    let url = "http://localhost:1";
    let own =
        json!({"serviceName": "S", "instanceId": "a", "serviceUrl": url, "tags": ["t"], "ttlSeconds": 60});
    let stored = registry.post_json("registry", "/services", own.clone()).await.ok().json();
    let lease = renew(&registry, &stored["revision"]).await.ok().json();
    assert_eq!(lease["revision"], stored["revision"]);
    let other = registry.post_json("registry", "/services", instance("S", 1)).await.ok().json();
    assert_eq!((&other["instanceId"], &other["tags"]), (&json!("a"), &json!([])));
    let refused = renew(&registry, &stored["revision"]).await.problem(409);
    assert!(refused["detail"].as_str().unwrap().contains("register it again"), "{refused}");
    let restored = registry.post_json("registry", "/services", own).await.ok().json();
    renew(&registry, &restored["revision"]).await.ok();
    Answer::of(registry.request(Method::PUT, "registry", "/services/S/a/lease")).await.ok();
}

#[tokio::test]
async fn a_daemon_restores_its_registration_after_another_client_overwrote_it() {
    let registry = alone().start().await;
    let library = Setup::new("library").peers_of(&registry).flag("--lease", "2s").start().await;
    let registered = async || {
        let listed = registry.get("registry", "/services/LibraryService").await;
        (listed.status == 200).then(|| listed.json()[0].clone())
    };
    let own = eventually("the library is registered", registered).await;
    let bare = json!({"serviceName": "LibraryService", "serviceUrl": own["serviceUrl"]});
    let other = registry.post_json("registry", "/services", bare).await.ok().json();
    assert_eq!((&other["tags"], &other["ttlSeconds"]), (&json!([]), &Value::Null));
    let restored = eventually("the library registers again", async || {
        registered().await.filter(|now| now["revision"] != other["revision"])
    });
    let mut restored = restored.await;
    restored["revision"] = own["revision"].clone();
    assert_eq!(restored, own);
    drop(library);
}

#[tokio::test]
async fn a_full_registry_says_when_to_try_again_and_warns() {
    let registry =
        alone().flag("--registry-registrations-max", 2).flag("--registry-leaseless-max", 1).start().await;
    registry.post_json("registry", "/services", instance("S", 1)).await.ok();
    let full = registry.post_json("registry", "/services", instance("S", 2)).await;
    assert!(!full.header("retry-after").is_empty());
    let detail = full.problem(503)["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("1 registrations without a lease"), "{detail}");
    let leased = |port: u16| {
        let mut body = instance("S", port);
        body["ttlSeconds"] = json!(60);
        body
    };
    registry.post_json("registry", "/services", leased(2)).await.ok();
    let full = registry.post_json("registry", "/services", leased(3)).await;
    assert!(!full.header("retry-after").is_empty());
    full.problem(503);
    let health = registry.get("registry", "/health").await.json();
    assert_eq!(health["checks"]["capacity"]["status"], "warn", "{health}");
    registry.delete("registry", "/services/S/S-localhost-1").await.ok();
    registry.post_json("registry", "/services", leased(3)).await.ok();
}

#[tokio::test]
async fn requests_for_health_probe_an_instance_once_a_second_at_most() {
    let endpoint = Endpoint::start(Mood::Good).await;
    let registry = alone().start().await;
    let body = json!({"serviceName": "S", "serviceUrl": endpoint.url});
    registry.post_json("registry", "/services", body).await.ok();
    let began = std::time::Instant::now();
    let asked = (0..200).map(|_| registry.get("registry", "/health/S"));
    for answer in futures_util::future::join_all(asked).await {
        assert_eq!(answer.ok().json()["healthy"], true);
    }
    let seconds = began.elapsed().div_duration_f64(Duration::from_secs(1));
    let calls = endpoint.calls().len();
    assert!(calls as f64 <= seconds.floor() + 1.0, "{calls} probes in {seconds} s");
}

#[tokio::test]
async fn a_name_that_dns_cannot_look_up_is_accepted_with_a_warning() {
    let registry = alone().start().await;
    let stored = registry.post_json("registry", "/services", instance("two_words", 1)).await.ok().json();
    let warning = stored["warnings"][0].as_str().unwrap();
    assert!(warning.contains("two_words.service.distlog") && warning.contains("'_'"), "{warning}");
    let stored = registry.post_json("registry", "/services", instance("S", 1)).await.ok().json();
    assert_eq!(stored["warnings"], Value::Null);
}
