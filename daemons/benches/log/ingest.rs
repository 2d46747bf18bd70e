//! Records in: made beforehand, so that making them takes nothing from what is
//! measured.

use crate::client::Client;
use crate::generate::Generator;
use crate::process::Log;
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const BATCH: u64 = 10_000;
const CONNECTIONS: usize = 2;
/// Longer than sealing can take.
const SEALING: Duration = Duration::from_secs(600);

/// Records in a file, in batches.
pub struct Data {
    pub generator: Generator,
    file: File,
    /// Where each batch is.
    batches: Vec<Range<u64>>,
    /// Batches that were ingested.
    sent: usize,
}

/// What ingest came to.
pub struct Ingest {
    pub records_per_second: f64,
    pub cpu_us_per_record: f64,
}

impl Data {
    /// Nothing yet; the file vanishes with its last handle.
    pub fn new(records_a_day: u64) -> Self {
        let file = tempfile::tempfile_in(std::env::var_os("BENCH_DIR").unwrap_or(".".into())).unwrap();
        Self { generator: Generator::new(records_a_day), file, batches: Vec::new(), sent: 0 }
    }

    /// Makes records until there are so many.
    pub fn fill(&mut self, records: u64) {
        let mut buffer = Vec::new();
        let mut begin = self.batches.last().map_or(0, |last| last.end);
        while self.generator.made < records {
            buffer.clear();
            for _ in 0..BATCH.min(records - self.generator.made) {
                self.generator.write(&mut buffer);
            }
            self.file.write_all(&buffer).unwrap();
            self.batches.push(begin..begin + buffer.len() as u64);
            begin += buffer.len() as u64;
        }
        // That it goes to disk is not to be paid for by the log.
        self.file.sync_all().unwrap();
    }

    /// Posts what was not posted yet, over a few connections at the same time.
    pub fn ingest(&mut self, log: &Log) -> Ingest {
        let next = AtomicUsize::new(self.sent);
        let accepted = AtomicUsize::new(0);
        let (began, cpu_s) = (Instant::now(), log.cpu_s());
        std::thread::scope(|scope| {
            for _ in 0..CONNECTIONS {
                scope.spawn(|| {
                    let mut client = Client::connect(log.port);
                    let mut body = Vec::new();
                    while let Some(place) = self.batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                        body.resize((place.end - place.start) as usize, 0);
                        self.file.read_exact_at(&mut body, place.start).unwrap();
                        let answer = client.post("/log", "application/x-ndjson", &body);
                        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
                        let records = answer["accepted"].as_u64().unwrap();
                        accepted.fetch_add(records as usize, Ordering::Relaxed);
                    }
                });
            }
        });
        let (took, cpu_s) = (began.elapsed(), log.cpu_s() - cpu_s);
        self.sent = self.batches.len();
        let records = accepted.into_inner() as f64;
        Ingest { records_per_second: records / took.as_secs_f64(), cpu_us_per_record: cpu_s * 1e6 / records }
    }
}

/// Waits until everything that was rotated is sealed: how long that took, and
/// the processor seconds of it; none where the log does not say.
pub fn sealed(log: &Log) -> Option<(Duration, f64)> {
    let (began, cpu_s) = (Instant::now(), log.cpu_s());
    while log.unsealed()? > 0 {
        assert!(began.elapsed() < SEALING, "sealing does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    Some((began.elapsed(), log.cpu_s() - cpu_s))
}
