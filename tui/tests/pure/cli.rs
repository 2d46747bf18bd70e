//! The command line, as it explains itself.

use clap::{CommandFactory, Parser};
use distlog_tui::cli::Cli;

#[test]
fn the_help() {
    insta::assert_snapshot!("help_of_the_command", Cli::command().term_width(80).render_help());
}

#[test]
fn the_help_of_what_prints_the_log() {
    for name in ["tail", "search"] {
        let mut command = Cli::command().term_width(80);
        command.build();
        let help = command.find_subcommand_mut(name).unwrap().render_help();
        insta::assert_snapshot!(format!("help_of_{name}"), help);
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    for arguments in [
        &["--once", "--local"][..],
        &["--format", "json"],
        &["--once", "--format", "xml"],
        &["--registry-url", "localhost:3000"],
        &["search", "x", "--limit", "0"],
        &["search", "x", "--color", "sometimes"],
        &["tail", "x", "--until", "1h"],
        &["--theme", "pink"],
        &["completions", "tcsh"],
        &["--unknown"],
    ] {
        let arguments = std::iter::once(&"distlog-tui").chain(arguments);
        assert!(Cli::try_parse_from(arguments.clone()).is_err(), "{:?}", arguments.collect::<Vec<_>>());
    }
}
