//! The log on disk.
//!
//! # Format, version 1
//!
//! Text is the truth. The log is a sequence of *segments*; a segment is a file
//! of lines ([`super::line`]), one record a line. A record's sequence is the
//! segment's *base* plus the number of lines before it, so sequences need not be
//! written down and a segment can be read with `less`.
//!
//! | file | what it is |
//! |---|---|
//! | `--log-file` (`./distributed.log`) | the active segment, and the write-ahead log at once |
//! | `DATA/log/segments/{base:020}.log` | rotated segments, named by their base |
//! | `DATA/log/manifest.json` | the active segment's base and when it was begun ([`manifest`]) |
//! | `DATA/log/keys` | idempotency keys and what was answered ([`keys`]) |
//! | `DATA/log/torn/{base:020}-{offset}` | what recovery cut off, kept for whoever wants to look |
//!
//! # Life of a segment
//!
//! *Active*: the one that is appended to. When it is large or old enough it is
//! *rotated*: renamed into the data directory (copied, where that is on another
//! file system), and a new active file begun. In memory a segment is divided
//! into *blocks* of about 1 MiB of whole lines, each with the times that it
//! spans: the unit in which it is read.
//!
//! # What must hold
//!
//! 1. A record is acknowledged, found by a search and told to a tail only when
//!    its line and all lines before it are on disk (`durability = fsync`).
//! 2. All bytes up to the acknowledged length are whole lines; what is after it
//!    was never acknowledged, and a reader never looks there.
//! 3. The key of a request is on disk before its lines are. A key whose lines
//!    are not all there is forgotten, and those that are there are cut off.
//! 4. A sequence is never used twice. A segment has room for 2^32 of them: when
//!    the active file has vanished or is shorter than at the last clean stop,
//!    the next base is 2^32 beyond, further than it can have come.
//!
//! # What failures leave behind
//!
//! | failure | left | at the next start |
//! |---|---|---|
//! | `kill -9` or power cut in a write | a torn last line, or zeros | cut to the last whole line, reported, kept in `torn/` |
//! | between a key and its lines | a key without its lines | forgotten, with those of its lines that are there |
//! | in a rotation | the segment renamed and no active file | the next base is counted from the segment |
//! | in a rotation across file systems | the same segment twice | the active file is dropped, its copy kept |
//! | disk full | nothing: the file is cut back | |
//! | somebody cut or moved the active file | what was in it is theirs | a new active file is begun by the next record |
//! | fsync error | unknown | nothing is acknowledged until then; what is on disk is read back |

mod fault;
mod files;
mod keys;
mod live;
mod manifest;
mod measured;
mod recover;
mod rotate;
mod segment;
mod writer;

pub use live::{Chunk, Following};
pub use segment::{Block, Extent, Segment};

use super::batch::Batch;
use crate::runtime::health::Board;
use crate::runtime::metrics::Metrics;
use crate::runtime::{OwnDir, StartError};
use crate::settings;
use live::Live;
use shared::wire::log::Accepted;
use std::io;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use writer::{Request, Writer};

/// Bytes of bodies that may be under way, from the first byte that is read to
/// the acknowledgement; more is refused. It bounds what ingest holds in memory:
/// a body, what it unpacks to, and its lines, of which escapes may make four
/// bytes of one.
const UNDER_WAY_MAX: usize = 128 << 20;
/// They are counted in units of this size.
const UNIT: usize = 1 << 10;

/// Why records were not stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Too much waits already.
    #[error("too many records wait to be written")]
    Busy,
    /// No space: nothing was stored, and it may work later.
    #[error("there is no space left for the log")]
    Full,
    /// A file cannot be opened: nothing was stored, and it may work later.
    #[error("the log cannot be written now: {0}")]
    Later(String),
    /// The disk failed: nothing is acknowledged until a restart has read back
    /// what is really there.
    #[error("the disk failed ({0}); nothing is stored until the log service is restarted")]
    Broken(String),
    /// The service is stopping.
    #[error("the log service is stopping")]
    Closed,
}

/// The log. Writing goes through one thread; readers take snapshots.
pub struct Store {
    segments: Arc<RwLock<Vec<Arc<Segment>>>>,
    live: Arc<Live>,
    queue: Mutex<Option<Sender<Request>>>,
    room: Arc<Semaphore>,
    writer: Mutex<Option<JoinHandle<()>>>,
    _dir: OwnDir,
}

/// Room for a body among those that are under way.
pub struct Room {
    _permit: OwnedSemaphorePermit,
}

/// The log as it was at one moment: rotated segments and the active one up to
/// its acknowledged length, oldest first.
pub type Snapshot = Vec<View>;

/// A segment in a snapshot.
#[derive(Clone)]
pub struct View {
    /// The segment.
    pub segment: Arc<Segment>,
    extent: Option<Arc<Extent>>,
}

impl View {
    /// How far the segment went at the moment of the snapshot. A rotated segment
    /// is looked through the first time that somebody asks.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn extent(&self) -> io::Result<Arc<Extent>> {
        self.extent.as_ref().map_or_else(|| self.segment.extent(), |extent| Ok(Arc::clone(extent)))
    }
}

impl Store {
    /// Opens the log, recovering from whatever the last run left behind.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn open(
        dir: OwnDir,
        settings: &settings::Log,
        health: Arc<Board>,
        metrics: &Metrics,
    ) -> Result<Self, StartError> {
        let files = files::Files::new(settings.file.clone(), dir.path().to_owned())?;
        let recovered = recover::recover(&files, &health)?;
        let segments = Arc::new(RwLock::new(recovered.segments));
        let live = Arc::new(Live::new(recovered.next_seq));
        let (queue, requests) = std::sync::mpsc::channel();
        let watching = Arc::clone(&health);
        let writer = Writer::new(
            files,
            settings,
            recovered.manifest,
            recovered.keys,
            Arc::clone(&segments),
            Arc::clone(&live),
            health,
            metrics,
        )?;
        let thread = std::thread::Builder::new()
            .name("log-write".to_owned())
            .spawn(move || watching.watch("store", || writer.run(&requests)))
            .map_err(|e| StartError::Other(format!("cannot start the log's writer: {e}")))?;
        Ok(Self {
            segments,
            live,
            queue: Mutex::new(Some(queue)),
            room: Arc::new(Semaphore::new(UNDER_WAY_MAX / UNIT)),
            writer: Mutex::new(Some(thread)),
            _dir: dir,
        })
    }

    /// Room for a body of so many bytes, to be had before it is read. It goes
    /// with the records until they are acknowledged, whoever waits for that.
    ///
    /// # Errors
    /// When too much is under way.
    pub fn room(&self, len: usize) -> Result<Room, AppendError> {
        let units = u32::try_from((len / UNIT + 1).min(UNDER_WAY_MAX / UNIT)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.room).try_acquire_many_owned(units);
        permit.map(|permit| Room { _permit: permit }).map_err(|_| AppendError::Busy)
    }

    /// Stores a batch, whole or not at all, and answers when it is on disk. With
    /// a key that was seen before nothing is stored, and the first answer is
    /// given again.
    ///
    /// # Errors
    /// When it was not stored.
    pub async fn append(
        &self,
        batch: Batch,
        key: Option<String>,
        room: Room,
    ) -> Result<Accepted, AppendError> {
        let (answer, answered) = oneshot::channel();
        let request = Request { batch, key, _room: room, answer };
        let sent = match &*self.queue.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(queue) => queue.send(request).is_ok(),
            None => false,
        };
        if !sent {
            return Err(AppendError::Closed);
        }
        answered.await.unwrap_or(Err(AppendError::Closed))
    }

    /// The log as it is now.
    pub fn snapshot(&self) -> Snapshot {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        let last = segments.len().saturating_sub(1);
        segments
            .iter()
            .enumerate()
            .map(|(at, segment)| View {
                segment: Arc::clone(segment),
                extent: (at == last).then(|| segment.known()).flatten(),
            })
            .collect()
    }

    /// The sequence that the next record will get.
    pub fn next_seq(&self) -> u64 {
        self.live.next_seq()
    }

    /// Follows the log from a sequence on.
    pub fn follow(self: &Arc<Self>, from: u64) -> Following {
        Following::new(Arc::clone(self), &self.live, from)
    }

    /// Writes what is queued, notes the clean end, and closes the files.
    pub async fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let joined = tokio::task::spawn_blocking(move || thread.map(JoinHandle::join));
        let _ = joined.await;
    }
}

#[cfg(test)]
mod tests;
