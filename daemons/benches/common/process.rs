//! What is measured: daemons, and a server that does nothing, in processes of
//! their own.

use crate::daemon;
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
        Self::with_flags(command, &[])
    }

    /// Starts it with flags beside those that every benchmark gives.
    pub fn with_flags(command: &str, flags: &[String]) -> Self {
        let dir = daemon::directory();
        let (child, ports) = daemon::start(command, dir.path(), flags);
        Self { child, ports, _dir: dir }
    }

    pub fn port(&self, daemon: &str) -> u16 {
        self.ports[daemon]
    }

    /// Resident memory in megabytes.
    pub fn resident_mb(&self) -> f64 {
        daemon::memory_mb(&self.child, "VmRSS")
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
