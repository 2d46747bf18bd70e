//! A thousand instances to probe, fifty of which never answer.

use crate::load::Load;
use crate::process::Fleet;
use crate::short::or_short;
use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::routing::any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const ENDPOINTS: usize = 1_000;
const HANGING: usize = 50;

/// What the fake fleet answers, and where alerts arrive.
#[derive(Clone)]
struct Fake {
    broken: Arc<[AtomicBool]>,
    pages: mpsc::UnboundedSender<Instant>,
}

pub async fn report() {
    let (pages, mut paged) = mpsc::unbounded_channel();
    let broken = (0..ENDPOINTS).map(|_| AtomicBool::new(false)).collect();
    let fake = Fake { broken, pages };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let router = Router::new().fallback(any(answer)).with_state(fake.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });

    let interval_s = or_short(10, 2);
    let interval = format!("--monitor-interval={interval_s}s");
    let alerts = format!("--monitor-alert-webhook={base}/page");
    let fleet = Fleet::with_flags("all", &[interval, alerts]);
    let url = base.clone();
    Load::posts(fleet.port("registry"), ("/services", "application/json"), 8, move |n| {
        format!("{{\"serviceName\":\"P{n}\",\"serviceUrl\":\"{url}/{n}\"}}")
    })
    .times(ENDPOINTS)
    .await;
    // Long enough for the instances that hang to be known for it.
    tokio::time::sleep(Duration::from_secs(6 * interval_s)).await;
    while paged.try_recv().is_ok() {}

    println!("\n{ENDPOINTS} endpoints, {HANGING} of which hang, probed every {interval_s} s:");
    println!("* probes begun later than a second after their time: {}", late(fleet.port("monitor")).await);
    let health = Load::gets(fleet.port("monitor"), "/monitor/health", 1).run(Duration::from_secs(3)).await;
    println!("* GET /monitor/health: p50 {:.1} ms, p99 {:.1} ms", health.p50_ms, health.p99_ms);
    println!("* resident: {:.1} MB", fleet.resident_mb());
    let mut delays = Vec::new();
    let failures = or_short(5, 1);
    for n in HANGING..HANGING + failures {
        let began = Instant::now();
        fake.broken[n].store(true, Ordering::Relaxed);
        let page = tokio::time::timeout(Duration::from_secs(6 * interval_s), paged.recv())
            .await
            .expect("a page")
            .unwrap();
        delays.push((page - began).as_secs_f64());
    }
    println!("* from a failure to the page, {failures} times: {delays:.1?} s");
}

async fn answer(State(fake): State<Fake>, uri: Uri) -> Result<(), axum::http::StatusCode> {
    match uri.path().trim_start_matches('/').parse::<usize>() {
        Err(_) => {
            let _ = fake.pages.send(Instant::now());
            Ok(())
        }
        Ok(n) if n < HANGING => std::future::pending().await,
        Ok(n) if fake.broken[n].load(Ordering::Relaxed) => Err(axum::http::StatusCode::INTERNAL_SERVER_ERROR),
        Ok(_) => Ok(()),
    }
}

/// How many of all, from the histogram of lags.
async fn late(port: u16) -> String {
    let text = shared::client::http::build(|builder| builder)
        .unwrap()
        .get(format!("http://127.0.0.1:{port}/metrics"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let bucket = |bound: &str| -> u64 {
        let name = format!("distlog_monitor_schedule_lag_seconds_bucket{{le=\"{bound}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&name)).map_or(0, |count| count.parse().unwrap())
    };
    // The bound nearest to a second.
    format!("{} of {} (later than 1.024 s)", bucket("+Inf") - bucket("1.024"), bucket("+Inf"))
}
