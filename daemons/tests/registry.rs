//! The registry: many instances, leases, watches, durability.

mod guard;
mod owners;
mod past;
mod recorded;
mod validators;

use crate::harness::lines::Lines;
use crate::harness::{Answer, Setup, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn instance(name: &str, port: u16) -> Value {
    json!({"serviceName": name, "serviceUrl": format!("http://localhost:{port}")})
}

fn names(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|s| s["instanceId"].as_str().unwrap().to_owned()).collect()
}

/// A registry that does not register itself, so that revisions are the test's own.
fn alone() -> Setup {
    Setup::new("registry").flag("--registry-url", "http://127.0.0.1:1")
}

#[tokio::test]
async fn every_documented_path_answers() {
    let registry = alone().start().await;
    registry.post_json("registry", "/services", instance("S", 9)).await.ok();
    let renew = registry.request(Method::PUT, "registry", "/services/S/S-localhost-9/lease");
    Answer::of(renew).await.ok();
    for path in [
        "/services",
        "/services/S",
        "/services/tag/t",
        "/health/S",
        "/sd/prometheus",
        "/health",
        "/metrics",
        "/openapi.json",
        "/services?healthy=true",
        "/services?version=1",
        "/services?index=0&wait=1s",
        "/services?at=0",
        "/services/history",
        "/services/guard",
        "/services/S/S-localhost-9/lease",
    ] {
        assert_eq!(registry.get("registry", path).await.status, 200, "{path}");
    }
    Lines::open(registry.request(Method::GET, "registry", "/services/watch")).await;
    registry.delete("registry", "/services/S/S-localhost-9").await.ok();
    registry.get("registry", "/services/S").await.problem(404);
    registry.get("registry", "/health/S").await.problem(404);
}

#[tokio::test]
async fn a_second_instance_does_not_replace_the_first() {
    let registry = alone().start().await;
    registry.post_json("registry", "/services", instance("S", 1)).await.ok();
    registry.post_json("registry", "/services", instance("S", 2)).await.ok();
    let listed = registry.get("registry", "/services/S").await.ok().json();
    assert_eq!(names(&listed), ["S-localhost-1", "S-localhost-2"]);
}

#[tokio::test]
async fn registering_from_many_sides_at_once_never_blocks_itself() {
    let registry = alone().start().await;
    let calls = (0..64_u16).map(|n| {
        let registry = &registry;
        async move {
            registry.post_json("registry", "/services", instance("S", 1000 + n % 16)).await.ok();
            registry.get("registry", "/services").await.ok();
            registry.delete("registry", &format!("/services/S/S-localhost-{}", 1000 + n % 16)).await
        }
    });
    let done = futures_util::future::join_all(calls);
    tokio::time::timeout(Duration::from_secs(30), done).await.expect("nothing waits for itself");
}

#[tokio::test]
async fn deregistering_takes_a_url_a_name_or_an_instance() {
    let registry = alone().start().await;
    let register = async |name: &str, port| {
        registry.post_json("registry", "/services", instance(name, port)).await.ok();
    };
    let delete = async |body: String| {
        Answer::of(registry.request(Method::DELETE, "registry", "/services").body(body)).await
    };
    register("S", 1).await;
    register("T", 1).await;
    register("T", 2).await;
    let both = delete(json!({"serviceName": "T", "serviceUrl": "http://localhost:1"}).to_string()).await.ok();
    assert_eq!(both.json()["removed"].as_array().unwrap().len(), 1);
    delete("http://localhost:1".to_owned()).await.ok();
    registry.get("registry", "/services/S").await.problem(404);
    delete("http://localhost:1".to_owned()).await.problem(404);
    delete(String::new()).await.problem(400);
    registry.delete("registry", "/services/T").await.ok();
    registry.delete("registry", "/services/T").await.problem(404);
    registry.delete("registry", "/services/T/x").await.problem(404);
    let lease = registry.request(Method::PUT, "registry", "/services/T/x/lease");
    Answer::of(lease).await.problem(404);
}

#[tokio::test]
async fn a_key_that_is_not_known_is_named_when_registering_and_never_widens_a_removal() {
    let registry = alone().start().await;
    let register = async |body: Value| registry.post_json("registry", "/services", body).await;
    let mut body = instance("S", 1);
    body["requires"] = json!(["T"]);
    let stored = register(body).await.ok().json();
    assert_eq!((&stored["ignored"], &stored["requiredServices"]), (&json!(["requires"]), &json!([])));
    let read = registry.get("registry", "/services/S").await.ok().json()[0].clone();
    assert_eq!(register(read.clone()).await.ok().json(), read, "what was read can be sent");
    let slip = register(json!({"serviceNmae": "S", "serviceUrl": "http://h"})).await;
    assert_eq!(slip.problem(422)["field"], "serviceName");

    let delete = async |body: Value| {
        Answer::of(registry.request(Method::DELETE, "registry", "/services").body(body.to_string())).await
    };
    let slip = delete(json!({"serviceName": "S", "serviceURL": "http://localhost:2"})).await;
    assert_eq!(slip.problem(422)["field"], "serviceURL");
    registry.get("registry", "/services/S").await.ok();
    delete(read).await.ok();
    registry.get("registry", "/services/S").await.problem(404);
}

#[tokio::test]
async fn names_with_slashes_spaces_and_any_script_are_names() {
    let registry = alone().start().await;
    for (name, path) in [("a/b", "a%2Fb"), ("a b", "a%20b"), ("书店", "%E4%B9%A6%E5%BA%97")] {
        registry.post_json("registry", "/services", instance(name, 1)).await.ok();
        assert_eq!(
            registry.get("registry", &format!("/services/{path}")).await.ok().json()[0]["serviceName"],
            name
        );
        registry.delete("registry", &format!("/services/{path}")).await.ok();
    }
    let long = registry.post_json("registry", "/services", instance(&"x".repeat(10_000), 1)).await;
    assert_eq!(long.problem(422)["field"], "serviceName");
    let no_url = json!({"serviceName": "S", "serviceUrl": "no url"});
    assert_eq!(registry.post_json("registry", "/services", no_url).await.problem(422)["field"], "serviceUrl");
    assert_eq!(registry.get("registry", "/services").await.ok().json(), json!([]));
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9_and_revisions_go_on() {
    let mut registry = alone().start().await;
    let mut last = 0;
    for n in 1..=20_u16 {
        let stored = registry.post_json("registry", "/services", instance("S", n)).await.ok().json();
        last = stored["revision"].as_u64().unwrap();
    }
    registry.delete("registry", "/services/S/S-localhost-20").await.ok();
    let before = registry.get("registry", "/services").await.ok();
    registry.kill();
    let registry = registry.restart().await;
    let after = registry.get("registry", "/services").await.ok();
    assert_eq!(before.json(), after.json());
    assert_eq!(before.header("x-distlog-index"), after.header("x-distlog-index"));
    let next = registry.post_json("registry", "/services", instance("S", 21)).await.ok().json();
    assert_eq!(next["revision"], last + 2);
}

#[tokio::test]
async fn a_lease_that_is_not_renewed_expires_and_a_renewed_one_does_not() {
    let registry = alone().start().await;
    for name in ["dies", "lives", "stays"] {
        let mut register = instance(name, 1);
        if name != "stays" {
            register["ttlSeconds"] = json!(2);
        }
        registry.post_json("registry", "/services", register).await.ok();
    }
    let mut watch = Lines::open(registry.request(Method::GET, "registry", "/services/watch")).await;
    watch.event().await.unwrap();
    let expired = async {
        let (event, _, data) = watch.event().await.unwrap();
        (event, serde_json::from_str::<Value>(&data).unwrap()["serviceName"].clone())
    };
    let renewing = async {
        loop {
            let renew = registry.request(Method::PUT, "registry", "/services/lives/lives-localhost-1/lease");
            Answer::of(renew).await.ok();
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    let (event, name) = tokio::select! { expired = expired => expired, () = renewing => unreachable!() };
    assert_eq!((event.as_str(), name), ("expired", json!("dies")));
    registry.get("registry", "/services/lives").await.ok();
    registry.get("registry", "/services/stays").await.ok();
}

#[tokio::test]
async fn a_restart_grants_leases_afresh() {
    let registry = alone().start().await;
    let mut register = instance("S", 1);
    register["ttlSeconds"] = json!(2);
    registry.post_json("registry", "/services", register).await.ok();
    registry.signal("STOP");
    tokio::time::sleep(Duration::from_secs(3)).await;
    registry.signal("CONT");
    // The stall took longer than the lease, and yet for two looks at the leases
    // nothing changes.
    let quiet = registry.get("registry", "/services?index=1&wait=1s").await.ok();
    assert_eq!((quiet.header("x-distlog-index"), quiet.json()[0]["serviceName"].as_str()), ("1", Some("S")));
    let registry = registry.restart().await;
    registry.get("registry", "/services/S").await.ok();
    eventually("the lease ends after the restart", async || {
        (registry.get("registry", "/services/S").await.status == 404).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_long_poll_answers_when_the_revision_passes_or_the_wait_is_over() {
    let registry = alone().start().await;
    registry.post_json("registry", "/services", instance("S", 1)).await.ok();
    let began = Instant::now();
    let quiet = registry.get("registry", "/services?index=1&wait=300ms").await.ok();
    assert!(began.elapsed() >= Duration::from_millis(300));
    assert_eq!(quiet.header("x-distlog-index"), "1");
    let poll = registry.get("registry", "/services?index=1&wait=60s");
    let change = async { registry.post_json("registry", "/services", instance("S", 2)).await.ok() };
    let (answer, _) = tokio::join!(poll, change);
    assert_eq!(answer.header("x-distlog-index"), "2");
    let late = registry.get("registry", "/services?index=1&wait=60s").await.ok();
    assert_eq!(late.header("x-distlog-index"), "2");
    // Another service wakes nobody who waits for this one.
    let poll = registry.get("registry", "/services/S?index=2&wait=1s");
    let change = async { registry.post_json("registry", "/services", instance("T", 1)).await.ok() };
    let began = Instant::now();
    let (answer, _) = tokio::join!(poll, change);
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(answer.ok().header("x-distlog-index"), "3");
}

#[tokio::test]
async fn heartbeats_and_registering_the_same_again_change_no_revision() {
    let registry = alone().start().await;
    let first = registry.post_json("registry", "/services", instance("S", 1)).await.ok().json();
    let again = registry.post_json("registry", "/services", instance("S", 1)).await.ok().json();
    assert_eq!(first, again);
    let renew = registry.request(Method::PUT, "registry", "/services/S/S-localhost-1/lease");
    Answer::of(renew).await.ok();
    assert_eq!(registry.get("registry", "/services").await.ok().header("x-distlog-index"), "1");
}

#[tokio::test]
async fn a_watch_tells_each_change_once_and_resumes_over_kill_9() {
    let mut registry = alone().start().await;
    registry.post_json("registry", "/services", instance("S", 1)).await.ok();
    let mut watch = Lines::open(registry.request(Method::GET, "registry", "/services/watch")).await;
    let (name, _, data) = watch.event().await.unwrap();
    assert_eq!(
        (name.as_str(), &serde_json::from_str::<Value>(&data).unwrap()["revision"]),
        ("snapshot", &json!(1))
    );
    registry.post_json("registry", "/services", instance("S", 2)).await.ok();
    let (name, place, _) = watch.event().await.unwrap();
    assert_eq!(name, "registered");
    let mut tagged = instance("S", 2);
    tagged["tags"] = json!(["blue"]);
    registry.post_json("registry", "/services", tagged).await.ok();
    registry.delete("registry", "/services/S/S-localhost-1").await.ok();
    registry.kill();
    let registry = registry.restart().await;
    registry.post_json("registry", "/services", instance("S", 3)).await.ok();

    let resume = registry.request(Method::GET, "registry", "/services/watch").header("last-event-id", &place);
    let mut watch = Lines::open(resume).await;
    let epoch = place.split('-').next().unwrap();
    for (want, revision) in [("updated", 3), ("deregistered", 4), ("registered", 5)] {
        let (name, id, data) = watch.event().await.unwrap();
        assert_eq!((name.as_str(), id), (want, format!("{epoch}-{revision}")));
        assert_eq!(serde_json::from_str::<Value>(&data).unwrap()["revision"], revision);
    }
    let watch =
        |after: &str| registry.request(Method::GET, "registry", &format!("/services/watch?after={after}"));
    Answer::of(watch(&format!("{epoch}-99"))).await.problem(410);
    Answer::of(watch("abc123-2")).await.problem(410);
    Answer::of(watch("nonsense")).await.problem(400);
}

#[tokio::test]
async fn a_place_that_is_no_longer_kept_is_gone() {
    let registry = alone().flag("--registry-changes-kept", 2).start().await;
    let mut watch = Lines::open(registry.request(Method::GET, "registry", "/services/watch")).await;
    let (_, place, _) = watch.event().await.unwrap();
    for n in 1..=5 {
        registry.post_json("registry", "/services", instance("S", n)).await.ok();
    }
    let resume = registry.request(Method::GET, "registry", "/services/watch").header("last-event-id", place);
    Answer::of(resume).await.problem(410);
}

#[tokio::test]
async fn prometheus_finds_the_instances_with_their_labels() {
    let registry = alone().start().await;
    let register = json!({
        "serviceName": "S", "serviceUrl": "https://localhost:8443/x", "tags": ["a", "b"], "serviceVersion": "2",
        "metadata": {"data-center": "eu"}
    });
    registry.post_json("registry", "/services", register).await.ok();
    let targets = registry.get("registry", "/sd/prometheus").await.ok().json();
    assert_eq!(
        targets,
        json!([{"targets": ["localhost:8443"], "labels": {
            "__meta_distlog_service": "S", "__meta_distlog_instance": "S-localhost-8443-x",
            "__meta_distlog_version": "2", "__meta_distlog_tags": ",a,b,",
            "__meta_distlog_metadata_data_center": "eu", "__scheme__": "https"
        }}])
    );
    let tagged =
        async |path: &str| registry.get("registry", path).await.ok().json().as_array().unwrap().len();
    assert_eq!(tagged("/sd/prometheus?service=S&tag=a").await, 1);
    assert_eq!(tagged("/sd/prometheus?tag=c").await + tagged("/sd/prometheus?service=T").await, 0);
}

#[tokio::test]
async fn health_is_probed_now() {
    let registry = Setup::new("registry").start().await;
    eventually("it has registered itself", async || {
        (registry.get("registry", "/services/RegistryService").await.status == 200).then_some(())
    })
    .await;
    let dead = json!({"serviceName": "Dead", "serviceUrl": "http://127.0.0.1:1"});
    registry.post_json("registry", "/services", dead).await.ok();
    let alive = registry.get("registry", "/health/RegistryService").await.ok().json();
    assert_eq!((&alive["healthy"], alive["latency"].is_u64()), (&json!(true), true));
    let dead = registry.get("registry", "/health/Dead").await.ok().json();
    assert_eq!((&dead["healthy"], &dead["latency"]), (&json!(false), &Value::Null));
    let healthy = registry.get("registry", "/services?healthy=true").await.ok().json();
    assert_eq!(healthy.as_array().unwrap().len(), 1);
}
