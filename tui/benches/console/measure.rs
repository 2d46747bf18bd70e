//! What the kernel tells of a process, and numbers in order.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often the threads are looked at: one that ends takes with it what it has
/// used since the last look.
const LOOK: Duration = Duration::from_secs(1);

/// Times or other numbers, of which the middle and the worst are told.
pub(crate) struct Numbers(Vec<f64>);

impl Numbers {
    pub(crate) fn new(mut numbers: Vec<f64>) -> Self {
        numbers.sort_by(f64::total_cmp);
        Self(numbers)
    }

    /// In milliseconds.
    pub(crate) fn ms(times: impl IntoIterator<Item = Duration>) -> Self {
        Self::new(times.into_iter().map(|time| time.as_secs_f64() * 1e3).collect())
    }

    /// The number that so many hundredths are not above; NaN where there is none.
    pub(crate) fn percentile(&self, hundredths: usize) -> f64 {
        let at = (self.0.len() * hundredths).div_ceil(100).saturating_sub(1);
        self.0.get(at).copied().unwrap_or(f64::NAN)
    }

    /// `p50 1.2, p99 3.4, max 5.6 ms of 100`.
    pub(crate) fn told(&self, unit: &str) -> String {
        let (p50, p99, max) = (self.percentile(50), self.percentile(99), self.percentile(100));
        format!("p50 {p50:.2}, p99 {p99:.2}, max {max:.2} {unit} of {}", self.0.len())
    }
}

/// A process that runs.
#[derive(Clone, Copy)]
pub(crate) struct Process(pub(crate) u32);

impl Process {
    /// The processor time of each of its threads so far, in nanoseconds. The
    /// `schedstat` of the process itself tells of its first thread only, and
    /// `stat` counts in hundredths of a second.
    fn threads(self) -> HashMap<String, u64> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.0)).expect("the process runs");
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

    /// The share of one core that it takes while so much time passes, in
    /// hundredths.
    pub(crate) fn cpu_percent(self, of: Duration) -> f64 {
        let began = Instant::now();
        let mut threads = self.threads();
        let before: u64 = threads.values().sum();
        while let Some(left) = of.checked_sub(began.elapsed()) {
            sleep(left.min(LOOK));
            threads.extend(self.threads());
        }
        let used = Duration::from_nanos(threads.values().sum::<u64>() - before);
        100.0 * used.as_secs_f64() / began.elapsed().as_secs_f64()
    }

    /// Resident memory in megabytes (10^6 bytes): now, and at its highest.
    pub(crate) fn resident_mb(self) -> (f64, f64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).expect("the process runs");
        let of = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name));
            let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
            kib.expect("the kernel tells of memory") * 1024.0 / 1e6
        };
        (of("VmRSS:"), of("VmHWM:"))
    }

    /// As text.
    pub(crate) fn resident(self) -> String {
        let (now, most) = self.resident_mb();
        format!("{now:.1} MB, at most {most:.1}")
    }
}

/// One line of the table, told as soon as it is known.
pub(crate) fn row(what: &str, aim: &str, measured: &str) {
    println!("| {what:<44} | {aim:<22} | {measured:<48} |");
}

/// What stands above the table.
pub(crate) fn heading(of: &str) {
    println!();
    row(of, "aim", "measured");
    println!("|{:-<46}|{:-<24}|{:-<50}|", "", "", "");
}

/// Numbers with their unit, one after the other.
pub(crate) fn list(numbers: &[(&str, f64)], unit: &str) -> String {
    let mut said = String::new();
    for (name, number) in numbers {
        // Writing to a string does not fail.
        let _ = write!(said, "{}{name} {number:.1} {unit}", if said.is_empty() { "" } else { ", " });
    }
    said
}
