//! `distlogd log import`: files in, one parcel after the other, each under a key
//! of its own, so that one whose answer was lost is stored once.

use super::input::is_stdin;
use super::notes::Notes;
use super::parcel::{Packer, Parcel, ReadError};
use super::progress::{Progress, note};
use super::service::{CallError, Service};
use super::{count, say};
use crate::log::read::{DateOrder, Options, Zone};
use crate::log::time;
use crate::runtime::systemd::stop_signal;
use crate::settings::Settings;
use bytes::Bytes;
use reqwest::Method;
use shared::span::{Span, age};
use shared::wire::log::{Appended, Level};
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
    /// The zone of times that name none: UTC, an offset such as +02:00, an abbreviation, or
    /// local (this machine's, or that of the variable TZ) [default: UTC]
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    zone: Option<Zone>,
    /// The order of dates in numbers that can be read in several ways [default: as most programs
    /// write them]
    #[arg(long, value_name = "ORDER")]
    date_order: Option<DateOrder>,
    /// The year of dates without one [default: the last one that is not after the file's]
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i64).range(1678..=2261))]
    year: Option<i64>,
    /// Go on with records that are older than the log keeps them
    #[arg(long)]
    expired: bool,
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
    /// Records that the log deletes soon.
    expired: u64,
    notes: Notes,
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
    Expired(u64),
}

/// The status of an import that stored everything, but not as it should be.
const DOUBTFUL: u8 = 3;

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
        self.note(&come);
        match ended {
            Ok(()) => {
                let (records, files) =
                    (count(come.records, "record"), count(self.files.len() as u64, "file"));
                say(&format!("{records} from {files} in {}", took(began.elapsed())));
                let is_doubtful = come.notes.has_unread() || come.expired > 0;
                Ok(if is_doubtful { ExitCode::from(DOUBTFUL) } else { ExitCode::SUCCESS })
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
        let options = Options {
            zone: self.zone,
            date_order: self.date_order,
            year: self.year,
            reference_ns: time::now_ns(),
        };
        let packer = Packer::new(out, self.service.clone(), read, options);
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
            let body = service.call(request).await.map_err(Cause::Call)?;
            let answer: Appended =
                serde_json::from_slice(&body).map_err(|e| Cause::Call(service.unexpected(&e)))?;
            come.add(&parcel, &answer);
            if come.expired > 0 && !self.expired {
                return Err(Cause::Expired(come.expired));
            }
            progress.draw(come.records);
        }
        Ok(())
    }

    /// Says what is not stored as it was.
    fn note(&self, come: &Come) {
        let name =
            |file: usize| self.files.get(file).map(|path| path.display().to_string()).unwrap_or_default();
        come.notes.sentences(name).for_each(|sentence| note(&sentence));
        if come.expired > 0 && self.expired {
            let records = count(come.expired, "record");
            note(&format!("{records} older than the log keeps them: they are deleted soon (log.keep_age)"));
        }
    }

    fn how_far(&self, cause: &Cause, come: &Come) -> String {
        let Come { records, file, lines, .. } = come;
        let left = self.files.get(*file..).unwrap_or_default();
        let name = |path: &PathBuf| path.display().to_string();
        let first = left.first().map(name).unwrap_or_default();
        let stored = count(*records, "record");
        let flag = if matches!(cause, Cause::Expired(_)) { "--expired " } else { "" };
        let doubt = match cause {
            Cause::Call(error) if error.in_doubt() => {
                "; the records after them may be stored too, for an answer was lost"
            }
            _ => "",
        };
        let left = left.iter().map(name).collect::<Vec<_>>().join(" ");
        format!(
            "{cause}\n{stored} stored, up to line {lines} of {first}{doubt}\ngo on with: {flag}--skip {lines} {left}"
        )
    }
}

impl Come {
    fn add(&mut self, parcel: &Parcel, answer: &Appended) {
        self.records += parcel.records;
        self.expired += answer.expires;
        self.notes.extend(&parcel.notes);
        (self.file, self.lines) = (parcel.file, parcel.lines);
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => error.fmt(f),
            Self::Call(error) => error.fmt(f),
            Self::Interrupted => f.write_str("interrupted"),
            Self::Expired(records) => {
                let records = count(*records, "record");
                write!(f, "{records} older than the log keeps them: they are deleted soon (log.keep_age)")
            }
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
