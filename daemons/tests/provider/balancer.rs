//! A program that calls a service by its name, with the balancer of `shared`.

use super::register;
use crate::harness::{Running, Setup, client, eventually};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use reqwest::Response;
use serde_json::json;
use shared::client::Balancer;
use shared::client::balance::CallError;
use shared::wire::provider::Policy;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// An instance with a runtime of its own, so that it dies with all its connections.
struct Instance {
    url: String,
    told: Arc<Told>,
    _alive: oneshot::Sender<()>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// What it is to do, and what it has done.
struct Told {
    status: AtomicU16,
    delay: Duration,
    calls: AtomicU64,
}

impl Instance {
    fn start(delay: Duration) -> Self {
        let told = Arc::new(Told { status: AtomicU16::new(200), delay, calls: AtomicU64::new(0) });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&told));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (alive, gone) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    _ = gone => {}
                    _ = async { axum::serve(listener, router).await } => {}
                }
            });
        });
        Self { url, told, _alive: alive, thread: Some(thread) }
    }

    fn calls(&self) -> u64 {
        self.told.calls.load(Ordering::SeqCst)
    }

    fn answers(&self, status: u16) {
        self.told.status.store(status, Ordering::SeqCst);
    }

    fn die(self) {
        let Self { thread, _alive, .. } = self;
        drop(_alive);
        thread.unwrap().join().unwrap();
    }
}

async fn answer(State(told): State<Arc<Told>>) -> StatusCode {
    told.calls.fetch_add(1, Ordering::SeqCst);
    tokio::time::sleep(told.delay).await;
    StatusCode::from_u16(told.status.load(Ordering::SeqCst)).unwrap()
}

/// A registry with these instances of `S`.
async fn fleet(instances: &[&Instance]) -> Running {
    let registry = Setup::new("registry").flag("--registry-url", "http://127.0.0.1:1").start().await;
    for (number, instance) in instances.iter().enumerate() {
        let id = number.to_string();
        let body = json!({ "serviceName": "S", "serviceUrl": instance.url, "instanceId": id });
        register(&registry, body).await;
    }
    registry
}

async fn call(balancer: &Balancer) -> Result<Response, CallError> {
    balancer.service("S").get("/any?x=1").await
}

#[tokio::test]
async fn an_instance_that_dies_fails_no_call() {
    let (a, b, c) =
        (Instance::start(Duration::ZERO), Instance::start(Duration::ZERO), Instance::start(Duration::ZERO));
    let registry = fleet(&[&a, &b, &c]).await;
    for policy in [Policy::LeastLatency, Policy::RoundRobin] {
        let balancer = Balancer::builder(&registry.url("registry")).policy(policy).build().unwrap();
        let mortal = Instance::start(Duration::ZERO);
        let body = json!({ "serviceName": "S", "serviceUrl": mortal.url, "instanceId": "mortal" });
        register(&registry, body).await;
        eventually("the mortal one is called", async || {
            call(&balancer).await.unwrap();
            (mortal.calls() > 20).then_some(())
        })
        .await;
        let call_often = async || {
            for _ in 0..100 {
                assert_eq!(call(&balancer).await.unwrap().status(), 200);
            }
        };
        let kill = async {
            let before = mortal.calls();
            eventually("all are under way", async || (mortal.calls() > before + 20).then_some(())).await;
            mortal.die();
        };
        let callers = futures_util::future::join_all((0..12).map(|_| call_often()));
        tokio::join!(callers, kill);
        registry.delete("registry", "/services/S/mortal").await.ok();
    }
}

#[tokio::test]
async fn a_slow_instance_has_less_to_do() {
    let (fast, slow) = (Instance::start(Duration::ZERO), Instance::start(Duration::from_secs(1)));
    let registry = fleet(&[&fast, &slow]).await;
    let balancer = Balancer::watch(&registry.url("registry")).unwrap();
    for _ in 0..200 {
        call(&balancer).await.unwrap();
    }
    assert!(slow.calls() > 0, "it has been tried");
    assert!(4 * slow.calls() < fast.calls(), "{} against {}", slow.calls(), fast.calls());
}

#[tokio::test]
async fn turns_are_fair_and_go_on_while_the_registry_is_away() {
    let (a, b) = (Instance::start(Duration::ZERO), Instance::start(Duration::ZERO));
    let mut registry = fleet(&[&a, &b]).await;
    let balancer = Balancer::builder(&registry.url("registry")).policy(Policy::RoundRobin).build().unwrap();
    call(&balancer).await.unwrap();
    registry.kill();
    futures_util::future::join_all((0..99).map(|_| call(&balancer))).await.into_iter().for_each(|answer| {
        answer.unwrap();
    });
    assert_eq!((a.calls(), b.calls()), (50, 50));
}

#[tokio::test]
async fn a_call_is_repeated_only_where_that_is_safe() {
    let (a, b) = (Instance::start(Duration::ZERO), Instance::start(Duration::ZERO));
    let registry = fleet(&[&a, &b]).await;
    // A kept connection may take a call and then turn out to be dead.
    let balancer = Balancer::builder(&registry.url("registry")).client(client()).build().unwrap();
    let service = balancer.service("S");
    let calls = || a.calls() + b.calls();
    [&a, &b].iter().for_each(|instance| instance.answers(503));
    assert_eq!(service.post("/x").json(&1).await.unwrap().status(), 503);
    assert_eq!(calls(), 1, "it may have been done");
    assert_eq!(service.post("/x").header("idempotency-key", "k").await.unwrap().status(), 503);
    assert_eq!(calls(), 3);
    assert_eq!(service.get("/x").await.unwrap().status(), 503);
    assert_eq!(calls(), 5, "each is tried once");
    [&a, &b].iter().for_each(|instance| instance.answers(200));
    a.die();
    for _ in 0..20 {
        assert_eq!(service.post("/x").body("y").await.unwrap().status(), 200, "nothing was sent to the dead");
    }
    assert!(matches!(service.get("x").await, Err(CallError::Request(_))));
    assert!(matches!(balancer.service("T").get("/").await, Err(CallError::NoInstance { .. })));
}

#[tokio::test]
async fn a_fleet_that_fails_is_not_called_twice_as_often() {
    let (a, b) = (Instance::start(Duration::ZERO), Instance::start(Duration::ZERO));
    let registry = fleet(&[&a, &b]).await;
    let balancer = Balancer::watch(&registry.url("registry")).unwrap();
    [&a, &b].iter().for_each(|instance| instance.answers(503));
    let began = Instant::now();
    for _ in 0..500 {
        assert_eq!(call(&balancer).await.unwrap().status(), 503);
    }
    let repeated = a.calls() + b.calls() - 500;
    let allowed = 10 + 500 / 5 + began.elapsed().as_secs() + 1;
    assert!((10..=allowed).contains(&repeated), "{repeated} of {allowed}");
}

#[tokio::test]
async fn an_instance_that_fails_fast_is_not_taken_for_a_fast_one() {
    let (broken, sound) = (Instance::start(Duration::ZERO), Instance::start(Duration::from_millis(5)));
    let registry = fleet(&[&broken, &sound]).await;
    let balancer = Balancer::watch(&registry.url("registry")).unwrap();
    broken.answers(500);
    let began = Instant::now();
    for _ in 0..100 {
        call(&balancer).await.unwrap();
    }
    assert_eq!(broken.calls() + sound.calls(), 100, "a 500 is no reason to call again");
    // Set aside after three, and tried once each time that it comes back.
    let allowed = 3 + began.elapsed().as_secs();
    assert!((1..=allowed).contains(&broken.calls()), "{} of {allowed}", broken.calls());
}

#[tokio::test]
async fn nobody_is_called_whom_the_monitor_has_under_maintenance() {
    let a = Instance::start(Duration::ZERO);
    let registry = fleet(&[&a]).await;
    let monitor = Setup::new("monitor").peers_of(&registry).flag("--monitor-interval", "200ms").start().await;
    let balancer =
        Balancer::builder(&registry.url("registry")).monitor(&monitor.url("monitor")).build().unwrap();
    call(&balancer).await.unwrap();
    monitor.post_json("monitor", "/monitor/maintenance", json!({ "service": "S" })).await.ok();
    eventually("it is not called", async || {
        matches!(call(&balancer).await, Err(CallError::NoInstance { .. })).then_some(())
    })
    .await;
    monitor.delete("monitor", "/monitor/maintenance?service=S").await.ok();
    eventually("it is called again", async || call(&balancer).await.ok().map(drop)).await;
}
