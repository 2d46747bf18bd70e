//! The command line: flag over environment over default.

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use shared::daemon::Daemon;
use std::fmt;
use std::str::FromStr;

/// The operator console of distlog.
#[derive(Debug, Parser)]
#[command(
    name = "distlog-tui",
    version,
    about = "Watch and operate a fleet of distlog daemons from the terminal",
    after_help = "Exit status: 0 when all went well (with --once: every service is healthy), \
                  1 when it could not run or reach anything, 2 when --once found a service that is not healthy.\n\
                  NO_COLOR in the environment turns colours off.",
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) endpoints: Endpoints,
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

/// Where the daemons are.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Endpoints {
    /// Where the registry is
    #[arg(long = "registry-url", env = "DISTLOG_REGISTRY_URL", value_name = "URL", default_value_t = Endpoint::of(Daemon::Registry))]
    pub registry: Endpoint,
    /// Where the log service is
    #[arg(long = "log-url", env = "DISTLOG_LOG_URL", value_name = "URL", default_value_t = Endpoint::of(Daemon::Log))]
    pub log: Endpoint,
    /// Where the library is
    #[arg(long = "library-url", env = "DISTLOG_LIBRARY_URL", value_name = "URL", default_value_t = Endpoint::of(Daemon::Library))]
    pub library: Endpoint,
    /// Where the monitor is
    #[arg(long = "monitor-url", env = "DISTLOG_MONITOR_URL", value_name = "URL", default_value_t = Endpoint::of(Daemon::Monitor))]
    pub monitor: Endpoint,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            registry: Endpoint::of(Daemon::Registry),
            log: Endpoint::of(Daemon::Log),
            library: Endpoint::of(Daemon::Library),
            monitor: Endpoint::of(Daemon::Monitor),
        }
    }
}

/// The URL of a daemon: scheme, host and perhaps a port, without a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: String,
    port: Option<u16>,
}

/// A text that is no [`Endpoint`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write it as http://host:port")]
pub struct EndpointError;

impl Endpoint {
    /// Where a daemon is when nothing is configured.
    pub fn of(daemon: Daemon) -> Self {
        Self { url: daemon.default_url(), port: Some(daemon.default_port()) }
    }

    /// The URL, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// The port, where the URL names one.
    pub const fn port(&self) -> Option<u16> {
        self.port
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let url = text.trim_end_matches('/');
        let rest =
            url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).ok_or(EndpointError)?;
        // The colons of an IPv6 address stand inside brackets.
        let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, Some(port.strip_prefix(':').ok_or(EndpointError)?)),
            None => rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map(str::parse::<u16>).transpose().map_err(|_| EndpointError)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':');
        if host.is_empty() || !host.chars().all(plain) {
            return Err(EndpointError);
        }
        Ok(Self { url: url.to_owned(), port })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_scheme_a_host_and_perhaps_a_port() {
        for (text, url, port) in [
            ("http://localhost:3000", "http://localhost:3000", Some(3000)),
            ("http://localhost:3000/", "http://localhost:3000", Some(3000)),
            ("https://log.example.org", "https://log.example.org", None),
            ("http://[::1]:4000", "http://[::1]:4000", Some(4000)),
        ] {
            assert_eq!(text.parse(), Ok(Endpoint { url: url.to_owned(), port }), "{text}");
        }
        for text in ["", "localhost:3000", "ftp://x", "http://", "http://a b", "http://x:port", "http://x/y"]
        {
            assert_eq!(text.parse::<Endpoint>(), Err(EndpointError), "{text}");
        }
    }

    #[test]
    fn a_bad_url_is_an_error_that_names_its_flag() {
        let error = Cli::try_parse_from(["distlog-tui", "--log-url", "localhost"]).unwrap_err().to_string();
        assert!(error.contains("--log-url") && error.contains("http://host:port"), "{error}");
    }
}
