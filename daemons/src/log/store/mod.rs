//! The log on disk.
//!
//! # Format, version 1
//!
//! Text is the truth. The log is a sequence of *segments*; a segment holds
//! lines ([`super::line`]), one record a line. A record's sequence is the
//! segment's *base* plus the number of lines before it, so sequences need not be
//! written down and a segment can be read with `less`; where sealing has sorted
//! records into classes, the directory of each file says which sequences it has.
//!
//! | file | what it is | its format |
//! |---|---|---|
//! | `--log-file` (`./distributed.log`) | the active segment, and the write-ahead log at once | [`super::line`] |
//! | `DATA/log/segments/{base:020}.log` | a rotated segment that is not sealed yet | [`super::line`] |
//! | `DATA/log/segments/{base:020}[-{class}].log.zst` | a sealed segment: zstd frames, their directory, a seek table | [`sealed`] |
//! | `DATA/log/segments/{base:020}[-{class}].idx` | its index, which can be deleted | [`super::index`] |
//! | `DATA/log/segments/*.new`, `*.copy` | work that was not finished; removed at the start | |
//! | `DATA/log/manifest.json`, `manifest.copy.json` | the active segment's base, when it was begun, whether the last end was clean | [`manifest`] |
//! | `DATA/log/sums/{base:020}` | checksums of a plain segment's text, active or rotated | [`sums`] |
//! | `DATA/log/keys` | idempotency keys and what was answered | [`keys`] |
//! | `DATA/log/torn/{base:020}-{offset}` | what recovery cut off or overwrote | |
//! | `distributed.log.new` | the active file, being replaced by recovery | [`super::line`] |
//!
//! Names are made and read in [`files`].
//!
//! # Life of a segment
//!
//! *Active*: the one that is appended to. In memory it is divided into *blocks*
//! of about 1 MiB of whole lines ([`block`]), the unit in which everything is
//! read; a block that no line is added to any more is indexed.
//!
//! *Rotated*: when it is large or old enough it is renamed into the data
//! directory (copied, where that is on another file system), and a new active
//! file begun ([`rotate`]).
//!
//! *Sealed*: every block becomes a zstd frame, and an index is written beside
//! it ([`seal`]). The plain file goes only after every frame has been read back
//! and compared, and the new file and the directory are synced. With classes
//! there is one sealed file for each class that has records in it.
//!
//! *Recompressed*: a segment that has been sealed for a while is compressed
//! harder, frame by frame, into a new file that replaces it by a rename.
//!
//! *Deleted*: when retention says so ([`super::retention`]), file by file.
//!
//! All but the first is done in the background by one thread ([`upkeep`]).
//!
//! # What must hold
//!
//! 1. A record is acknowledged, found by a search and told to a tail only when
//!    its line and all lines before it are on disk (`durability = fsync`).
//! 2. All bytes of the active file up to the acknowledged length are whole
//!    lines; what is after it was never acknowledged, and a reader never looks
//!    there.
//! 3. The key of a request is on disk before its lines are. A key whose lines
//!    are not all there is forgotten, and those that are there are cut off.
//! 4. A sequence is never used twice. A segment has room for 2^32 of them: when
//!    the active file has vanished or is shorter than at the last clean stop,
//!    the next base is 2^32 beyond, further than it can have come.
//! 5. While a plain file is there, sealed files of its base do not count: they
//!    are removed at the start, and it is sealed again.
//! 6. A sealed file is never changed, only replaced by one of the same lines.
//! 7. An index is a function of the lines. Any bit of it that has changed is
//!    noticed before it is used; then the text is searched, and the index
//!    rebuilt.
//! 8. Nothing outside of `DATA/log/segments` and `DATA/log/sums` is deleted.
//! 9. After an unclean end nothing is believed that was not read past the page
//!    cache, and nothing is appended to a file of the run before ([`repair`]).
//!    The end was clean if the manifest says so; that is taken back, durably,
//!    before the first record of a run.
//!
//! # What the active file promises
//!
//! A sealed frame has a checksum over every byte. Plain text has one for each
//! group of about 64 KiB ([`sums`]), written after each commit without a sync of
//! its own. At each start, before sealing, and in `distlogd log verify` the text
//! is compared with them:
//!
//! * A single flipped bit of a group is found and flipped back.
//! * Other damage is reported (health, log, `log_damaged_places`), and the text
//!   stays as it is. If its number of lines changed, lines are divided or joined
//!   within the group, so that the records after it keep their sequences and none
//!   is used twice; what was there is kept in `torn/`.
//! * Text that has no checksum is accepted: lines appended by hand while no log
//!   service runs, the last commits before a power cut, and files of versions
//!   without checksums.
//!
//! # What failures leave behind
//!
//! | failure | left | at the next start |
//! |---|---|---|
//! | `kill -9` or power cut in a write | a torn last line, or zeros | cut to the last whole line, reported, kept in `torn/` |
//! | between a key and its lines | a key without its lines | forgotten, with those of its lines that are there |
//! | in a rotation | the segment renamed and no active file | the next base is counted from the segment |
//! | in a rotation across file systems | the same segment twice | the active file is dropped, its copy kept |
//! | while sealing | the plain file, and sealed ones of its base | those are removed, and it is sealed again |
//! | while recompressing | a `.new` file | removed |
//! | while deleting | an index without its text | removed |
//! | disk full | nothing: the file is cut back, or the `.new` file removed | what recovery has to write waits for space; until then the log is read only |
//! | disk full while it is probed for space | zeros behind the last line | cut off: they are no record |
//! | somebody cut or moved the active file | what was in it is theirs | a new active file is begun by the next record |
//! | fsync error | unknown; the process ends | the whole lines that are on disk, read past the page cache, go to a new file |
//! | a damaged line of plain text | its group differs from its checksum | repaired if one bit was flipped, else reported |
//! | a manifest of a later version | nothing is changed | the log does not start |
//! | a damaged frame | its lines are lost, and no others | reported when it is met; searches that wanted it say `partial` |
//! | a damaged directory | nothing | read from the copy in the index, else from the frames |
//! | a damaged or missing index | nothing | rebuilt |

mod adopt;
mod block;
mod cache;
pub mod check;
mod common;
mod damage;
mod extent;
mod fault;
mod files;
mod keys;
mod live;
mod manifest;
mod measured;
mod reading;
pub mod rebuild;
mod recover;
mod refuse;
mod repair;
mod replay;
mod rotate;
mod seal;
mod sealed;
mod segment;
mod segments;
mod sums;
mod upkeep;
mod writer;

pub use block::Block;
pub use keys::RequestKey;
pub use live::{Chunk, Following};
pub use reading::{Reading, View};
#[cfg(any(test, fuzzing))]
pub use sealed::any_bytes;

use super::batch::Batch;
use super::disk::{Disk, RealDisk};
use super::retention::{Candidate, Policy};
use crate::runtime::body::Reservation;
use crate::runtime::health::Board;
use crate::runtime::metrics::Metrics;
use crate::runtime::{OwnDir, StartError};
use crate::settings;
use cache::Cache;
use common::Shared;
use damage::Damage;
use files::Files;
use live::Live;
use segments::Segments;
use shared::wire::log::Accepted;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::{oneshot, watch};
use upkeep::Upkeep;
use writer::{Request, Writer};

/// Why records were not stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
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
    /// The key belongs to another request.
    #[error("this idempotency key was used for another request; nothing is stored")]
    KeyReused,
}

/// The log. Writing goes through one thread; readers take snapshots.
pub struct Store {
    shared: Arc<Shared>,
    queue: Mutex<Option<Sender<Request>>>,
    threads: Mutex<Threads>,
    _dir: OwnDir,
}

/// A log of which no thread has been started.
struct Still {
    store: Store,
    writer: Writer,
    requests: Receiver<Request>,
    upkeep: Upkeep,
    bell: Receiver<()>,
}

#[derive(Default)]
struct Threads {
    writer: Option<JoinHandle<()>>,
    upkeep: Option<JoinHandle<()>>,
}

/// The log as it was at one moment: every segment, and the active one up to its
/// acknowledged length, by base.
pub type Snapshot = Vec<View>;

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
        let (store, upkeep, bell) = Self::open_idle(Arc::new(RealDisk), dir, settings, health, metrics)?;
        let watching = Arc::clone(&store.shared.health);
        let thread = std::thread::Builder::new()
            .name("log-upkeep".to_owned())
            .spawn(move || watching.contain("upkeep", || upkeep.run(&bell)))
            .map_err(|e| StartError::Other(format!("cannot start the log's upkeep: {e}")))?;
        store.threads().upkeep = Some(thread);
        Ok(store)
    }

    /// Opens the log, and leaves it to the caller to do the upkeep.
    fn open_idle(
        disk: Arc<dyn Disk>,
        dir: OwnDir,
        settings: &settings::Log,
        health: Arc<Board>,
        metrics: &Metrics,
    ) -> Result<(Self, Upkeep, Receiver<()>), StartError> {
        let Still { store, writer, requests, upkeep, bell } =
            Self::open_still(disk, dir, settings, health, metrics)?;
        let watching = Arc::clone(&store.shared.health);
        let thread = std::thread::Builder::new()
            .name("log-write".to_owned())
            .spawn(move || watching.watch("store", || writer.run(&requests)))
            .map_err(|e| StartError::Other(format!("cannot start the log's writer: {e}")))?;
        store.threads().writer = Some(thread);
        Ok((store, upkeep, bell))
    }

    /// Opens the log, and starts no thread.
    fn open_still(
        disk: Arc<dyn Disk>,
        dir: OwnDir,
        settings: &settings::Log,
        health: Arc<Board>,
        metrics: &Metrics,
    ) -> Result<Still, StartError> {
        let files = Files::new(disk, settings.file.clone(), dir.path().to_owned())?;
        let damage = Arc::new(Damage::new(Arc::clone(&health), metrics));
        let mut recovered = recover::recover(&files, &damage, &health)?;
        let shared = Arc::new(Shared {
            files,
            segments: Segments::new(std::mem::take(&mut recovered.segments)),
            cache: Cache::default(),
            damage,
            policy: Policy::new(settings),
            live: Live::new(recovered.next_seq),
            health,
            stopping: AtomicBool::new(false),
        });
        let upkeep = Upkeep::new(Arc::clone(&shared), settings.recompress_after.0, metrics);
        // One ring is enough, however often there is a reason.
        let (ringer, bell): (SyncSender<()>, _) = sync_channel(1);
        let writer = Writer::new(Arc::clone(&shared), settings, recovered, ringer, metrics)?;
        let (queue, requests) = std::sync::mpsc::channel();
        let store = Self { shared, queue: Mutex::new(Some(queue)), threads: Mutex::default(), _dir: dir };
        Ok(Still { store, writer, requests, upkeep, bell })
    }

    fn threads(&self) -> std::sync::MutexGuard<'_, Threads> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores a batch, whole or not at all, and answers when it is on disk. With
    /// a key that was seen before nothing is stored: the same request gets the
    /// first answer again, another one an error. `room` is what the batch holds of
    /// the memory for bodies; it is held until the answer, even if the caller leaves.
    ///
    /// # Errors
    /// When it was not stored.
    pub async fn append(
        &self,
        batch: Batch,
        key: Option<RequestKey>,
        room: Reservation,
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
        View::all(&self.shared)
    }

    /// The sequence that the next record will get.
    pub fn next_seq(&self) -> u64 {
        self.shared.live.next_seq()
    }

    /// The sequence that the next record will get, and when it changes.
    pub fn next_seqs(&self) -> watch::Receiver<u64> {
        self.shared.live.next_seqs()
    }

    /// Follows the log from a sequence on, as far as `next_seq` goes.
    pub fn follow(&self, from: u64, next_seq: watch::Receiver<u64>) -> Following {
        Following::new(Arc::clone(&self.shared), from, next_seq)
    }

    /// What retention may delete, and the bytes of all that it may not.
    pub fn candidates(&self) -> (Vec<Candidate>, u64) {
        let (candidates, plain_bytes) = self.shared.candidates();
        (candidates.into_iter().map(|(_, candidate)| candidate).collect(), plain_bytes)
    }

    /// Writes what is queued, notes the clean end, and closes the files.
    pub async fn close(&self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let threads = std::mem::take(&mut *self.threads());
        let joined = tokio::task::spawn_blocking(move || {
            // The writer holds the upkeep's bell, so it ends first.
            let writer = threads.writer.map(JoinHandle::join);
            (writer, threads.upkeep.map(JoinHandle::join))
        });
        let _ = joined.await;
    }
}

#[cfg(test)]
mod tests;
