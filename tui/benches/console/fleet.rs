//! `distlogd all` on ports of its own, in a directory of its own.

use crate::measure::Process;
use portable_pty::CommandBuilder;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The flags of the six daemons, in the order of [`Fleet::ports`].
const NAMES: [&str; 6] = ["registry", "log", "library", "provider", "web", "monitor"];

pub(crate) struct Fleet {
    ports: [u16; 6],
    dir: TempDir,
    running: Option<Child>,
}

impl Fleet {
    /// Daemons that are not started yet: nothing listens on their ports.
    pub(crate) fn new() -> Self {
        // All at once, so that no two are the same.
        let free = [(); 6].map(|()| TcpListener::bind("127.0.0.1:0").expect("there is a free port"));
        let ports = free.each_ref().map(|listener| listener.local_addr().expect("it is bound").port());
        Self { ports, dir: tempfile::tempdir().expect("there is room for temporary files"), running: None }
    }

    /// Starts them, and waits until all six have said that they are started.
    pub(crate) fn start(&mut self, distlogd: PathBuf) {
        let mut child = Command::new(distlogd)
            .arg("all")
            .args(NAMES.iter().zip(self.ports).map(|(name, port)| format!("--{name}-port={port}")))
            .arg("--data-dir")
            .arg(self.dir.path().join("data"))
            .arg("--log-file")
            .arg(self.dir.path().join("distributed.log"))
            .current_dir(self.dir.path())
            .env("RUST_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("distlogd starts");
        let lines = BufReader::new(child.stdout.take().expect("its output is read")).lines();
        self.running = Some(child);
        let mut lines = lines.map_while(Result::ok);
        let started = lines.by_ref().filter(|line| line.contains(" started on :")).take(NAMES.len()).count();
        assert_eq!(started, NAMES.len(), "distlogd ended before all of its daemons were started");
        // Keep reading, so that the daemons never wait for their standard output.
        std::thread::spawn(move || lines.for_each(drop));
    }

    pub(crate) fn process(&self) -> Process {
        Process(self.running.as_ref().expect("the daemons run").id())
    }

    /// The console, told where they are.
    pub(crate) fn console(&self) -> CommandBuilder {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_distlog-tui"));
        for (name, port) in NAMES.iter().zip(self.ports) {
            if ["registry", "log", "library", "monitor"].contains(name) {
                command.arg(format!("--{name}-url=http://127.0.0.1:{port}"));
            }
        }
        // Where no configuration lies.
        command.cwd(self.dir.path());
        command
    }

    /// A connection to the log.
    pub(crate) fn log(&self) -> Poster {
        let [_, port, ..] = self.ports;
        Poster::new(port, "/log", "application/x-ndjson")
    }

    /// Registers services without a lease, so many instances each.
    pub(crate) fn register(&self, services: usize, instances: usize) {
        let [port, ..] = self.ports;
        let mut registry = Poster::new(port, "/services", "application/json");
        for service in 0..services {
            for instance in 0..instances {
                // Nothing listens there: each of them is down.
                let url = format!("http://127.0.0.1:9/{service}/{instance}");
                registry.post(&format!(
                    r#"{{"serviceName":"Service{service:03}","serviceUrl":"{url}","instanceId":"Service{service:03}-{instance}",
                     "serviceVersion":"1.4.{instance}","tags":["bench"],"requiredServices":["Service{:03}"]}}"#,
                    service / 2
                ));
            }
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if let Some(mut child) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Posts bodies to one path, over one connection: as little of a client as
/// there can be, for it shares the cores with what is measured.
pub(crate) struct Poster {
    stream: BufReader<TcpStream>,
    head: String,
}

impl Poster {
    fn new(port: u16, path: &str, of: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the daemon listens");
        stream.set_nodelay(true).expect("it is a TCP connection");
        let head = format!("POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: {of}\r\n");
        Self { stream: BufReader::new(stream), head }
    }

    /// Returns when it is acknowledged.
    pub(crate) fn post(&mut self, body: &str) {
        let request = format!("{}Content-Length: {}\r\n\r\n{body}", self.head, body.len());
        self.stream.get_mut().write_all(request.as_bytes()).expect("the daemon reads");
        let (mut head, mut length) = (String::new(), 0);
        while !head.ends_with("\r\n\r\n") {
            let from = head.len();
            let read = self.stream.read_line(&mut head).expect("the daemon answers");
            assert_ne!(read, 0, "the daemon closed the connection: {head}");
            let line = head.get(from..).unwrap_or_default().to_ascii_lowercase();
            if let Some(given) = line.strip_prefix("content-length:") {
                length = given.trim().parse().expect("a length is a number");
            }
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer).expect("the daemon answers");
        assert!(head.starts_with("HTTP/1.1 2"), "{head}{}", String::from_utf8_lossy(&answer));
    }
}
