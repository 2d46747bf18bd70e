//! The log in a process and a directory of its own.

use crate::client::Client;
use crate::daemon::{directory, memory_mb, start};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Ticks of the processor clock in `/proc`, a second: the kernel's USER_HZ.
const TICKS: f64 = 100.0;

pub struct Log {
    child: Child,
    pub port: u16,
    pub dir: TempDir,
    flags: Vec<String>,
}

/// Megabytes on disk, by what they are.
#[derive(Default)]
pub struct Disk {
    /// Plain text: the live log and what is not sealed yet.
    pub plain: f64,
    /// Sealed text.
    pub sealed: f64,
    /// What makes sealed text quick to search.
    pub index: f64,
}

impl Log {
    pub fn start(flags: Vec<String>) -> Self {
        let dir = directory();
        let (child, ports) = start("log", dir.path(), &flags);
        Self { child, port: ports["log"], dir, flags }
    }

    /// Kills it, starts it in the same directory, and says how long it took from
    /// there to its first answer, to a request for the newest record.
    pub fn kill_and_start(&mut self) -> Duration {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let began = Instant::now();
        let (child, ports) = start("log", self.dir.path(), &self.flags);
        (self.child, self.port) = (child, ports["log"]);
        Client::connect(self.port).get("/log", &[("limit", "1"), ("format", "json")]);
        began.elapsed()
    }

    /// What it takes in megabytes: `VmRSS` now, `VmHWM` at most so far.
    pub fn memory_mb(&self, figure: &str) -> f64 {
        memory_mb(&self.child, figure)
    }

    /// The processor time that it has had, in seconds.
    pub fn cpu_s(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // The second field is a name in parentheses; user and system time are the 14th and 15th.
        let (_, after) = stat.rsplit_once(')').unwrap();
        let ticks: f64 = after.split_whitespace().skip(11).take(2).map(|n| n.parse::<f64>().unwrap()).sum();
        ticks / TICKS
    }

    /// What stands on disk.
    pub fn disk(&self) -> Disk {
        let mut disk = Disk::default();
        for path in files(self.dir.path()) {
            let mb = path.metadata().map_or(0.0, |of| of.len() as f64 / 1e6);
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("log") => disk.plain += mb,
                Some("zst") => disk.sealed += mb,
                Some("idx") => disk.index += mb,
                _ => {}
            }
        }
        disk
    }

    /// How many rotated segments wait to be sealed; none where the log does not say.
    pub fn unsealed(&self) -> Option<u64> {
        let metrics = Client::connect(self.port).get("/metrics", &[]);
        let gauge = metrics.lines().find_map(|line| line.strip_prefix("distlog_log_segments_unsealed "))?;
        gauge.parse().ok()
    }
}

/// All files below a directory; one that vanishes meanwhile is none.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => files(&entry.path()),
            _ => vec![entry.path()],
        })
        .collect()
}

impl Drop for Log {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
