//! One log that lives through some steps and ends, made from one seed.

use super::model::{Check, Model, Request};
use crate::log::disk::sim::{Fault, SimDisk};
use crate::log::disk::{Disk, SyncSite};
use crate::log::store::tests::{Place, json_batch, readable};
use crate::log::store::{AppendError, RequestKey, Still, Store};
use crate::runtime::body::BodyBudget;
use crate::runtime::health::Board;
use crate::runtime::metrics::Metrics;
use crate::settings::Durability;
use futures_util::FutureExt;
use shared::daemon::Daemon;
use shared::wire::log::Accepted;
use std::sync::Arc;
use tokio::runtime::Runtime;

/// Ends of the process or of the power in one episode, at most.
const LIVES_MAX: u32 = 6;
/// Steps between two of them, at most.
const STEPS_MAX: u32 = 14;
/// Calls of the file system until the power is cut, at most.
const CALLS_MAX: u32 = 60;

/// Calls that fail while the log runs.
const FAULTS: [Fault; 5] = [Fault::Full, Fault::Sync, Fault::Write, Fault::Read, Fault::Open];

/// What came of an episode.
pub struct Outcome {
    /// The promise that was broken.
    pub violation: Option<String>,
    /// How often the process or the power ended.
    pub ends: u32,
}

/// A log on a simulated disk, and what it has promised.
pub struct Episode {
    disk: SimDisk,
    place: Place,
    runtime: Runtime,
    rng: fastrand::Rng,
    model: Model,
    /// Requests so far, for texts and keys like no other.
    sent: u64,
    ends: u32,
    /// Prints every step: the episode is repeated to be looked at.
    is_told: bool,
}

/// How a life ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Stop,
    Process,
    Power,
}

impl Episode {
    /// With every sync, or without those at one site.
    pub fn new(seed: u64, without: Option<SyncSite>) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let classes = if rng.u8(..4) == 0 { super::super::CLASSES } else { "" };
        let place = Place::with_classes(rng.u64(200..2_000), classes);
        let disk = SimDisk::new(rng.u64(..), place.path());
        if let Some(site) = without {
            disk.without(site);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self { disk, place, runtime, rng, model: Model::default(), sent: 0, ends: 0, is_told: false }
    }

    /// The same, and prints every step.
    pub fn told(self) -> Self {
        Self { is_told: true, ..self }
    }

    fn tell(&self, step: impl FnOnce() -> String) {
        if self.is_told {
            println!("{}", step());
        }
    }

    pub fn run(mut self) -> Outcome {
        let violation = self.live().err();
        Outcome { violation, ends: self.ends }
    }

    fn live(&mut self) -> Check {
        for _ in 0..self.rng.u32(1..=LIVES_MAX) {
            let mut log = self.open()?;
            self.check(&log)?;
            let end = [End::Stop, End::Process, End::Power, End::Power][self.rng.usize(..4)];
            if end == End::Power {
                self.disk.arm(Fault::Power, self.rng.u32(..CALLS_MAX));
            }
            for _ in 0..self.rng.u32(1..=STEPS_MAX) {
                if self.disk.is_off() || self.step(&mut log, end)?.is_break() {
                    break;
                }
            }
            self.end(log, end);
        }
        self.disk.heal();
        let mut log = self.open()?;
        self.check(&log)?;
        while log.upkeep.step() {}
        self.check(&log)?;
        self.end(log, End::Stop);
        let log = self.open()?;
        self.check(&log)
    }

    /// Opens the log; a fault may keep it from starting once, and the second
    /// time there is none. A lack of space is no reason not to start.
    fn open(&mut self) -> Result<Still, String> {
        match self.try_open() {
            Ok(log) => Ok(log),
            Err(error) if self.disk.is_off() => {
                self.disk.cut_power();
                self.try_open().map_err(|again| format!("it does not start: {again}, after {error}"))
            }
            Err(error) => {
                self.disk.heal();
                self.disk.end_process();
                self.try_open().map_err(|again| format!("it does not start: {again}, after {error}"))
            }
        }
    }

    fn try_open(&self) -> Result<Still, String> {
        let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
        let mut settings = self.place.settings();
        settings.durability = Durability::Fsync;
        let _runtime = self.runtime.enter();
        let health = Arc::new(Board::new(Daemon::Log));
        let opened = Store::open_still(disk, self.place.own_dir(), &settings, health, &Metrics::default());
        opened.map_err(|error| error.to_string())
    }

    fn check(&mut self, log: &Still) -> Check {
        let (mut stored, mut partial) = readable(&log.store);
        self.tell(|| format!("shown: {stored:?}"));
        if self.disk.is_off() {
            return Ok(());
        }
        if partial {
            // One read may fail; the next one does not.
            (stored, partial) = readable(&log.store);
        }
        if self.disk.cannot_open() {
            return Ok(());
        }
        if partial {
            return Err("a part of the log cannot be read".to_owned());
        }
        self.model.check(&stored, log.store.next_seq())
    }

    fn step(&mut self, log: &mut Still, end: End) -> Result<std::ops::ControlFlow<()>, String> {
        match self.rng.u8(..16) {
            0..=8 => {
                let requests = (0..self.rng.u32(1..4)).map(|_| self.request()).collect();
                if self.append(log, requests)? {
                    return Ok(std::ops::ControlFlow::Break(()));
                }
            }
            9..=11 => {
                let went_on = log.upkeep.step();
                self.tell(|| format!("upkeep: {went_on}"));
            }
            12 => {
                self.sent += 1;
                self.tell(|| format!("by hand {}", self.sent));
                self.disk.append(&self.place.active(), format!("by hand {}\n", self.sent).as_bytes());
            }
            13 if end != End::Power => {
                let fault = FAULTS[self.rng.usize(..FAULTS.len())];
                let after = self.rng.u32(..6);
                self.tell(|| format!("{fault:?} after {after} calls"));
                self.disk.arm(fault, after);
            }
            14 => {
                self.tell(|| "no fault any more".to_owned());
                self.disk.heal();
                if end == End::Power {
                    self.disk.arm(Fault::Power, self.rng.u32(..CALLS_MAX));
                }
                log.writer.turn(Vec::new());
            }
            _ => self.check(log)?,
        }
        Ok(std::ops::ControlFlow::Continue(()))
    }

    /// A new request, or one that was sent before.
    fn request(&mut self) -> Request {
        if self.rng.u8(..5) == 0
            && let Some(repeated) = self.model.to_repeat(&mut self.rng)
        {
            return repeated;
        }
        self.sent += 1;
        let texts = (0..self.rng.u32(1..5)).map(|n| format!("request {} record {n}", self.sent)).collect();
        let key = self.rng.bool().then(|| format!("key {}", self.sent));
        Request { texts, key }
    }

    /// Appends requests as one group. Whether the log has broken for good.
    fn append(&mut self, log: &mut Still, requests: Vec<Request>) -> Result<bool, String> {
        let mut is_broken = false;
        for (request, answer) in requests.iter().zip(self.commit(log, &requests)) {
            self.tell(|| format!("{request:?}: {answer:?}"));
            match answer {
                Ok(accepted) => self.model.acknowledged(accepted.first, request)?,
                Err(AppendError::Full | AppendError::Later(_)) => self.model.refused(request),
                Err(_) => {
                    self.model.unknown(request.clone());
                    is_broken = true;
                }
            }
        }
        Ok(is_broken)
    }

    fn commit(&self, log: &mut Still, requests: &[Request]) -> Vec<Result<Accepted, AppendError>> {
        let Still { store, writer, requests: queue, .. } = log;
        let store = &*store;
        let sending = requests.iter().map(|request| async move {
            let levels = ["info", "debug"];
            let records = request.texts.iter().zip(levels.iter().cycle());
            let records = records.map(|(text, level)| serde_json::json!({"message": text, "level": level}));
            let batch = json_batch(&records.collect());
            let key = request.key.clone().map(|key| RequestKey { key, request: 0 });
            store.append(batch, key, BodyBudget::new(1 << 10).reserve()).await
        });
        let mut sending = Box::pin(futures_util::future::join_all(sending));
        self.runtime.block_on(async {
            let unanswered = sending.as_mut().now_or_never();
            assert!(unanswered.is_none(), "nobody has written yet");
            writer.turn(queue.try_iter().collect());
            sending.await
        })
    }

    fn end(&mut self, log: Still, end: End) {
        self.ends += 1;
        self.tell(|| format!("ends by {end:?}: {:?}", self.disk.files()));
        let Still { store, mut writer, requests, upkeep, bell } = log;
        if end == End::Stop && !self.disk.is_off() {
            writer.end();
        }
        drop((writer, upkeep, requests, bell, store));
        if end == End::Power || self.disk.is_off() {
            self.disk.cut_power();
        } else {
            self.disk.end_process();
        }
        self.tell(|| format!("left: {:?}", self.disk.files()));
    }
}
