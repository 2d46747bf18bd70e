//! The console as its user meets it: how soon it is there, what it costs to
//! leave it open, and how it bears a flood.
//!
//! ```sh
//! cargo build --release                           # distlogd, which it needs
//! cargo bench -p distlog-tui --bench console      # some five minutes
//! cargo bench -p distlog-tui --bench console -- flood frames   # only these
//! cargo bench -p distlog-tui --bench console -- --short   # one small round of everything
//! ```
//!
//! The real console runs in a pseudo-terminal that a terminal emulator reads,
//! and the real `distlogd all` runs beside it with its default settings, on
//! ports and in a directory of its own.
//!
//! | part | what is measured |
//! |---|---|
//! | `start` | from spawning the console to the screen that has all of the tab bar, with nothing listening and with the fleet up |
//! | `idle` | processor time of all its threads, bytes written to the terminal and resident memory, while nobody logs and nobody types; from a key to the screen that it leads to |
//! | `flood` | 50,000 lines a second are appended over HTTP in 50 batches a second: processor time of the console, the time from the beginning of an append until the screen shows its last line or a later one, frames as told by the pauses between them, from a key to its screen, memory with 50,000 lines held |
//! | `hard` | memory under lines of 100 kB, and under 10,000 services |
//! | `big` | the same console beside 5,000 registered instances |
//! | `frames` | the view alone on a full model, by screen: see [`frames`] |
//! | `others` | `btm`, `btop` and `lnav`, those that are installed, in the same way |
//!
//! Times are milliseconds, memory is megabytes of 10^6 bytes, processor time is
//! a share of one core; p50 and p99 are the numbers that half, and 99 of 100, of
//! what was measured do not exceed. What is logged is described in [`lines`].
//!
//! Daemons, generator and emulator share the cores with the console, and show
//! in its times: the quieter the machine, the more the figures say.
//! `DISTLOG_BIN_DIR` names the directory of a `distlogd` that is not beside the
//! console. Linux only, for it reads `/proc`.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run says so by a panic")]

mod fleet;
mod flood;
mod frames;
mod lines;
mod measure;
mod others;
mod rest;
mod screen;
#[path = "../../../daemons/benches/common/short.rs"]
mod short;

use fleet::Fleet;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let distlogd = distlogd();
    if !distlogd.is_file() {
        eprintln!("{} is not there: `cargo build --release` first", distlogd.display());
        return ExitCode::FAILURE;
    }
    // Cargo adds flags of its own.
    let named: Vec<String> = std::env::args().skip(1).filter(|name| !name.starts_with('-')).collect();
    let wanted = |part: &str| named.is_empty() || named.iter().any(|name| name == part);
    let started = || {
        let mut fleet = Fleet::new();
        fleet.start(distlogd.clone());
        fleet
    };
    if wanted("start") {
        measure::heading("start, 80x24");
        rest::starts(&Fleet::new(), "no daemon running");
        rest::starts(&started(), "fleet running");
    }
    if wanted("idle") {
        let fleet = started();
        rest::idle(&fleet);
        rest::quiet(&fleet);
    }
    if wanted("flood") {
        flood::measure(&started());
    }
    if wanted("hard") {
        flood::hard(&started());
    }
    if wanted("big") {
        rest::big(&started());
    }
    if wanted("frames") {
        frames::measure();
    }
    if wanted("others") {
        others::measure();
    }
    ExitCode::SUCCESS
}

/// The daemons' binary, which cargo puts beside the console's.
fn distlogd() -> PathBuf {
    let console = PathBuf::from(env!("CARGO_BIN_EXE_distlog-tui"));
    match std::env::var_os("DISTLOG_BIN_DIR") {
        Some(dir) => PathBuf::from(dir).join("distlogd"),
        None => console.with_file_name("distlogd"),
    }
}
