//! What is printed at once, for people and pipes.

use std::io::{self, Write as _};

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
