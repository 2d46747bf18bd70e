//! Records on their way: what one request carries.

use super::input::{self, is_stdin, service_of};
use super::lines::{Line, Lines};
use super::recognise::{Entry, Recogniser};
use crate::log::limits::RECORD_MAX;
use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tokio::sync::mpsc::Sender;

/// Records of one request.
const RECORDS_MAX: u64 = 10_000;
/// Bytes of one request's body; a record that is larger goes alone.
const BYTES_MAX: usize = 4 << 20;

/// Some records of one file, in its order.
#[derive(Debug, Default)]
pub struct Parcel {
    /// Which file, counted from 0.
    pub file: usize,
    /// Where they go when they name no service.
    pub service: Option<String>,
    /// NDJSON.
    pub body: Vec<u8>,
    /// How many.
    pub records: u64,
    /// So many lines of the file end in this parcel or before.
    pub lines: u64,
    /// Lines in which bytes that are no UTF-8 became U+FFFD.
    pub changed: u64,
    /// Lines that are more than one record.
    pub split: u64,
}

/// Why a file is not read on.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be read.
    #[error("cannot read {path} after line {line}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// The last line that was read.
        line: u64,
        /// Why.
        source: io::Error,
    },
    /// Nobody wants the records any more.
    #[error("interrupted")]
    Gone,
}

/// What makes parcels of files, and where they go.
pub struct Packer {
    /// Where they go.
    pub out: Sender<Result<Parcel, ReadError>>,
    /// The service of records that name none, in place of their file's name.
    pub service: Option<String>,
    /// Bytes that were read.
    pub read: Arc<AtomicU64>,
    recogniser: Recogniser,
    parcel: Parcel,
    line: Vec<u8>,
    /// The time of the last record that tells one.
    last_ns: Option<i64>,
}

impl Packer {
    /// With nothing read.
    pub fn new(
        out: Sender<Result<Parcel, ReadError>>,
        service: Option<String>,
        read: Arc<AtomicU64>,
    ) -> Self {
        Self {
            out,
            service,
            read,
            recogniser: Recogniser::default(),
            parcel: Parcel::default(),
            line: Vec::new(),
            last_ns: None,
        }
    }

    /// Reads all the files, without the first `skip` lines of the first, and
    /// hands over parcels until there is nothing left or nobody takes them.
    pub fn run(mut self, files: &[PathBuf], mut skip: u64) {
        for (number, path) in files.iter().enumerate() {
            let packed = self.pack(number, path, std::mem::take(&mut skip)).and_then(|()| self.hand_over());
            if let Err(error) = packed {
                // What stands before the place that cannot be read is good.
                let _ = self.hand_over();
                let _ = self.out.blocking_send(Err(error));
                return;
            }
        }
    }

    fn pack(&mut self, file: usize, path: &Path, skip: u64) -> Result<(), ReadError> {
        let service = self.service.clone().or_else(|| service_of(path));
        self.parcel = Parcel { file, service, ..Parcel::default() };
        self.last_ns = None;
        let fail = |line, source| ReadError::Io { path: path.to_owned(), line, source };
        let input = input::open(path, &self.read).map_err(|e| fail(0, e))?;
        let mut lines = Lines::new(input).map_err(|e| fail(0, e))?;
        while let Some(line) = lines.next().map_err(|e| fail(self.parcel.lines, e))? {
            self.add_line(&line, self.parcel.lines < skip)?;
            self.parcel.lines += u64::from(line.ends);
            // Of a pipe the next line may be long in coming.
            if is_stdin(path) && lines.is_drained() && self.out.capacity() > 0 {
                self.hand_over()?;
            }
        }
        Ok(())
    }

    fn add_line(&mut self, line: &Line<'_>, skipped: bool) -> Result<(), ReadError> {
        let text = String::from_utf8_lossy(line.bytes);
        if text.trim_ascii().is_empty() && line.is_whole {
            return Ok(());
        }
        let mut entry = if line.is_whole {
            self.recogniser.read(&text)
        } else {
            Entry { message: Cow::Borrowed(&*text), ..Entry::default() }
        };
        // The lines of a stack trace happened when the line above them did.
        self.last_ns = entry.ts_ns.or(self.last_ns);
        if skipped {
            return Ok(());
        }
        entry.ts_ns = self.last_ns;
        self.parcel.changed += u64::from(entry.is_changed || matches!(text, Cow::Owned(_)));
        self.parcel.split += u64::from(line.ends && (entry.message.len() > RECORD_MAX || !line.is_whole));
        let message = std::mem::take(&mut entry.message);
        let mut rest: &str = &message;
        while rest.len() > RECORD_MAX {
            let (piece, after) = rest.split_at(rest.floor_char_boundary(RECORD_MAX));
            self.add(&Entry {
                ts_ns: entry.ts_ns,
                level: entry.level,
                message: piece.into(),
                ..Entry::default()
            })?;
            rest = after;
        }
        self.add(&Entry { message: rest.into(), ..entry })
    }

    fn add(&mut self, entry: &Entry<'_>) -> Result<(), ReadError> {
        self.line.clear();
        entry.write(&mut self.line);
        if self.parcel.records == RECORDS_MAX || self.parcel.body.len() + self.line.len() > BYTES_MAX {
            self.hand_over()?;
        }
        self.parcel.body.extend_from_slice(&self.line);
        self.parcel.records += 1;
        Ok(())
    }

    /// Waits until there is room for the parcel, and begins the next.
    fn hand_over(&mut self) -> Result<(), ReadError> {
        if self.parcel.records == 0 {
            return Ok(());
        }
        let Parcel { file, lines, .. } = self.parcel;
        let next = Parcel { file, lines, service: self.parcel.service.clone(), ..Parcel::default() };
        let parcel = std::mem::replace(&mut self.parcel, next);
        self.out.blocking_send(Ok(parcel)).map_err(|_| ReadError::Gone)
    }
}
