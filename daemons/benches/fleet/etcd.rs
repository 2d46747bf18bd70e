//! etcd, over its JSON gateway
//! (<https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/>).

use crate::daemon;
use crate::load::{Load, request};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;

/// A node of its own in a process and a directory of its own.
pub struct Etcd {
    child: Child,
    pub port: u16,
    _dir: TempDir,
}

impl Etcd {
    /// Starts it; none where it is not installed.
    pub async fn start() -> Option<Self> {
        let dir = daemon::directory();
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (port, peer) = (free(), free());
        let (client_url, peer_url) = (format!("http://127.0.0.1:{port}"), format!("http://127.0.0.1:{peer}"));
        let child = Command::new("etcd")
            .args(["--listen-client-urls", &client_url, "--advertise-client-urls", &client_url])
            .args(["--listen-peer-urls", &peer_url, "--initial-advertise-peer-urls", &peer_url])
            .args(["--initial-cluster", &format!("default={peer_url}"), "--log-level", "error"])
            .arg("--data-dir")
            .arg(dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(child) = child else {
            eprintln!("etcd is not installed: nothing to compare with");
            return None;
        };
        let etcd = Self { child, port, _dir: dir };
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        etcd.puts(1, |_| "ready".to_owned()).times(1).await;
        Some(etcd)
    }

    /// Resident memory in megabytes.
    pub fn resident_mb(&self) -> f64 {
        daemon::memory_mb(&self.child, "VmRSS")
    }

    /// Puts: the n-th instance under a key of its service.
    pub fn puts(&self, connections: usize, value: impl Fn(usize) -> String + Send + Sync + 'static) -> Load {
        Load::new(self.port, connections, move |n| put(&key(n), &value(n)))
    }

    /// Ranges: the ten instances of one service after the other.
    pub fn ranges(&self, connections: usize, services: usize) -> Load {
        Load::new(self.port, connections, move |n| {
            let (from, to) = (format!("/s/{}/", n % services), format!("/s/{}0", n % services));
            let body = format!(
                "{{\"key\":\"{}\",\"range_end\":\"{}\",\"limit\":10}}",
                base64(from.as_bytes()),
                base64(to.as_bytes())
            );
            request("POST", "/v3/kv/range", "application/json", &body)
        })
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn key(n: usize) -> String {
    format!("/s/{}/{n}", n % crate::SERVICES)
}

/// A request that puts a value.
pub fn put(key: &str, value: &str) -> String {
    let body =
        format!("{{\"key\":\"{}\",\"value\":\"{}\"}}", base64(key.as_bytes()), base64(value.as_bytes()));
    request("POST", "/v3/kv/put", "application/json", &body)
}

/// A request that watches every key.
pub fn watch() -> String {
    let body = "{\"create_request\":{\"key\":\"AA==\",\"range_end\":\"AA==\"}}";
    request("POST", "/v3/watch", "application/json", body)
}

/// As the gateway wants bytes (RFC 4648).
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize] as char;
            text.push(if at <= chunk.len() { digit } else { '=' });
        }
    }
    text
}
