//! The one thread that writes: group commit, rotation, and what to do when the
//! disk says no.

use super::fault::Fault;
use super::keys::{Answered, Keys, RequestKey};
use super::live::Chunk;
use super::manifest::Manifest;
use super::measured::Measured;
use super::recover::Recovered;
use super::repair::Repair;
use super::segment::{Plain, Segment};
use super::sums::Sums;
use super::{AppendError, Batch, Shared};
use crate::log::disk::SyncSite;
use crate::log::limits::GROUP_LEN_MAX;
use crate::runtime::StartError;
use crate::runtime::body::Reservation;
use crate::runtime::metrics::Metrics;
use crate::settings::{self, Durability};
use shared::wire::log::Accepted;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// The time between two looks at the age of the active segment.
const AGE_CHECK: Duration = Duration::from_secs(1);

/// A batch that waits for the writer.
pub struct Request {
    /// The lines.
    pub batch: Batch,
    /// The idempotency key.
    pub key: Option<RequestKey>,
    /// Its share of what may be under way, given back with the answer.
    pub _room: Reservation,
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
    pub(super) shared: Arc<Shared>,
    durability: Durability,
    pub(super) rotate_len: u64,
    pub(super) rotate_age_ms: i64,
    pub(super) manifest: Manifest,
    pub(super) keys: Keys,
    pub(super) sums: Sums,
    pub(super) active: Arc<Plain>,
    pub(super) len: u64,
    pub(super) next_seq: u64,
    /// Rung when there is something for the upkeep to do.
    pub(super) bell: SyncSender<()>,
    runtime: Handle,
    buffer: Vec<u8>,
    /// Why nothing is acknowledged any more.
    pub(super) broken: Option<String>,
    /// Whether the last write could not be made, for a reason that may pass.
    pub(super) refusing: bool,
    /// What recovery could not write.
    pub(super) repair: Option<Repair>,
    /// When the next rotation may be tried, after one that failed.
    pub(super) rotation_rests: Option<Instant>,
    measured: Measured,
}

impl Writer {
    /// A writer that goes on where recovery ended.
    pub fn new(
        shared: Arc<Shared>,
        settings: &settings::Log,
        recovered: Recovered,
        bell: SyncSender<()>,
        metrics: &Metrics,
    ) -> Result<Self, StartError> {
        let Recovered { manifest, keys, active, repair, .. } = recovered;
        let extent = active.extent().map_err(|e| StartError::path("cannot read", &shared.files.active, e))?;
        let sums = Sums::resume(&shared.files, manifest.base, active.file(), extent.len);
        Ok(Self {
            shared,
            durability: settings.durability,
            rotate_len: settings.rotate_size.0,
            rotate_age_ms: i64::try_from(settings.rotate_age.0.as_millis()).unwrap_or(i64::MAX),
            manifest,
            keys,
            sums,
            active,
            len: extent.len,
            next_seq: extent.next_seq,
            bell,
            runtime: Handle::current(),
            buffer: Vec::new(),
            broken: None,
            refusing: repair.is_some(),
            repair,
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
                self.turn(group);
            } else {
                self.turn(Vec::new());
            }
        }
        self.end();
    }

    /// Commits a group, or tries again what could not be written; then rotates if
    /// it is time.
    pub(super) fn turn(&mut self, group: Vec<Request>) {
        if !group.is_empty() {
            self.commit(group);
        } else if self.refusing && self.broken.is_none() {
            self.try_again();
        }
        if self.broken.is_none() && self.wants_rotation() {
            self.rotate();
        }
    }

    /// Commits a group: one write, one sync, then the answers.
    pub(super) fn commit(&mut self, group: Vec<Request>) {
        let ready = self.make_ready();
        let (placed, repeats) = self.place(group);
        let result = match &self.broken {
            Some(why) => Err(AppendError::Broken(why.clone())),
            None => match ready {
                Err(fault) => Err(self.fail(fault)),
                Ok(()) if placed.is_empty() => Ok(()),
                Ok(()) => self.store(&placed).map_err(|fault| self.fail(fault)),
            },
        };
        if result.is_ok() && !placed.is_empty() {
            self.publish(&placed);
        }
        let mut answers = Vec::with_capacity(placed.len() + repeats.len());
        for (repeat, answered) in repeats {
            // A repeat of a request in this very group fails with it.
            let stored = result.is_ok() || answered.answer.first < self.next_seq;
            let fate = if stored { Ok(()) } else { result.clone() };
            let answer = fate.and_then(|()| answered.answer_to(repeat.key.as_ref()));
            answers.push((repeat, answer));
        }
        answers.extend(placed.into_iter().map(|p| (p.request, result.clone().map(|()| p.accepted))));
        // From this thread each answer would wake a thread of the runtime by a
        // system call of its own; from inside it costs nothing.
        self.runtime.spawn(async move {
            for (request, answer) in answers {
                let _ = request.answer.send(answer);
            }
        });
    }

    /// Sees to it that the next line goes where the log goes on.
    pub(super) fn make_ready(&mut self) -> Result<(), Fault> {
        if self.broken.is_some() {
            return Ok(());
        }
        self.end_repair()?;
        if self.is_in_place().map_err(Fault::of_opening)? {
            self.adopt_appended().map_err(Fault::of_opening)?;
        } else {
            self.begin_anew().map_err(Fault::of_opening)?;
        }
        if self.manifest.clean {
            let open = Manifest { clean: false, ..self.manifest };
            open.write(&self.shared.files).map_err(Fault::of_opening)?;
            self.manifest = open;
        }
        Ok(())
    }

    /// Writes what recovery could not write.
    fn end_repair(&mut self) -> Result<(), Fault> {
        let Some(repair) = &mut self.repair else { return Ok(()) };
        let (new, keys) = repair.run(&self.shared.files);
        if let Some(file) = new {
            let active = Arc::new(Plain::new(self.manifest.base, file, self.active.known()));
            self.shared.segments.replace_plain(&self.active, [Segment::Plain(Arc::clone(&active))]);
            self.active = active;
        }
        self.keys = keys.map_err(Fault::of_opening)?;
        self.repair = None;
        self.sums = Sums::resume(&self.shared.files, self.manifest.base, self.active.file(), self.len);
        Ok(())
    }

    /// Gives each request its sequences, and finds those whose key was answered before.
    fn place(&self, group: Vec<Request>) -> (Vec<Placed>, Vec<(Request, Answered)>) {
        let mut placed: Vec<Placed> = Vec::with_capacity(group.len());
        let mut repeats = Vec::new();
        let mut in_group: HashMap<String, Answered> = HashMap::new();
        let mut next_seq = self.next_seq;
        for request in group {
            let known = request
                .key
                .as_ref()
                .and_then(|key| self.keys.get(&key.key).or_else(|| in_group.get(&key.key).copied()));
            if let Some(answered) = known {
                repeats.push((request, answered));
                continue;
            }
            let records = request.batch.records;
            let accepted = Accepted { accepted: records, first: next_seq, last: next_seq + records - 1 };
            next_seq += records;
            if let Some(key) = &request.key {
                in_group.insert(key.key.clone(), Answered::new(key, accepted));
            }
            placed.push(Placed { request, accepted });
        }
        (placed, repeats)
    }

    /// Puts a group on disk: its keys first, then its lines.
    fn store(&mut self, placed: &[Placed]) -> Result<(), Fault> {
        let began = Instant::now();
        let keyed = |p: &'_ Placed| p.request.key.is_some();
        let keys_before = if placed.iter().any(keyed) {
            let keys = placed.iter().filter_map(|p| {
                p.request.key.as_ref().map(|key| (key.key.as_str(), Answered::new(key, p.accepted)))
            });
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
            self.active.file().sync_data(SyncSite::ActiveCommit).map_err(Fault::Broken)?;
        }
        self.measured.bytes.inc_by(lines.len() as u64);
        self.measured.commits.inc();
        self.measured.seconds.observe(began.elapsed().as_secs_f64());
        Ok(())
    }

    /// Shows what is on disk to readers and followers.
    fn publish(&mut self, placed: &[Placed]) {
        self.resume();
        let another_block = self.active.extend(|extent| {
            for Placed { request: Request { batch, .. }, .. } in placed {
                extent.push(&batch.lines, batch.records, batch.span.unwrap_or((0, 0)));
            }
            self.len = extent.len;
        });
        if another_block {
            self.ring();
        }
        self.sums.push(match placed {
            [one] => &one.request.batch.lines,
            _ => &self.buffer,
        });
        let first_seq = self.next_seq;
        let records = placed.iter().map(|p| p.accepted.accepted).sum();
        self.next_seq += records;
        for Placed { request, accepted } in placed {
            if let Some(key) = &request.key {
                self.keys.remember(&key.key, Answered::new(key, *accepted));
            }
        }
        if self.shared.live.is_followed() {
            let lines = match placed {
                [one] => one.request.batch.lines.clone(),
                _ => self.buffer.clone(),
            };
            self.shared.live.hold(Chunk::new(first_seq, records, lines));
        }
        if self.buffer.capacity() > GROUP_LEN_MAX {
            self.buffer = Vec::new();
        }
        self.measured.records.inc_by(records);
        self.shared.live.advance(self.next_seq);
    }

    /// Tells the upkeep that there is something to do; once is enough.
    pub(super) fn ring(&self) {
        let _ = self.bell.try_send(());
    }

    /// Notes the clean end.
    pub(super) fn end(&mut self) {
        if self.broken.is_some() || self.repair.is_some() {
            return;
        }
        self.manifest = Manifest { least_len: self.len, clean: true, ..self.manifest };
        let synced = self
            .active
            .file()
            .sync_all(SyncSite::ActiveClose)
            .and_then(|()| self.manifest.write(&self.shared.files));
        if let Err(error) = synced {
            tracing::error!("the log could not be closed cleanly: {error}");
        }
    }
}

impl Drop for Writer {
    /// Unlocks the active file, which may be open elsewhere: with a reader, or
    /// with a process that another thread is about to start.
    fn drop(&mut self) {
        self.active.file().unlock();
    }
}
