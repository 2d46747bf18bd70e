//! `distlogd`: the six daemons of distlog in one binary.

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    match distlogd::cli::main() {
        Ok(status) => status,
        Err(error) => {
            // Nobody may be there to read it.
            let _ = writeln!(std::io::stderr(), "distlogd: {error}");
            ExitCode::FAILURE
        }
    }
}
