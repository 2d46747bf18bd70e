//! `distlogd log import`: files in, one parcel after the other, each under a key
//! of its own, so that one whose answer was lost is stored once.

use super::input::is_stdin;
use super::parcel::{Packer, Parcel, ReadError};
use super::progress::{Progress, note};
use super::service::{CallError, Service};
use super::{count, say};
use crate::runtime::systemd::stop_signal;
use crate::settings::Settings;
use bytes::Bytes;
use reqwest::Method;
use shared::span::{Span, age};
use shared::wire::log::Level;
use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::channel;
use tokio_util::sync::CancellationToken;

/// What to import.
#[derive(Debug, clap::Args)]
pub struct Import {
    /// Files, also packed with gzip or zstd; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The service of records that name none [default: the file's name without its endings]
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// The level of records that tell none [default: info]
    #[arg(long, value_name = "LEVEL")]
    level: Option<Level>,
    /// Lines of the first file to leave out: those that are stored already
    #[arg(long, value_name = "LINES", default_value_t = 0, hide_default_value = true)]
    skip: u64,
    /// How long to go on trying when the log service takes nothing
    #[arg(long, value_name = "SPAN", default_value = "5m")]
    patience: Span,
}

/// How far an import came.
#[derive(Debug, Default)]
struct Come {
    records: u64,
    changed: u64,
    split: u64,
    /// The file that was stored last, counted from 0.
    file: usize,
    /// Its lines that are stored.
    lines: u64,
}

/// Why an import ended before its files did.
#[derive(Debug)]
enum Cause {
    Read(ReadError),
    Call(CallError),
    Interrupted,
}

impl Import {
    /// Imports.
    ///
    /// # Errors
    /// With how far it came, and how to go on from there.
    pub async fn run(self, settings: &Settings) -> Result<ExitCode, Box<dyn Error>> {
        let total = total(&self.files)?;
        let stop = CancellationToken::new();
        let (signal, stopping) = (stop_signal()?, stop.clone());
        tokio::spawn(async move {
            signal.await;
            stopping.cancel();
        });
        let service = Service::new(settings, self.patience, stop.clone())?;
        let began = Instant::now();
        let mut come = Come { lines: self.skip, ..Come::default() };
        let ended = self.store(&service, &stop, total, &mut come).await;
        come.note();
        match ended {
            Ok(()) => {
                let (records, files) =
                    (count(come.records, "record"), count(self.files.len() as u64, "file"));
                say(&format!("{records} from {files} in {}", took(began.elapsed())));
                Ok(ExitCode::SUCCESS)
            }
            Err(cause) => Err(self.how_far(&cause, &come).into()),
        }
    }

    /// Reads on a thread of its own and stores here, so that the next parcel is
    /// made while the log writes the last.
    async fn store(
        &self,
        service: &Service,
        stop: &CancellationToken,
        total: Option<u64>,
        come: &mut Come,
    ) -> Result<(), Cause> {
        let (out, mut parcels) = channel(1);
        let read = Arc::new(AtomicU64::new(0));
        let mut progress = Progress::new(Arc::clone(&read), total);
        let packer = Packer::new(out, self.service.clone(), read);
        let (files, skip) = (self.files.clone(), self.skip);
        // Nobody waits for this thread at the end: it may be reading a terminal.
        std::thread::spawn(move || packer.run(&files, skip));
        let run = fastrand::u64(..);
        for number in 0_u64.. {
            let Some(next) = stop.run_until_cancelled(parcels.recv()).await else {
                return Err(Cause::Interrupted);
            };
            let Some(parcel) = next else { break };
            let mut parcel = parcel.map_err(Cause::Read)?;
            let body = Bytes::from(std::mem::take(&mut parcel.body));
            let request = service
                .request(Method::POST)
                .query(&[("service", parcel.service.as_deref()), ("level", self.level.map(Level::as_str))])
                .header("content-type", "application/x-ndjson")
                .header("idempotency-key", format!("import-{run:016x}-{number}"))
                .body(body);
            service.call(request).await.map_err(Cause::Call)?;
            come.add(&parcel);
            progress.draw(come.records);
        }
        Ok(())
    }

    fn how_far(&self, cause: &Cause, come: &Come) -> String {
        let Come { records, file, lines, .. } = come;
        let left = self.files.get(*file..).unwrap_or_default();
        let name = |path: &PathBuf| path.display().to_string();
        let first = left.first().map(name).unwrap_or_default();
        let stored = count(*records, "record");
        let doubt = match cause {
            Cause::Call(error) if error.in_doubt() => {
                "; the records after them may be stored too, for an answer was lost"
            }
            _ => "",
        };
        let left = left.iter().map(name).collect::<Vec<_>>().join(" ");
        format!(
            "{cause}\n{stored} stored, up to line {lines} of {first}{doubt}\ngo on with: --skip {lines} {left}"
        )
    }
}

impl Come {
    fn add(&mut self, parcel: &Parcel) {
        self.records += parcel.records;
        self.changed += parcel.changed;
        self.split += parcel.split;
        (self.file, self.lines) = (parcel.file, parcel.lines);
    }

    /// Says what is not stored as it was.
    fn note(&self) {
        if self.changed > 0 {
            let lines = count(self.changed, "line");
            note(&format!("{lines} with bytes that are no UTF-8: each of those is stored as U+FFFD"));
        }
        if self.split > 0 {
            note(&format!("{} longer than 1 MiB: stored as several records", count(self.split, "line")));
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => error.fmt(f),
            Self::Call(error) => error.fmt(f),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

/// The size of all files; none when one is no plain file. That each is there is
/// found out before anything is stored.
fn total(files: &[PathBuf]) -> Result<Option<u64>, String> {
    let size = |path: &Path| {
        let metadata = std::fs::metadata(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        if metadata.is_dir() {
            return Err(format!("cannot read {}: it is a directory", path.display()));
        }
        Ok(metadata.is_file().then_some(metadata.len()))
    };
    let sizes = files.iter().map(|path| if is_stdin(path) { Ok(None) } else { size(path) });
    sizes.sum::<Result<Option<u64>, String>>()
}

fn took(time: Duration) -> String {
    if time.as_secs() < 60 { format!("{:.1}s", time.as_secs_f64()) } else { age(time) }
}
