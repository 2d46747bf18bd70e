//! Daemons in processes of their own.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A new directory in `BENCH_DIR`, or here: where the disk is the one to be measured.
pub fn directory() -> TempDir {
    TempDir::new_in(std::env::var_os("BENCH_DIR").unwrap_or(".".into())).unwrap()
}

/// Starts one daemon, or `all`, in a directory: the process, and the ports,
/// which the system chooses, by name.
pub fn start(command: &str, dir: &Path, flags: &[String]) -> (Child, HashMap<String, u16>) {
    let names = ["registry", "log", "library", "provider", "web", "monitor"];
    let mut child = Command::new(env!("CARGO_BIN_EXE_distlogd"))
        .arg(command)
        .args(names.iter().map(|name| format!("--{name}-port=0")))
        .args(flags)
        .current_dir(dir)
        .env("RUST_LOG", "error")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ports = HashMap::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let wanted = if command == "all" { names.len() } else { 1 };
    while ports.len() < wanted {
        let line = lines.next().expect("the daemon starts").unwrap();
        if let Some((title, port)) = line.split_once(" Service started on :") {
            ports.insert(title.to_lowercase(), port.parse().unwrap());
        }
    }
    // Keep reading, so that the daemon never waits for its standard output.
    std::thread::spawn(move || lines.for_each(drop));
    (child, ports)
}

/// What a process takes in megabytes: `VmRSS` now, `VmHWM` at most so far.
pub fn memory_mb(process: &Child, figure: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with(figure)).unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024.0 / 1e6
}
