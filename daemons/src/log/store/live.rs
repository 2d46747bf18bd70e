//! What was acknowledged last, for whoever follows the log.
//!
//! A follower has a position and reads from there: the newest lines from
//! memory, shared by all, older ones from the file. Replay and live are the same
//! walk, so nothing is missed or told twice where one becomes the other.
//!
//! What was read from the file is shared for a while too: after a restart all
//! followers come back to the same place. So none of them needs to hold more
//! than its place while it waits for its reader.

use super::{Shared, View, replay};
use crate::log::limits::{READ_LEN_MAX, READING_MAX, RECENT_LEN_MAX};
use crate::log::lines::Reader;
use crate::log::time;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::{Semaphore, watch};

/// One line of so many has its offset noted.
const STRIDE: usize = 256;

/// Whole lines, in the order of their sequences.
#[derive(Debug, Default)]
pub struct Chunk {
    /// The sequence of the first.
    pub first_seq: u64,
    /// The sequence after the last, and after those that are lost.
    pub end_seq: u64,
    /// The lines, each with its line feed.
    pub lines: Vec<u8>,
    /// Their sequences, where they do not simply follow the first.
    pub seqs: Option<Vec<u64>>,
    /// How many records between first and end could not be read.
    pub lost: u64,
    /// The time of the last line before these, as far as it is known.
    pub previous_ns: Option<i64>,
    /// When they were held or read.
    pub taken_ns: i64,
    /// Where every [`STRIDE`]th line begins.
    pub(super) strides: OnceLock<Box<[usize]>>,
}

impl Chunk {
    /// Lines that follow each other.
    pub fn new(first_seq: u64, records: u64, lines: Vec<u8>) -> Self {
        Self { first_seq, end_seq: first_seq + records, lines, ..Self::default() }
    }

    /// Records that cannot be read.
    pub fn lost(first_seq: u64, end_seq: u64) -> Self {
        Self { first_seq, end_seq, lost: end_seq.saturating_sub(first_seq), ..Self::default() }
    }

    fn holds(&self, seq: u64) -> bool {
        self.first_seq <= seq && seq < self.end_seq
    }

    /// The first line that is not before a sequence: its place, and where it begins.
    pub fn from(&self, seq: u64) -> (usize, usize) {
        let at = match &self.seqs {
            Some(seqs) => seqs.partition_point(|of_line| *of_line < seq),
            None => usize::try_from(seq.saturating_sub(self.first_seq)).unwrap_or(usize::MAX),
        };
        let strides = self.strides.get_or_init(|| {
            let begins = memchr::memchr_iter(b'\n', &self.lines).map(|newline| newline + 1);
            std::iter::once(0).chain(begins).step_by(STRIDE).collect()
        });
        let begin = strides.get(at / STRIDE).copied().unwrap_or(self.lines.len());
        let rest = self.lines.get(begin..).unwrap_or_default();
        let offset = match (at % STRIDE).checked_sub(1) {
            None => begin,
            Some(lines) => memchr::memchr_iter(b'\n', rest)
                .nth(lines)
                .map_or(self.lines.len(), |newline| begin + newline + 1),
        };
        (at, offset)
    }

    /// The sequence of a line by its place.
    pub fn seq(&self, at: usize) -> u64 {
        match &self.seqs {
            Some(seqs) => seqs.get(at).copied().unwrap_or(self.end_seq),
            None => self.first_seq + at as u64,
        }
    }
}

/// The newest lines, and how far the log is.
#[derive(Debug)]
pub struct Live {
    next_seq: watch::Sender<u64>,
    followers: AtomicUsize,
    recent: Mutex<Held>,
    read: Mutex<Held>,
    reading: Semaphore,
}

#[derive(Debug, Default)]
struct Held {
    chunks: VecDeque<Arc<Chunk>>,
    len: usize,
    /// The time of the last line.
    last_ns: Option<i64>,
}

impl Live {
    /// Nothing is held yet.
    pub fn new(next_seq: u64) -> Self {
        Self {
            next_seq: watch::Sender::new(next_seq),
            followers: AtomicUsize::new(0),
            recent: Mutex::default(),
            read: Mutex::default(),
            reading: Semaphore::new(READING_MAX),
        }
    }

    /// The sequence that the next record will get.
    pub fn next_seq(&self) -> u64 {
        *self.next_seq.borrow()
    }

    /// Whether anybody follows: if not, nothing needs to be held.
    pub fn is_followed(&self) -> bool {
        self.followers.load(Ordering::Relaxed) > 0
    }

    /// What the next sequence is, and when it changes. Only few may wait on this: the
    /// writer wakes them.
    pub fn next_seqs(&self) -> watch::Receiver<u64> {
        self.next_seq.subscribe()
    }

    /// Holds acknowledged lines for the followers.
    pub fn hold(&self, mut chunk: Chunk) {
        chunk.taken_ns = time::now_ns();
        let mut recent = lock(&self.recent);
        chunk.previous_ns = recent.last_ns;
        recent.last_ns = Reader::after(recent.last_ns, &chunk.lines, 0).last_ns(chunk.lines.len());
        recent.push(Arc::new(chunk), RECENT_LEN_MAX);
    }

    /// Wakes the followers.
    pub fn advance(&self, next_seq: u64) {
        self.next_seq.send_replace(next_seq);
    }

    fn recent_with(&self, seq: u64) -> Option<Arc<Chunk>> {
        let recent = lock(&self.recent);
        let at = recent.chunks.partition_point(|chunk| chunk.end_seq <= seq);
        recent.chunks.get(at).filter(|chunk| chunk.holds(seq)).cloned()
    }

    fn read_with(&self, seq: u64) -> Option<Arc<Chunk>> {
        lock(&self.read).chunks.iter().find(|chunk| chunk.holds(seq)).cloned()
    }
}

impl Held {
    /// Holds a chunk, and lets go of the oldest.
    fn push(&mut self, chunk: Arc<Chunk>, len_max: usize) {
        self.len += chunk.lines.len();
        self.chunks.push_back(chunk);
        while self.len > len_max
            && let Some(oldest) = self.chunks.pop_front()
        {
            self.len -= oldest.lines.len();
        }
    }
}

fn lock(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A position in the log that moves forward.
pub struct Following {
    shared: Arc<Shared>,
    next_seq: watch::Receiver<u64>,
    /// The sequence of the next record to be told.
    pub position: u64,
}

impl Following {
    pub(super) fn new(shared: Arc<Shared>, position: u64, next_seq: watch::Receiver<u64>) -> Self {
        shared.live.followers.fetch_add(1, Ordering::Relaxed);
        Self { shared, next_seq, position }
    }

    /// How many records are there that have not been told.
    pub fn behind(&self) -> u64 {
        self.next_seq.borrow().saturating_sub(self.position)
    }

    /// Waits until there is something to tell.
    pub async fn wait(&mut self) {
        let position = self.position;
        // Without a sender the log is closed, and the reader's stream ends.
        let _ = self.next_seq.wait_for(|next_seq| *next_seq > position).await;
    }

    /// The next lines, from the position on: some of them, whole.
    pub async fn chunk(&self) -> Arc<Chunk> {
        match self.shared.live.recent_with(self.position) {
            Some(chunk) => chunk,
            None => self.read().await,
        }
    }

    /// Reads lines from the files, if nobody has done it just before.
    async fn read(&self) -> Arc<Chunk> {
        let (live, position) = (&self.shared.live, self.position);
        let _turn = live.reading.acquire().await;
        if let Some(chunk) = live.read_with(position) {
            return chunk;
        }
        let (shared, end) = (Arc::clone(&self.shared), *self.next_seq.borrow());
        let read = move || replay::read(&View::all(&shared), position, end);
        // A reader that panicked has told so; what it would have read is passed over.
        let read = tokio::task::spawn_blocking(read).await;
        let mut chunk = read.unwrap_or_else(|_| Chunk::lost(position, end));
        chunk.taken_ns = time::now_ns();
        let chunk = Arc::new(chunk);
        // How many are lost is counted from the position, which is another's no more.
        if chunk.lost == 0 && !chunk.lines.is_empty() {
            lock(&live.read).push(Arc::clone(&chunk), READ_LEN_MAX);
        }
        chunk
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        if self.shared.live.followers.fetch_sub(1, Ordering::Relaxed) == 1 {
            *lock(&self.shared.live.read) = Held::default();
        }
    }
}
