//! Alerts, seen by those who are paged.

mod channels;
mod delivery;
mod smtp_server;

use crate::harness::endpoint::{Call, Endpoint, Mood};
use crate::harness::{Running, Setup, eventually};
use serde_json::{Value, json};

/// A registry, a service that can be made to fail, and what a monitor needs to
/// page about it.
struct Fleet {
    registry: Running,
    endpoint: Endpoint,
}

impl Fleet {
    async fn start() -> Self {
        Self { registry: Setup::new("registry").start().await, endpoint: Endpoint::start(Mood::Good).await }
    }

    /// A monitor with these channels, once it has seen the service do well.
    async fn monitor(&self, channels: &str) -> Running {
        let setup = self.setup(channels);
        self.register("shop", json!({ "ttlSeconds": 600 })).await;
        let monitor = setup.start().await;
        self.is_seen(&monitor, "shop", "healthy").await;
        monitor
    }

    /// Such a monitor that was not started yet.
    fn setup(&self, channels: &str) -> Setup {
        let setup = Setup::new("monitor")
            .peers_of(&self.registry)
            .flag("--monitor-interval", "200ms")
            .flag("--monitor-timeout", "2s")
            // What fails as often as it does here would be one incident.
            .flag("--monitor-flap-changes", 0)
            .flag("--log-url", "http://127.0.0.1:1");
        std::fs::write(setup.dir().join("distlog.toml"), channels).unwrap();
        setup
    }

    async fn register(&self, service: &str, more: Value) {
        let mut body = json!({ "serviceName": service, "serviceUrl": self.endpoint.url });
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        self.registry.post_json("registry", "/services", body).await.ok();
    }

    async fn is_seen(&self, monitor: &Running, service: &str, status: &str) {
        eventually(&format!("{service} is {status}"), async || {
            let answer = monitor.get("monitor", &format!("/monitor/health/{service}")).await;
            (answer.status == 200 && answer.json()["status"] == status).then_some(())
        })
        .await;
    }
}

/// A channel of a kind, with a name and a URL.
fn channel(name: &str, kind: &str, url: &str, more: &str) -> String {
    format!("[[channel]]\nname = \"{name}\"\ntype = \"{kind}\"\nurl = \"{url}\"\n{more}\n")
}

fn webhook(name: &str, receiver: &Endpoint, more: &str) -> String {
    channel(name, "webhook", &receiver.url, more)
}

/// Waits until a receiver has accepted so many.
async fn accepted(receiver: &Endpoint, count: usize) -> Vec<Call> {
    eventually(&format!("{count} are accepted"), async || {
        Some(receiver.accepted()).filter(|calls| calls.len() >= count)
    })
    .await
}

/// The outbox, newest first.
async fn outbox(monitor: &Running) -> Vec<Value> {
    monitor.get("monitor", "/monitor/alerts").await.ok().json().as_array().unwrap().clone()
}

fn body(call: &Call) -> Value {
    serde_json::from_str(&call.body).unwrap()
}
