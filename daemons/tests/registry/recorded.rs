//! Watches and long polls of a registry that is used at random, stopped and
//! killed; what they heard is recorded, and judged by the validators.

use super::alone;
use super::validators::{Change, Connection, Heard, Poll, Recording, SIX, State, Truth, polled};
use crate::harness::lines::Lines;
use crate::harness::{Running, client, eventually};
use futures_util::future::{join, join_all};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch::{Receiver, Sender};

/// The pause before another try while the registry is away.
const AWAY: Duration = Duration::from_millis(20);
const ROUNDS: usize = 4;
const WRITERS: usize = 4;
const STEPS: usize = 40;

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap().to_owned()
}

fn state(list: &Value) -> State {
    let entry =
        |r: &Value| ((text(r, "serviceName"), text(r, "instanceId")), r["revision"].as_u64().unwrap());
    list.as_array().unwrap().iter().map(entry).collect()
}

fn index(response: &Response) -> u64 {
    response.headers()["x-distlog-index"].to_str().unwrap().parse().unwrap()
}

/// An event as it is recorded; none for what is no part of the history.
fn heard(name: &str, id: &str, data: &str) -> Option<Heard> {
    let data: Value = serde_json::from_str(data).ok()?;
    let revision = id.split_once('-')?.1.parse().unwrap();
    Some(match name {
        "snapshot" => Heard::Snapshot(revision, state(&data["services"])),
        "bookmark" => Heard::Bookmark(revision),
        kind => Heard::Change(Change {
            revision,
            kind: kind.to_owned(),
            service: text(&data, "serviceName"),
            instance: text(&data, "instanceId"),
        }),
    })
}

/// What a watcher remembers from one connection to the next.
struct Watcher {
    url: String,
    client: Client,
    recording: Recording,
    last_id: Option<String>,
}

impl Watcher {
    fn new(registry: &Running, watched: Option<&str>) -> Self {
        let recording = Recording { watched: watched.map(str::to_owned), connections: Vec::new() };
        Self { url: registry.url("registry"), client: client(), recording, last_id: None }
    }

    /// Watches, or resumes; none while the registry is away.
    async fn connect(&mut self) -> Option<Lines> {
        let query = self.recording.watched.as_ref().map_or(String::new(), |name| format!("?service={name}"));
        let mut request = self.client.get(format!("{}/services/watch{query}", self.url));
        if let Some(id) = &self.last_id {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await.ok()?;
        let resumed = self.last_id.as_ref().map(|id| id.split_once('-').unwrap().1.parse().unwrap());
        self.recording.connections.push(Connection { resumed, heard: Vec::new() });
        Some(Lines::of(response))
    }

    /// The name of the next event; none when the connection has ended.
    async fn next(&mut self, lines: &mut Lines) -> Option<String> {
        let (name, id, data) = lines.event().await?;
        if let Some(heard) = heard(&name, &id, &data) {
            self.recording.connections.last_mut().unwrap().heard.push(heard);
            self.last_id = Some(id);
        }
        Some(name)
    }

    /// Follows until the place that `until` comes to name, over every cut.
    async fn follow(mut self, mut until: Receiver<Option<u64>>) -> Recording {
        let reached =
            |place: Option<u64>, until: Option<u64>| until.is_some_and(|until| place >= Some(until));
        loop {
            let Some(mut lines) = self.connect().await else {
                tokio::time::sleep(AWAY).await;
                continue;
            };
            loop {
                if reached(self.recording.place(), *until.borrow_and_update()) {
                    return self.recording;
                }
                tokio::select! {
                    event = self.next(&mut lines) => if event.is_none() { break },
                    _ = until.changed() => {}
                }
            }
        }
    }
}

/// Polls until the index that `until` comes to name.
async fn poll(url: String, until: Receiver<Option<u64>>) -> Vec<Poll> {
    let (client, mut polls) = (client(), Vec::<Poll>::new());
    loop {
        let known = polls.last().map_or(0, |poll| poll.index);
        if until.borrow().is_some_and(|until| known >= until) {
            return polls;
        }
        let Ok(answer) = client.get(format!("{url}/services?index={known}&wait=1s")).send().await else {
            tokio::time::sleep(AWAY).await;
            continue;
        };
        let index = index(&answer);
        if let Ok(list) = answer.json().await {
            polls.push(Poll { index, state: state(&list) });
        }
    }
}

/// What one writer was told: the revisions that it made, and those of one request.
#[derive(Default)]
struct Acknowledged {
    revisions: Vec<(u64, &'static str)>,
    sets: Vec<(u64, u64)>,
}

/// Uses the registry at random until it is gone.
async fn write(url: String, seed: u64, services: &[&str]) -> Acknowledged {
    let (client, mut random) = (client(), fastrand::Rng::with_seed(seed));
    let mut acknowledged = Acknowledged::default();
    for _ in 0..STEPS {
        let name = services[random.usize(..services.len())];
        let port = 1_000 + random.u16(..5);
        let at = format!("http://localhost:{port}");
        let request = match random.u8(..10) {
            0..5 => {
                let tags = vec![random.u8(..3).to_string()];
                let ttl = random.bool().then_some(1);
                let register =
                    json!({"serviceName": name, "serviceUrl": at, "tags": tags, "ttlSeconds": ttl});
                client.post(format!("{url}/services")).json(&register)
            }
            5..7 => client.put(format!("{url}/services/{name}/{name}-localhost-{port}/lease")),
            7 => client.delete(format!("{url}/services/{name}/{name}-localhost-{port}")),
            8 => client.delete(format!("{url}/services")).body(at),
            _ => client.delete(format!("{url}/services/{name}")),
        };
        let Ok(answer) = request.send().await else { break };
        let Ok(answer) = answer.json::<Value>().await else { break };
        if let Some(removed) = answer["removed"].as_array() {
            let revisions: Vec<u64> = removed.iter().map(|r| r["revision"].as_u64().unwrap()).collect();
            acknowledged.sets.push((revisions[0], revisions[revisions.len() - 1]));
            acknowledged.revisions.extend(revisions.into_iter().map(|revision| (revision, "deregistered")));
        } else if answer["serviceUrl"].is_string() {
            acknowledged.revisions.push((answer["revision"].as_u64().unwrap(), "stored"));
        }
    }
    acknowledged
}

/// The whole history, as the registry tells it.
async fn truth(registry: &Running, sets: Vec<(u64, u64)>) -> Truth {
    let mut changes: Vec<Change> = Vec::new();
    loop {
        let after = changes.last().map_or(0, |change| change.revision);
        let path = format!("/services/history?order=asc&limit=1000&after={after}");
        let page = registry.get("registry", &path).await.ok().json();
        let page = page.as_array().unwrap();
        changes.extend(page.iter().map(|entry| Change {
            revision: entry["revision"].as_u64().unwrap(),
            kind: text(entry, "cause"),
            service: text(entry, "service"),
            instance: text(entry, "instanceId"),
        }));
        if page.is_empty() {
            return Truth { changes, sets };
        }
    }
}

#[track_caller]
fn judge(recordings: &[Recording], truth: &Truth) {
    for recording in recordings {
        for (name, holds) in SIX {
            if let Err(why) = holds(recording, truth) {
                panic!("the watch of {:?} is not {name}: {why}", recording.watched);
            }
        }
    }
}

#[tokio::test]
async fn watches_and_long_polls_tell_the_same_history_over_restart_and_kill_9() {
    // Many leases run out here, and nobody is to hold them.
    let mut registry = alone().flag("--registry-guard-share", "100%").start().await;
    let until = Sender::new(None);
    let watches = [None, Some("A"), Some("B")].map(|watched| Watcher::new(&registry, watched));
    let watches = tokio::spawn(join_all(watches.map(|watcher| watcher.follow(until.subscribe()))));
    let polls = tokio::spawn(poll(registry.url("registry"), until.subscribe()));
    let mut acknowledged = Acknowledged::default();
    for round in 0..ROUNDS {
        let url = registry.url("registry");
        let writers = (0..WRITERS).map(|writer| {
            let url = url.clone();
            tokio::spawn(async move { write(url, (round * WRITERS + writer) as u64, &["A", "B", "C"]).await })
        });
        let writers: Vec<_> = writers.collect();
        if round % 2 == 0 {
            // In the middle of it, as the index shows.
            let begun = registry.get("registry", "/services").await;
            let begun: u64 = begun.header("x-distlog-index").parse().unwrap();
            let middle = begun + (WRITERS * STEPS / 8) as u64;
            while registry
                .get("registry", &format!("/services?index={begun}&wait=100ms"))
                .await
                .header("x-distlog-index")
                .parse::<u64>()
                .unwrap()
                < middle
                && !writers.iter().all(tokio::task::JoinHandle::is_finished)
            {}
            registry.kill();
        }
        for writer in writers {
            let told = writer.await.unwrap();
            acknowledged.revisions.extend(told.revisions);
            acknowledged.sets.extend(told.sets);
        }
        registry = if round % 2 == 0 { registry.restart().await } else { registry.stop_and_start().await };
    }
    // The last is of C: those who watch A and B learn of it by a bookmark.
    for name in ["A", "B"] {
        registry.post_json("registry", "/services", super::instance(name, 1)).await.ok();
        registry.delete("registry", &format!("/services/{name}")).await.ok();
    }
    let last = write(registry.url("registry"), 99, &["C"]).await;
    acknowledged.revisions.extend(last.revisions);
    acknowledged.sets.extend(last.sets);
    let end = registry.get("registry", "/services").await;
    until.send_replace(Some(end.header("x-distlog-index").parse().unwrap()));
    let (recordings, polls) = join(watches, polls).await;
    let (recordings, polls) = (recordings.unwrap(), polls.unwrap());

    let truth = truth(&registry, acknowledged.sets).await;
    assert!((1..).zip(&truth.changes).all(|(revision, change)| change.revision == revision));
    for (revision, kind) in acknowledged.revisions {
        let change = &truth.changes[revision as usize - 1];
        assert_eq!(change.kind == "deregistered", kind == "deregistered", "{change:?}");
    }
    judge(&recordings, &truth);
    assert_eq!(polled(&polls, &truth), Ok(()));
    let bookmarks = |r: &Recording| {
        r.connections
            .iter()
            .flat_map(|c| &c.heard)
            .filter(|heard| matches!(heard, Heard::Bookmark(_)))
            .count()
    };
    assert!(bookmarks(&recordings[1]) > 0 && bookmarks(&recordings[2]) > 0);
    assert!(recordings.iter().all(|recording| recording.connections.len() > ROUNDS / 2));
}

#[tokio::test]
async fn a_watcher_that_does_not_read_is_cut_off_with_a_reason_and_resumes_without_a_gap() {
    let registry = alone().start().await;
    let mut watcher = Watcher::new(&registry, None);
    let mut lines = watcher.connect().await.unwrap();
    assert_eq!(watcher.next(&mut lines).await.unwrap(), "snapshot");
    // Until it is more than its queue and the buffers of the connection hold.
    let change = AtomicU64::new(0);
    let put = async |writer: u16| {
        for _ in 0..20 {
            let (n, pad) = (change.fetch_add(1, Ordering::Relaxed), "x".repeat(3_900));
            let metadata = json!({"n": n.to_string(), "a": pad, "b": pad, "c": pad, "d": pad});
            let url = format!("http://localhost:{writer}");
            let register = json!({"serviceName": "S", "serviceUrl": url, "metadata": metadata});
            registry.post_json("registry", "/services", register).await.ok();
        }
    };
    eventually("it is cut off", async || {
        join_all((1..=16).map(put)).await;
        let metrics = registry.get("registry", "/metrics").await.body;
        metrics.contains("\ndistlog_registry_watchers 0\n").then_some(())
    })
    .await;
    let end: u64 =
        registry.get("registry", "/services/S?index=0").await.header("x-distlog-index").parse().unwrap();
    let mut last = String::new();
    while let Some(name) = watcher.next(&mut lines).await {
        last = name;
    }
    assert_eq!(last, "cut");
    assert!(watcher.recording.place().unwrap() < end);
    let recording = watcher.follow(Sender::new(Some(end)).subscribe()).await;
    let truth = truth(&registry, Vec::new()).await;
    judge(&[recording], &truth);
    assert_eq!(registry.request(Method::GET, "registry", "/health").send().await.unwrap().status(), 200);
}
