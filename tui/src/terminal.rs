//! The terminal: taken over, and given back whatever happens.

use crate::model::Model;
use crate::view;
use chrono::{DateTime, Utc};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{cursor, execute, style};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use std::io::{self, BufWriter, Stdout, Write as _};
use std::process::{Command, Stdio};

/// Holds a whole frame, so that it reaches the terminal in one piece.
const FRAME_BYTES: usize = 256 * 1024;

/// The terminal while the console has it. Dropping it gives it back.
pub(crate) struct Terminal {
    inner: ratatui::Terminal<CrosstermBackend<BufWriter<Stdout>>>,
}

impl Terminal {
    /// Takes the terminal over. It is asked nothing: a terminal that does not
    /// answer would hold up the first frame.
    pub(crate) fn enter() -> io::Result<Self> {
        // Else crossterm writes resets where NO_COLOR is set, which would take
        // the modifiers away too; the monochrome theme has no colour to write.
        style::force_color_output(true);
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            give_back();
            hook(info);
        }));
        // From here on it is given back, even if one of the next steps fails.
        let backend = CrosstermBackend::new(BufWriter::with_capacity(FRAME_BYTES, io::stdout()));
        let terminal = Self { inner: ratatui::Terminal::new(backend)? };
        take()?;
        Ok(terminal)
    }

    /// Its columns and lines.
    pub(crate) fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.inner.size()?;
        Ok((size.width, size.height))
    }

    /// Draws a frame; only what changed is written.
    pub(crate) fn draw(&mut self, model: &Model, now: DateTime<Utc>) -> io::Result<()> {
        self.inner.draw(|frame| view::render(model, now, frame))?;
        Ok(())
    }

    /// Forgets what is on the screen, so that the next frame writes all of it.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        // ratatui's own `clear` asks the terminal where the cursor is.
        let (width, height) = self.size()?;
        self.inner.resize(Rect::new(0, 0, width, height))
    }

    /// Gives the terminal back and stops like any job of the shell; returns
    /// when the shell continues it.
    pub(crate) fn suspend(&mut self) -> io::Result<()> {
        give_back();
        signal("TSTP", std::process::id());
        take()?;
        self.clear()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // ratatui leaves the cursor hidden if a frame hid it last.
        give_back();
    }
}

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)
}

/// Undoes all of [`take`]; errors are of no use to anybody here.
fn give_back() {
    let mut stdout = io::stdout();
    let _ = execute!(stdout, DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
    let _ = stdout.flush();
    let _ = disable_raw_mode();
}

/// Sends a signal to a process, and returns when it was sent.
///
/// The shell does it: the call itself is unsafe in Rust, and a crate for it
/// would be one more to trust.
pub(crate) fn signal(name: &str, process: u32) {
    let _ = Command::new("/bin/sh")
        .args(["-c", &format!("kill -{name} {process}")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}
