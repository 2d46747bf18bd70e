//! Records on their way: what one request carries.

use super::input::{self, is_stdin, service_of};
use super::lines::{Line, Lines};
use super::notes::{Note, Notes};
use crate::log::limits::{FIELDS_MAX, RECORD_MAX};
use crate::log::read::{Entry, LineReader, Options, Stream, Wrapped, unwrap};
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
    /// What there is to be said of them.
    pub notes: Notes,
}

/// Parts of a line that goes on.
#[derive(Debug)]
struct Pending {
    text: String,
    /// When its first part was written.
    ts_ns: i64,
    /// Lines of the file before its first part.
    before: u64,
    is_changed: bool,
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
    options: Options,
    reader: LineReader,
    parcel: Parcel,
    /// Lines of containers that go on, for each stream.
    pending: [Option<Pending>; 2],
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
        options: Options,
    ) -> Self {
        Self {
            out,
            service,
            read,
            options,
            reader: LineReader::new(options),
            parcel: Parcel::default(),
            pending: [None, None],
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
        // A date without a year is of the last year in which the file was written.
        let reference_ns = input::modified_ns(path).unwrap_or(self.options.reference_ns);
        self.reader = LineReader::new(Options { reference_ns, ..self.options });
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
        for stream in [Stream::Out, Stream::Err] {
            if let Some(pending) = self.pending_of(stream).take() {
                self.parcel.notes.add(Note::Unfinished, self.parcel.file, pending.before + 1);
                self.add_whole(&pending, stream)?;
            }
        }
        Ok(())
    }

    fn add_line(&mut self, line: &Line<'_>, skipped: bool) -> Result<(), ReadError> {
        let text = String::from_utf8_lossy(line.bytes);
        let is_changed = matches!(text, Cow::Owned(_));
        if text.trim_ascii().is_empty() && line.is_whole {
            return Ok(());
        }
        if let Some(wrapped) = Some(&*text).filter(|_| line.is_whole).and_then(unwrap) {
            return self.add_part(wrapped, is_changed, skipped);
        }
        // A file that was emptied while its writer held it open begins with zeros.
        let plain = text.trim_start_matches('\0');
        let entry = if line.is_whole {
            self.reader.read(plain)
        } else {
            Entry { message: Cow::Borrowed(plain), ..Entry::default() }
        };
        self.last_ns = entry.ts_ns.or(self.last_ns);
        if skipped {
            return Ok(());
        }
        let (file, number) = (self.parcel.file, self.parcel.lines + 1);
        if plain.len() < text.len() {
            self.parcel.notes.add(Note::Nuls, file, number);
        }
        self.add_noted(entry, is_changed, line.ends.then_some(line.is_whole), number)
    }

    /// Adds a line of a container, when all its parts are there.
    fn add_part(&mut self, part: Wrapped<'_>, is_changed: bool, skipped: bool) -> Result<(), ReadError> {
        let before = self.parcel.lines;
        let pending = self.pending_of(part.stream).take();
        let mut pending =
            pending.unwrap_or(Pending { text: String::new(), ts_ns: part.ts_ns, before, is_changed });
        pending.text.push_str(&part.text);
        pending.is_changed |= is_changed;
        if part.is_partial && pending.text.len() < RECORD_MAX {
            *self.pending_of(part.stream) = Some(pending);
            return Ok(());
        }
        self.last_ns = Some(pending.ts_ns);
        if skipped { Ok(()) } else { self.add_whole(&pending, part.stream) }
    }

    /// Adds a line of a container: what it says itself, else what the runtime says.
    fn add_whole(&mut self, line: &Pending, stream: Stream) -> Result<(), ReadError> {
        let mut entry = self.reader.read(&line.text);
        let outer = entry.ts_ns.is_none();
        entry.ts_ns = entry.ts_ns.or(Some(line.ts_ns));
        entry.is_unread &= !outer;
        self.last_ns = entry.ts_ns;
        if entry.fields.len() < FIELDS_MAX && !entry.fields.iter().any(|(name, _)| name == "stream") {
            entry.fields.push((Cow::Borrowed("stream"), stream.json()));
        }
        self.add_noted(entry, line.is_changed, Some(true), line.before + 1)
    }

    const fn pending_of(&mut self, stream: Stream) -> &mut Option<Pending> {
        let [out, err] = &mut self.pending;
        match stream {
            Stream::Out => out,
            Stream::Err => err,
        }
    }

    /// Adds a record, in pieces where it is too long, and what there is to be said
    /// of its line. `ended` is none for a piece of a line, else whether it is whole.
    fn add_noted(
        &mut self,
        mut entry: Entry<'_>,
        is_changed: bool,
        ended: Option<bool>,
        number: u64,
    ) -> Result<(), ReadError> {
        let file = self.parcel.file;
        let is_split = ended.is_some_and(|is_whole| !is_whole || entry.message.len() > RECORD_MAX);
        // The lines of a stack trace happened when the line above them did.
        let is_continued =
            self.last_ns.is_some() && entry.message.starts_with([' ', '\t', '}', ')', ']', '<']);
        let is_untimed = entry.ts_ns.is_none() && !entry.is_unread && ended == Some(true) && !is_continued;
        for (note, is_so) in [
            (Note::Changed, is_changed || entry.is_changed),
            (Note::Split, is_split),
            (Note::Unread, entry.is_unread),
            (Note::Untimed, is_untimed),
        ] {
            if is_so {
                self.parcel.notes.add(note, file, number);
            }
        }
        self.parcel.notes.add_assumed(entry.assumed, file, number);
        entry.ts_ns = entry.ts_ns.or(self.last_ns);
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
        let mut parcel = std::mem::replace(&mut self.parcel, next);
        // An import that goes on from here reads a line that is not finished again.
        let unfinished = self.pending.iter().flatten().map(|pending| pending.before);
        parcel.lines = unfinished.min().unwrap_or(lines);
        self.out.blocking_send(Ok(parcel)).map_err(|_| ReadError::Gone)
    }
}
