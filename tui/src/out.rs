//! What is said outside the full screen.

use std::fmt::Display;
use std::io::{self, Write as _};

/// Writes to standard output. A reader that has gone is no error: what it wanted
/// it has.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn print(text: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Says on standard error what went wrong. Where nobody can be told, as after
/// the terminal was closed, nobody is.
pub(crate) fn complain(what: &impl Display) {
    let _ = writeln!(io::stderr(), "distlog-tui: {what}");
}
