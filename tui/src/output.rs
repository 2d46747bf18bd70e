//! What is printed at once, for people and pipes.

use crate::config;
use std::io::{self, IsTerminal as _, Write as _};

/// What may stand among what is printed beside words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Looks {
    pub(crate) glyphs: bool,
    pub(crate) colours: bool,
}

impl Looks {
    /// On a terminal, glyphs; colours too, unless NO_COLOR is set or it has none.
    pub(crate) fn found() -> Self {
        let is_terminal = io::stdout().is_terminal();
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { glyphs: is_terminal, colours: is_terminal && !config::is_set("NO_COLOR") && !is_dumb }
    }
}

/// Prints to standard output. A reader that has had enough, as `head` has, is no
/// error.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn print(text: impl AsRef<[u8]>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_ref()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Says something on standard error; nobody need be there any more to read it.
pub(crate) fn say(text: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "distlog-tui: {text}");
}
