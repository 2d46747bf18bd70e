//! `distlogd all` on ports of its own, in a directory of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The flags of the six daemons, in the order of [`Fleet::ports`].
const NAMES: [&str; 6] = ["registry", "log", "library", "provider", "web", "monitor"];

/// Daemons that a test starts, kills and starts again.
pub(crate) struct Fleet {
    ports: [u16; 6],
    dir: TempDir,
    running: Option<Child>,
}

impl Fleet {
    /// Daemons that are not started yet, but whose ports are known: the console
    /// may look for them before they are there.
    pub(crate) fn new() -> Self {
        // All at once, so that no two are the same.
        let free = [(); 6].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = free.each_ref().map(|listener| listener.local_addr().unwrap().port());
        Self { ports, dir: tempfile::tempdir().unwrap(), running: None }
    }

    /// Daemons that are up.
    pub(crate) fn started() -> Self {
        let mut fleet = Self::new();
        fleet.start();
        fleet
    }

    /// Starts them, and waits until all six have said that they are started.
    pub(crate) fn start(&mut self) {
        let diagnostics = fs::File::create(self.dir.path().join("stderr")).unwrap();
        let mut command = Command::new(distlogd());
        command.arg("all").args(["--monitor-interval", "1s", "--monitor-grace", "0s"]);
        for (name, port) in NAMES.iter().zip(self.ports) {
            command.arg(format!("--{name}-port")).arg(port.to_string());
        }
        command
            .arg("--data-dir")
            .arg(self.dir.path().join("data"))
            .arg("--log-file")
            .arg(self.dir.path().join("distributed.log"))
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(diagnostics);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut started = 0;
        while started < NAMES.len() {
            match lines.next() {
                Some(line) => started += usize::from(line.unwrap().contains(" started on :")),
                None => panic!("distlogd ended: {}", self.diagnostics()),
            }
        }
        // What it says later must not block it.
        std::thread::spawn(move || lines.for_each(drop));
        self.running = Some(child);
    }

    /// Kills them, as a crash would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.running.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Their process.
    pub(crate) fn id(&self) -> u32 {
        self.running.as_ref().unwrap().id()
    }

    /// Removes everything that they have stored; they must not be running.
    pub(crate) fn forget(&self) {
        fs::remove_dir_all(self.dir.path().join("data")).unwrap();
        fs::remove_file(self.dir.path().join("distributed.log")).unwrap();
    }

    /// The URL of a daemon.
    pub(crate) fn url(&self, name: &str) -> String {
        let at = NAMES.iter().position(|known| *known == name).unwrap();
        format!("http://127.0.0.1:{}", self.ports[at])
    }

    /// The flags by which the console finds them.
    pub(crate) fn flags(&self) -> Vec<String> {
        ["registry", "log", "library", "monitor"]
            .iter()
            .flat_map(|name| [format!("--{name}-url"), self.url(name)])
            .collect()
    }

    /// The ports of those that the console does not talk to, as `--local`'s
    /// daemons read them from the environment.
    pub(crate) fn other_ports(&self) -> [(&'static str, String); 2] {
        let [_, _, _, provider, web, _] = self.ports;
        [("DISTLOG_PROVIDER_PORT", provider.to_string()), ("DISTLOG_WEB_PORT", web.to_string())]
    }

    /// The directory that all of it is in.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn diagnostics(&self) -> String {
        fs::read_to_string(self.dir.path().join("stderr")).unwrap_or_default()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let ended = self.running.as_mut().map(Child::try_wait);
            eprintln!("distlogd: {ended:?}\n{}", self.diagnostics());
        }
        self.kill();
    }
}

/// The console's binary.
pub(crate) fn console() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_distlog-tui"))
}

/// The daemons' binary, which cargo puts beside it.
fn distlogd() -> PathBuf {
    let path = console().with_file_name("distlogd");
    assert!(path.is_file(), "{} is not there: run `cargo build --workspace` first", path.display());
    path
}
