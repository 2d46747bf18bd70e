//! A log into which lines come in at a steady rate, and how far behind a screen
//! is that follows it.

use crate::fleet::Fleet;
use crate::lines::Lines;
use crate::measure::{Numbers, heading, list, row};
use crate::screen::Screen;
use crate::short::or_short;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

/// Lines a second, and in how many pieces they are appended.
pub(crate) const LINES_PER_SECOND: usize = 50_000;
const BATCHES_PER_SECOND: u32 = 50;
/// For how long nothing is measured, while what is held fills up.
pub(crate) fn settling() -> Duration {
    or_short(Duration::from_secs(3), Duration::from_secs(1))
}

/// For how long it is measured.
pub(crate) fn during() -> Duration {
    or_short(Duration::from_secs(10), Duration::from_secs(1))
}

/// The size at which a flood is shown.
pub(crate) const SIZE: (u16, u16) = (200, 50);

/// Lines that another thread appends at a steady rate until it is told to stop.
pub(crate) struct Flood {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<(u64, Instant)>>,
}

impl Flood {
    /// `append` makes a batch out of the lines and appends it.
    pub(crate) fn start(mut append: impl FnMut(&mut Lines, usize) + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let batch = LINES_PER_SECOND / BATCHES_PER_SECOND as usize;
        let thread = spawn(move || {
            let (mut lines, mut sent) = (Lines::new(), Vec::new());
            let mut due = Instant::now();
            while !stopped.load(Ordering::Relaxed) {
                let at = Instant::now();
                append(&mut lines, batch);
                sent.push((lines.next() - 1, at));
                due += Duration::from_secs(1) / BATCHES_PER_SECOND;
                sleep(due.saturating_duration_since(Instant::now()));
            }
            sent
        });
        Self { stop, thread }
    }

    /// Stops it; answers the last line of each batch, and when it was begun to
    /// be appended.
    pub(crate) fn stop(self) -> Vec<(u64, Instant)> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the flood did not panic")
    }
}

/// How long after a batch was begun to be appended the screen showed its last
/// line or a later one. What was never shown has no place here.
pub(crate) fn lag(sent: &[(u64, Instant)], shown: &[(u64, Instant)]) -> Numbers {
    let mut shown = shown.iter().peekable();
    let first = shown.peek().map_or(u64::MAX, |(number, _)| *number);
    let batches = sent.iter().filter(|(last, _)| *last >= first);
    Numbers::ms(batches.map_while(|(last, at)| {
        while shown.next_if(|(number, _)| number < last).is_some() {}
        Some(shown.peek()?.1.saturating_duration_since(*at))
    }))
}

/// So many lines a second on average.
pub(crate) fn rate(sent: &[(u64, Instant)]) -> f64 {
    let (Some((_, first)), Some((last, at))) = (sent.first(), sent.last()) else { return 0.0 };
    *last as f64 / at.duration_since(*first).as_secs_f64()
}

/// The log tab at 200x50 while 50,000 lines a second arrive: cost, lag, frames,
/// and how soon a key is obeyed; then with a filter and a search.
pub(crate) fn measure(fleet: &Fleet) {
    heading("log tab, 200x50, 50,000 lines a second");
    let mut screen = Screen::start(fleet.console(), SIZE);
    screen.shows(&["1 Overview", "● log"]);
    screen.press("3", "▶ following");
    let mut log = fleet.log();
    let flood = Flood::start(move |lines, count| {
        let mut body = String::new();
        (0..count).for_each(|_| lines.json(&mut body));
        log.post(&body);
    });
    sleep(settling());
    screen.take_newest();
    let (_, frames) = screen.written();
    let began = Instant::now();
    let cpu = screen.process().cpu_percent(during());
    let frames = (screen.written().1 - frames) as f64 / began.elapsed().as_secs_f64();
    let shown = screen.take_newest();
    let keys = keys(&mut screen, "1", "Latest errors", "3", "▶ following");
    screen.press("F-zookeeper\r", "· -zookeeper");
    screen.press("/terminating\r", "/terminating");
    screen.press("G", "▶ following");
    sleep(settling());
    let filtered = screen.process().cpu_percent(during());
    let sent = flood.stop();
    row("lines appended", "50,000 a second", &format!("{:.0} a second", rate(&sent)));
    row("processor time", "10 % of a core", &format!("{cpu:.2} % of a core"));
    row("append to screen", "100 ms", &lag(&sent, &shown).told("ms"));
    row("frames", "60 a second", &format!("{frames:.1} a second"));
    row("key to paint", "16 ms", &keys.told("ms"));
    row("processor time, with a filter and a search", "", &format!("{filtered:.2} % of a core"));
    row("resident, 50,000 lines held", "15 MB", &screen.process().resident());
    let (daemons, most) = fleet.process().resident_mb();
    row("the daemons meanwhile", "", &list(&[("resident", daemons), ("at most", most)], "MB"));
}

/// How soon keys are obeyed that go to and fro, at times that fall anywhere
/// between two frames.
pub(crate) fn keys(screen: &mut Screen, there: &str, seen: &str, back: &str, seen_back: &str) -> Numbers {
    let mut times = Vec::new();
    for at in 0_u32..or_short(100, 4) {
        sleep(Duration::from_millis(u64::from(40 + at * 7 % 31)));
        let (key, text) = if at % 2 == 0 { (there, seen) } else { (back, seen_back) };
        times.push(screen.press(key, text));
    }
    Numbers::ms(times)
}

/// What is hard to hold: for each of these the memory after some time of it.
pub(crate) fn hard(fleet: &Fleet) {
    heading("log tab, 200x50, what is hard to hold");
    let long = format!("{{\"service\":\"Long\",\"message\":\"{}\"}}\n", "long line ".repeat(10_000));
    let mut nth = 0_u64;
    let services = move |lines: &mut Lines, count: usize| {
        let mut body = String::new();
        for _ in 0..count {
            nth += 1;
            let (_, _, message) = lines.line();
            let message = message.replace('"', "\\\"");
            let _ = writeln!(body, r#"{{"service":"Service-{}","message":"{message}"}}"#, nth % 10_000);
        }
        body
    };
    let mut screen = Screen::start(fleet.console(), SIZE);
    screen.shows(&["1 Overview", "● log"]);
    screen.press("3", "▶ following");
    let mut posted = fleet.log();
    let flood = Flood::start(move |_, _| posted.post(&long.repeat(4)));
    let cpu = screen.process().cpu_percent(during());
    flood.stop();
    row("200 lines of 100 kB a second: processor time", "", &format!("{cpu:.2} % of a core"));
    row("  resident", "", &screen.process().resident());
    let (mut posted, mut services) = (fleet.log(), services);
    let flood = Flood::start(move |lines, count| posted.post(&services(lines, count)));
    let cpu = screen.process().cpu_percent(during());
    flood.stop();
    row("10,000 services, 50,000 a second", "", &format!("{cpu:.2} % of a core"));
    row("  resident", "", &screen.process().resident());
}
