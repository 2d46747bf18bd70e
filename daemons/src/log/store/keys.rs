//! Idempotency keys: which request was answered with which sequences.
//!
//! The file holds a line a key, in order, synced before the records of that
//! request are written: a damaged line is no key, and cuts no records off
//! ([`cut_at`]). Keys are remembered for at least the last [`KEYS_KEPT`] requests
//! that had one; the file is rewritten when it holds twice as many.
//!
//! ```text
//! line     = "2 " first SP last SP checksum SP request SP key LF
//!          | first SP last SP checksum SP key LF      written by earlier versions
//! checksum = XXH3 of all the rest of the line, 16 hexadecimal digits
//! request  = a hash of the request's content, 16 hexadecimal digits
//! ```
//!
//! A line without a request hash matches every request that has its key.

use super::AppendError;
use super::fault::Fault;
use super::files::{self, Files};
use crate::log::codec::checksum;
use crate::log::disk::{DiskFile, DiskReader, Open, SyncSite};
use crate::log::limits::KEYS_KEPT;
use shared::wire::log::Accepted;
use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read as _};

/// A key's hash: memory holds these, the file the keys themselves, so the hash
/// may differ between versions. Two of 64 bits make a collision unthinkable.
type KeyHash = (u64, u64);

fn hash(key: &str) -> KeyHash {
    let mut low = DefaultHasher::new();
    key.hash(&mut low);
    let mut high = DefaultHasher::new();
    (key, 0x6b65_7973_u32).hash(&mut high);
    (low.finish(), high.finish())
}

/// An idempotency key and the request that it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// The key.
    pub key: String,
    /// A hash of everything that determines the records of the request.
    pub request: u64,
}

/// The answer to a request, and the hash of the request where that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// The answer.
    pub answer: Accepted,
    request: Option<u64>,
}

impl Answered {
    /// The answer to a new request.
    pub const fn new(key: &RequestKey, answer: Accepted) -> Self {
        Self { answer, request: Some(key.request) }
    }

    /// The answer to a request with the same key; an error if it is another one.
    pub fn answer_to(&self, key: Option<&RequestKey>) -> Result<Accepted, AppendError> {
        let is_other = self.request.zip(key).is_some_and(|(request, key)| request != key.request);
        if is_other { Err(AppendError::KeyReused) } else { Ok(self.answer) }
    }
}

/// The keys that are known, and their file.
#[derive(Debug)]
pub struct Keys {
    /// None until it can be written.
    file: Option<Box<dyn DiskFile>>,
    len: u64,
    lines: usize,
    answers: HashMap<KeyHash, Answered>,
    order: VecDeque<KeyHash>,
}

/// One key and what was answered.
pub struct Entry {
    key: String,
    answered: Answered,
}

fn parse(line: &str) -> Option<Entry> {
    let (line, has_request) = line.strip_prefix("2 ").map_or((line, false), |rest| (rest, true));
    let mut parts = line.splitn(if has_request { 5 } else { 4 }, ' ');
    let first: u64 = parts.next()?.parse().ok()?;
    let last: u64 = parts.next()?.parse().ok()?;
    let sum = parts.next()?;
    let request = if has_request { Some(u64::from_str_radix(parts.next()?, 16).ok()?) } else { None };
    let key = parts.next()?.to_owned();
    let accepted = last.checked_sub(first)?.checked_add(1)?;
    let answered = Answered { answer: Accepted { accepted, first, last }, request };
    (sum == sum_of(&key, &answered)).then_some(Entry { key, answered })
}

fn sum_of(key: &str, Answered { answer, request }: &Answered) -> String {
    let Accepted { first, last, .. } = answer;
    let text = match request {
        Some(request) => format!("2 {first} {last} {request:016x} {key}"),
        None => format!("{first} {last} {key}"),
    };
    format!("{:016x}", checksum(text.as_bytes()))
}

fn line_of(key: &str, answered: &Answered) -> String {
    let Accepted { first, last, .. } = answered.answer;
    let sum = sum_of(key, answered);
    match answered.request {
        Some(request) => format!("2 {first} {last} {sum} {request:016x} {key}\n"),
        None => format!("{first} {last} {sum} {key}\n"),
    }
}

/// The file as it was found.
pub struct Found {
    /// Its entries, in order; a torn last line is none.
    pub entries: Vec<Entry>,
    /// Whole lines that are no entries.
    pub damaged: u64,
    /// Bytes after the last whole line.
    pub torn: u64,
    /// The length of its whole lines.
    len: u64,
}

impl Found {
    /// How many requests are not there as a whole.
    pub fn unfinished(&self, next_seq: u64) -> u64 {
        self.entries.iter().filter(|entry| !entry.is_there(next_seq)).count() as u64
    }
}

impl Entry {
    /// Whether all of its records are there.
    const fn is_there(&self, next_seq: u64) -> bool {
        self.answered.answer.last < next_seq
    }
}

/// Reads the file.
pub fn read(files: &Files, how: Open) -> io::Result<Found> {
    let mut text = Vec::new();
    match files.disk().open(&files.keys(), how) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        file => drop(DiskReader::new(file?.as_ref()).read_to_end(&mut text)?),
    }
    let whole = memchr::memrchr(b'\n', &text).map_or(0, |end| end + 1);
    let lines = String::from_utf8_lossy(text.get(..whole).unwrap_or_default());
    let entries: Vec<Entry> = lines.lines().filter_map(parse).collect();
    let damaged = (lines.lines().count() - entries.len()) as u64;
    if damaged > 0 {
        tracing::error!("{damaged} idempotency keys are damaged and forgotten: {}", files.keys().display());
    }
    Ok(Found { entries, damaged, torn: (text.len() - whole) as u64, len: whole as u64 })
}

/// Where the log has to be cut: the first record of a request of which a part
/// is missing. A request that is not there at all needs no cut.
pub fn cut_at(entries: &[Entry], next_seq: u64) -> Option<u64> {
    let torn =
        |entry: &&Entry| entry.answered.answer.first < next_seq && next_seq <= entry.answered.answer.last;
    entries.iter().find(torn).map(|entry| entry.answered.answer.first)
}

impl Keys {
    /// The entries whose records are all there, while their file cannot be written.
    pub fn of(found: Found, next_seq: u64) -> Self {
        let mut keys = Self { file: None, len: 0, lines: 0, answers: HashMap::new(), order: VecDeque::new() };
        let kept = found.entries.iter().filter(|entry| entry.is_there(next_seq));
        kept.for_each(|entry| keys.remember(&entry.key, entry.answered));
        keys
    }

    /// Takes over the entries whose records are all there. The file is rewritten
    /// if it holds others, or if `rewrite` says that it is not to be trusted.
    pub fn adopt(files: &Files, found: Found, next_seq: u64, rewrite: bool) -> io::Result<Self> {
        let before = found.entries.len();
        let mut kept: Vec<Entry> =
            found.entries.into_iter().filter(|entry| entry.is_there(next_seq)).collect();
        let mut len = found.len;
        let exists = files.disk().exists(&files.keys());
        if (rewrite && exists) || kept.len() < before || kept.len() > KEYS_KEPT {
            kept.drain(..kept.len().saturating_sub(KEYS_KEPT));
            let text: String = kept.iter().map(|entry| line_of(&entry.key, &entry.answered)).collect();
            files::replace(
                files.disk().as_ref(),
                &files.keys(),
                text.as_bytes(),
                (SyncSite::KeysRewrite, SyncSite::KeysRewriteDirectory),
            )?;
            len = text.len() as u64;
        }
        let file = files::open(files.disk().as_ref(), &files.keys(), SyncSite::KeysDirectory)?;
        file.set_len(len)?;
        let mut keys = Self {
            file: Some(file),
            len,
            lines: kept.len(),
            answers: HashMap::new(),
            order: VecDeque::new(),
        };
        kept.iter().for_each(|entry| keys.remember(&entry.key, entry.answered));
        Ok(keys)
    }

    /// What was answered to a key.
    pub fn get(&self, key: &str) -> Option<Answered> {
        self.answers.get(&hash(key)).copied()
    }

    /// Writes keys and syncs them: before the records that they are for.
    /// Answers where they begin in the file.
    pub fn write<'a>(&mut self, entries: impl Iterator<Item = (&'a str, Answered)>) -> Result<u64, Fault> {
        let before = self.len;
        let mut text = String::new();
        for (key, answered) in entries {
            text.push_str(&line_of(key, &answered));
            self.lines += 1;
        }
        let file = self.file().map_err(Fault::Later)?;
        file.write_all_at(text.as_bytes(), self.len).map_err(Fault::of_write)?;
        file.sync_data(SyncSite::KeysCommit).map_err(Fault::Broken)?;
        self.len += text.len() as u64;
        Ok(before)
    }

    fn file(&self) -> io::Result<&dyn DiskFile> {
        let file = self.file.as_deref();
        file.ok_or_else(|| io::Error::other("the file of idempotency keys is not open"))
    }

    /// Cuts off what a failed write left behind.
    pub fn trim(&mut self) -> io::Result<()> {
        self.take_back(self.len)
    }

    /// Takes back what was written from `len` on: its records were not stored,
    /// and their sequences will be others'.
    pub fn take_back(&mut self, len: u64) -> io::Result<()> {
        let file = self.file()?;
        file.set_len(len)?;
        file.sync_all(SyncSite::KeysUndo)?;
        self.len = len;
        Ok(())
    }

    /// A key whose records are on disk.
    pub fn remember(&mut self, key: &str, answered: Answered) {
        let hash = hash(key);
        if self.answers.insert(hash, answered).is_none() {
            self.order.push_back(hash);
        }
        while self.order.len() > KEYS_KEPT {
            if let Some(oldest) = self.order.pop_front() {
                self.answers.remove(&oldest);
            }
        }
    }

    /// Whether the file holds far more than is remembered.
    pub const fn wants_rewrite(&self) -> bool {
        self.lines > 2 * KEYS_KEPT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::disk::RealDisk;
    use std::sync::Arc;

    fn answer(first: u64, last: u64) -> Answered {
        Answered { answer: Accepted { accepted: last - first + 1, first, last }, request: Some(first * 7) }
    }

    #[test]
    fn a_line_of_an_earlier_version_is_read_and_matches_any_request() {
        let old = Answered { request: None, ..answer(3, 5) };
        // A key may look like a part of the other form.
        for key in ["a b", "0123456789abcdef key"] {
            for answered in [old, answer(3, 5)] {
                let line = line_of(key, &answered);
                let entry = parse(line.trim_end()).unwrap();
                assert_eq!((entry.key.as_str(), entry.answered), (key, answered));
                assert!(parse(&line.trim_end().replace('5', "6")).is_none());
            }
        }
        let request = |request| RequestKey { key: "a b".to_owned(), request };
        assert_eq!(old.answer_to(Some(&request(1))), Ok(old.answer));
        assert_eq!(answer(3, 5).answer_to(Some(&request(21))), Ok(old.answer));
        assert_eq!(answer(3, 5).answer_to(Some(&request(22))), Err(AppendError::KeyReused));
    }

    #[test]
    fn keys_come_back_and_those_without_their_records_do_not() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(Arc::new(RealDisk), dir.path().join("a.log"), dir.path().join("log")).unwrap();
        let mut keys = Keys::adopt(&files, read(&files, Open::Read).unwrap(), 1, false).unwrap();
        let written = [("a b", answer(1, 2)), ("c", answer(3, 5))];
        keys.write(written.into_iter()).unwrap();
        assert_eq!(cut_at(&read(&files, Open::Read).unwrap().entries, 4), Some(3));
        assert_eq!(cut_at(&read(&files, Open::Read).unwrap().entries, 3), None);
        assert_eq!(cut_at(&read(&files, Open::Read).unwrap().entries, 6), None);
        let keys = Keys::adopt(&files, read(&files, Open::Read).unwrap(), 3, false).unwrap();
        assert_eq!((keys.get("a b"), keys.get("c")), (Some(answer(1, 2)), None));
        assert_eq!(read(&files, Open::Read).unwrap().entries.len(), 1);
    }

    #[test]
    fn the_last_hundred_thousand_are_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(Arc::new(RealDisk), dir.path().join("a.log"), dir.path().join("log")).unwrap();
        let mut keys = Keys::adopt(&files, read(&files, Open::Read).unwrap(), 1, false).unwrap();
        for n in 0..KEYS_KEPT as u64 + 1 {
            keys.remember(&n.to_string(), answer(n, n));
        }
        assert_eq!((keys.get("0"), keys.get("1").map(|a| a.answer.first)), (None, Some(1)));
    }
}
