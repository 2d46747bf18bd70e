//! Starts real daemons and talks to them.
//!
//! ```text
//! let log = Setup::new("log").flag("--log-rotate-size", "1KiB").start().await;
//! let answer = log.post("log", "/log", "hello").await;
//! log.kill();
//! let log = log.restart().await;
//! ```

pub mod endpoint;
pub mod fixture;
pub mod lines;
pub mod raw;

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use shared::client::http;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than anything takes, however busy the machine is.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// The daemons, as subcommands.
pub const DAEMONS: [&str; 6] = ["registry", "log", "library", "provider", "web", "monitor"];

/// A client that keeps no connection: a daemon that was killed leaves none behind.
/// It does not wait for ever either, as it may for the answer of one that was
/// killed while a connection was made.
pub fn client() -> Client {
    http::build(|builder| builder.pool_max_idle_per_host(0).read_timeout(DEADLINE)).unwrap()
}

/// How daemons are to be started.
#[derive(Clone)]
pub struct Setup {
    command: &'static str,
    dir: Arc<TempDir>,
    flags: Vec<(String, String)>,
    wrapper: Option<String>,
}

impl Setup {
    /// One daemon, or `all`, in a directory of its own.
    pub fn new(command: &'static str) -> Self {
        Self { command, dir: Arc::new(TempDir::new().unwrap()), flags: Vec::new(), wrapper: None }
    }

    /// With a flag.
    pub fn flag(mut self, flag: &str, value: impl ToString) -> Self {
        self.flags.retain(|(name, _)| name != flag);
        self.flags.push((flag.to_owned(), value.to_string()));
        self
    }

    /// In the directory of another.
    pub fn in_dir_of(mut self, other: &Running) -> Self {
        self.dir = Arc::clone(&other.setup.dir);
        self
    }

    /// Finding the daemons of another where they are.
    pub fn peers_of(mut self, other: &Running) -> Self {
        for (daemon, port) in &other.ports {
            self = self.flag(&format!("--{daemon}-url"), format!("http://127.0.0.1:{port}"));
        }
        self
    }

    /// Run by a shell after these commands.
    pub fn after(mut self, commands: &str) -> Self {
        self.wrapper = Some(commands.to_owned());
        self
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The daemons that the command starts.
    fn daemons(&self) -> Vec<&'static str> {
        if self.command == "all" { DAEMONS.to_vec() } else { vec![self.command] }
    }

    fn command(&self) -> Command {
        let binary = binary();
        let mut command = match &self.wrapper {
            None => Command::new(binary),
            Some(commands) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", &format!("{commands}; exec \"$0\" \"$@\"")]).arg(binary);
                shell
            }
        };
        command.arg(self.command).current_dir(self.dir());
        let mut flags: BTreeMap<String, String> = BTreeMap::new();
        for daemon in DAEMONS {
            flags.insert(format!("--{daemon}-port"), "0".to_owned());
        }
        if self.command != "all" && self.command != "registry" {
            // Nobody is there unless a test says so.
            flags.insert("--registry-url".to_owned(), "http://127.0.0.1:1".to_owned());
        }
        // What does not answer is down at once unless a test is about starting.
        flags.insert("--monitor-grace".to_owned(), "0s".to_owned());
        flags.extend(self.flags.iter().cloned());
        flags.iter().for_each(|(flag, value)| {
            command.arg(format!("{flag}={value}"));
        });
        command.env("RUST_LOG", "info").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts, and waits until every daemon says that it has started.
    pub async fn start(self) -> Running {
        let daemons = self.daemons();
        let mut running = self.spawn();
        for daemon in daemons {
            let title = title(daemon);
            let line = running.line(|line| line.starts_with(&title) && line.contains("started on :")).await;
            let port = line.rsplit(':').next().unwrap().parse().unwrap();
            running.ports.insert(daemon, port);
        }
        running
    }

    /// Starts something that is expected to end by itself: its status and what
    /// it said on standard error.
    pub fn run_to_end(&self) -> (ExitStatus, String) {
        let output = self.command().output().unwrap();
        (output.status, String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// The same, and what it said on standard output.
    pub fn run_to_end_saying(&self) -> (ExitStatus, String) {
        let output = self.command().output().unwrap();
        (output.status, String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn spawn(self) -> Running {
        let mut child = self.command().spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let mut stderr = child.stderr.take().unwrap();
        let diagnostics = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text);
            text
        });
        Running {
            setup: self,
            child,
            lines,
            passed_over: Vec::new(),
            diagnostics: Some(diagnostics),
            client: client(),
            ports: BTreeMap::new(),
        }
    }
}

/// The binary under test: the one that these tests were built with; for tests
/// of another package the one beside them, or in `DISTLOG_BIN_DIR`.
pub fn binary() -> PathBuf {
    if let Some(path) = option_env!("CARGO_BIN_EXE_distlogd") {
        return path.into();
    }
    let dir = std::env::var_os("DISTLOG_BIN_DIR").map_or_else(
        // target/<profile>/deps/<test>
        || std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned(),
        PathBuf::from,
    );
    let path = dir.join("distlogd");
    assert!(
        path.is_file(),
        "{} is not there: run 'cargo build -p distlogd' first, or say in DISTLOG_BIN_DIR where it is",
        path.display()
    );
    path
}

/// `Log Service`.
fn title(daemon: &str) -> String {
    let (first, rest) = daemon.split_at(1);
    format!("{}{rest} Service", first.to_uppercase())
}

/// Daemons that run.
pub struct Running {
    setup: Setup,
    child: Child,
    lines: Receiver<String>,
    passed_over: Vec<String>,
    diagnostics: Option<std::thread::JoinHandle<String>>,
    client: Client,
    pub ports: BTreeMap<&'static str, u16>,
}

impl Running {
    pub fn dir(&self) -> &Path {
        self.setup.dir()
    }

    /// The live log.
    pub fn log_file(&self) -> PathBuf {
        self.dir().join("distributed.log")
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn url(&self, daemon: &str) -> String {
        format!("http://127.0.0.1:{}", self.ports[daemon])
    }

    /// Waits for a line on standard output; each line is found once.
    pub async fn line(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + DEADLINE;
        if let Some(at) = self.passed_over.iter().position(|line| wanted(line)) {
            return self.passed_over.remove(at);
        }
        loop {
            match self.lines.recv_timeout(Duration::from_millis(20)) {
                Ok(line) if wanted(&line) => return line,
                Ok(line) => self.passed_over.push(line),
                Err(RecvTimeoutError::Timeout) if Instant::now() < until => tokio::task::yield_now().await,
                Err(_) => panic!("the line did not come; standard error: {}", self.stderr()),
            }
        }
    }

    fn stderr(&mut self) -> String {
        let _ = self.child.kill();
        self.diagnostics.take().map(|thread| thread.join().unwrap()).unwrap_or_default()
    }

    pub fn request(&self, method: Method, daemon: &str, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url(daemon)))
    }

    pub async fn get(&self, daemon: &str, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, daemon, path)).await
    }

    pub async fn post(&self, daemon: &str, path: &str, body: impl Into<String>) -> Answer {
        Answer::of(self.request(Method::POST, daemon, path).body(body.into())).await
    }

    pub async fn post_json(&self, daemon: &str, path: &str, body: Value) -> Answer {
        Answer::of(self.request(Method::POST, daemon, path).json(&body)).await
    }

    pub async fn delete(&self, daemon: &str, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, daemon, path)).await
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let status =
            Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// SIGKILL: no chance to finish anything.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM: how it ended, how long that took, what it said.
    pub fn terminate(mut self) -> (ExitStatus, Duration, String) {
        let began = Instant::now();
        self.signal("TERM");
        let status = self.child.wait().unwrap();
        (status, began.elapsed(), self.stderr())
    }

    /// Stops as it is told to, and starts again.
    pub async fn stop_and_start(mut self) -> Self {
        self.signal("TERM");
        let _ = self.child.wait();
        self.restart().await
    }

    /// Starts again, in the same directory and on the same ports.
    pub async fn restart(mut self) -> Self {
        self.kill();
        let mut setup = self.setup.clone();
        for (daemon, port) in &self.ports {
            setup = setup.flag(&format!("--{daemon}-port"), port);
        }
        setup.start().await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: String,
}

impl Answer {
    pub async fn of(request: RequestBuilder) -> Self {
        Self::read(request.timeout(DEADLINE).send().await.unwrap()).await
    }

    pub async fn read(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, body: response.text().await.unwrap() }
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.body);
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The problem document that this refusal must be.
    #[track_caller]
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert!(!problem["title"].as_str().unwrap().is_empty());
        assert!(!problem["detail"].as_str().unwrap().is_empty());
        problem
    }
}

/// Asks again and again until the answer is there.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let until = Instant::now() + DEADLINE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < until, "it did not come to this: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
