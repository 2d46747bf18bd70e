//! The command line, as it explains itself.

use clap::{CommandFactory, Parser};
use distlog_tui::cli::Cli;

#[test]
fn the_help() {
    insta::assert_snapshot!("help_of_the_command", Cli::command().term_width(80).render_help());
}

#[test]
fn what_does_not_go_together_is_refused() {
    for arguments in [
        &["--once", "--local"][..],
        &["--format", "json"],
        &["--once", "--format", "xml"],
        &["--registry-url", "localhost:3000"],
        &["completions", "tcsh"],
        &["--unknown"],
    ] {
        let arguments = std::iter::once(&"distlog-tui").chain(arguments);
        assert!(Cli::try_parse_from(arguments.clone()).is_err(), "{:?}", arguments.collect::<Vec<_>>());
    }
}
