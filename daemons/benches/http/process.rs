//! What is measured: daemons, and a server that does nothing, in processes of
//! their own.

use axum::Router;
use axum::routing::any;
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Daemons on ports of the system's choice.
pub struct Fleet {
    child: Child,
    ports: HashMap<String, u16>,
    _dir: TempDir,
}

impl Fleet {
    /// Starts one daemon, or `all`.
    pub fn start(command: &str) -> Self {
        let dir = TempDir::new_in(std::env::var_os("BENCH_DIR").unwrap_or(".".into())).unwrap();
        let names = ["registry", "log", "library", "provider", "web", "monitor"];
        let mut child = Command::new(env!("CARGO_BIN_EXE_distlogd"))
            .arg(command)
            .args(names.iter().map(|name| format!("--{name}-port=0")))
            .current_dir(dir.path())
            .env("RUST_LOG", "warn")
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
        Self { child, ports, _dir: dir }
    }

    pub fn port(&self, daemon: &str) -> u16 {
        self.ports[daemon]
    }

    /// Resident memory in megabytes.
    pub fn resident_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib * 1024.0 / 1e6
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server that does nothing.
pub struct Empty {
    child: Child,
    pub port: u16,
}

impl Empty {
    pub fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("--empty")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, port: line.trim().parse().unwrap() }
    }
}

impl Drop for Empty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Answers every request with an empty 200 and prints its port.
pub fn serve_empty() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap().port());
        axum::serve(listener, Router::new().fallback(any(async || ()))).await.unwrap();
    });
}
