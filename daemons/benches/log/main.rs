//! The log as an engine: how fast records go in, how soon they are found, how
//! long questions take, what it all weighs.
//!
//! ```sh
//! cargo bench -p distlogd --bench log                        # two million records
//! cargo bench -p distlogd --bench log -- 200000              # so many
//! cargo bench -p distlogd --bench log -- --short             # a few, which shows that it runs
//! cargo bench -p distlogd --bench log -- 200000 --grow       # and again with ten times as many
//! cargo bench -p distlogd --bench log -- 2000000 --grow      # 20 million: how counts grow with the data
//! cargo bench -p distlogd --bench log -- --log-rotate-size=8MiB   # flags of the log are passed on
//! ```
//!
//! It runs on the disk of the working directory, or of `BENCH_DIR`. Load and log
//! share the machine's cores. What is not there yet is shown as `-`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot run says so by a panic"
)]

mod client;
#[path = "../common/daemon.rs"]
mod daemon;
mod generate;
mod ingest;
mod live;
mod process;
mod queries;
mod readers;
mod report;
#[path = "../common/short.rs"]
mod short;
mod words;

use ingest::Data;
use live::Latency;
use process::Log;
use report::Report;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use short::or_short;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let records =
        arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(or_short(2_000_000, 20_000));
    let grow = arguments.iter().any(|argument| argument == "--grow");
    let flags = arguments.iter().filter(|argument| argument.starts_with("--log-")).cloned().collect();
    // For the tails; the log inherits it.
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();

    let mut report = Report::default();
    let mut log = Log::start(flags);
    let mut data = Data::new(records);
    for records in if grow { vec![records, 10 * records] } else { vec![records] } {
        report.column(format!("{records} records"));
        fill(&mut report, &log, &mut data, records);
        latencies(&mut report, &log);
        for asked in queries::ask(&log, &data.generator) {
            let partial = if asked.is_whole { "" } else { ", partial" };
            report.put(asked.name, Some(format!("{:.2} ms, {} records{partial}", asked.ms, asked.records)));
        }
        let mb = |figure| Some(format!("{:.1} MB", log.memory_mb(figure)));
        report.put("resident after all of this", mb("VmRSS"));
        let tails = live::idle_tails(&log);
        report.put("idle tails, 10,000", Some(tails.map_or_else(|why| why, |mb| format!("{mb:.1} MB"))));
        followed(&mut report, &log);
        let started = log.kill_and_start();
        report.put("start after kill -9", Some(format!("{:.1} ms", started.as_secs_f64() * 1e3)));
    }
    report.print();
}

/// Brings the log to so many records.
fn fill(report: &mut Report, log: &Log, data: &mut Data, records: u64) {
    data.fill(records);
    let message = data.generator.message_bytes as f64 / data.generator.made as f64;
    report.put("bytes of a message, mean", Some(format!("{message:.0}")));
    let ingest = data.ingest(log);
    report.put("ingest, batches of 10,000, fsynced", Some(format!("{:.0}/s", ingest.records_per_second)));
    report.put("ingest, processor a record", Some(format!("{:.2} µs", ingest.cpu_us_per_record)));
    let resident = |figure| Some(format!("{:.1} MB", log.memory_mb(figure)));
    report.put("resident after ingest", resident("VmRSS"));
    let sealed = ingest::sealed(log);
    let sealed = sealed.map(|(took, cpu_s)| format!("{:.2} s, {cpu_s:.2} s of it busy", took.as_secs_f64()));
    report.put("sealed so long after ingest", sealed);
    report.put("resident after sealing", resident("VmRSS"));
    report.put("resident, peak", resident("VmHWM"));
    let disk = log.disk();
    let there = |mb: f64| (mb > 0.0).then(|| format!("{mb:.1} MB"));
    report.put("disk, plain text", there(disk.plain));
    report.put("disk, sealed text", there(disk.sealed));
    report.put("disk, index", there(disk.index));
}

fn latencies(report: &mut Report, log: &Log) {
    let show = |latency: Latency| Some(format!("{:.2} ms, p99 {:.2}", latency.p50, latency.p99));
    report.put("acknowledged to found, p50", show(live::found(log)));
    report.put("post to told at a tail, p50", show(live::told(log)));
}

/// What acknowledgements take while tails are read.
fn followed(report: &mut Report, log: &Log) {
    for (name, tails, batch) in [
        ("acknowledged, 10,000 lines, no tail", 0, true),
        ("acknowledged, 10,000 lines, 500 tails", or_short(500, 20), true),
        ("acknowledged, a line, no tail", 0, false),
        ("acknowledged, a line, 12,000 tails", or_short(12_000, 50), false),
    ] {
        let show = |latency: Latency| format!("{:.2} ms, p99 {:.2}", latency.p50, latency.p99);
        report.put(name, Some(live::acknowledged(log, tails, batch).map_or_else(|why| why, show)));
    }
}
