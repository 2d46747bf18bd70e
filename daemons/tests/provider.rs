//! The provider: answers while the registry is away, picks, subscriptions that
//! lose nothing.

mod balancer;
mod outbox;

use crate::harness::endpoint::{Call, Endpoint, Mood};
use crate::harness::lines::Lines;
use crate::harness::{Running, Setup, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A registry, and a provider that watches it; no monitor.
async fn start() -> (Running, Running) {
    let registry = Setup::new("registry").flag("--registry-url", "http://127.0.0.1:1").start().await;
    let provider = Setup::new("provider").peers_of(&registry).start().await;
    eventually("the provider has its copy", async || {
        (provider.get("provider", "/providers").await.status == 200).then_some(())
    })
    .await;
    (registry, provider)
}

fn instance(service: &str, port: u16) -> Value {
    json!({ "serviceName": service, "serviceUrl": format!("http://localhost:{port}") })
}

async fn register(registry: &Running, body: Value) {
    registry.post_json("registry", "/services", body).await.ok();
}

async fn subscribe(provider: &Running, service: &str, url: &str) -> String {
    let body = json!({ "service": service, "callbackUrl": url });
    let answer = provider.post_json("provider", "/providers/subscriptions", body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("location"), format!("/providers/subscriptions/{id}"));
    id
}

/// What a receiver knows after the notices that it accepted; each key once,
/// however often it was delivered.
fn known(calls: &[Call]) -> BTreeSet<String> {
    let (mut seen, mut known) = (BTreeMap::new(), BTreeSet::new());
    for call in calls {
        if let Some(body) = seen.insert(call.key.clone(), call.body.clone()) {
            assert_eq!(body, call.body, "the same key has the same body");
            continue;
        }
        let notice: Value = serde_json::from_str(&call.body).unwrap();
        let ids = |list: &str| -> Vec<String> {
            let list = notice[list].as_array().unwrap().iter();
            list.map(|r| r["instanceId"].as_str().unwrap().to_owned()).collect()
        };
        for id in ids("removed") {
            assert!(known.remove(&id), "{id} is removed that was never added: {notice}");
        }
        for id in ids("added") {
            assert!(known.insert(id.clone()), "{id} is added twice: {notice}");
        }
        assert!(ids("updated").iter().all(|id| known.contains(id)), "{notice}");
    }
    known
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn discovery_answers_while_the_registry_is_away_and_says_how_old_it_is() {
    let (mut registry, provider) = start().await;
    register(&registry, instance("S", 1)).await;
    eventually("it is discovered", async || {
        let answer = provider.get("provider", "/discovery").await;
        (answer.json()["S"][0]["healthy"] == true && answer.header("x-distlog-age") == "0").then_some(())
    })
    .await;
    registry.kill();
    eventually("it says how old it is", async || {
        let answer = provider.get("provider", "/discovery").await.ok();
        assert_eq!(answer.json()["S"][0]["instanceId"], "S-localhost-1");
        (answer.header("x-distlog-age").parse::<u64>().unwrap() >= 2).then_some(())
    })
    .await;
    let health = provider.get("provider", "/health").await.ok().json();
    assert_eq!(health["checks"]["registry"]["status"], "warn", "{health}");
    let _registry = registry.restart().await;
    // Nothing has changed, so the watch that resumes says nothing: it counts all the same.
    eventually("it is up to date again", async || {
        let answer = provider.get("provider", "/discovery").await;
        (answer.header("x-distlog-age") == "0").then_some(())
    })
    .await;
}

#[tokio::test]
async fn before_it_has_ever_seen_a_registry_it_says_so() {
    let provider = Setup::new("provider").start().await;
    for path in ["/providers", "/providers/S", "/discovery", "/providers/graph", "/providers/watch"] {
        let problem = provider.get("provider", path).await.problem(503);
        assert!(problem["detail"].as_str().unwrap().contains("registry"), "{problem}");
    }
    provider.get("provider", "/providers/subscriptions").await.ok();
}

#[tokio::test]
async fn picks_take_turns_among_the_healthy() {
    let registry = Setup::new("registry").start().await;
    let monitor = Setup::new("monitor").peers_of(&registry).flag("--monitor-interval", "200ms").start().await;
    let provider = Setup::new("provider").peers_of(&registry).peers_of(&monitor).start().await;
    let (good, bad) = (Endpoint::start(Mood::Good).await, Endpoint::start(Mood::Bad).await);
    for (id, endpoint) in [("a", &good), ("b", &good), ("bad", &bad)] {
        let body = json!({ "serviceName": "S", "serviceUrl": endpoint.url, "instanceId": id });
        register(&registry, body).await;
    }
    let pick = async |policy: &str| {
        let path = format!("/providers/S?policy={policy}");
        provider.get("provider", &path).await.ok().json()["instanceId"].as_str().unwrap().to_owned()
    };
    eventually("the monitor's word has come", async || {
        let answer = provider.get("provider", "/discovery").await;
        (answer.status == 200 && answer.json()["S"][2]["healthy"] == false).then_some(())
    })
    .await;
    let mut counts = BTreeMap::new();
    for _ in 0..20 {
        *counts.entry(pick("round_robin").await).or_insert(0) += 1;
    }
    assert_eq!(counts, BTreeMap::from([("a".to_owned(), 10), ("b".to_owned(), 10)]));
    for policy in ["random", "least_latency"] {
        assert!(["a", "b"].contains(&pick(policy).await.as_str()), "{policy}");
    }
    let problem = provider.get("provider", "/providers/S?policy=best").await.problem(400);
    assert!(problem["detail"].as_str().unwrap().contains("least_latency"), "{problem}");
    provider.get("provider", "/providers/nobody").await.problem(404);
    good.set(Mood::Bad);
    eventually("none is healthy", async || {
        (provider.get("provider", "/providers/S").await.status == 404).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_subscriber_hears_every_change_in_order_after_a_restart() {
    let (registry, provider) = start().await;
    register(&registry, instance("S", 1)).await;
    let receiver = Endpoint::start(Mood::Good).await;
    let id = subscribe(&provider, "S", &receiver.url).await;
    eventually("what exists is told", async || {
        (known(&receiver.accepted()) == names(&["S-localhost-1"])).then_some(())
    })
    .await;
    // The receiver fails, the daemon is killed with a notice pending, and the
    // fleet changes all the while.
    receiver.set(Mood::Bad);
    register(&registry, instance("S", 2)).await;
    eventually("a notice is refused", async || {
        receiver.calls().iter().any(|call| call.mood == Mood::Bad).then_some(())
    })
    .await;
    let path = format!("/providers/subscriptions/{id}");
    let standing = provider.get("provider", &path).await.ok().json();
    assert!(standing["last_error"].is_null() && standing["lastError"].is_string(), "{standing}");
    let mut provider = provider;
    provider.kill();
    register(&registry, instance("S", 3)).await;
    registry.delete("registry", "/services/S/S-localhost-1").await.ok();
    registry.delete("registry", "/services/S/S-localhost-2").await.ok();
    let provider = provider.restart().await;
    receiver.set(Mood::Good);
    eventually("it knows what there is", async || {
        (known(&receiver.accepted()) == names(&["S-localhost-3"])).then_some(())
    })
    .await;
    let refused: Vec<_> = receiver.calls().into_iter().filter(|call| call.mood == Mood::Bad).collect();
    let repeated = receiver.accepted().into_iter().find(|call| call.key == refused[0].key).unwrap();
    assert_eq!(repeated.body, refused[0].body, "what was attempted is repeated as it was");
    eventually("nothing waits", async || {
        let standing = provider.get("provider", &path).await.ok().json();
        (standing["pending"] == 0 && standing["lastError"].is_null()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_dead_receiver_delays_no_other() {
    let (registry, provider) = start().await;
    let mut dead = Vec::new();
    for n in 0..150 {
        let receiver = Endpoint::start(Mood::Hang).await;
        subscribe(&provider, "S", &format!("{}/{n}", receiver.url)).await;
        dead.push(receiver);
    }
    register(&registry, instance("S", 1)).await;
    eventually("all hang", async || dead.iter().all(|d| !d.calls().is_empty()).then_some(())).await;
    let receiver = Endpoint::start(Mood::Good).await;
    // One that refuses is not one that hangs: it need not wait with them.
    receiver.script(&[Mood::Bad, Mood::Bad]);
    // Had each of its attempts to wait for those that hang, they would all be
    // attempted about as often meanwhile.
    let attempts = || dead.iter().map(|d| d.calls().len()).sum::<usize>();
    let before = attempts();
    subscribe(&provider, "S", &receiver.url).await;
    for port in 2..6 {
        register(&registry, instance("S", port)).await;
    }
    eventually("it hears", async || (known(&receiver.accepted()).len() == 5).then_some(())).await;
    assert!(attempts() - before <= 2 * dead.len(), "{} of {}", attempts() - before, dead.len());
}

#[tokio::test]
async fn a_subscription_with_a_key_that_is_not_known_is_refused_by_its_name() {
    let provider = Setup::new("provider").start().await;
    let slip = json!({ "service": "S", "callbackUrl": "http://localhost:1", "serivce": "T" });
    let problem = provider.post_json("provider", "/providers/subscriptions", slip).await.problem(422);
    assert_eq!(problem["field"], "serivce");
}

#[tokio::test]
async fn no_notice_goes_where_a_clouds_credentials_are() {
    let (registry, provider) = start().await;
    let body = json!({ "service": "S", "callbackUrl": "http://169.254.169.254/latest" });
    let problem = provider.post_json("provider", "/providers/subscriptions", body).await.problem(422);
    assert_eq!(problem["field"], "callbackUrl");
    let mut body = instance("needy", 9);
    body["requiredServices"] = json!(["needy"]);
    body["serviceUpdateUrl"] = json!("http://[::ffff:169.254.169.254]/");
    register(&registry, body).await;
    eventually("it is told in the subscription", async || {
        let told = provider.get("provider", "/providers/subscriptions").await.ok().json();
        told[0]["lastError"].as_str().is_some_and(|told| told.contains("metadata")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_registration_with_requirements_is_subscribed_for_as_long_as_it_is_registered() {
    let (registry, provider) = start().await;
    register(&registry, instance("needed", 1)).await;
    let receiver = Endpoint::start(Mood::Good).await;
    let mut body = instance("needy", 9);
    body["requiredServices"] = json!(["needed", "missing"]);
    body["serviceUpdateUrl"] = json!(receiver.url);
    register(&registry, body).await;
    eventually("it is told what exists", async || {
        (known(&receiver.accepted()) == names(&["needed-localhost-1"])).then_some(())
    })
    .await;
    let list = async || provider.get("provider", "/providers/subscriptions").await.ok().json();
    let subscriptions = list().await;
    assert_eq!(subscriptions.as_array().unwrap().len(), 2, "{subscriptions}");
    let id = subscriptions[0]["id"].as_str().unwrap();
    provider.delete("provider", &format!("/providers/subscriptions/{id}")).await.problem(409);
    let provider = provider.restart().await;
    let again = provider.get("provider", "/providers/subscriptions").await.ok().json();
    assert_eq!(again.as_array().unwrap().len(), 2, "the same, and no more");
    registry.delete("registry", "/services/needy").await.ok();
    eventually("it is unsubscribed", async || {
        let list = provider.get("provider", "/providers/subscriptions").await.ok().json();
        list.as_array().unwrap().is_empty().then_some(())
    })
    .await;
    assert_eq!(outbox::told_by(&receiver), 1, "and was told nothing twice");
}

#[tokio::test]
async fn a_subscription_ends_when_it_is_deleted_and_is_replaced_when_it_is_asked_for_again() {
    let (registry, provider) = start().await;
    register(&registry, instance("S", 1)).await;
    let receiver = Endpoint::start(Mood::Good).await;
    let first = subscribe(&provider, "S", &receiver.url).await;
    eventually("it is told", async || (receiver.calls().len() == 1).then_some(())).await;
    let second = subscribe(&provider, "S", &receiver.url).await;
    eventually("it is told anew", async || (receiver.calls().len() == 2).then_some(())).await;
    provider.get("provider", &format!("/providers/subscriptions/{first}")).await.problem(404);
    let path = format!("/providers/subscriptions/{second}");
    assert_eq!(provider.delete("provider", &path).await.status, 204);
    provider.delete("provider", &path).await.problem(404);
    for (body, status) in [
        (json!({ "service": "S", "callbackUrl": "ftp://h/x" }), 422),
        (json!({ "service": "S", "callbackUrl": "nonsense" }), 422),
        (json!({ "service": " ", "callbackUrl": "http://h/" }), 422),
        (json!({ "service": "S" }), 422),
    ] {
        provider.post_json("provider", "/providers/subscriptions", body).await.problem(status);
    }
    provider.post("provider", "/providers/subscriptions", "{").await.problem(400);
}

#[tokio::test]
async fn a_watch_begins_with_a_snapshot_and_tells_what_changes() {
    let (registry, provider) = start().await;
    register(&registry, instance("S", 1)).await;
    eventually("it is known", async || {
        (provider.get("provider", "/providers/S").await.status == 200).then_some(())
    })
    .await;
    let watch = provider.request(Method::GET, "provider", "/providers/watch?service=S");
    let mut events = Lines::open(watch).await;
    let mut event = async || {
        let (name, id, data) = events.event().await.unwrap();
        (name, id.parse::<u64>().unwrap(), data)
    };
    let (name, first, data) = event().await;
    assert_eq!((name.as_str(), data.matches("instanceId").count()), ("snapshot", 1), "{data}");
    register(&registry, instance("other", 5)).await;
    register(&registry, instance("S", 2)).await;
    let (name, added, data) = event().await;
    assert_eq!((name.as_str(), data.contains("S-localhost-2")), ("added", true), "others are not told of");
    registry.delete("registry", "/services/S/S-localhost-1").await.ok();
    let (name, removed, data) = event().await;
    assert_eq!((name.as_str(), data.contains("S-localhost-1")), ("removed", true), "{data}");
    assert!(first < added && added < removed, "{first} {added} {removed}");
}

#[tokio::test]
async fn the_graph_shows_who_requires_whom() {
    let (registry, provider) = start().await;
    register(&registry, instance("needed", 1)).await;
    let mut body = instance("needy", 9);
    body["requiredServices"] = json!(["needed", "missing"]);
    register(&registry, body).await;
    let graph = eventually("both requirements are known", async || {
        let graph = provider.get("provider", "/providers/graph").await.ok().json();
        let edges = graph["edges"].as_array()?.iter();
        (edges.filter(|edge| edge["from"] == "needy").count() == 2).then_some(graph)
    })
    .await;
    let missing = graph["nodes"].as_array().unwrap().iter().find(|node| node["name"] == "missing").unwrap();
    assert_eq!((&missing["instances"], &missing["status"]), (&json!(0), &json!("unknown")));
    let text = provider.get("provider", "/providers/graph?format=text").await.ok().body;
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    for row in [["needy", "missing", "no"], ["needy", "needed", "yes"]] {
        assert!(rows.contains(&row.to_vec()), "{text}");
    }
}

#[tokio::test]
async fn picks_are_fair_under_concurrency_and_weighted_by_what_instances_ask_for() {
    let (registry, provider) = start().await;
    for (port, weight) in [(1, "3"), (2, "0"), (3, "much")] {
        let mut body = instance("S", port);
        body["metadata"] = json!({ "weight": weight });
        register(&registry, body).await;
    }
    eventually("all are known", async || {
        let discovery = provider.get("provider", "/discovery").await.ok().json();
        (discovery["S"].as_array()?.len() == 3).then_some(())
    })
    .await;
    let picks = async |policy: &str, count: usize| {
        let path = format!("/providers/S?policy={policy}");
        let picks = (0..count).map(|_| provider.get("provider", &path));
        let mut counts = BTreeMap::new();
        for pick in futures_util::future::join_all(picks).await {
            *counts.entry(pick.ok().json()["instanceId"].as_str().unwrap().to_owned()).or_insert(0) += 1;
        }
        counts
    };
    assert_eq!(picks("round_robin", 60).await.into_values().collect::<Vec<_>>(), [30; 2]);
    for policy in ["round_robin", "random", "least_latency"] {
        assert!(!picks(policy, 60).await.contains_key("S-localhost-2"), "it asks for nothing");
    }
}
