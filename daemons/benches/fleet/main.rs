//! The registry and the monitor with a large fleet, beside a handler that does
//! nothing and, where it is installed, beside etcd, all in one run.
//!
//! ```sh
//! cargo bench -p distlogd --bench fleet              # all of it, about four minutes
//! cargo bench -p distlogd --bench fleet -- watch     # what has "watch" in its name
//! cargo bench -p distlogd --bench fleet -- --short   # one small round of everything
//! ```
//!
//! etcd is asked over its JSON gateway, so that all speak HTTP/1.1, and keeps
//! its data on the same disk (`BENCH_DIR`, else here). Load and servers share
//! the machine's cores: compare the figures with each other.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot run says so by a panic"
)]

#[path = "../common/daemon.rs"]
mod daemon;
mod etcd;
#[path = "../common/load.rs"]
mod load;
mod probes;
#[path = "../common/process.rs"]
mod process;
#[path = "../common/short.rs"]
mod short;
mod watch;

use etcd::Etcd;
use load::{Load, Run, request};
use process::{Empty, Fleet};
use short::or_short;
use std::time::Duration;

const CONNECTIONS: usize = 64;
/// The fleet: so many instances, of so many services.
const INSTANCES: usize = 5_000;
const SERVICES: usize = 500;

fn main() {
    // The load generator and the empty handler are the same program.
    if std::env::args().nth(1).as_deref() == Some("--empty") {
        return process::serve_empty();
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let runs = |name: &str| wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str()));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        if runs("requests") {
            requests().await;
        }
        if runs("watch") {
            watch::report().await;
        }
        if runs("probes") {
            probes::report().await;
        }
    });
}

/// The n-th instance of the fleet.
fn registration(n: usize) -> String {
    format!(
        "{{\"serviceName\":\"Bench{}\",\"serviceUrl\":\"http://10.{}.{}.{}:80\",\"instanceId\":\"i{n}\",\
         \"tags\":[\"bench\"],\"ttlSeconds\":3600}}",
        n % SERVICES,
        n >> 16 & 255,
        n >> 8 & 255,
        n & 255
    )
}

/// A load that registers, beginning with the n-th instance.
fn registering(port: u16, connections: usize, first: usize) -> Load {
    Load::posts(port, ("/services", "application/json"), connections, move |n| registration(first + n))
}

/// Fills a registry.
async fn fill(port: u16) {
    registering(port, CONNECTIONS, 0).times(INSTANCES).await;
}

async fn requests() {
    println!("\n| {:<52} | requests/s | of empty | p50 ms | p99 ms |", "what");
    println!("|{:-<54}|-----------:|---------:|-------:|-------:|", "");
    let empty = Empty::start();
    let registry = Fleet::with_flags("registry", &["--registry-registrations-max=1000000".to_owned()]);
    let etcd = Etcd::start().await;
    let port = registry.port("registry");
    fill(port).await;

    let own = registering(port, CONNECTIONS, INSTANCES);
    let theirs = etcd.as_ref().map(|etcd| etcd.puts(CONNECTIONS, registration));
    compare("register a new instance, durable", &empty, &own, ("etcd: put the same", theirs)).await;

    // What was registered above is no part of the fleet that is looked up.
    let registry = Fleet::start("registry");
    let port = registry.port("registry");
    fill(port).await;
    let own = Load::new(port, CONNECTIONS, |n| {
        format!("GET /services/Bench{} HTTP/1.1\r\nhost: localhost\r\n\r\n", n % SERVICES)
    });
    let theirs = etcd.as_ref().map(|etcd| etcd.ranges(CONNECTIONS, SERVICES));
    compare(
        "look up a service of ten instances, 5,000 in all",
        &empty,
        &own,
        ("etcd: range over ten", theirs),
    )
    .await;

    let own = Load::new(port, CONNECTIONS, |n| {
        let path = format!("/services/Bench{}/i{}/lease", n % SERVICES, n % INSTANCES);
        request("PUT", &path, "text/plain", "")
    });
    compare("heartbeat", &empty, &own, ("", None)).await;
}

/// Runs loads, and the first one on the empty handler, in turn.
async fn compare(name: &str, empty: &Empty, own: &Load, (their_name, theirs): (&str, Option<Load>)) {
    let base = own.against(empty.port);
    let (mut of_own, mut of_empty, mut of_theirs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..or_short(5, 1) {
        let round = or_short(Duration::from_secs(3), Duration::from_millis(200));
        of_empty.push(base.run(round).await);
        of_own.push(own.run(round).await);
        if let Some(theirs) = &theirs {
            of_theirs.push(theirs.run(round).await);
        }
    }
    print("empty handler, same request", &of_empty, &of_empty);
    print(name, &of_own, &of_empty);
    if theirs.is_some() {
        print(their_name, &of_theirs, &of_empty);
    }
}

fn print(name: &str, runs: &[Run], beside: &[Run]) {
    let ratios = runs.iter().zip(beside).map(|(own, empty)| own.per_second / empty.per_second);
    println!(
        "| {name:<52} | {:>10.0} | {:>7.0}% | {:>6.2} | {:>6.2} |",
        median(runs.iter().map(|run| run.per_second)),
        100.0 * median(ratios),
        median(runs.iter().map(|run| run.p50_ms)),
        median(runs.iter().map(|run| run.p99_ms)),
    );
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    quantile(values.collect(), 0.5)
}

fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share) as usize]
}
