//! The console in a pseudo-terminal: keys go in, a screen comes out.

use crate::daemons::{Fleet, console};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// A wait that takes longer has failed.
const DEADLINE: Duration = Duration::from_secs(30);

/// What the terminal shows, and whether the console is still there.
struct Shown {
    parser: vt100::Parser,
    /// Everything that was written.
    bytes: Vec<u8>,
    ended: bool,
}

/// A console that a test types into and looks at.
pub(crate) struct Console {
    master: Box<dyn MasterPty + Send>,
    /// How the terminal was set up before.
    found: String,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    shown: Arc<(Mutex<Shown>, Condvar)>,
}

impl Console {
    /// Starts the console where it finds a fleet.
    pub(crate) fn start(fleet: &Fleet, flags: &[&str]) -> Self {
        Self::start_in(fleet, flags, &[])
    }

    /// As [`Self::start`], in an environment.
    pub(crate) fn start_in(fleet: &Fleet, flags: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = CommandBuilder::new(console());
        command.args(fleet.flags());
        command.args(flags);
        Self::run(fleet, command, environment)
    }

    /// As [`Self::start`], where nothing can be written to standard error.
    pub(crate) fn start_unheard(fleet: &Fleet, flags: &[&str]) -> Self {
        let mut command = CommandBuilder::new("/bin/sh");
        command.args(["-c", r#"exec "$0" "$@" 2>/dev/full"#]);
        command.arg(console());
        command.args(fleet.flags());
        command.args(flags);
        Self::run(fleet, command, &[])
    }

    /// Starts a shell that waits for commands.
    pub(crate) fn shell(fleet: &Fleet) -> Self {
        let mut command = CommandBuilder::new("/bin/sh");
        command.arg("-i");
        Self::run(fleet, command, &[("PS1", "prompt> "), ("ENV", "")])
    }

    fn run(fleet: &Fleet, mut command: CommandBuilder, environment: &[(&str, &str)]) -> Self {
        let size = |cells| NonZero::new(cells).unwrap();
        let pty = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(pty).unwrap();
        command.cwd(fleet.dir());
        command.env("TERM", "xterm-256color");
        command.env("XDG_STATE_HOME", fleet.dir());
        for name in ["NO_COLOR", "TMUX", "STY"] {
            command.env_remove(name);
        }
        for (name, value) in fleet.other_ports() {
            command.env(name, value);
        }
        for (name, value) in environment {
            command.env(name, value);
        }
        let found = settings(pair.master.as_ref());
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let shown =
            Shown { parser: vt100::Parser::new(size(24), size(80), 0), bytes: Vec::new(), ended: false };
        let shown = Arc::new((Mutex::new(shown), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let told = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut chunk = [0; 8192];
            loop {
                let read = reader.read(&mut chunk).unwrap_or(0);
                let mut shown = told.0.lock().unwrap();
                shown.parser.process(&chunk[..read]);
                shown.bytes.extend(&chunk[..read]);
                shown.ended = read == 0;
                told.1.notify_all();
                if read == 0 {
                    return;
                }
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { master: pair.master, found, keys, child, shown }
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Presses keys again and again until the screen holds a text.
    pub(crate) fn insist(&mut self, keys: &str, text: &str) {
        let give_up = Instant::now() + DEADLINE;
        loop {
            self.press(keys);
            let shown = self.shown.0.lock().unwrap();
            let seen = |shown: &Shown| shown.parser.screen().contents().contains(text);
            let patience = Duration::from_millis(500);
            let (shown, _) = self.shown.1.wait_timeout_while(shown, patience, |shown| !seen(shown)).unwrap();
            if seen(&shown) {
                return;
            }
            assert!(Instant::now() < give_up, "no {text:?}:\n{}", shown.parser.screen().contents());
        }
    }

    /// Waits until the screen holds all of these texts; answers the screen.
    pub(crate) fn sees(&self, texts: &[&str]) -> String {
        self.until(&format!("to see {texts:?}"), |screen| texts.iter().all(|text| screen.contains(text)))
    }

    /// Waits until the screen does not hold a text any more.
    pub(crate) fn sees_no(&self, text: &str) -> String {
        self.until(&format!("to see no {text:?}"), |screen| !screen.contains(text))
    }

    /// Waits until the screen is as it shall be.
    pub(crate) fn until(&self, wanted: &str, is_so: impl Fn(&str) -> bool) -> String {
        let give_up = Instant::now() + DEADLINE;
        let mut shown = self.shown.0.lock().unwrap();
        loop {
            let screen = shown.parser.screen().contents();
            if is_so(&screen) {
                return screen;
            }
            let left = give_up.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !shown.ended, "waited in vain {wanted}:\n{screen}");
            shown = self.shown.1.wait_timeout(shown, left).unwrap().0;
        }
    }

    /// Waits until these bytes were written.
    pub(crate) fn writes(&self, wanted: &[u8]) {
        let give_up = Instant::now() + DEADLINE;
        let mut shown = self.shown.0.lock().unwrap();
        while !shown.bytes.windows(wanted.len()).any(|bytes| bytes == wanted) {
            let left = give_up.saturating_duration_since(Instant::now());
            let wanted = wanted.escape_ascii();
            assert!(
                !left.is_zero() && !shown.ended,
                "it did not write {wanted}:\n{}",
                shown.bytes.escape_ascii()
            );
            shown = self.shown.1.wait_timeout(shown, left).unwrap().0;
        }
    }

    /// Waits until a line shows a text in reverse, as what is selected.
    pub(crate) fn selects(&self, lines: std::ops::Range<u16>, text: &str) {
        let give_up = Instant::now() + DEADLINE;
        let mut shown = self.shown.0.lock().unwrap();
        while !lines.clone().any(|line| reversed(shown.parser.screen(), line).contains(text)) {
            let left = give_up.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{text:?} is not selected:\n{}", shown.parser.screen().contents());
            shown = self.shown.1.wait_timeout(shown, left).unwrap().0;
        }
    }

    /// Whether any cell has a colour.
    pub(crate) fn is_coloured(&self) -> bool {
        let shown = self.shown.0.lock().unwrap();
        let screen = shown.parser.screen();
        let coloured = |cell: &vt100::Cell| {
            cell.fgcolor() != vt100::Color::Default || cell.bgcolor() != vt100::Color::Default
        };
        (0..24).any(|y| (0..80).any(|x| screen.cell(y, x).is_some_and(coloured)))
    }

    /// Gives the terminal another size, and sees what comes of it.
    pub(crate) fn resize(&self, columns: u16, lines: u16) {
        let size = |cells| NonZero::new(cells).unwrap();
        self.shown.0.lock().unwrap().parser.screen_mut().set_size(size(lines), size(columns));
        self.master.resize(PtySize { rows: lines, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// Asserts that the terminal is as it was found.
    pub(crate) fn is_as_found(&self) {
        let shown = self.shown.0.lock().unwrap();
        let screen = shown.parser.screen();
        assert!(!screen.alternate_screen(), "the alternate screen was left");
        assert!(!screen.hide_cursor(), "the cursor is shown");
        assert!(!screen.bracketed_paste(), "bracketed paste is off");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "the mouse is free");
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// The process that the terminal is with.
    pub(crate) fn foreground(&self) -> u32 {
        self.master.process_group_leader().unwrap().try_into().unwrap()
    }

    /// Waits until the console has left; answers its exit status. The terminal
    /// must be as it was.
    pub(crate) fn left(mut self) -> u32 {
        let give_up = Instant::now() + DEADLINE;
        let mut shown = self.shown.0.lock().unwrap();
        while !shown.ended {
            let left = give_up.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it did not leave:\n{}", shown.parser.screen().contents());
            shown = self.shown.1.wait_timeout(shown, left).unwrap().0;
        }
        drop(shown);
        self.is_as_found();
        assert_eq!(settings(self.master.as_ref()), self.found, "the terminal is set up as before");
        self.child.wait().unwrap().exit_code()
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        // One that has left already cannot be killed.
        let _ = self.child.kill();
    }
}

/// How a terminal is set up: raw or cooked, with or without echo.
fn settings(terminal: &(dyn MasterPty + Send)) -> String {
    let termios = terminal.get_termios().unwrap();
    format!("{:?} {:?} {:?}", termios.input_flags, termios.output_flags, termios.local_flags)
}

/// The text of a line that is shown in reverse.
fn reversed(screen: &vt100::Screen, line: u16) -> String {
    let cells = (0..80).filter_map(|x| screen.cell(line, x));
    cells.filter(|cell| cell.inverse()).map(|cell| cell.contents().to_owned()).collect()
}
