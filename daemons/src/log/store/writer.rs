//! The one thread that writes: group commit, rotation, and what to do when the
//! disk says no.

use super::files::{self, Files};
use super::keys::{self, Keys};
use super::live::{Chunk, Live};
use super::manifest::Manifest;
use super::segment::{Extent, Segment};
use super::{AppendError, Batch};
use crate::runtime::StartError;
use crate::runtime::health::Board;
use crate::runtime::metrics::Metrics;
use crate::settings::{self, Durability};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use shared::wire::log::Accepted;
use std::collections::HashMap;
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

/// A batch that waits for the writer.
pub struct Request {
    /// The lines.
    pub batch: Batch,
    /// The idempotency key.
    pub key: Option<String>,
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
    /// Whether the last write found no space.
    full: bool,
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

/// Why a commit did not happen.
enum Failure {
    /// No space; the file is as it was.
    Full,
    /// It is not known what is on disk.
    Broken(io::Error),
}

impl Failure {
    /// Of a step after which everything is as it was.
    fn of(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Self::Full,
            _ => Self::Broken(error),
        }
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
            full: false,
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
            None => self.store(&placed).map_err(|failure| self.fail(failure)),
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
    fn store(&mut self, placed: &[Placed]) -> Result<(), Failure> {
        let began = Instant::now();
        if !self.is_in_place().map_err(Failure::of)? {
            self.begin_anew().map_err(Failure::of)?;
        }
        let mut keyed =
            placed.iter().filter_map(|p| p.request.key.as_deref().map(|key| (key, p.accepted))).peekable();
        let keys_before = match keyed.peek() {
            None => None,
            Some(_) => match self.keys.write(keyed) {
                Ok(before) => Some(before),
                Err(error) => return Err(self.undo(None, error)),
            },
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
            return Err(self.undo(keys_before, error));
        }
        if self.durability == Durability::Fsync {
            // Never retried: after a failure the kernel may call lost pages clean.
            self.active.file().sync_data().map_err(Failure::Broken)?;
        }
        self.measured.bytes.inc_by(lines.len() as u64);
        self.measured.commits.inc();
        self.measured.seconds.observe(began.elapsed().as_secs_f64());
        Ok(())
    }

    /// A write failed. If that was for want of space, everything is put back as
    /// it was; any other failure, or one of putting back, leaves it unknown.
    fn undo(&mut self, keys_before: Option<u64>, error: io::Error) -> Failure {
        let failure = Failure::of(error);
        if let Failure::Broken(_) = failure {
            return failure;
        }
        let cut = self.active.file().set_len(self.len);
        let taken_back = match keys_before {
            Some(len) => self.keys.take_back(len),
            None => self.keys.trim(),
        };
        match cut.and(taken_back) {
            Ok(()) => Failure::Full,
            Err(error) => Failure::Broken(error),
        }
    }

    fn fail(&mut self, failure: Failure) -> AppendError {
        match failure {
            Failure::Full => {
                if !std::mem::replace(&mut self.full, true) {
                    tracing::error!("no space left for the log: records are refused until there is");
                }
                self.health.fail("store", "no space left for the log");
                AppendError::Full
            }
            Failure::Broken(error) => {
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

    /// Shows what is on disk to readers and followers.
    fn publish(&mut self, placed: &[Placed]) {
        if std::mem::take(&mut self.full) {
            tracing::info!("there is space for the log again");
            self.health.pass("store");
        }
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
            let lines = placed.iter().flat_map(|p| &p.request.batch.lines).copied().collect();
            self.live.hold(Chunk { first_seq, records, lines });
        }
        self.measured.records.inc_by(records);
        self.live.advance(self.next_seq);
    }

    fn wants_rotation(&self) -> bool {
        let age_ms = chrono::Utc::now().timestamp_millis().saturating_sub(self.manifest.begun_ms);
        self.len >= self.rotate_len || (self.len > 0 && age_ms >= self.rotate_age_ms)
    }

    /// Rotates the active segment, and looks after the keys' file.
    fn rotate(&mut self) {
        let rotated = self.try_rotate();
        if let Err(error) = rotated {
            match Failure::of(error) {
                Failure::Full => tracing::warn!("no space to rotate the log"),
                broken => drop(self.fail(broken)),
            }
        }
    }

    fn try_rotate(&mut self) -> io::Result<()> {
        self.active.file().sync_all()?;
        if self.is_in_place()? {
            self.files.rotate(self.manifest.base)?;
        }
        self.begin_anew()?;
        if self.keys.wants_rewrite() {
            self.keys = Keys::adopt(&self.files, keys::read(&self.files)?, self.next_seq)?;
        }
        Ok(())
    }

    /// Whether the active file is still at its path: somebody may have moved or
    /// removed it, and records must not go where nobody finds them.
    fn is_in_place(&self) -> io::Result<bool> {
        let ours = self.active.file().metadata()?;
        match std::fs::metadata(&self.files.active) {
            Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Begins a new active segment at the path.
    fn begin_anew(&mut self) -> io::Result<()> {
        if std::fs::metadata(&self.files.active).is_ok_and(|there| there.len() > 0) {
            // Not ours: kept beside, for whoever put it there.
            let beside = self.files.active.with_extension(format!("foreign-{}", self.next_seq));
            tracing::warn!("somebody else's file is where the log should be; it is now {}", beside.display());
            std::fs::rename(&self.files.active, beside)?;
        }
        let file = files::open(&self.files.active)?;
        let _ = file.try_lock();
        self.manifest = Manifest::begin(self.next_seq);
        self.manifest.write(&self.files)?;
        self.active = Arc::new(Segment::new(self.next_seq, file, Extent::empty(self.next_seq)));
        self.len = 0;
        self.segments.write().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&self.active));
        Ok(())
    }

    /// Notes the clean end.
    fn end(&mut self) {
        if self.broken.is_some() {
            return;
        }
        self.manifest.clean_len = Some(self.len);
        let synced = self.active.file().sync_all().and_then(|()| self.manifest.write(&self.files));
        if let Err(error) = synced {
            tracing::error!("the log could not be closed cleanly: {error}");
        }
    }
}
