//! Power cuts under load.

use crate::harness::{Running, Setup, eventually};
use crate::mount::Disk;
use crate::promises::{self, Acknowledged, DAEMONS, Ledger};
use crate::shim::Liar;
use serde_json::json;
use std::path::Path;

/// Cuts on each file system.
const CUTS: u32 = 3;
/// Services that can be put under maintenance in a round: more than are waited for.
const SERVICES: u32 = 40;

/// All six daemons on a disk.
pub fn fleet_on(mount: &Path) -> Setup {
    Setup::new("all")
        .flag("--data-dir", mount.join("data").display())
        .flag("--log-file", mount.join("distributed.log").display())
}

/// The monitor accepts a maintenance of services that it knows only.
async fn register_for_the_monitor(running: &Running, round: u32) {
    let names: Vec<String> = (0..SERVICES).map(|n| format!("monitor-{round}-{n}")).collect();
    for name in &names {
        let service = json!({"serviceName": name, "serviceUrl": "http://127.0.0.1:9"});
        running.post_json("registry", "/services", service).await.ok();
    }
    // The monitor hears of them in order.
    let body = json!({"service": names.last(), "owner": "o", "reason": "r"});
    eventually("the monitor knows the services", async || {
        let answer = running.post_json("monitor", "/monitor/maintenance", body.clone()).await;
        (answer.status == 200).then_some(())
    })
    .await;
}

/// Lets each daemon promise something, and cuts the power; what was promised
/// before the cut.
async fn promise_and_cut(
    mut running: Running,
    disk: &mut Disk,
    round: u32,
    before: Acknowledged,
) -> Acknowledged {
    register_for_the_monitor(&running, round).await;
    let ledger = Ledger::default();
    *ledger.lock().unwrap() = before;
    let mut counts = Vec::new();
    let mut clients = Vec::new();
    for daemon in DAEMONS {
        let (sender, count) = tokio::sync::mpsc::channel(1_024);
        counts.push(count);
        clients.push(tokio::spawn(promises::ask(
            daemon,
            running.url(daemon),
            round,
            Ledger::clone(&ledger),
            sender,
        )));
    }
    // The cut comes after a number of promises that differs from round to round.
    for count in &mut counts {
        for _ in 0..8 + (round * 7) % 20 {
            count.recv().await.expect("a daemon promises until the power is cut");
        }
    }
    // What is acknowledged while the power goes is neither.
    let promised = ledger.lock().unwrap().clone();
    disk.cut_power();
    running.kill();
    drop(counts);
    for client in clients {
        client.await.unwrap();
    }
    disk.power_on();
    promised
}

async fn cut_again_and_again(fs: &str) {
    let mut disk = Disk::new(fs);
    let mut promised = Acknowledged::default();
    for round in 0..CUTS {
        let running = fleet_on(&disk.mount).start().await;
        let broken = promises::broken(&running, &promised).await;
        assert!(broken.is_empty(), "{fs}, cut {round}: {broken:?}");
        promised = promise_and_cut(running, &mut disk, round, promised).await;
    }
    let running = fleet_on(&disk.mount).start().await;
    let broken = promises::broken(&running, &promised).await;
    assert!(broken.is_empty(), "{fs}: {broken:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs root, for loop mounts"]
async fn what_was_acknowledged_survives_power_cuts_on_ext4() {
    cut_again_and_again("ext4").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs root, for loop mounts"]
async fn what_was_acknowledged_survives_power_cuts_on_xfs() {
    cut_again_and_again("xfs").await;
}

/// Whether a cut breaks promises of these daemons when syncs of files with
/// `what` in their path do nothing.
async fn is_caught(what: &str, daemons: &[&str]) {
    let liar = Liar::new();
    let mut disk = Disk::new("ext4");
    // The files are there before the lie.
    let (status, _, diagnostics) = fleet_on(&disk.mount).start().await.terminate();
    assert!(status.success(), "{diagnostics}");
    let running = fleet_on(&disk.mount).after(&liar.about(what)).start().await;
    let promised = promise_and_cut(running, &mut disk, 0, Acknowledged::default()).await;
    let running = fleet_on(&disk.mount).start().await;
    let broken = promises::broken(&running, &promised).await;
    for daemon in daemons {
        assert!(
            broken.iter().any(|one| one.starts_with(daemon)),
            "{daemon} without syncs passes: {broken:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs root, for loop mounts"]
async fn a_sync_that_lies_is_caught() {
    is_caught("/", &DAEMONS).await;
}

/// `synchronous=OFF` is SQLite without syncs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs root, for loop mounts"]
async fn sqlite_with_synchronous_off_is_caught() {
    is_caught(".db", &DAEMONS).await;
}

/// `synchronous=NORMAL` is SQLite without a sync of the write-ahead log at each
/// commit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs root, for loop mounts"]
async fn sqlite_with_synchronous_normal_is_caught() {
    is_caught(".db-wal", &DAEMONS).await;
}
