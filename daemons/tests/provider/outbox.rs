//! Subscriptions are an outbox: every change is told, whatever is killed.

use super::{instance, known, names, register, start, subscribe};
use crate::harness::endpoint::{Call, Endpoint, Mood};
use crate::harness::{Running, Setup, eventually};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What happened to which instance at which revision.
type Happened = (String, String, u64);

/// Registers, updates and removes instances of `S`, and remembers what that was.
#[derive(Default)]
struct Fleet {
    versions: BTreeMap<u16, u64>,
    history: Vec<Happened>,
}

impl Fleet {
    /// One change: of what kind, and of whom, is drawn.
    async fn change(&mut self, registry: &Running) {
        let port = fastrand::u16(1..=12);
        let id = format!("S-localhost-{port}");
        let version = self.versions.get(&port).copied();
        if version.is_some() && fastrand::bool() {
            let gone = registry.delete("registry", &format!("/services/S/{id}")).await.ok().json();
            self.history.push(("removed".to_owned(), id, gone["revision"].as_u64().unwrap()));
            self.versions.remove(&port);
            return;
        }
        let next = version.map_or(1, |version| version + 1);
        let mut body = instance("S", port);
        body["serviceVersion"] = json!(next.to_string());
        let stored = registry.post_json("registry", "/services", body).await.ok().json();
        let what = if version.is_some() { "updated" } else { "added" };
        self.history.push((what.to_owned(), id, stored["revision"].as_u64().unwrap()));
        self.versions.insert(port, next);
    }

    async fn changes(&mut self, registry: &Running, count: usize) {
        for _ in 0..count {
            self.change(registry).await;
        }
    }
}

/// What these calls tell, each key once. A repeat comes right after what it
/// repeats, and is the same to the byte.
fn told(calls: &[Call]) -> Vec<Happened> {
    let (mut last, mut told) = (None::<&Call>, Vec::new());
    for call in calls {
        if let Some(last) = last.filter(|last| last.key == call.key) {
            assert_eq!(last.body, call.body, "the same key has the same body");
            continue;
        }
        last = Some(call);
        let notice: Value = serde_json::from_str(&call.body).unwrap();
        for list in ["removed", "added", "updated"] {
            for registration in notice[list].as_array().unwrap() {
                let id = registration["instanceId"].as_str().unwrap().to_owned();
                told.push((list.to_owned(), id, registration["revision"].as_u64().unwrap()));
            }
        }
    }
    told
}

/// How many notices a receiver has accepted, repeats not counted.
pub fn told_by(receiver: &Endpoint) -> usize {
    receiver.accepted().iter().map(|call| call.key.clone()).collect::<BTreeSet<_>>().len()
}

async fn has_told(receiver: &Endpoint, history: &[Happened]) {
    eventually("every change is told", async || {
        (told(&receiver.accepted()).len() >= history.len()).then_some(())
    })
    .await;
    assert_eq!(told(&receiver.accepted()), history);
}

async fn standing(provider: &Running, id: &str) -> Value {
    provider.get("provider", &format!("/providers/subscriptions/{id}")).await.ok().json()
}

#[tokio::test]
async fn every_change_is_told_although_receiver_and_daemon_were_away() {
    let (registry, mut provider) = start().await;
    let receiver = Endpoint::start(Mood::Bad).await;
    let id = subscribe(&provider, "S", &receiver.url).await;
    let mut fleet = Fleet::default();
    fleet.changes(&registry, 20).await;
    let waiting = eventually("all wait", async || {
        let standing = standing(&provider, &id).await;
        (standing["pending"] == 20 && standing["attempts"].as_u64()? > 0).then_some(standing)
    })
    .await;
    assert!(waiting["lastError"].as_str().unwrap().contains("500"), "{waiting}");
    assert!(waiting["nextAttemptAt"].is_string() && waiting["lastDeliveredAt"].is_null(), "{waiting}");
    provider.kill();
    fleet.changes(&registry, 20).await;
    let provider = provider.restart().await;
    fleet.changes(&registry, 20).await;
    receiver.set(Mood::Good);
    has_told(&receiver, &fleet.history).await;
    let done = eventually("nothing waits", async || {
        let standing = standing(&provider, &id).await;
        (standing["pending"] == 0).then_some(standing)
    })
    .await;
    assert_eq!(done["deliveredRevision"].as_u64(), fleet.history.last().map(|(_, _, revision)| *revision));
    assert!(done["lastDeliveredAt"].is_string() && done["lastError"].is_null(), "{done}");
    assert_eq!((&done["attempts"], &done["folded"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn a_notice_whose_acceptance_was_not_noted_is_repeated_as_it_was() {
    let (registry, mut provider) = start().await;
    let receiver = Endpoint::start(Mood::Hang).await;
    subscribe(&provider, "S", &receiver.url).await;
    let mut fleet = Fleet::default();
    fleet.changes(&registry, 3).await;
    eventually("it has been sent", async || (!receiver.calls().is_empty()).then_some(())).await;
    provider.kill();
    let sent = receiver.calls()[0].clone();
    receiver.set(Mood::Good);
    let _provider = provider.restart().await;
    has_told(&receiver, &fleet.history).await;
    let first = &receiver.accepted()[0];
    assert_eq!((&first.key, &first.body), (&sent.key, &sent.body));
}

#[tokio::test]
async fn a_change_that_the_daemon_was_killed_before_it_took_in_is_told() {
    let (registry, mut provider) = start().await;
    let receiver = Endpoint::start(Mood::Good).await;
    subscribe(&provider, "S", &receiver.url).await;
    let mut fleet = Fleet::default();
    fleet.changes(&registry, 3).await;
    has_told(&receiver, &fleet.history).await;
    provider.signal("STOP");
    fleet.changes(&registry, 10).await;
    provider.kill();
    let _provider = provider.restart().await;
    has_told(&receiver, &fleet.history).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_is_told_in_order_whatever_is_killed_under_load() {
    let (mut registry, mut provider) = start().await;
    let receivers = [Endpoint::start(Mood::Good).await, Endpoint::start(Mood::Good).await];
    for receiver in &receivers {
        subscribe(&provider, "S", &receiver.url).await;
    }
    let mut fleet = Fleet::default();
    for round in 0..10_u64 {
        receivers[0].set([Mood::Good, Mood::Bad, Mood::Hang][usize::try_from(round % 3).unwrap()]);
        let pid = provider.pid().to_string();
        let blow = async {
            // A little later in every round, so that it falls on different steps.
            tokio::time::sleep(Duration::from_millis(3 + 11 * round)).await;
            std::process::Command::new("kill").args(["-KILL", &pid]).status().unwrap();
        };
        tokio::join!(fleet.changes(&registry, 30), blow);
        if round % 4 == 3 {
            registry = registry.restart().await;
        }
        provider = provider.restart().await;
    }
    receivers[0].set(Mood::Good);
    for receiver in &receivers {
        has_told(receiver, &fleet.history).await;
    }
}

#[tokio::test]
async fn what_the_registry_no_longer_knows_is_told_as_a_difference() {
    let registry = Setup::new("registry").flag("--registry-changes-kept", 5).start().await;
    let mut provider = Setup::new("provider").peers_of(&registry).start().await;
    let receiver = Endpoint::start(Mood::Good).await;
    for port in 1..=3 {
        register(&registry, instance("S", port)).await;
    }
    subscribe(&provider, "S", &receiver.url).await;
    eventually("what exists is told", async || (known(&receiver.accepted()).len() == 3).then_some(())).await;
    let before = told_by(&receiver);
    provider.kill();
    for port in 4..=20 {
        register(&registry, instance("S", port)).await;
    }
    for port in 2..=19 {
        registry.delete("registry", &format!("/services/S/S-localhost-{port}")).await.ok();
    }
    let provider = provider.restart().await;
    let left = names(&["S-localhost-1", "S-localhost-20"]);
    eventually("the difference is told", async || (known(&receiver.accepted()) == left).then_some(())).await;
    assert_eq!(told_by(&receiver), before + 1, "as one notice");

    // Another registry in its place, which has another history.
    let port = registry.ports["registry"];
    drop(registry);
    let registry = Setup::new("registry").flag("--registry-port", port).start().await;
    register(&registry, instance("S", 1)).await;
    register(&registry, instance("S", 99)).await;
    let left = names(&["S-localhost-1", "S-localhost-99"]);
    eventually("the difference is told", async || (known(&receiver.accepted()) == left).then_some(())).await;
    drop(provider);
}

#[tokio::test]
async fn one_who_registers_with_a_change_is_told_anew_what_exists() {
    let (registry, _provider) = start().await;
    register(&registry, instance("needed", 1)).await;
    let receiver = Endpoint::start(Mood::Good).await;
    let mut needy = instance("needy", 9);
    needy["requiredServices"] = json!(["needed"]);
    needy["serviceUpdateUrl"] = json!(receiver.url);
    for start in ["first", "second"] {
        needy["metadata"] = json!({ "started": start });
        // The second time over: a mere renewal, of which nobody is told.
        register(&registry, needy.clone()).await;
        register(&registry, needy.clone()).await;
        eventually("it is told what exists", async || {
            let calls = receiver.accepted();
            let notice: Value = serde_json::from_str(&calls.last()?.body).unwrap();
            assert_eq!((&notice["initial"], notice["added"].as_array()?.len()), (&json!(true), 1));
            (calls.len() == if start == "first" { 1 } else { 2 }).then_some(())
        })
        .await;
    }
    register(&registry, instance("needed", 2)).await;
    eventually("then what changes", async || {
        let calls = receiver.accepted();
        let notice: Value = serde_json::from_str(&calls.last()?.body).unwrap();
        (notice["initial"] == false && calls.len() == 3).then_some(())
    })
    .await;
}

#[tokio::test]
async fn it_answers_from_its_copy_after_a_restart_without_a_registry() {
    let (mut registry, provider) = start().await;
    register(&registry, instance("S", 1)).await;
    eventually("it is known", async || {
        (provider.get("provider", "/providers/S").await.status == 200).then_some(())
    })
    .await;
    // What is known may not be on disk yet: what has been told is.
    let receiver = Endpoint::start(Mood::Good).await;
    subscribe(&provider, "S", &receiver.url).await;
    eventually("it is told", async || (receiver.accepted().len() == 1).then_some(())).await;
    registry.kill();
    let provider = provider.restart().await;
    let found = provider.get("provider", "/providers/S").await.ok();
    assert_eq!(found.json()["instanceId"], "S-localhost-1");
    let health = provider.get("provider", "/health").await.ok().json();
    assert_eq!(health["checks"]["registry"]["status"], "warn", "{health}");
}

#[tokio::test]
async fn that_there_is_no_room_for_a_registration_is_told_after_a_restart_as_before() {
    let (registry, provider) = start().await;
    let required: Vec<String> = (0..64).map(|n| format!("required {n}")).collect();
    for port in 1..=65 {
        let mut body = instance("needy", port);
        body["requiredServices"] = json!(required);
        body["serviceUpdateUrl"] = json!("http://127.0.0.1:1/");
        register(&registry, body).await;
    }
    let warns = async |provider: &Running| {
        let checks = provider.get("provider", "/health").await.ok().json()["checks"].clone();
        let subscriptions = &checks["subscriptions"];
        subscriptions.to_string().contains("no room for all").then_some(())
    };
    eventually("64 of 65 have found room", async || warns(&provider).await).await;
    let provider = provider.restart().await;
    warns(&provider).await.expect("it is told from the start");
    registry.delete("registry", "/services/needy/needy-localhost-7").await.ok();
    eventually("there is room again", async || warns(&provider).await.is_none().then_some(())).await;
}
