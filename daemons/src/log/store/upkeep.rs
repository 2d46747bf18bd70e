//! What is done to segments in the background, by one thread at low priority:
//! the active one is indexed block by block, rotated ones are sealed, lost
//! indexes rebuilt, old segments deleted, cold ones recompressed.
//!
//! One thing at a time, the most urgent first; each can be cut off at any moment
//! and is begun again.

use super::Shared;
use super::files::{Files, SealedName};
use super::seal::{self, Built, LEVEL_COLD, Sealer};
use super::segment::{Plain, Sealed, Segment};
use crate::log::disk::SyncSite;
use crate::log::index::Index;
use crate::log::line::Line;
use crate::log::retention::{Deletion, decide};
use crate::log::time;
use crate::runtime::metrics::Metrics;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use std::cell::Cell;
use std::collections::{HashSet, VecDeque};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// The time between two looks at what is to be done, when nobody says so.
const LOOK: Duration = Duration::from_secs(1);
/// The pause after something that failed.
const REST: Duration = Duration::from_secs(30);
/// The time between two looks at what is to be deleted.
const RETENTION_LOOK: Duration = Duration::from_secs(30);

/// The nice value of the upkeep's thread.
const NICE: i32 = 10;

/// The upkeep of a log.
pub struct Upkeep {
    shared: Arc<Shared>,
    /// For how long a sealed segment is left as it is before it is recompressed.
    cold_after: Duration,
    /// The active segment's index, as far as it is built.
    building: Option<(Arc<Plain>, Built)>,
    rests_until: Option<Instant>,
    retention_due: Instant,
    /// Segments of which the index cannot be rebuilt, or that cannot be
    /// recompressed: not tried again before a restart.
    hopeless: HashSet<u64>,
    /// The bases of rotated segments that could not be sealed: tried again when
    /// there is nothing else to do, the one that has waited longest first.
    stuck: VecDeque<u64>,
    measured: Measured,
}

/// What the upkeep measures.
#[derive(Clone, Default)]
struct Measured {
    unsealed: Gauge,
    sealed: Gauge,
    deleted: Counter,
}

impl Upkeep {
    /// The upkeep of the log that others share.
    pub fn new(shared: Arc<Shared>, cold_after: Duration, metrics: &Metrics) -> Self {
        let measured = Measured::default();
        metrics.register(|registry| {
            let Measured { unsealed, sealed, deleted } = measured.clone();
            registry.register("log_segments_unsealed", "Rotated segments that are not sealed yet", unsealed);
            registry.register("log_segments_sealed", "Sealed segments", sealed);
            registry.register("log_segments_deleted", "Sealed segments deleted by retention", deleted);
        });
        Self {
            shared,
            cold_after,
            building: None,
            rests_until: None,
            retention_due: Instant::now(),
            hopeless: HashSet::new(),
            stuck: VecDeque::new(),
            measured,
        }
    }

    /// Works until there is nobody to ring any more.
    pub fn run(mut self, bell: &Receiver<()>) {
        // Records come first: this thread alone gets a lower priority.
        if let Err(error) = rustix::process::setpriority_process(None, NICE) {
            tracing::warn!("the log's upkeep competes with its writer: cannot lower its priority: {error}");
        }
        loop {
            while self.step() {}
            match bell.recv_timeout(LOOK) {
                Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Does the most urgent thing. Answers whether there may be more to do.
    pub fn step(&mut self) -> bool {
        if self.shared.stopping() || self.rests_until.is_some_and(|until| Instant::now() < until) {
            return false;
        }
        let done = self.try_step();
        self.measure();
        match done {
            Ok(more) => {
                if self.rests_until.take().is_some() {
                    self.shared.health.pass("upkeep");
                }
                more
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => false,
            Err(error) => {
                tracing::warn!("the upkeep of the log rests for {REST:?}: {error}");
                self.shared.health.warn("upkeep", error.to_string());
                self.rests_until = Some(Instant::now() + REST);
                self.clean_up();
                false
            }
        }
    }

    fn try_step(&mut self) -> io::Result<bool> {
        // First of all: it makes room for the rest.
        if Instant::now() >= self.retention_due {
            self.retention_due = Instant::now() + RETENTION_LOOK;
            self.delete()?;
        }
        let mut rotated = self.shared.segments.plain();
        let active = rotated.pop();
        if let Some(next) = rotated.iter().find(|plain| !self.stuck.contains(&plain.base)) {
            self.seal(next)?;
            return Ok(true);
        }
        if let Some(active) = active
            && self.index(&active)?
        {
            return Ok(true);
        }
        for sealed in self.shared.segments.sealed() {
            if !self.hopeless.contains(&sealed.id) && self.look_after(&sealed)? {
                return Ok(true);
            }
        }
        let stuck = self.stuck.front();
        if let Some(again) = rotated.iter().find(|plain| Some(&plain.base) == stuck) {
            self.seal(again)?;
            return Ok(true);
        }
        Ok(false)
    }

    fn measure(&self) {
        let plain = self.shared.segments.plain().len().saturating_sub(1);
        self.measured.unsealed.set(i64::try_from(plain).unwrap_or(i64::MAX));
        let sealed = self.shared.segments.sealed().len();
        self.measured.sealed.set(i64::try_from(sealed).unwrap_or(i64::MAX));
    }

    /// Seals a rotated segment.
    fn seal(&mut self, plain: &Arc<Plain>) -> io::Result<()> {
        let built = match self.building.take() {
            Some((of, built)) if Arc::ptr_eq(&of, plain) => built,
            _ => Built::default(),
        };
        let policy = &self.shared.policy;
        let class_of =
            |line: &Line<'_>| policy.class_of(&line.service(), line.level).map(|class| class.name.clone());
        let go_on = || self.shared.go_on();
        let sealer = Sealer {
            files: &self.shared.files,
            damage: &self.shared.damage,
            class_of: if policy.classes.is_empty() { None } else { Some(&class_of) },
            go_on: &go_on,
        };
        self.stuck.retain(|base| *base != plain.base);
        let sealed = sealer.seal(plain, built).inspect_err(|_| self.stuck.push_back(plain.base))?;
        self.shared.segments.replace_plain(plain, sealed.into_iter().map(Arc::new).map(Segment::Sealed));
        Ok(())
    }

    /// Indexes the next block of the active segment that stays as it is. Answers
    /// whether there was one.
    fn index(&mut self, active: &Arc<Plain>) -> io::Result<bool> {
        let extent = active.extent()?;
        if !self.building.as_ref().is_some_and(|(of, _)| Arc::ptr_eq(of, active)) {
            self.building = Some((Arc::clone(active), Built::default()));
        }
        let Some((_, built)) = &mut self.building else { return Ok(false) };
        let Some((_, whole)) = extent.blocks.split_last() else { return Ok(false) };
        let Some(block) = whole.get(built.blocks.len()) else { return Ok(false) };
        let mut lines = Vec::new();
        active.read(block, &mut lines)?;
        built.blocks.push(Arc::new(built.builder.block(&lines)));
        let (kinds, runs) = (built.builder.kinds().clone(), built.builder.runs().clone());
        active.set_index(Index::in_memory(Arc::new(kinds), runs, built.blocks.clone()));
        Ok(true)
    }

    /// Rebuilds a segment's index, or recompresses it, if there is need. Answers
    /// whether there was.
    fn look_after(&mut self, sealed: &Arc<Sealed>) -> io::Result<bool> {
        match self.mend(sealed) {
            // What is damaged or gone stays as it is, and so does what is whole beside it.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::InvalidData | ErrorKind::UnexpectedEof | ErrorKind::NotFound
                ) =>
            {
                tracing::warn!("segment {} is left as it is: {error}", sealed.name);
                self.hopeless.insert(sealed.id);
                self.clean_up();
                Ok(true)
            }
            result => result,
        }
    }

    fn mend(&self, sealed: &Arc<Sealed>) -> io::Result<bool> {
        let shared = Arc::clone(&self.shared);
        let go_on = || shared.go_on();
        let (files, cache) = (&shared.files, &shared.cache);
        if sealed.lacks_index() {
            seal::rebuild_index(files, sealed, &go_on)?;
            tracing::info!("the index of segment {} was rebuilt", sealed.name);
            sealed.found_index();
        } else if self.is_cold(sealed)? && sealed.summary(cache)?.level < LEVEL_COLD {
            // Slowly: half of the time is left to others.
            let began = Cell::new(Instant::now());
            let pause = || {
                std::thread::sleep(began.get().elapsed().min(LOOK));
                began.set(Instant::now());
                shared.go_on()
            };
            let new = seal::recompress(files, sealed, &pause)?;
            shared.segments.replace_sealed(sealed, Some(Segment::Sealed(Arc::new(new))));
        } else {
            return Ok(false);
        }
        cache.forget(sealed);
        Ok(true)
    }

    fn is_cold(&self, sealed: &Sealed) -> io::Result<bool> {
        Ok(sealed.sealed_at()?.elapsed().is_ok_and(|age| age >= self.cold_after))
    }

    /// Deletes what retention says.
    fn delete(&self) -> io::Result<()> {
        let (candidates, active_bytes) = self.shared.candidates();
        let (segments, files): (Vec<_>, Vec<_>) = candidates.into_iter().unzip();
        for Deletion { index, reason } in decide(&self.shared.policy, &files, active_bytes, time::now_ns()) {
            let Some(sealed) = segments.get(index) else { continue };
            tracing::info!("segment {} is deleted: {reason:?}", sealed.name);
            // Whoever has it open reads on.
            remove(&self.shared.files, &sealed.name)?;
            self.shared.segments.replace_sealed(sealed, None);
            self.shared.cache.forget(sealed);
            self.measured.deleted.inc();
        }
        Ok(())
    }

    /// Removes what was not finished.
    fn clean_up(&self) {
        let leftover = self.shared.files.list().map(|listing| listing.leftover);
        leftover.unwrap_or_default().iter().for_each(|path| drop(self.shared.files.disk().remove(path)));
    }
}

#[cfg(test)]
impl Upkeep {
    /// Whether it rests, because something failed.
    pub fn rests(&self) -> bool {
        self.rests_until.is_some()
    }

    /// Lets the time pass that it rests, and that between two looks.
    pub fn wake(&mut self) {
        self.rests_until = self.rests_until.map(|_| Instant::now());
        self.retention_due = Instant::now();
    }
}

/// Removes the files of a sealed segment: the text first, for an index without
/// it is removed at the next start.
fn remove(files: &Files, name: &SealedName) -> io::Result<()> {
    let gone = |path: &Path| match files.disk().remove(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    let path = files.sealed(name);
    gone(&path)?;
    gone(&files.index(name))?;
    files.disk().sync_parent(&path, SyncSite::DeleteDirectory)
}
