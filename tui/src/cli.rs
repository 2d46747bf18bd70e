//! The command line: flag over environment over file over default.

pub use crate::endpoint::{Endpoint, EndpointError, Endpoints};

use crate::endpoint::Given;
use crate::stream::{SearchArgs, TailArgs};
use crate::theme::ThemeName;
use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::path::PathBuf;

/// The operator console of distlog.
#[derive(Debug, Parser)]
#[command(
    name = "distlog-tui",
    version,
    about = "Watch and operate a fleet of distlog daemons from the terminal",
    after_help = "Exit status: 0 when all went well, 1 when it could not run or reach anything. With --once: 0 when \
                  every service is healthy or purposely out of use (maintenance, draining), 2 when one is \
                  unhealthy or unknown, or a daemon that would know does not answer. tail and search end as grep \
                  does: 0 when a record was found, 1 when none was, 2 on an error.\n\
                  NO_COLOR in the environment turns colours off."
)]
pub struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) endpoints: Given,
    /// The configuration file; else ./distlog.toml, else /etc/distlog/distlog.toml
    #[arg(long, env = "DISTLOG_CONFIG", value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// What it looks like
    #[arg(long, value_name = "THEME")]
    pub(crate) theme: Option<ThemeName>,
    /// Listen to the mouse: the wheel scrolls, a click selects
    #[arg(long)]
    pub(crate) mouse: bool,
    /// Start `distlogd all` when no registry answers, and stop it on exit
    #[arg(long)]
    pub(crate) local: bool,
    /// Print one snapshot of the fleet and exit
    #[arg(long, conflicts_with = "local")]
    pub(crate) once: bool,
    /// How to print the snapshot
    #[arg(long, value_name = "FORMAT", requires = "once", default_value = "text")]
    pub(crate) format: Format,
}

/// What it does beside being a console.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print records as they are stored, for ever
    Tail(TailArgs),
    /// Print the records that are stored, oldest first
    Search(SearchArgs),
    /// List every command with its name for [keys] and its keys
    Keys,
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the man page
    Man,
}

/// How `--once` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned, for people
    Text,
    /// One document, for programs
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_url_is_an_error_that_names_its_flag() {
        let error = Cli::try_parse_from(["distlog-tui", "--log-url", "localhost"]).unwrap_err().to_string();
        assert!(error.contains("--log-url") && error.contains("http://host:port"), "{error}");
    }

    #[test]
    fn where_the_daemons_are_may_be_said_before_and_after_a_subcommand() {
        for arguments in [
            ["distlog-tui", "--log-url", "http://a:1", "search", "x"],
            ["distlog-tui", "search", "--log-url", "http://a:1", "x"],
            ["distlog-tui", "search", "x", "--log-url", "http://a:1"],
        ] {
            let given = Cli::try_parse_from(arguments).unwrap().endpoints;
            assert_eq!(given.over(Endpoints::default()).log.as_str(), "http://a:1");
        }
    }
}
