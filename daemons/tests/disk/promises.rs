//! What the daemons on SQLite acknowledge, and what of it is there afterwards.

use crate::harness::{Answer, Running, client};
use reqwest::Client;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc::Sender;

/// What was acknowledged.
#[derive(Debug, Clone, Default)]
pub struct Acknowledged {
    /// Registered services, with their revisions.
    services: BTreeMap<String, u64>,
    /// Services that were deregistered again.
    gone: BTreeSet<String>,
    revision: u64,
    /// Books that were added, and whether they were lent.
    books: BTreeMap<String, bool>,
    /// Subscriptions by id.
    subscriptions: BTreeSet<String>,
    /// Services under maintenance.
    maintenances: BTreeSet<String>,
}

pub type Ledger = Arc<Mutex<Acknowledged>>;

/// The daemons that make promises here.
pub const DAEMONS: [&str; 4] = ["registry", "library", "provider", "monitor"];

async fn post(client: &Client, url: &str, path: &str, body: Value) -> Option<Value> {
    let answer = client.post(format!("{url}{path}")).json(&body).send().await.ok()?;
    if !answer.status().is_success() {
        return None;
    }
    answer.json().await.ok()
}

/// Asks one daemon for promises until it gives none; each is written into the
/// ledger and counted.
pub async fn ask(daemon: &'static str, url: String, round: u32, ledger: Ledger, count: Sender<()>) {
    let client = client();
    for n in 0.. {
        let name = format!("{daemon}-{round}-{n}");
        let kept = match daemon {
            "registry" => register(&client, &url, &name, n % 4 == 3, &ledger).await,
            "library" => lend(&client, &url, &name, &ledger).await,
            "provider" => {
                let body = json!({"service": name, "callbackUrl": "http://127.0.0.1:9/"});
                let made = post(&client, &url, "/providers/subscriptions", body).await;
                made.map(|made| {
                    let id = made["id"].as_str().unwrap().to_owned();
                    ledger.lock().unwrap().subscriptions.insert(id);
                })
            }
            _ => {
                let body = json!({"service": name, "owner": "o", "reason": "r"});
                let made = post(&client, &url, "/monitor/maintenance", body).await;
                made.map(|_| {
                    ledger.lock().unwrap().maintenances.insert(name);
                })
            }
        };
        if kept.is_none() || count.send(()).await.is_err() {
            return;
        }
    }
}

async fn register(client: &Client, url: &str, name: &str, leaves: bool, ledger: &Ledger) -> Option<()> {
    let body = json!({"serviceName": name, "serviceUrl": "http://127.0.0.1:9"});
    let revision = post(client, url, "/services", body).await?["revision"].as_u64().unwrap();
    {
        let mut ledger = ledger.lock().unwrap();
        ledger.services.insert(name.to_owned(), revision);
        ledger.revision = ledger.revision.max(revision);
    }
    if leaves {
        // Until the answer it may be there or not.
        ledger.lock().unwrap().services.remove(name);
        let answer = client.delete(format!("{url}/services/{name}")).send().await.ok()?;
        if !answer.status().is_success() {
            return None;
        }
        ledger.lock().unwrap().gone.insert(name.to_owned());
    }
    Some(())
}

async fn lend(client: &Client, url: &str, name: &str, ledger: &Ledger) -> Option<()> {
    let added = post(client, url, "/library/books", json!({"title": name, "author": "A"})).await?;
    let id = added["id"].as_str().unwrap().to_owned();
    ledger.lock().unwrap().books.insert(id.clone(), false);
    post(client, url, "/library/borrow", json!({"book_id": id, "borrower": name})).await?;
    ledger.lock().unwrap().books.insert(id, true);
    Some(())
}

async fn list(running: &Running, daemon: &str, path: &str, field: &str) -> BTreeMap<String, Value> {
    let found = running.get(daemon, path).await.ok().json();
    let found = found.as_array().unwrap().iter();
    found.map(|one| (one[field].as_str().unwrap_or_default().to_owned(), one.clone())).collect()
}

/// The promises that were not kept, in words.
pub async fn broken(running: &Running, promised: &Acknowledged) -> Vec<String> {
    let mut broken = Vec::new();
    let services = list(running, "registry", "/services", "serviceName").await;
    for (name, revision) in &promised.services {
        match services.get(name) {
            Some(found) if found["revision"] == *revision => {}
            found => broken.push(format!("registry: {name} at {revision} is {found:?}")),
        }
    }
    broken.extend(
        promised
            .gone
            .iter()
            .filter(|name| services.contains_key(*name))
            .map(|name| format!("registry: {name} is back")),
    );
    let answer: Answer = running.get("registry", "/services").await;
    let revision: u64 = answer.header("x-distlog-index").parse().unwrap();
    if revision < promised.revision {
        broken.push(format!("registry: revision {} went back to {revision}", promised.revision));
    }
    let books = list(running, "library", "/library/books?limit=10000", "id").await;
    let loans = list(running, "library", "/library/borrow?limit=10000", "book_id").await;
    for (id, is_lent) in &promised.books {
        if !books.contains_key(id) || (*is_lent && !loans.contains_key(id)) {
            broken.push(format!("library: book {id} or its loan"));
        }
    }
    let subscriptions = list(running, "provider", "/providers/subscriptions", "id").await;
    let lost = promised.subscriptions.iter().filter(|id| !subscriptions.contains_key(*id));
    broken.extend(lost.map(|id| format!("provider: subscription {id}")));
    let maintenances = list(running, "monitor", "/monitor/maintenance", "service").await;
    let lost = promised.maintenances.iter().filter(|name| !maintenances.contains_key(*name));
    broken.extend(lost.map(|name| format!("monitor: maintenance of {name}")));
    broken
}
