//! A program in a pseudo-terminal: keys go in, a screen comes out.

use crate::measure::Process;
use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// What does not come in this time will not come.
const DEADLINE: Duration = Duration::from_secs(60);
/// Bytes that come after such a pause belong to the next frame.
const PAUSE: Duration = Duration::from_millis(2);

/// What the terminal has received so far.
struct Shown {
    parser: vt100::Parser,
    bytes: u64,
    frames: u64,
    /// When the last of it came.
    at: Instant,
    /// The newest numbered line on the screen, whenever a newer one came.
    newest: Vec<(u64, Instant)>,
    ended: bool,
}

/// A program with a terminal of its own; dropping it ends it.
pub(crate) struct Screen {
    // Keeps the terminal open.
    _master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn portable_pty::Child + Send + Sync>,
    spawned: Instant,
    shown: Arc<(Mutex<Shown>, Condvar)>,
}

impl Screen {
    /// Starts a program in a terminal of so many columns and lines.
    pub(crate) fn start(mut command: CommandBuilder, (cols, rows): (u16, u16)) -> Self {
        let pair = native_pty_system().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 });
        let pair = pair.expect("there is a pseudo-terminal");
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env_remove("NO_COLOR");
        let size = |cells| NonZero::new(cells).expect("a terminal has cells");
        let spawned = Instant::now();
        let shown = Shown {
            parser: vt100::Parser::new(size(rows), size(cols), 0),
            bytes: 0,
            frames: 0,
            at: spawned,
            newest: Vec::new(),
            ended: false,
        };
        let shown = Arc::new((Mutex::new(shown), Condvar::new()));
        let reader = pair.master.try_clone_reader().expect("the terminal can be read");
        let told = Arc::clone(&shown);
        std::thread::spawn(move || watch(reader, &told));
        let keys = pair.master.take_writer().expect("the terminal can be typed into");
        let spawned = Instant::now();
        let child = pair.slave.spawn_command(command).expect("the program starts");
        Self { _master: pair.master, keys, child, spawned, shown }
    }

    /// Waits until the screen shows all of these texts; answers how long that
    /// took from the start.
    pub(crate) fn shows(&self, texts: &[&str]) -> Duration {
        let since = self.spawned;
        self.until(texts).duration_since(since)
    }

    /// Presses keys; answers how long it took until the screen showed a text
    /// that it did not show before.
    pub(crate) fn press(&mut self, keys: &str, text: &str) -> Duration {
        let pressed = Instant::now();
        self.keys.write_all(keys.as_bytes()).expect("the program reads keys");
        self.until(&[text]).duration_since(pressed)
    }

    fn until(&self, texts: &[&str]) -> Instant {
        let give_up = Instant::now() + DEADLINE;
        let mut shown = self.lock();
        loop {
            let screen = shown.parser.screen().contents();
            if texts.iter().all(|text| screen.contains(text)) {
                return shown.at;
            }
            let left = give_up.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !shown.ended, "the screen never showed {texts:?}:\n{screen}");
            shown = self.shown.1.wait_timeout(shown, left).expect("the watcher did not panic").0;
        }
    }

    /// How many bytes, and how many frames as told by the pauses between them,
    /// came so far.
    pub(crate) fn written(&self) -> (u64, u64) {
        let shown = self.lock();
        (shown.bytes, shown.frames)
    }

    /// From now on notes when which numbered line was shown; answers what was
    /// noted so far.
    pub(crate) fn take_newest(&self) -> Vec<(u64, Instant)> {
        std::mem::take(&mut self.lock().newest)
    }

    pub(crate) fn process(&self) -> Process {
        Process(self.child.process_id().expect("the program runs"))
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.0.lock().expect("the watcher did not panic")
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads what the program writes until it ends.
fn watch(mut reader: impl Read, told: &(Mutex<Shown>, Condvar)) {
    let mut chunk = [0; 65_536];
    loop {
        let read = reader.read(&mut chunk).unwrap_or(0);
        let at = Instant::now();
        let mut shown = told.0.lock().expect("nobody panicked");
        shown.parser.process(chunk.get(..read).unwrap_or_default());
        shown.bytes += read as u64;
        shown.frames += u64::from(at.duration_since(shown.at) > PAUSE);
        shown.at = at;
        shown.ended = read == 0;
        let newest = newest(shown.parser.screen());
        if newest > shown.newest.last().map(|(number, _)| *number) {
            shown.newest.extend(newest.map(|number| (number, at)));
        }
        told.1.notify_all();
        if read == 0 {
            return;
        }
    }
}

/// The highest number that a line shows as `#000000042`: see [`crate::lines`].
fn newest(screen: &vt100::Screen) -> Option<u64> {
    let text = screen.contents();
    let numbers = text.split('#').skip(1);
    numbers.filter_map(|after| after.get(..crate::lines::DIGITS)?.parse().ok()).max()
}
