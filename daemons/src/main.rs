//! `distlogd`: the six daemons of distlog in one binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    match distlogd::cli::main() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("distlogd: {error}");
            ExitCode::FAILURE
        }
    }
}
