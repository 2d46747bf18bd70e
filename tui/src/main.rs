//! The console of distlog; everything is in the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    distlog_tui::main()
}
