//! The one thread that writes: group commit, rotation, and what to do when the
//! disk says no.

use super::fault::Fault;
use super::files::{self, Files};
use super::keys::{self, Keys};
use super::live::{Chunk, Live};
use super::manifest::Manifest;
use super::segment::{Extent, Segment};
use super::{AppendError, Batch, Room};
use crate::runtime::StartError;
use crate::runtime::health::Board;
use crate::runtime::metrics::Metrics;
use crate::settings::{self, Durability};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use shared::wire::log::Accepted;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Bytes that are written before one sync: more only if one batch is larger.
const GROUP_LEN_MAX: usize = 8 << 20;
/// The time between two looks at the age of the active segment.
const AGE_CHECK: Duration = Duration::from_secs(1);
/// The pause after a rotation that failed.
const ROTATION_REST: Duration = Duration::from_secs(30);

/// A batch that waits for the writer.
pub struct Request {
    /// The lines.
    pub batch: Batch,
    /// The idempotency key.
    pub key: Option<String>,
    /// Its share of what may be under way.
    pub room: Room,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Result<Accepted, AppendError>>,
}

/// A request whose sequences are known.
struct Placed {
    request: Request,
    accepted: Accepted,
}

/// The writer and all that it alone touches.
pub struct Writer {
    files: Files,
    durability: Durability,
    rotate_len: u64,
    rotate_age_ms: i64,
    manifest: Manifest,
    keys: Keys,
    active: Arc<Segment>,
    len: u64,
    next_seq: u64,
    segments: Arc<RwLock<Vec<Arc<Segment>>>>,
    live: Arc<Live>,
    health: Arc<Board>,
    buffer: Vec<u8>,
    /// Why nothing is acknowledged any more.
    broken: Option<String>,
    /// Whether the last write could not be made, for a reason that may pass.
    refusing: bool,
    /// When the next rotation may be tried, after one that failed.
    rotation_rests: Option<Instant>,
    measured: Measured,
}

struct Measured {
    records: Counter,
    bytes: Counter,
    commits: Counter,
    seconds: Histogram,
}

impl Measured {
    fn register(metrics: &Metrics) -> Self {
        let own = Self {
            records: Counter::default(),
            bytes: Counter::default(),
            commits: Counter::default(),
            // 50 µs to 1.6 s.
            seconds: Histogram::new(exponential_buckets(0.000_05, 2.0, 16)),
        };
        metrics.register(|registry| {
            registry.register("log_records", "Records stored", own.records.clone());
            registry.register("log_written_bytes", "Bytes of lines written", own.bytes.clone());
            registry.register("log_commits", "Group commits", own.commits.clone());
            registry.register(
                "log_commit_duration_seconds",
                "Time of a write and its sync",
                own.seconds.clone(),
            );
        });
        own
    }
}

impl Writer {
    /// A writer that goes on where recovery ended.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a part of the store that the writer owns or shares"
    )]
    pub fn new(
        files: Files,
        settings: &settings::Log,
        manifest: Manifest,
        keys: Keys,
        segments: Arc<RwLock<Vec<Arc<Segment>>>>,
        live: Arc<Live>,
        health: Arc<Board>,
        metrics: &Metrics,
    ) -> Result<Self, StartError> {
        let active = segments.read().unwrap_or_else(PoisonError::into_inner).last().cloned();
        let active = active.ok_or_else(|| StartError::Other("the log has no active segment".to_owned()))?;
        let extent = active.extent().map_err(|e| StartError::path("cannot read", &files.active, e))?;
        Ok(Self {
            files,
            durability: settings.durability,
            rotate_len: settings.rotate_size.0,
            rotate_age_ms: i64::try_from(settings.rotate_age.0.as_millis()).unwrap_or(i64::MAX),
            manifest,
            keys,
            active,
            len: extent.len,
            next_seq: extent.next_seq,
            segments,
            live,
            health,
            buffer: Vec::new(),
            broken: None,
            refusing: false,
            rotation_rests: None,
            measured: Measured::register(metrics),
        })
    }

    /// Writes until nobody can send any more.
    pub fn run(mut self, requests: &Receiver<Request>) {
        loop {
            let first = match requests.recv_timeout(AGE_CHECK) {
                Ok(first) => Some(first),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if let Some(first) = first {
                let mut len = first.batch.lines.len();
                let mut group = vec![first];
                while len < GROUP_LEN_MAX
                    && let Ok(next) = requests.try_recv()
                {
                    len += next.batch.lines.len();
                    group.push(next);
                }
                self.commit(group);
            } else if self.refusing && self.broken.is_none() {
                self.try_again();
            }
            if self.broken.is_none() && self.wants_rotation() {
                self.rotate();
            }
        }
        self.end();
    }

    /// Commits a group: one write, one sync, then the answers.
    fn commit(&mut self, group: Vec<Request>) {
        let (placed, repeats) = self.place(group);
        let result = match &self.broken {
            Some(why) => Err(AppendError::Broken(why.clone())),
            None if placed.is_empty() => Ok(()),
            None => self.store(&placed).map_err(|fault| self.fail(fault)),
        };
        if result.is_ok() {
            self.publish(&placed);
        }
        for (repeat, accepted) in repeats {
            // A repeat of a request in this very group shares its fate.
            let stored = result.is_ok() || accepted.first < self.next_seq;
            let answer = if stored { Ok(accepted) } else { result.clone().map(|()| accepted) };
            let _ = repeat.answer.send(answer);
        }
        for Placed { request, accepted } in placed {
            let _ = request.answer.send(result.clone().map(|()| accepted));
            drop(request.room);
        }
    }

    /// Gives each request its sequences, and finds those that were answered before.
    fn place(&self, group: Vec<Request>) -> (Vec<Placed>, Vec<(Request, Accepted)>) {
        let mut placed: Vec<Placed> = Vec::with_capacity(group.len());
        let mut repeats = Vec::new();
        let mut in_group: HashMap<String, Accepted> = HashMap::new();
        let mut next_seq = self.next_seq;
        for request in group {
            let known = request
                .key
                .as_ref()
                .and_then(|key| self.keys.get(key).or_else(|| in_group.get(key).copied()));
            if let Some(accepted) = known {
                repeats.push((request, accepted));
                continue;
            }
            let records = request.batch.records;
            let accepted = Accepted { accepted: records, first: next_seq, last: next_seq + records - 1 };
            next_seq += records;
            if let Some(key) = &request.key {
                in_group.insert(key.clone(), accepted);
            }
            placed.push(Placed { request, accepted });
        }
        (placed, repeats)
    }

    /// Puts a group on disk: its keys first, then its lines.
    fn store(&mut self, placed: &[Placed]) -> Result<(), Fault> {
        let began = Instant::now();
        if !self.is_in_place().map_err(Fault::of_opening)? {
            self.begin_anew().map_err(Fault::of_opening)?;
        }
        let keyed = |p: &'_ Placed| p.request.key.is_some();
        let keys_before = if placed.iter().any(keyed) {
            let keys = placed.iter().filter_map(|p| p.request.key.as_deref().map(|key| (key, p.accepted)));
            match self.keys.write(keys) {
                Ok(before) => Some(before),
                Err(fault) => return Err(self.undo(None, fault)),
            }
        } else {
            None
        };
        self.buffer.clear();
        let lines: &[u8] = match placed {
            [one] => &one.request.batch.lines,
            many => {
                many.iter().for_each(|p| self.buffer.extend_from_slice(&p.request.batch.lines));
                &self.buffer
            }
        };
        if let Err(error) = self.active.file().write_all_at(lines, self.len) {
            return Err(self.undo(keys_before, Fault::of_write(error)));
        }
        if self.durability == Durability::Fsync {
            // Never retried: after a failure the kernel may call lost pages clean.
            self.active.file().sync_data().map_err(Fault::Broken)?;
        }
        self.measured.bytes.inc_by(lines.len() as u64);
        self.measured.commits.inc();
        self.measured.seconds.observe(began.elapsed().as_secs_f64());
        Ok(())
    }

    /// A write found no space: everything is put back as it was. The lines go
    /// before their keys: lines whose key is gone would be stored again.
    fn undo(&mut self, keys_before: Option<u64>, fault: Fault) -> Fault {
        let Fault::Full = fault else { return fault };
        let file = self.active.file();
        let undone = file.set_len(self.len).and_then(|()| file.sync_all()).and_then(|()| match keys_before {
            Some(len) => self.keys.take_back(len),
            None => self.keys.trim(),
        });
        undone.map_or_else(Fault::Broken, |()| Fault::Full)
    }

    fn fail(&mut self, fault: Fault) -> AppendError {
        match fault {
            Fault::Full => {
                if !std::mem::replace(&mut self.refusing, true) {
                    tracing::error!("no space left for the log: records are refused until there is");
                }
                self.health.fail("store", "no space left for the log");
                AppendError::Full
            }
            Fault::Later(error) => {
                if !std::mem::replace(&mut self.refusing, true) {
                    tracing::error!("the log cannot be written now: {error}");
                }
                self.health.fail("store", format!("the log cannot be written now: {error}"));
                AppendError::Later(error.to_string())
            }
            Fault::Broken(error) => {
                let why = error.to_string();
                tracing::error!(
                    "the disk failed: {why}. Nothing is stored until the log service is restarted"
                );
                self.health.fail("store", format!("the disk failed: {why}; restart the log service"));
                self.broken = Some(why.clone());
                AppendError::Broken(why)
            }
        }
    }

    /// While records are refused: whether a byte can be written again. It is
    /// beyond the acknowledged length, where nobody looks, and cut off again.
    fn try_again(&mut self) {
        let file = self.active.file();
        let tried = file.write_all_at(b"\n", self.len).and_then(|()| file.set_len(self.len));
        if tried.is_ok() && self.is_in_place().is_ok() {
            self.recover();
        }
    }

    /// Records are taken again.
    fn recover(&mut self) {
        if std::mem::take(&mut self.refusing) {
            tracing::info!("the log can be written again");
            self.health.pass("store");
        }
    }

    /// Shows what is on disk to readers and followers.
    fn publish(&mut self, placed: &[Placed]) {
        self.recover();
        self.active.extend(|extent| {
            for Placed { request: Request { batch, .. }, .. } in placed {
                extent.push(&batch.lines, batch.records, batch.span.unwrap_or((0, 0)));
            }
            self.len = extent.len;
        });
        let first_seq = self.next_seq;
        let records = placed.iter().map(|p| p.accepted.accepted).sum();
        self.next_seq += records;
        for Placed { request, accepted } in placed {
            if let Some(key) = &request.key {
                self.keys.remember(key, *accepted);
            }
        }
        if self.live.is_followed() {
            let lines = match placed {
                [one] => one.request.batch.lines.clone(),
                _ => self.buffer.clone(),
            };
            self.live.hold(Chunk { first_seq, records, lines });
        }
        if self.buffer.capacity() > GROUP_LEN_MAX {
            self.buffer = Vec::new();
        }
        self.measured.records.inc_by(records);
        self.live.advance(self.next_seq);
    }

    fn wants_rotation(&self) -> bool {
        let age_ms = chrono::Utc::now().timestamp_millis().saturating_sub(self.manifest.begun_ms);
        let due = self.len >= self.rotate_len || (self.len > 0 && age_ms >= self.rotate_age_ms);
        due && self.rotation_rests.is_none_or(|until| Instant::now() >= until)
    }

    /// Rotates the active segment, and looks after the keys' file.
    fn rotate(&mut self) {
        match self.try_rotate() {
            Ok(()) => self.rotation_rests = None,
            Err(fault @ Fault::Broken(_)) => drop(self.fail(fault)),
            Err(fault) => {
                tracing::warn!("cannot rotate the log, trying again in {ROTATION_REST:?}: {fault:?}");
                self.rotation_rests = Some(Instant::now() + ROTATION_REST);
            }
        }
    }

    fn try_rotate(&mut self) -> Result<(), Fault> {
        self.active.file().sync_all().map_err(Fault::Broken)?;
        if self.is_in_place().map_err(Fault::of_opening)? {
            let base = self.manifest.base;
            self.files.rotate(base).map_err(Fault::of_opening)?;
            // Across file systems the segment is another file now; in the same
            // one this opens what is open already.
            if let (Ok(moved), Some(extent)) = (File::open(self.files.segment(base)), self.active.known()) {
                let moved = Arc::new(Segment::new(base, moved, Extent::clone(&extent)));
                let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
                if let Some(last) = segments.last_mut() {
                    *last = moved;
                }
            }
        }
        self.begin_anew().map_err(Fault::of_opening)?;
        if self.keys.wants_rewrite() {
            let adopt = || Keys::adopt(&self.files, keys::read(&self.files)?, self.next_seq);
            // The file may have been replaced already: without it open, no key could be kept.
            self.keys = adopt().map_err(Fault::Broken)?;
        }
        Ok(())
    }

    /// Whether the active file is still at its path and whole: somebody may have
    /// moved, removed or emptied it, and records must not go where nobody finds
    /// them, nor leave a hole before them.
    fn is_in_place(&self) -> io::Result<bool> {
        let ours = self.active.file().metadata()?;
        if ours.len() < self.len {
            return Ok(false);
        }
        match std::fs::metadata(&self.files.active) {
            Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Begins a new active segment at the path. The manifest is first: if no
    /// file follows, the next start finds it missing and goes on far beyond.
    fn begin_anew(&mut self) -> io::Result<()> {
        if std::fs::metadata(&self.files.active).is_ok_and(|there| there.len() > 0) {
            // Not ours: kept beside, for whoever put it there.
            let beside = self.files.active.with_extension(format!("foreign-{}", self.next_seq));
            tracing::warn!("somebody else's file is where the log should be; it is now {}", beside.display());
            std::fs::rename(&self.files.active, beside)?;
        }
        let emptied = self.active.file().metadata()?.len() < self.len;
        let manifest = Manifest::begin(self.next_seq);
        manifest.write(&self.files)?;
        let file = files::open(&self.files.active)?;
        file.set_len(0)?;
        let _ = file.try_lock();
        self.manifest = manifest;
        self.active = Arc::new(Segment::new(self.next_seq, file, Extent::empty(self.next_seq)));
        self.len = 0;
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        if emptied {
            // Its lines are gone, and their places in the file may be others'.
            segments.pop();
        }
        segments.push(Arc::clone(&self.active));
        Ok(())
    }

    /// Notes the clean end.
    fn end(&mut self) {
        if self.broken.is_some() {
            return;
        }
        self.manifest.least_len = self.len;
        let synced = self.active.file().sync_all().and_then(|()| self.manifest.write(&self.files));
        if let Err(error) = synced {
            tracing::error!("the log could not be closed cleanly: {error}");
        }
    }
}
