//! A file system without space, while the log runs and while all six start.

use crate::Rounds;
use crate::harness::{Setup, client, eventually};
use crate::ledger::Ledger;
use crate::writers::Request;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The size of the file system, in MB.
const SIZE_MB: u32 = 24;

pub async fn run(rounds: &mut Rounds) -> String {
    let setup = Setup::new("all");
    let Some(_mount) = Tmpfs::on(setup.dir()) else {
        return "left out: it needs root, for mount".to_owned();
    };
    let mut fleet = setup.start().await;
    let mut ledger = Ledger::default();
    let (mut filled, mut refused, mut n) = (0, 0, 0);
    while rounds.another() {
        filled += 1;
        // Room for a last request or two.
        let filler = fleet.dir().join("filler");
        fill(&filler);
        fs::OpenOptions::new()
            .write(true)
            .open(&filler)
            .unwrap()
            .set_len(filler_len(&filler) - (64 << 10))
            .unwrap();
        loop {
            n += 1;
            let request = Request::new("full", n, &mut rounds.rng);
            match request.send(&client(), &fleet.url("log")).await {
                Some(first) => ledger.acknowledged(first, request.texts),
                None => break,
            }
        }
        refused += 1;
        ledger_is_there(&ledger, &fleet).await;
        fill(&fleet.dir().join("filler2"));
        // All six start without space, and what can be read is read.
        fleet = fleet.restart().await;
        ledger_is_there(&ledger, &fleet).await;
        fleet.get("registry", "/services").await.ok();
        fleet.get("library", "/library/books").await.ok();
        for name in ["filler", "filler2"] {
            fs::remove_file(fleet.dir().join(name)).unwrap();
        }
        let request = Request::new("again", n, &mut rounds.rng);
        let (client, url) = (client(), fleet.url("log"));
        let first =
            eventually("the log takes records again", async || request.send(&client, &url).await).await;
        ledger.acknowledged(first, request.texts);
    }
    drop(fleet);
    format!(
        "{filled} times full, {refused} refusals, six daemons started without space, {} records kept",
        ledger.len()
    )
}

/// The daemons log to the same service; only what this suite wrote is compared.
async fn ledger_is_there(ledger: &Ledger, fleet: &crate::harness::Running) {
    ledger.check_own(fleet, &["full", "again"]).await;
}

fn filler_len(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

/// Writes until nothing fits any more.
fn fill(path: &Path) {
    use std::io::Write;
    let mut file = fs::File::create(path).unwrap();
    for size in [64 << 10, 512, 1] {
        while file.write_all(&vec![b'x'; size]).is_ok() {}
    }
}

struct Tmpfs(std::path::PathBuf);

impl Tmpfs {
    fn on(dir: &Path) -> Option<Self> {
        let size = format!("size={SIZE_MB}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(dir.to_owned()))
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}
