//! The command line of `distlogd`.

use crate::log::tool::Tool;
use crate::runtime::Ended;
use crate::runtime::fatal::EXIT_STATUS;
use crate::settings::{Given, Settings};
use crate::{monitor, runtime, services};
use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use shared::credentials::without_password;
use shared::daemon::Daemon;
use shared::span::Span;
use std::error::Error;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The daemons of distlog: registry, log, library, provider, web and monitor.
///
/// Without a command all six run in one process, each on its own port. Every
/// setting can be given as a flag, as an environment variable, or in the file
/// distlog.toml; a flag wins over the environment, the environment over the file.
#[derive(Debug, Parser)]
#[command(name = "distlogd", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// The configuration file [default: ./distlog.toml, then /etc/distlog/distlog.toml]
    #[arg(long, env = "DISTLOG_CONFIG", value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(flatten)]
    given: Given,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// All six daemons in one process
    All,
    /// Who runs where: registrations, leases, watches (port 3000)
    Registry,
    /// The durable central log (port 4000), and tools for it
    Log {
        #[command(subcommand)]
        tool: Option<Tool>,
    },
    /// Books to borrow: the sample business service (port 5000)
    Library,
    /// Discovery, and notices to those who depend on a changed service (port 5001)
    Provider,
    /// One HTML page (port 5002)
    Web,
    /// Health probes, their history, incidents (port 5003)
    Monitor,
    /// Read the configuration and say what it would do
    CheckConfig {
        /// Say what its rules would have paged over the monitor's last so long, such as 7d
        #[arg(long, value_name = "TIME")]
        replay: Option<Span>,
    },
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the man page
    Man,
}

impl Command {
    /// What to start; nothing for a command that does its work and ends.
    fn daemons(&self) -> &'static [Daemon] {
        match self {
            Self::All => &Daemon::ALL,
            Self::Registry => &[Daemon::Registry],
            Self::Log { tool: None } => &[Daemon::Log],
            Self::Library => &[Daemon::Library],
            Self::Provider => &[Daemon::Provider],
            Self::Web => &[Daemon::Web],
            Self::Monitor => &[Daemon::Monitor],
            Self::Log { .. } | Self::CheckConfig { .. } | Self::Completions { .. } | Self::Man => &[],
        }
    }
}

/// Does what the command line says.
///
/// # Errors
/// With one message that names the port, path or key, and what to do.
pub fn main() -> Result<ExitCode, Box<dyn Error>> {
    let cli = Cli::parse();
    let mut text = Vec::new();
    match cli.command.unwrap_or(Command::All) {
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "distlogd", &mut text);
            say(&text)?;
        }
        Command::Man => {
            clap_mangen::Man::new(Cli::command()).render(&mut text)?;
            say(&text)?;
        }
        Command::CheckConfig { replay } => {
            let settings = Settings::load(cli.given, cli.config.as_deref())?;
            // One that has a URL may be on another machine, whose ports are its own.
            let here = Daemon::ALL.into_iter().filter(|daemon| settings.url(*daemon).is_none());
            check(&settings, &here.collect::<Vec<_>>())?;
            monitor::check(&settings)?;
            let text = match replay {
                None => explain(&settings),
                Some(span) => monitor::replay(&settings, span)?,
            };
            say(text.as_bytes())?;
        }
        Command::Log { tool: Some(tool) } => {
            return tool.run(&Settings::load(cli.given, cli.config.as_deref())?);
        }
        daemons => {
            let settings = Settings::load(cli.given, cli.config.as_deref())?;
            check(&settings, daemons.daemons())?;
            diagnose();
            settings.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            let ended = runtime.block_on(runtime::run(daemons.daemons(), settings, services::start));
            // What still runs was told to stop and had its time.
            runtime.shutdown_background();
            if let Ended::Failed(reason) = ended? {
                // Nobody may be there to read it.
                let _ = writeln!(std::io::stderr(), "distlogd: {reason}");
                return Ok(ExitCode::from(EXIT_STATUS));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Checks what the configuration alone decides; `check-config` and the start of
/// these daemons refuse the same with the same words.
fn check(settings: &Settings, daemons: &[Daemon]) -> Result<(), Box<dyn Error>> {
    settings.check_ports(daemons)?;
    runtime::check(settings)?;
    if daemons.contains(&Daemon::Monitor) {
        monitor::check(settings)?;
    }
    Ok(())
}

/// Writes to standard output; that nobody reads on is no failure.
fn say(text: &[u8]) -> Result<(), Box<dyn Error>> {
    match std::io::stdout().write_all(text) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// What the settings would do, and where each came from.
fn explain(settings: &Settings) -> String {
    let file = settings.file.as_ref().map_or("none".to_owned(), |path| path.display().to_string());
    let width = settings.rows.iter().map(|row| row.key.len()).max().unwrap_or(0);
    let mut text = format!("The configuration holds. File: {file}\n\n");
    for row in &settings.rows {
        let value = if row.key.ends_with("url") { without_password(&row.value) } else { (&row.value).into() };
        text.push_str(&format!("{:width$} = {value:<24} # {}\n", row.key, row.origin));
    }
    for probe in &settings.probes {
        text.push_str(&format!("{:width$} = {probe}\n", format!("probe {}", probe.name)));
    }
    for channel in &settings.channels {
        text.push_str(&format!("{:width$} = {channel}\n", format!("channel {}", channel.name)));
    }
    for warning in settings.warnings() {
        text.push_str(&format!("warning: {warning}\n"));
    }
    text
}

/// Diagnostics go to the journal under systemd, else to standard error.
/// `RUST_LOG` says how much.
fn diagnose() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter);
    // systemd sets JOURNAL_STREAM where standard error goes to the journal.
    if std::env::var_os("JOURNAL_STREAM").is_some()
        && let Ok(journal) = tracing_journald::layer()
    {
        return registry.with(journal).init();
    }
    let terminal = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    registry.with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(terminal)).init();
}
