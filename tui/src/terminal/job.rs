//! The console as a job of its shell.

use rustix::process::{Signal, getpgrp, kill_current_process_group};
use rustix::termios::tcgetpgrp;
use std::io;

/// Whether the process may set up the terminal: a job in the background that tries
/// is stopped by the kernel (SIGTTOU), also when it is about to end.
///
/// Without job control it may.
pub(crate) fn is_foreground() -> bool {
    tcgetpgrp(io::stdin()).map_or(true, |group| group == getpgrp())
}

/// Stops the process group, as the terminal's own Ctrl-Z does: what the console
/// was started from stops with it, and the shell has its prompt back. Returns
/// when it is continued; at once where nobody could continue it.
///
/// SIGTSTP itself is listened to and so stops nothing any more; SIGTTIN does the
/// same by default. SIGSTOP would stop what nobody can continue too.
pub(crate) fn stop() -> io::Result<()> {
    Ok(kill_current_process_group(Signal::TTIN)?)
}
