//! The terminal: taken over, and given back whatever happens.

pub(crate) mod job;
mod quiet;

use crate::action::Target;
use crate::config;
use crate::model::{Model, Seen};
use crate::view::{self, Picture};
use chrono::{DateTime, Utc};
use crossterm::Command as _;
use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{cursor, execute, style};
use quiet::Quiet;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Position, Rect};
use std::io::{self, BufWriter, Stdout, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_util::sync::CancellationToken;

/// Holds a whole frame, so that it reaches the terminal in one piece.
const FRAME_BYTES: usize = 256 * 1024;

/// Asks for presses and the wheel with their place (1000, 1006), not for every
/// move of the pointer as crossterm's own does.
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &str = "\x1b[?1006l\x1b[?1000l";

/// Whether the terminal is taken over. The panic hook and the destructor give back
/// only what is held: a job in the background must not touch the terminal.
static HELD: AtomicBool = AtomicBool::new(false);

/// What stands between the console and the terminal, as far as it matters to
/// what is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Between {
    Nothing,
    Tmux,
    Screen,
}

/// The terminal while the console has it. Dropping it gives it back.
pub(crate) struct Terminal {
    inner: ratatui::Terminal<Quiet<CrosstermBackend<BufWriter<Stdout>>>>,
    mouse: bool,
    drawn: Picture,
    panicked: CancellationToken,
}

impl Terminal {
    /// Takes the terminal over. It is asked nothing: a terminal that does not
    /// answer would hold up the first frame.
    pub(crate) fn enter() -> io::Result<Self> {
        // Else crossterm writes resets where NO_COLOR is set, which would take
        // the modifiers away too; the monochrome theme has no colour to write.
        style::force_color_output(true);
        let hook = std::panic::take_hook();
        let panicked = CancellationToken::new();
        let panics = panicked.clone();
        std::panic::set_hook(Box::new(move |info| {
            give_back();
            hook(info);
            panics.cancel();
        }));
        // From here on it is given back, even if one of the next steps fails.
        let writer = BufWriter::with_capacity(FRAME_BYTES, io::stdout());
        let backend = Quiet::new(CrosstermBackend::new(writer));
        let inner = ratatui::Terminal::new(backend)?;
        let terminal = Self { inner, mouse: false, drawn: Picture::default(), panicked };
        take()?;
        Ok(terminal)
    }

    /// Cancelled once any task or thread has panicked: the terminal is given back
    /// by then, and nothing must be drawn any more.
    pub(crate) fn panicked(&self) -> CancellationToken {
        self.panicked.clone()
    }

    /// Its columns and lines.
    pub(crate) fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.inner.size()?;
        Ok((size.width, size.height))
    }

    /// Draws a frame; only what changed is written.
    pub(crate) fn draw(&mut self, model: &Model, now: DateTime<Utc>) -> io::Result<Seen> {
        let drawn = &mut self.drawn;
        self.inner.draw(|frame| *drawn = view::draw(model, now, frame))?;
        Ok(self.drawn.seen)
    }

    /// What the last frame shows at a place.
    pub(crate) fn target(&self, column: u16, line: u16) -> Option<Target> {
        let place = Position::new(column, line);
        // What was drawn last lies over the rest.
        self.drawn.targets.iter().rev().find(|(area, _)| area.contains(place)).map(|(_, target)| *target)
    }

    /// Listens to the mouse, or leaves it to the terminal.
    pub(crate) fn listen_to_mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        write(if on { MOUSE_ON } else { MOUSE_OFF })
    }

    /// Gives a text to the terminal's clipboard (OSC 52), whether it is here or
    /// at the other end of an SSH connection.
    pub(crate) fn copy(&mut self, text: &str) -> io::Result<()> {
        let between = match (config::is_set("TMUX"), config::is_set("STY")) {
            (true, _) => Between::Tmux,
            (_, true) => Between::Screen,
            _ => Between::Nothing,
        };
        write(&copying(text, between))
    }

    /// Forgets what is on the screen, so that the next frame writes all of it.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        self.inner.backend_mut().forget();
        // ratatui's own `clear` asks the terminal where the cursor is.
        let (width, height) = self.size()?;
        self.inner.resize(Rect::new(0, 0, width, height))
    }

    /// Gives the terminal back for as long as the job is stopped.
    pub(crate) fn release(&mut self) {
        give_back();
    }

    /// Takes the terminal over again. The job must be in the foreground.
    pub(crate) fn resume(&mut self) -> io::Result<()> {
        take()?;
        if self.mouse {
            write(MOUSE_ON)?;
        }
        self.clear()
    }
}

/// What makes the terminal copy a text.
fn copying(text: &str, between: Between) -> String {
    /// screen drops a longer device control string.
    const SCREEN_BYTES_MAX: usize = 600;
    let mut plain = String::new();
    // Writing to a string does not fail.
    let _ = CopyToClipboard::to_clipboard_from(text).write_ansi(&mut plain);
    match between {
        Between::Nothing => plain,
        // tmux takes the plain one for its own buffer, and hands it on where
        // `set-clipboard` says so; the wrapped one it hands on where
        // `allow-passthrough` says so.
        Between::Tmux => format!("{plain}\x1bPtmux;{}\x1b\\", plain.replace('\x1b', "\x1b\x1b")),
        Between::Screen => {
            let body =
                plain.strip_suffix("\x1b\\").map_or_else(|| plain.clone(), |body| format!("{body}\x07"));
            let mut out = String::new();
            let mut rest = body.as_str();
            while !rest.is_empty() {
                // All of it is ASCII.
                let (part, next) = rest.split_at_checked(SCREEN_BYTES_MAX).unwrap_or((rest, ""));
                out.push_str("\x1bP");
                out.push_str(part);
                out.push_str("\x1b\\");
                rest = next;
            }
            out
        }
    }
}

fn write(sequence: &str) -> io::Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(sequence.as_bytes())?;
    stdout.flush()
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // ratatui leaves the cursor hidden if a frame hid it last.
        give_back();
    }
}

fn take() -> io::Result<()> {
    HELD.store(true, Ordering::Release);
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)
}

/// Undoes all of [`take`]; errors are of no use to anybody here.
fn give_back() {
    if !HELD.swap(false, Ordering::AcqRel) {
        return;
    }
    let mut stdout = io::stdout();
    let _ = stdout.write_all(MOUSE_OFF.as_bytes());
    let _ = execute!(stdout, DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
    let _ = stdout.flush();
    let _ = disable_raw_mode();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_copied_reaches_the_terminal_through_tmux_and_screen() {
        assert_eq!(copying("hello", Between::Nothing), "\x1b]52;c;aGVsbG8=\x1b\\");
        assert_eq!(
            copying("hello", Between::Tmux),
            "\x1b]52;c;aGVsbG8=\x1b\\\x1bPtmux;\x1b\x1b]52;c;aGVsbG8=\x1b\x1b\\\x1b\\"
        );
        assert_eq!(copying("hello", Between::Screen), "\x1bP\x1b]52;c;aGVsbG8=\x07\x1b\\");
        let long = copying(&"x".repeat(3_000), Between::Screen);
        assert!(long.split("\x1b\\").all(|part| part.len() <= 602), "{long}");
    }

    /// Takes the terminal that it runs in and panics, in the process that the
    /// last test starts.
    #[test]
    #[ignore = "panics: it is the other half of the last test"]
    fn panic_with_the_terminal_taken() {
        let _terminal = Terminal::enter().unwrap();
        panic!("this is said where it can be read");
    }

    /// As that, in a thread that nobody has to wait for.
    #[test]
    #[ignore = "panics: it is the other half of the last test"]
    fn panic_of_a_thread_with_the_terminal_taken() {
        let terminal = Terminal::enter().unwrap();
        let panicked = terminal.panicked();
        assert!(!panicked.is_cancelled());
        std::thread::spawn(|| panic!("this is said where it can be read")).join().unwrap_err();
        assert!(panicked.is_cancelled(), "whoever draws is told");
        // As if the program went on: the terminal is given back all the same.
        std::mem::forget(terminal);
    }

    #[test]
    fn a_panic_gives_the_terminal_back_and_says_why() {
        // A thread's ends the process only in that whoever draws is told.
        for (half, goes_on) in
            [("panic_with_the_terminal_taken", false), ("panic_of_a_thread_with_the_terminal_taken", true)]
        {
            assert_eq!(gives_the_terminal_back(half), goes_on, "{half}");
        }
    }

    /// Whether the test ended well for which the terminal was given back.
    fn gives_the_terminal_back(half: &str) -> bool {
        let size = portable_pty::PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = portable_pty::native_pty_system().openpty(size).unwrap();
        let settings = || format!("{:?}", pair.master.get_termios().unwrap().local_flags);
        let found = settings();
        let mut command = portable_pty::CommandBuilder::new(std::env::current_exe().unwrap());
        let half = format!("terminal::tests::{half}");
        command.args(["--ignored", "--exact", "--nocapture", "--test-threads=1", &half]);
        // A backtrace would push the message off the screen.
        command.env_remove("RUST_BACKTRACE");
        let mut reader = pair.master.try_clone_reader().unwrap();
        let mut child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut written = Vec::new();
        let mut chunk = [0; 4096];
        // A pseudo-terminal whose other end is closed answers with an error.
        while let Ok(read @ 1..) = io::Read::read(&mut reader, &mut chunk) {
            written.extend(&chunk[..read]);
        }
        let ended = child.wait().unwrap();
        let cells = |n| std::num::NonZero::new(n).unwrap();
        let mut parser = vt100::Parser::new(cells(24), cells(80), 0);
        parser.process(&written);
        let screen = parser.screen();
        assert!(written.windows(8).any(|bytes| bytes == b"\x1b[?1049h"), "it was taken");
        assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
        assert!(screen.contents().contains("this is said where it can be read"), "{}", screen.contents());
        assert_eq!(settings(), found);
        ended.success()
    }
}
