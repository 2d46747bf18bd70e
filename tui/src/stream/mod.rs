//! `tail` and `search`: the log as a plain stream, for pipes.
//!
//! They end as grep does: 0 when a record was printed, 1 when none was, 2 on an
//! error. A reader that has gone is no error: what it wanted it has.

mod print;
mod search;
mod tail;

use crate::cli::Endpoints;
use crate::output::Looks;
use crate::{output, text};
use clap::{Args, ValueEnum};
use print::Printer;
use shared::client::{ClientError, LogClient, LogQuery, http};
use shared::wire::log::Level;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// Nothing was found.
const NONE_FOUND: u8 = 1;
/// It went wrong.
pub(crate) const FAILED: u8 = 2;

/// Which records, and how they are printed: what both commands take.
#[derive(Debug, Clone, Args)]
pub(crate) struct StreamArgs {
    /// What to look for: error OR level:>=warn, 'user:ann* -noise'; after -- it may begin with -
    #[arg(value_name = "QUERY")]
    query: Vec<String>,
    /// Only this service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Only this level or graver: trace, debug, info, warn, error, fatal
    #[arg(long, value_name = "LEVEL")]
    level: Option<Level>,
    /// Not before this time: RFC 3339, or a span ago such as 15m, 2h, 7d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// How to print a record
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: StreamFormat,
    /// When to colour the text
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: Color,
}

/// What `tail` takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct TailArgs {
    #[command(flatten)]
    stream: StreamArgs,
    /// End after so many records
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

/// What `search` takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct SearchArgs {
    #[command(flatten)]
    stream: StreamArgs,
    /// Before this time: RFC 3339, or a span ago
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only the newest N (at most 100000)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: Option<u32>,
}

/// How a record is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StreamFormat {
    /// A line a record, as in the log file
    Text,
    /// A JSON object a line
    Ndjson,
    /// One JSON array
    Json,
}

/// When text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    fn is_on(self) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => Looks::found().colours,
        }
    }
}

/// Why a stream ended early.
#[derive(Debug, thiserror::Error)]
enum StreamError {
    /// Whoever reads has gone, or cannot be written to.
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
    /// The log refused, or cannot be reached.
    #[error("{0}")]
    Log(#[from] ClientError),
    /// The log could not look at everything.
    #[error("the log could not look at everything; what is printed is true, but not all")]
    Partial,
}

impl StreamArgs {
    fn query(&self) -> LogQuery {
        LogQuery {
            q: self.query.join(" "),
            service: self.service.clone(),
            level: self.level,
            since: self.since.clone(),
            ..LogQuery::default()
        }
    }

    fn printer(&self) -> Printer<io::StdoutLock<'static>> {
        Printer::new(io::stdout().lock(), self.format, self.color.is_on())
    }
}

/// Prints records as they are stored, over restarts of the log.
pub(crate) async fn tail(endpoints: &Endpoints, args: &TailArgs) -> io::Result<ExitCode> {
    let client = client(endpoints)?;
    let mut printer = args.stream.printer();
    let ended = tail::run(&client, &args.stream.query(), args.limit, &mut printer).await;
    Ok(end(printer, ended, &args.stream.query().q))
}

/// Prints the records that are stored.
pub(crate) async fn search(endpoints: &Endpoints, args: &SearchArgs) -> io::Result<ExitCode> {
    let client = client(endpoints)?;
    let mut printer = args.stream.printer();
    let query = LogQuery { until: args.until.clone(), ..args.stream.query() };
    let ended = search::run(&client, &query, args.limit, &mut printer).await;
    Ok(end(printer, ended, &query.q))
}

fn client(endpoints: &Endpoints) -> io::Result<LogClient> {
    let client = http::build(|builder| builder).map_err(io::Error::other)?;
    Ok(LogClient::new(endpoints.log.as_str(), client))
}

/// Says what went wrong, and answers the exit status.
fn end(
    mut printer: Printer<io::StdoutLock<'static>>,
    ended: Result<(), StreamError>,
    query: &str,
) -> ExitCode {
    let ended = ended.and_then(|()| Ok(printer.finish()?));
    match ended {
        Ok(()) if printer.printed() == 0 => ExitCode::from(NONE_FOUND),
        Ok(()) => ExitCode::SUCCESS,
        Err(StreamError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            // What was found is true nonetheless.
            let _ = printer.finish();
            output::say(text::clean(&error.to_string()));
            if let StreamError::Log(ClientError::Refused(problem)) = &error
                && let Some(position) = problem.position
            {
                let before: String = query.chars().take(position).collect();
                let at = text::width(&text::clean(&before));
                let _ = writeln!(io::stderr(), "  {}\n  {:at$}^", text::clean(query), "");
            }
            ExitCode::from(FAILED)
        }
    }
}
