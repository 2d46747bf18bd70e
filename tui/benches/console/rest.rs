//! The console started, and then left alone.

use crate::fleet::Fleet;
use crate::flood::keys;
use crate::measure::{Numbers, heading, row};
use crate::screen::Screen;
use crate::short::or_short;
use std::thread::sleep;
use std::time::Duration;

const SIZE: (u16, u16) = (80, 24);
fn settling() -> Duration {
    or_short(Duration::from_secs(5), Duration::from_millis(200))
}

fn idle_time() -> Duration {
    or_short(Duration::from_secs(20), Duration::from_secs(1))
}

/// The tab bar is there when both of its ends are.
const TAB_BAR: [&str; 2] = ["1 Overview", "5 Library"];

/// From exec to the first screen with all of the tab bar.
pub(crate) fn starts(fleet: &Fleet, with: &str) {
    let times = (0..or_short(20, 2)).map(|_| Screen::start(fleet.console(), SIZE).shows(&TAB_BAR));
    row(&format!("first frame, {with}"), "30 ms", &Numbers::ms(times).told("ms"));
}

/// What a console takes that nobody touches, on the tab that shows what the
/// monitor probes, and on one where nothing moves.
pub(crate) fn idle(fleet: &Fleet) {
    heading("idle, 80x24, the six daemons registered");
    for (key, seen, what) in [("1", "Latest errors", "overview"), ("5", "Books", "library")] {
        let mut screen = Screen::start(fleet.console(), SIZE);
        screen.shows(&["● registry", "● monitor", "● log", "● library"]);
        screen.press(key, seen);
        sleep(settling());
        let (before, _) = screen.written();
        let cpu = screen.process().cpu_percent(idle_time());
        let bytes = screen.written().0 - before;
        row(&format!("{what}: processor time"), "0.2 % of a core", &format!("{cpu:.3} % of a core"));
        let aim = if key == "1" { "what changes" } else { "0 bytes" };
        let told = format!("{bytes} bytes in {} s", idle_time().as_secs());
        row(&format!("{what}: written to the terminal"), aim, &told);
        row(&format!("{what}: resident"), "", &screen.process().resident());
    }
}

/// How soon a key is obeyed where nothing else happens.
pub(crate) fn quiet(fleet: &Fleet) {
    let mut screen = Screen::start(fleet.console(), SIZE);
    screen.shows(&["● registry", "● monitor", "● log", "● library"]);
    let times = keys(&mut screen, "2", "TTL", "1", "Latest errors");
    row("key to paint", "16 ms", &times.told("ms"));
}

/// A big fleet, which is down: what it costs to be told of it again and again.
pub(crate) fn big(fleet: &Fleet) {
    const INSTANCES: usize = 10;
    heading("500 services of 10 instances, 200x50");
    let services = or_short(500, 50);
    fleet.register(services, INSTANCES);
    let mut screen = Screen::start(fleet.console(), (200, 50));
    screen.shows(&["● registry", "● monitor", "● log", "● library"]);
    screen.press("2", "Services: 5");
    sleep(settling());
    let cpu = screen.process().cpu_percent(idle_time());
    row("services: processor time", "", &format!("{cpu:.2} % of a core"));
    let times = keys(&mut screen, "1", "Latest errors", "2", "TTL");
    row("key to paint", "16 ms", &times.told("ms"));
    row("resident", "", &screen.process().resident());
}
