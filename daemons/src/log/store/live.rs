//! What was acknowledged last, for whoever follows the log.
//!
//! A follower has a position and reads from there: the newest lines from
//! memory, shared by all, older ones from the file. Replay and live are the same
//! walk, so nothing is missed or told twice where one becomes the other.

use super::{Segment, Snapshot, Store};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Bytes of the newest lines that are held in memory.
const RECENT_LEN_MAX: usize = 4 << 20;

/// Whole lines that follow each other.
#[derive(Debug)]
pub struct Chunk {
    /// The sequence of the first.
    pub first_seq: u64,
    /// How many.
    pub records: u64,
    /// The lines, each with its line feed.
    pub lines: Vec<u8>,
}

impl Chunk {
    const fn end_seq(&self) -> u64 {
        self.first_seq + self.records
    }
}

/// The newest lines, and how far the log is.
#[derive(Debug)]
pub struct Live {
    next_seq: watch::Sender<u64>,
    recent: Mutex<Recent>,
}

#[derive(Debug, Default)]
struct Recent {
    chunks: VecDeque<Arc<Chunk>>,
    len: usize,
}

impl Live {
    /// Nothing is held yet.
    pub fn new(next_seq: u64) -> Self {
        Self { next_seq: watch::Sender::new(next_seq), recent: Mutex::default() }
    }

    /// The sequence that the next record will get.
    pub fn next_seq(&self) -> u64 {
        *self.next_seq.borrow()
    }

    /// Whether anybody follows: if not, nothing needs to be held.
    pub fn is_followed(&self) -> bool {
        self.next_seq.receiver_count() > 0
    }

    /// Holds acknowledged lines for the followers.
    pub fn hold(&self, chunk: Chunk) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.len += chunk.lines.len();
        recent.chunks.push_back(Arc::new(chunk));
        while recent.len > RECENT_LEN_MAX
            && let Some(oldest) = recent.chunks.pop_front()
        {
            recent.len -= oldest.lines.len();
        }
    }

    /// Wakes the followers.
    pub fn advance(&self, next_seq: u64) {
        self.next_seq.send_replace(next_seq);
    }

    fn chunk_with(&self, seq: u64) -> Option<Arc<Chunk>> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let at = recent.chunks.partition_point(|chunk| chunk.end_seq() <= seq);
        recent.chunks.get(at).filter(|chunk| chunk.first_seq <= seq).cloned()
    }
}

/// A position in the log that moves forward.
pub struct Following {
    store: Arc<Store>,
    next_seq: watch::Receiver<u64>,
    /// The sequence of the next record to be told.
    pub position: u64,
}

impl Following {
    pub(super) fn new(store: Arc<Store>, live: &Live, position: u64) -> Self {
        Self { store, next_seq: live.next_seq.subscribe(), position }
    }

    /// How many records are there that have not been told.
    pub fn behind(&self) -> u64 {
        self.next_seq.borrow().saturating_sub(self.position)
    }

    /// Waits until there is something to tell.
    pub async fn wait(&mut self) {
        let position = self.position;
        // The sender lives as long as the store, which this holds.
        let _ = self.next_seq.wait_for(|next_seq| *next_seq > position).await;
    }

    /// The next lines, from the position on: some of them, whole. The position
    /// moves past them. Records that no longer exist are passed over.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn next(&mut self) -> io::Result<Arc<Chunk>> {
        let chunk = match self.store.live.chunk_with(self.position) {
            Some(chunk) => chunk,
            None => {
                let (store, position) = (Arc::clone(&self.store), self.position);
                tokio::task::spawn_blocking(move || read(&store.snapshot(), position))
                    .await
                    .map_err(io::Error::other)??
            }
        };
        self.position = chunk.end_seq().max(self.position);
        Ok(chunk)
    }
}

/// The block with the record `seq`, or the first after it.
fn read(snapshot: &Snapshot, seq: u64) -> io::Result<Arc<Chunk>> {
    // The last segment that begins at or before it, and those after that.
    let from = snapshot.partition_point(|view| view.segment.base <= seq).saturating_sub(1);
    for view in snapshot.iter().skip(from) {
        let extent = view.extent()?;
        if let Some(block) = extent.blocks.iter().find(|block| block.first_seq + block.records > seq) {
            let segment: &Segment = &view.segment;
            let mut lines = Vec::new();
            segment.read(block, &mut lines)?;
            return Ok(Arc::new(Chunk { first_seq: block.first_seq, records: block.records, lines }));
        }
    }
    Ok(Arc::new(Chunk { first_seq: seq, records: 0, lines: Vec::new() }))
}
