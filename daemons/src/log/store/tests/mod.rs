//! The store beside what it must amount to, over stops, crashes, faults and
//! damage.
//!
//! Most of these tests do the upkeep by hand, step by step, so that they are the
//! same every time; a few leave it to its thread.

mod cache;
mod crashes;
mod damage;
mod faults;
mod faulty;
mod model;
mod recover;
mod retention;
mod sealing;
mod simulated;
mod sums;
mod tail;
mod unclean;

use super::manifest::Manifest;
use super::*;
use crate::log::batch::{Batch, Defaults};
use crate::log::ingest::{BodyKind, read};
use crate::log::query::Filter;
use crate::log::search::{Budget, Order, QueryMemory, walk};
use crate::runtime::body::BodyBudget;
use crate::settings::{Durability, Limit, Size};
use faulty::FaultyDisk;
use shared::daemon::Daemon;
use shared::span::Span;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::ops::{ControlFlow, Deref};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Two classes; what is of neither is in a third file.
const CLASSES: &str = "fine=off level:<=debug; audit=off service:audit";

/// A directory for one log, and how that is set up.
pub struct Place {
    dir: tempfile::TempDir,
    /// Where the active file is, if not there.
    elsewhere: Option<tempfile::TempDir>,
    rotate_size: u64,
    classes: &'static str,
    keep_age: Option<Duration>,
    cold_after: Duration,
}

/// A log that nobody looks after but the test.
struct Idle {
    store: Arc<Store>,
    upkeep: Upkeep,
    rotate_size: u64,
    _bell: Receiver<()>,
}

impl Deref for Idle {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl Idle {
    /// The same, after the time between two looks at what is to be deleted.
    fn settle_later(&mut self) {
        self.settle();
        self.upkeep.wake();
        self.settle();
    }

    /// Does the upkeep until there is nothing to do, or something fails.
    fn try_settle(&mut self) {
        self.rotate();
        while self.upkeep.step() {}
    }

    /// Waits until the writer has rotated, if it is to: it does so after the answer.
    fn rotate(&self) {
        let active = || self.shared.segments.plain().pop().unwrap();
        while active().extent().unwrap().len >= self.rotate_size {
            std::thread::yield_now();
        }
    }

    /// Does the upkeep until there is nothing to do.
    fn settle(&mut self) {
        self.try_settle();
        assert!(!self.upkeep.rests(), "the upkeep gave up: {:?}", self.shared.health.report());
    }
}

impl Place {
    /// In memory where that can be had: what is tested is what the files hold,
    /// not how fast a disk syncs them.
    fn new(rotate_size: u64) -> Self {
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        Self { dir, elsewhere: None, rotate_size, classes: "", keep_age: None, cold_after: Duration::MAX }
    }

    /// The active file on another file system than the rest, if there are two.
    fn across(rotate_size: u64) -> Option<Self> {
        let (elsewhere, place) = (tempfile::tempdir().unwrap(), Self::new(rotate_size));
        let device = |path: &Path| std::os::unix::fs::MetadataExt::dev(&fs::metadata(path).unwrap());
        let is_another = device(elsewhere.path()) != device(place.path());
        is_another.then(|| Self { elsewhere: Some(elsewhere), ..place })
    }

    /// The same, with records in classes.
    fn with_classes(rotate_size: u64, classes: &'static str) -> Self {
        Self { classes, ..Self::new(rotate_size) }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn active(&self) -> PathBuf {
        self.elsewhere.as_ref().unwrap_or(&self.dir).path().join("distributed.log")
    }

    fn manifests(&self) -> [PathBuf; 2] {
        ["manifest.json", "manifest.copy.json"].map(|name| self.path().join("data").join(name))
    }

    fn settings(&self) -> settings::Log {
        settings::Log {
            port: 0,
            url: String::new(),
            file: self.active(),
            durability: Durability::Os,
            rotate_size: Size(self.rotate_size),
            rotate_age: Span(Duration::from_secs(86_400)),
            keep_age: Limit(self.keep_age.map(Span)),
            keep_size: Limit(None),
            classes: self.classes.parse().unwrap(),
            body_max: Size(1 << 20),
            query_timeout: Span(Duration::from_secs(20)),
            tails_max: 1,
            queries_max: 1,
            query_memory: Size(128 << 20),
            recompress_after: Span(self.cold_after),
        }
    }

    fn own_dir(&self) -> OwnDir {
        OwnDir::open(self.path().join("data")).unwrap()
    }

    /// With everything running.
    fn open(&self) -> Arc<Store> {
        let health = Arc::new(Board::new(Daemon::Log));
        Arc::new(Store::open(self.own_dir(), &self.settings(), health, &Metrics::default()).unwrap())
    }

    /// With the upkeep left to the test.
    fn open_idle(&self) -> Idle {
        let health = Arc::new(Board::new(Daemon::Log));
        let (store, upkeep, bell) = Store::open_idle(
            Arc::new(FaultyDisk),
            self.own_dir(),
            &self.settings(),
            health,
            &Metrics::default(),
        )
        .unwrap();
        Idle { store: Arc::new(store), upkeep, rotate_size: self.rotate_size, _bell: bell }
    }

    /// With the writer left to the test too.
    fn open_still(&self) -> Still {
        let health = Arc::new(Board::new(Daemon::Log));
        Store::open_still(Arc::new(FaultyDisk), self.own_dir(), &self.settings(), health, &Metrics::default())
            .unwrap()
    }

    /// The end of the process without a stop, and its start.
    async fn kill(&self, log: Idle) -> Idle {
        self.leave(log).await;
        self.open_idle()
    }

    /// The end of the process without a stop: what a stop notes is not there.
    async fn leave(&self, log: Idle) {
        log.close().await;
        drop(log);
        for path in self.manifests() {
            let manifest = Manifest::read_from(&RealDisk, &path).unwrap().unwrap();
            let open = Manifest { least_len: 0, clean: false, ..manifest };
            fs::write(path, open.to_bytes().unwrap()).unwrap();
        }
    }

    async fn reopen(&self, log: Idle) -> Idle {
        log.close().await;
        drop(log);
        self.open_idle()
    }

    /// The files of the segments that are not active, by name.
    fn segments(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path().join("data/segments")).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn segment(&self, name: &str) -> PathBuf {
        self.path().join("data/segments").join(name)
    }

    /// Those whose names end like this.
    fn segments_with(&self, end: &str) -> Vec<String> {
        self.segments().into_iter().filter(|name| name.ends_with(end)).collect()
    }

    /// There are segments and their indexes, and nothing that was begun and not
    /// ended.
    fn assert_tidy(&self) {
        let names = self.segments();
        for name in &names {
            let (stem, end) = name.split_at(name.find('.').unwrap());
            let is_there = |end: &str| names.contains(&format!("{stem}{end}"));
            let base = stem.get(..20).unwrap();
            match end {
                ".log" => assert!(!names.iter().any(|n| n.starts_with(base) && n != name), "{names:?}"),
                ".log.zst" => {}
                ".idx" => assert!(is_there(".log.zst"), "{names:?}"),
                _ => panic!("{name} is left over"),
            }
        }
    }

    /// Everything but the active segment is sealed and has its index.
    fn assert_settled(&self) {
        self.assert_tidy();
        assert_eq!(self.segments_with(".log"), Vec::<String>::new());
        assert_eq!(self.segments_with(".log.zst").len(), self.segments_with(".idx").len());
    }
}

fn batch(text: &str) -> Batch {
    read(BodyKind::Text, text.as_bytes(), &Defaults::now(None, None)).unwrap()
}

/// A batch of a JSON document.
fn json_batch(json: &serde_json::Value) -> Batch {
    read(BodyKind::Json, json.to_string().as_bytes(), &Defaults::now(None, None)).unwrap()
}

async fn append(store: &Store, text: &str) -> u64 {
    append_batch(store, batch(text), None).await
}

async fn append_keyed(store: &Store, text: &str, key: &str) -> u64 {
    append_batch(store, batch(text), Some(key)).await
}

/// Appends a batch; its first sequence.
async fn append_batch(store: &Store, batch: Batch, key: Option<&str>) -> u64 {
    let room = BodyBudget::new(1 << 10).reserve();
    let key = key.map(|key| RequestKey { key: key.to_owned(), request: 0 });
    store.append(batch, key, room).await.unwrap().first
}

/// So many records of all classes.
async fn fill(store: &Store, records: u64) {
    for n in 0..records {
        let level = ["info", "debug", "warn"][n as usize % 3];
        let service = ["shop", "shop", "audit", "shop"][n as usize % 4];
        let record =
            serde_json::json!({"message": format!("record {n}"), "level": level, "service": service});
        append_batch(store, json_batch(&record), None).await;
    }
}

fn budget() -> Budget {
    let memory = QueryMemory::new(1 << 30);
    Budget { deadline: Instant::now() + Duration::from_secs(600), left: Arc::default(), memory }
}

/// All records that can be read, by sequence, and whether there are more.
fn readable(store: &Store) -> (Vec<(u64, String)>, bool) {
    let mut found = Vec::new();
    let all = Filter::parse("").unwrap();
    let walked = walk(&store.snapshot(), &all, Order::FirstStored, usize::MAX, &budget(), |hit| {
        found.push((hit.seq, String::from_utf8_lossy(&hit.line.message()).into_owned()));
        ControlFlow::Continue(())
    });
    (found, walked.partial)
}

/// All records: sequence and message.
fn all(store: &Store) -> Vec<(u64, String)> {
    let (found, partial) = readable(store);
    assert!(!partial);
    found
}

fn pairs(expected: &[(u64, &str)]) -> Vec<(u64, String)> {
    expected.iter().map(|(seq, text)| (*seq, (*text).to_owned())).collect()
}
