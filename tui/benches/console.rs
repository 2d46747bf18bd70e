//! The console as its user meets it: how soon it is there, and what it costs
//! to leave it open.
//!
//! ```sh
//! cargo build --release                           # distlogd, which it needs
//! cargo bench -p distlog-tui --bench console      # about half a minute
//! ```
//!
//! The real console runs in a pseudo-terminal of 80 by 24 cells, on the tab it
//! starts on, and the real `distlogd all` runs beside it with its default
//! settings, on ports and in a directory of its own. Measured are
//!
//! - the time from spawning the console to the first screen with all of the tab
//!   bar, with nothing listening and with the fleet up;
//! - the processor time of all its threads, and the bytes that it writes to the
//!   terminal, while nobody logs and nobody types: what is left is the
//!   monitor's probes, which it shows;
//! - its resident memory at the end of that.
//!
//! The daemons and whatever else the machine does share its cores, and show in
//! the figures: the quieter the machine, the more they say. `DISTLOG_BIN_DIR`
//! names the directory of a `distlogd` that is not beside the console. Linux
//! only, for it reads `/proc`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark that cannot run says so by a panic"
)]

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::num::NonZero;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const STARTS: usize = 20;
const SETTLING: Duration = Duration::from_secs(5);
const IDLE: Duration = Duration::from_secs(20);
/// How often the threads are looked at: one that ends takes with it what it has
/// used since the last look.
const LOOK: Duration = Duration::from_secs(1);
/// A first frame that takes longer will not come.
const DEADLINE: Duration = Duration::from_secs(30);
const ROWS: u16 = 24;
const COLUMNS: u16 = 80;

/// The flags of the six daemons, in the order of [`Fleet::ports`].
const NAMES: [&str; 6] = ["registry", "log", "library", "provider", "web", "monitor"];
/// The tab bar is there when both of its ends are.
const TAB_BAR: [&str; 2] = ["1 Overview", "5 Library"];

fn main() -> ExitCode {
    let distlogd = distlogd();
    if !distlogd.is_file() {
        eprintln!("{} is not there: `cargo build --release` first", distlogd.display());
        return ExitCode::FAILURE;
    }
    let mut fleet = Fleet::new();
    println!("| {:<40} | {:<42} |", "console, 80x24", "measured");
    println!("|{:-<42}|{:-<44}|", "", "");
    row("start to first frame, no daemon running", &starts(&fleet));
    fleet.start(distlogd);
    row("start to first frame, fleet running", &starts(&fleet));
    idle(&fleet);
    ExitCode::SUCCESS
}

fn row(what: &str, measured: &str) {
    println!("| {what:<40} | {measured:<42} |");
}

/// The times to the first frame, one console after the other.
fn starts(fleet: &Fleet) -> String {
    let mut times: Vec<f64> = (0..STARTS)
        .map(|_| {
            let console = Console::start(fleet);
            console.first_frame().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let (min, max) = (times.first().unwrap(), times.last().unwrap());
    format!("{:.1} ms, median of {STARTS} ({min:.1} to {max:.1})", median(&times))
}

/// Of times in order.
fn median(sorted: &[f64]) -> f64 {
    let middle: Vec<f64> =
        sorted.iter().copied().skip((sorted.len() - 1) / 2).take(2 - sorted.len() % 2).collect();
    middle.iter().sum::<f64>() / middle.len() as f64
}

/// What a console takes that nobody touches.
fn idle(fleet: &Fleet) {
    let console = Console::start(fleet);
    console.first_frame();
    std::thread::sleep(SETTLING);
    let mut threads = console.threads();
    let cpu_before: u64 = threads.values().sum();
    let bytes_before = console.written();
    let began = Instant::now();
    while let Some(left) = IDLE.checked_sub(began.elapsed()) {
        std::thread::sleep(left.min(LOOK));
        threads.extend(console.threads());
    }
    let took = began.elapsed().as_secs_f64();
    let bytes = console.written() - bytes_before;
    let cpu = Duration::from_nanos(threads.values().sum::<u64>() - cpu_before).as_secs_f64();
    let over = format!("{:.1} ms in {took:.0} s", cpu * 1e3);
    row("idle, fleet running: processor time", &format!("{:.3} % of a core ({over})", 100.0 * cpu / took));
    row("idle: written to the terminal", &format!("{bytes} bytes in {took:.0} s"));
    row("idle: resident memory", &format!("{:.1} MB", console.resident_mb()));
}

/// A console in a pseudo-terminal; dropping it ends it.
struct Console {
    // Keeps the terminal open.
    _master: Box<dyn MasterPty + Send>,
    child: Box<dyn portable_pty::Child + Send + Sync>,
    spawned: Instant,
    first_frame: Receiver<Instant>,
    written: Arc<AtomicU64>,
}

impl Console {
    fn start(fleet: &Fleet) -> Self {
        let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_distlog-tui"));
        command.args(fleet.flags());
        command.env("TERM", "xterm-256color");
        command.env_remove("NO_COLOR");
        let reader = pair.master.try_clone_reader().unwrap();
        let written = Arc::new(AtomicU64::new(0));
        let (seen, first_frame) = mpsc::channel();
        let count = Arc::clone(&written);
        std::thread::spawn(move || watch(reader, &count, |at| seen.send(at).unwrap_or(())));
        let spawned = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        Self { _master: pair.master, child, spawned, first_frame, written }
    }

    /// Waits for it; answers how long it took. It comes once.
    fn first_frame(&self) -> Duration {
        let at = self.first_frame.recv_timeout(DEADLINE).expect("the console draws its tab bar");
        at - self.spawned
    }

    /// The bytes that it has written to the terminal.
    fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// The processor time of each of its threads so far, in nanoseconds. The
    /// `schedstat` of the process itself tells of its first thread only, and
    /// `stat` counts in hundredths of a second.
    fn threads(&self) -> HashMap<String, u64> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.id())).expect("the console runs");
        tasks
            .filter_map(|task| {
                let task = task.ok()?;
                // A thread may end between the two.
                let schedstat = fs::read_to_string(task.path().join("schedstat")).ok()?;
                let on_cpu_ns = schedstat.split_whitespace().next()?.parse().ok()?;
                Some((task.file_name().into_string().ok()?, on_cpu_ns))
            })
            .collect()
    }

    /// Resident memory in megabytes.
    fn resident_mb(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib * 1024.0 / 1e6
    }

    fn id(&self) -> u32 {
        self.child.process_id().unwrap()
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads what the console writes until it ends: counts it, and says once when
/// the tab bar came. The screen is kept only until then, so that the idle
/// console is not disturbed by its terminal.
fn watch(mut reader: impl Read, written: &AtomicU64, seen: impl FnOnce(Instant)) {
    let size = |cells| NonZero::new(cells).unwrap();
    let mut waiting = Some((vt100::Parser::new(size(ROWS), size(COLUMNS), 0), seen));
    let mut chunk = [0; 8192];
    while let Ok(read @ 1..) = reader.read(&mut chunk) {
        let at = Instant::now();
        written.fetch_add(read as u64, Ordering::Relaxed);
        waiting = waiting.and_then(|(mut parser, seen)| {
            parser.process(chunk.get(..read).unwrap());
            let screen = parser.screen().contents();
            if TAB_BAR.iter().all(|text| screen.contains(text)) {
                seen(at);
                return None;
            }
            Some((parser, seen))
        });
    }
}

/// `distlogd all` on ports of its own, in a directory of its own.
struct Fleet {
    ports: [u16; 6],
    dir: TempDir,
    running: Option<Child>,
}

impl Fleet {
    /// Daemons that are not started yet: nothing listens on their ports.
    fn new() -> Self {
        // All at once, so that no two are the same.
        let free = [(); 6].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = free.each_ref().map(|listener| listener.local_addr().unwrap().port());
        Self { ports, dir: tempfile::tempdir().unwrap(), running: None }
    }

    /// Starts them, and waits until all six have said that they are started.
    fn start(&mut self, distlogd: PathBuf) {
        let mut child = Command::new(distlogd)
            .arg("all")
            .args(NAMES.iter().zip(self.ports).map(|(name, port)| format!("--{name}-port={port}")))
            .arg("--data-dir")
            .arg(self.dir.path().join("data"))
            .arg("--log-file")
            .arg(self.dir.path().join("distributed.log"))
            .current_dir(self.dir.path())
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        self.running = Some(child);
        let mut lines = lines.map_while(Result::ok);
        let started = lines.by_ref().filter(|line| line.contains(" started on :")).take(NAMES.len()).count();
        assert_eq!(started, NAMES.len(), "distlogd ended before all of its daemons were started");
        // Keep reading, so that the daemons never wait for their standard output.
        std::thread::spawn(move || lines.for_each(drop));
    }

    /// The flags by which the console finds them.
    fn flags(&self) -> impl Iterator<Item = String> {
        let known = |name: &&str| matches!(*name, "registry" | "log" | "library" | "monitor");
        NAMES
            .iter()
            .zip(self.ports)
            .filter(move |(name, _)| known(name))
            .map(|(name, port)| format!("--{name}-url=http://127.0.0.1:{port}"))
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

/// The daemons' binary, which cargo puts beside the console's.
fn distlogd() -> PathBuf {
    let console = PathBuf::from(env!("CARGO_BIN_EXE_distlog-tui"));
    match std::env::var_os("DISTLOG_BIN_DIR") {
        Some(dir) => PathBuf::from(dir).join("distlogd"),
        None => console.with_file_name("distlogd"),
    }
}
