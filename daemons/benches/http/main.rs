//! The daemons under load, beside a handler that does nothing, in one run.
//!
//! ```sh
//! cargo bench -p distlogd --bench http            # all of it, about two minutes
//! cargo bench -p distlogd --bench http -- log     # what has "log" in its name
//! cargo bench -p distlogd --bench http -- --short # one small round of everything
//! ```
//!
//! Load and server share the machine's cores, so the figures are for comparing
//! with each other: each is a median over rounds in which the empty handler and
//! the daemon take turns.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot run says so by a panic"
)]

#[path = "../common/daemon.rs"]
mod daemon;
#[path = "../common/load.rs"]
mod load;
#[path = "../common/process.rs"]
mod process;
#[path = "../common/short.rs"]
mod short;

use load::{Load, Run, request};
use process::{Empty, Fleet};
use short::or_short;
use std::time::Duration;

const CONNECTIONS: usize = 64;
/// More registrations than the rounds can make.
const REGISTRATIONS: &str = "--registry-registrations-max=1000000";
/// Where registrations go, and as what.
const SERVICES: (&str, &str) = ("/services", "application/json");

fn main() {
    // The load generator and the empty handler are the same program.
    if std::env::args().nth(1).as_deref() == Some("--empty") {
        return process::serve_empty();
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let runs = |name: &str| wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str()));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        println!("| {:<44} | requests/s | of empty | p50 ms | p99 ms |", "what");
        println!("|{:-<46}|-----------:|---------:|-------:|-------:|", "");
        if runs("post log") {
            let fleet = Fleet::start("log");
            let line = "a request was served in 12 ms for client 10.1.2.3 with status 200";
            let load = Load::posts(
                fleet.port("log"),
                ("/log?service=Bench", "text/plain"),
                CONNECTIONS,
                move |_| line.to_owned(),
            );
            compare("POST /log, one line, fsync before the answer", &load).await;
        }
        if runs("get services") {
            let fleet = Fleet::start("registry");
            let fill = Load::posts(fleet.port("registry"), SERVICES, 1, |n| registration(n % 100));
            fill.times(100).await;
            let load = Load::gets(fleet.port("registry"), "/services", CONNECTIONS);
            compare("GET /services, 100 registrations", &load).await;
        }
        if runs("post services") {
            let fleet = Fleet::with_flags("registry", &[REGISTRATIONS.to_owned()]);
            let load = Load::posts(fleet.port("registry"), SERVICES, CONNECTIONS, registration);
            compare("POST /services, a new instance, durable", &load).await;
        }
        if runs("memory") {
            memory().await;
        }
    });
}

fn registration(n: usize) -> String {
    format!(
        "{{\"serviceName\":\"Bench{}\",\"serviceUrl\":\"http://10.{}.{}.{}:80\",\"tags\":[\"bench\"]}}",
        n % 500,
        n >> 16 & 255,
        n >> 8 & 255,
        n & 255
    )
}

/// Runs a load and the same load on the empty handler in turn.
async fn compare(name: &str, load: &Load) {
    let empty = Empty::start();
    let base = load.against(empty.port);
    let (mut own, mut of_empty) = (Vec::new(), Vec::new());
    for _ in 0..or_short(5, 1) {
        let round = or_short(Duration::from_secs(3), Duration::from_millis(200));
        of_empty.push(base.run(round).await);
        own.push(load.run(round).await);
    }
    print(&format!("empty handler, same request ({CONNECTIONS} connections)"), &of_empty, None);
    print(name, &own, Some(&of_empty));
}

fn print(name: &str, runs: &[Run], beside: Option<&[Run]>) {
    let ratio = beside.map_or("100%".to_owned(), |beside| {
        let ratios = runs.iter().zip(beside).map(|(own, empty)| own.per_second / empty.per_second);
        format!("{:.0}%", 100.0 * median(ratios))
    });
    println!(
        "| {name:<44} | {:>10.0} | {ratio:>8} | {:>6.2} | {:>6.2} |",
        median(runs.iter().map(|run| run.per_second)),
        median(runs.iter().map(|run| run.p50_ms)),
        median(runs.iter().map(|run| run.p99_ms)),
    );
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What all six take, idle and with a million records.
async fn memory() {
    let fleet = Fleet::start("all");
    let (idle_s, records) = (or_short(10, 1), or_short(1_000_000, 10_000));
    tokio::time::sleep(Duration::from_secs(idle_s)).await;
    println!("\n`distlogd all`, idle for {idle_s} s: {:.1} MB resident", fleet.resident_mb());
    let batch: String = (0..1_000)
        .map(|n| {
            format!(
                "{{\"service\":\"Bench{}\",\"message\":\"request {n} was served in 12 ms for client 10.1.2.3\",\"n\":{n}}}\n",
                n % 10
            )
        })
        .collect();
    let batch = request("POST", "/log", "application/x-ndjson", &batch);
    let load = Load::new(fleet.port("log"), 2, move |_| batch.clone());
    let began = std::time::Instant::now();
    load.times(records / 1_000).await;
    let rate = records as f64 / began.elapsed().as_secs_f64();
    println!(
        "after {records} records in batches of 1,000 ({rate:.0} records/s): {:.1} MB resident",
        fleet.resident_mb()
    );
}
