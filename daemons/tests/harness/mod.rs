//! Runs the real binary: daemons on free ports in a temporary directory, and
//! the endpoints that they call.
//!
//! ```ignore
//! let dir = tempdir();
//! let registry = Start::new(Daemon::Registry, &dir).run();
//! let mut monitor = Start::new(Daemon::Monitor, &dir).with("registry-url", registry.url()).run();
//! monitor.kill9();
//! monitor.restart(); // on the same port
//! ```

#![expect(clippy::allow_attributes, reason = "every test uses another part of the harness")]
#![allow(dead_code, reason = "every test uses another part of the harness")]

pub mod endpoint;

use serde_json::Value;
use shared::daemon::Daemon;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// For how long anything may take that is to happen.
pub const SOON: Duration = Duration::from_secs(20);

/// A directory for the daemons of one test.
pub fn tempdir() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// How to start daemons.
pub struct Start {
    command: &'static str,
    daemons: Vec<Daemon>,
    dir: PathBuf,
    settings: BTreeMap<String, String>,
}

impl Start {
    /// One daemon, with its data in `dir`.
    pub fn new(daemon: Daemon, dir: &TempDir) -> Self {
        Self::of(daemon.word(), vec![daemon], dir.path())
    }

    /// All six in one process.
    pub fn all(dir: &TempDir) -> Self {
        Self::of("all", Daemon::ALL.to_vec(), dir.path())
    }

    fn of(command: &'static str, daemons: Vec<Daemon>, dir: &Path) -> Self {
        Self { command, daemons, dir: dir.to_owned(), settings: BTreeMap::new() }
    }

    /// With a setting, named as its flag is.
    pub fn with(mut self, flag: &str, value: impl ToString) -> Self {
        self.settings.insert(flag.to_owned(), value.to_string());
        self
    }

    /// Starts them, and waits until each has said on which port it is.
    pub fn run(self) -> Running {
        let mut running = Running { start: self, child: None, ports: BTreeMap::new(), said: Arc::default() };
        running.spawn();
        running
    }
}

/// Daemons that run; killed when this is dropped.
pub struct Running {
    start: Start,
    child: Option<Child>,
    ports: BTreeMap<Daemon, u16>,
    said: Arc<Mutex<Vec<String>>>,
}

impl Running {
    fn spawn(&mut self) {
        let Start { command, daemons, dir, settings } = &self.start;
        let errors = std::fs::File::options().create(true).append(true).open(self.errors()).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_distlogd"));
        process.arg(command).arg("--data-dir").arg(dir).arg("--log-file").arg(dir.join("distributed.log"));
        for daemon in daemons {
            let port = self.ports.get(daemon).copied().unwrap_or(0);
            process.arg(format!("--{}-port", daemon.word())).arg(port.to_string());
        }
        for (flag, value) in settings {
            process.arg(format!("--{flag}")).arg(value);
        }
        process.current_dir(dir).env_remove("RUST_LOG").stdout(Stdio::piped()).stderr(errors);
        let mut child = process.spawn().unwrap();
        self.said.lock().unwrap().clear();
        let (said, out) = (Arc::clone(&self.said), child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                said.lock().unwrap().push(line);
            }
        });
        self.child = Some(child);
        let wanted = daemons.len();
        self.ports = wait_until("the daemons have started", || {
            let said = self.said.lock().unwrap();
            let ports: BTreeMap<_, _> = daemons.iter().filter_map(|d| Some((*d, port(&said, *d)?))).collect();
            (ports.len() == wanted).then_some(ports)
        });
    }

    fn errors(&self) -> PathBuf {
        self.start.dir.join(format!("{}.stderr", self.start.command))
    }

    /// Where a daemon is.
    pub fn url_of(&self, daemon: Daemon) -> String {
        format!("http://localhost:{}", self.ports[&daemon])
    }

    /// Where the only daemon is.
    pub fn url(&self) -> String {
        self.url_of(self.start.daemons[0])
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// What they said on standard output since they were started last.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// Ends them as a power cut would.
    pub fn kill9(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Sends a signal: `TERM`, `STOP`, `CONT`.
    pub fn signal(&self, name: &str) {
        let kill = Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status();
        assert!(kill.unwrap().success());
    }

    /// Asks them to stop, and waits until they have.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        let mut child = self.child.take().unwrap();
        wait_until("the daemons have stopped", || child.try_wait().unwrap())
    }

    /// Starts them again on the same ports.
    pub fn restart(&mut self) {
        self.kill9();
        self.spawn();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill9();
        if std::thread::panicking() {
            let errors = std::fs::read_to_string(self.errors()).unwrap_or_default();
            eprintln!("--- {} said on standard error:\n{errors}", self.start.command);
        }
    }
}

fn port(said: &[String], daemon: Daemon) -> Option<u16> {
    let beginning = format!("{} started on :", daemon.title());
    said.iter().find_map(|line| line.strip_prefix(&beginning)?.parse().ok())
}

/// Waits without a runtime.
fn wait_until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < SOON, "not within {SOON:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Looks again and again until there is what is looked for.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < SOON, "not within {SOON:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What a daemon answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub text: String,
}

impl Answer {
    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// A client as the daemons use it.
pub fn http() -> reqwest::Client {
    shared::client::http::build(|builder| builder).unwrap()
}

/// Sends a request and reads the answer; status 0 when nobody answers.
pub async fn send(request: reqwest::RequestBuilder) -> Answer {
    let Ok(response) = request.timeout(SOON).send().await else {
        return Answer { status: 0, headers: BTreeMap::new(), text: String::new() };
    };
    let text = |value: &reqwest::header::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        text: response.text().await.unwrap_or_default(),
    }
}

/// `GET`.
pub async fn get(url: impl AsRef<str>) -> Answer {
    send(http().get(url.as_ref())).await
}

/// `POST` with JSON.
pub async fn post(url: impl AsRef<str>, body: &Value) -> Answer {
    send(http().post(url.as_ref()).json(body)).await
}

/// `DELETE`.
pub async fn delete(url: impl AsRef<str>) -> Answer {
    send(http().delete(url.as_ref())).await
}

/// Registers an instance; `more` is merged into the registration.
pub async fn register(registry: &Running, service: &str, url: &str, more: Value) -> Value {
    let mut body = serde_json::json!({ "serviceName": service, "serviceUrl": url });
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    let answer = post(format!("{}/services", registry.url()), &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}
