//! What operators use beside it, where it is installed: bottom (`btm`), btop,
//! and lnav, which follows a file into which the same lines come as fast.
//!
//! The terminal here answers no question: bottom asks one before its first frame
//! and waits two seconds for the answer. Where it is answered, it is as quick as
//! the others.

use crate::flood::{Flood, SIZE, during, lag, rate, settling};
use crate::measure::{Numbers, heading, row};
use crate::screen::Screen;
use crate::short::or_short;
use chrono::{SecondsFormat, Utc};
use portable_pty::CommandBuilder;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

pub(crate) fn measure() {
    heading("others");
    monitor("btm", &[], &["CPU", "Memory"]);
    monitor("btop", &["--utf-force"], &["cpu", "mem"]);
    lnav();
}

fn starts() -> usize {
    or_short(5, 1)
}

/// A program that shows how the machine is.
fn monitor(name: &str, flags: &[&str], first: &[&str]) {
    let Some(program) = installed(name) else { return };
    let start = || {
        let mut command = CommandBuilder::new(&program);
        command.args(flags);
        Screen::start(command, (80, 24))
    };
    let times = (0..starts()).map(|_| start().shows(first));
    row(&format!("{name}: first frame"), "", &Numbers::ms(times).told("ms"));
    let screen = start();
    screen.shows(first);
    idle(name, &screen);
}

fn idle(name: &str, screen: &Screen) {
    let idle = or_short(Duration::from_secs(20), Duration::from_secs(1));
    sleep(settling());
    let (before, _) = screen.written();
    let cpu = screen.process().cpu_percent(idle);
    let bytes = screen.written().0 - before;
    row(&format!("{name}: idle, processor time"), "", &format!("{cpu:.3} % of a core"));
    row(&format!("{name}: idle, written"), "", &format!("{bytes} bytes in {} s", idle.as_secs()));
    row(&format!("{name}: resident"), "", &screen.process().resident());
}

/// lnav on a file of 50,000 lines, at first as it is, then as it grows.
fn lnav() {
    let Some(program) = installed("lnav") else { return };
    let dir = tempfile::tempdir().expect("there is room for temporary files");
    let path = dir.path().join("some.log");
    let mut file = File::create(&path).expect("a file is created");
    let mut append = move |lines: &mut crate::lines::Lines, count: usize| {
        let ts = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
        let mut text = String::new();
        (0..count).for_each(|_| lines.text(&ts, &mut text));
        file.write_all(text.as_bytes()).expect("the file grows");
    };
    let start = |path: &Path| {
        let mut command = CommandBuilder::new(&program);
        command.arg(path);
        command.env("HOME", dir.path());
        Screen::start(command, SIZE)
    };
    append(&mut crate::lines::Lines::new(), 50_000);
    let times = (0..starts()).map(|_| start(&path).shows(&["#000049999"]));
    row("lnav: first frame of 50,000 lines", "", &Numbers::ms(times).told("ms"));
    let screen = start(&path);
    screen.shows(&["#000049999"]);
    idle("lnav", &screen);
    drop(screen);
    File::create(&path).expect("the file is emptied");
    let flood = Flood::start(append);
    sleep(Duration::from_millis(100));
    let screen = start(&path);
    sleep(settling());
    screen.take_newest();
    let cpu = screen.process().cpu_percent(during());
    let shown = screen.take_newest();
    let sent = flood.stop();
    row("lnav: lines appended to its file", "50,000 a second", &format!("{:.0} a second", rate(&sent)));
    row("lnav: processor time", "", &format!("{cpu:.2} % of a core"));
    row("lnav: append to screen", "", &lag(&sent, &shown).told("ms"));
    row("lnav: resident", "", &screen.process().resident());
}

/// Where a program is; says so where it is not.
fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join(name)).find(|program| program.is_file());
    if found.is_none() {
        row(name, "", "not installed");
    }
    found
}
