//! What is seen of a tool that works: nothing, unless standard error is a
//! terminal.

use std::io::{IsTerminal, Write, stderr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Between two drawings.
const PAUSE: Duration = Duration::from_millis(100);
/// Columns of the bar.
const WIDTH: usize = 30;
/// Back to the first column, and all that stands on the line away.
const CLEAR: &str = "\r\x1b[K";

/// Says something beside the bar.
pub fn note(text: &str) {
    let text = shared::sanitize::sanitize(text);
    let clear = if stderr().is_terminal() { CLEAR } else { "" };
    // Nobody may be there to read it.
    let _ = writeln!(stderr(), "{clear}distlogd: {text}");
}

/// A bar that tells how much of the files was read.
pub struct Progress {
    read: Arc<AtomicU64>,
    /// Their size; none where that is not known before their end.
    total: Option<u64>,
    began: Instant,
    drawn: Option<Instant>,
    on: bool,
}

impl Progress {
    /// Nothing drawn yet.
    pub fn new(read: Arc<AtomicU64>, total: Option<u64>) -> Self {
        Self { read, total, began: Instant::now(), drawn: None, on: stderr().is_terminal() }
    }

    /// Draws, unless that was just done.
    pub fn draw(&mut self, records: u64) {
        if !self.on || self.drawn.is_some_and(|at| at.elapsed() < PAUSE) {
            return;
        }
        self.drawn = Some(Instant::now());
        let bar = bar(self.read.load(Ordering::Relaxed), self.total);
        let rate = records as f64 / self.began.elapsed().as_secs_f64().max(0.001);
        let _ = write!(stderr(), "{CLEAR}{bar}  {rate:.0} records/s");
    }
}

/// Leaves a clean line, however the work ended.
impl Drop for Progress {
    fn drop(&mut self) {
        if self.drawn.is_some() {
            let _ = write!(stderr(), "{CLEAR}");
        }
    }
}

/// A bar for work on all cores.
pub struct Meter {
    read: Arc<AtomicU64>,
    records: AtomicU64,
    progress: Mutex<Progress>,
}

impl Meter {
    /// Nothing drawn yet.
    pub fn new(total: u64) -> Self {
        let read = Arc::new(AtomicU64::new(0));
        let progress = Mutex::new(Progress::new(Arc::clone(&read), Some(total)));
        Self { read, records: AtomicU64::new(0), progress }
    }

    /// So many more bytes and records are done.
    pub fn add(&self, bytes: u64, records: u64) {
        self.read.fetch_add(bytes, Ordering::Relaxed);
        let records = self.records.fetch_add(records, Ordering::Relaxed) + records;
        // Another one is drawing if it is locked.
        if let Ok(mut progress) = self.progress.try_lock() {
            progress.draw(records);
        }
    }
}

fn bar(read: u64, total: Option<u64>) -> String {
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    match total {
        None => format!("{:.1} MiB", mib(read)),
        Some(total) => {
            let share = read as f64 / total.max(1) as f64;
            let full = "#".repeat(((share * WIDTH as f64) as usize).min(WIDTH));
            format!("[{full:WIDTH$}] {:3.0}%  {:.1} of {:.1} MiB", share * 100.0, mib(read), mib(total))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_the_work_is_done() {
        assert_eq!(bar(3 << 20, None), "3.0 MiB");
        let half = bar(1 << 20, Some(2 << 20));
        assert_eq!(half, format!("[{:30}]  50%  1.0 of 2.0 MiB", "#".repeat(15)));
        assert!(bar(0, Some(0)).contains("  0%"));
    }
}
