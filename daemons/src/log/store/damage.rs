//! What was found damaged: told once, counted, shown in the health report.

use crate::log::limits::DAMAGE_NOTED_MAX;
use crate::runtime::health::Board;
use crate::runtime::metrics::Metrics;
use prometheus_client::metrics::gauge::Gauge;
use std::collections::HashSet;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, PoisonError};

/// Whether an error says that a file is not as it was written, rather than that
/// it cannot be read now.
pub fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof)
}

/// The places that are known to be damaged.
pub struct Damage {
    health: Arc<Board>,
    noted: Mutex<HashSet<(String, Option<usize>)>>,
    gauge: Gauge,
}

impl std::fmt::Debug for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Damage").field("places", &self.gauge.get()).finish_non_exhaustive()
    }
}

impl Damage {
    /// None is known yet.
    pub fn new(health: Arc<Board>, metrics: &Metrics) -> Self {
        let gauge = Gauge::default();
        metrics.register(|registry| {
            registry.register("log_damaged_places", "Damaged places found in segments", gauge.clone());
        });
        Self { health, noted: Mutex::default(), gauge }
    }

    /// Notes damaged text of a plain segment.
    pub fn note_text(&self, base: u64, offset: u64, what: &str) {
        let place = usize::try_from(offset).ok();
        self.add(format!("{base:020} (text)"), place, &format!("segment {base} is damaged: {what}"));
    }

    /// Notes a damaged block of a segment, or its directory. What cannot be read
    /// for another reason, a lack of descriptors for one, is no damage.
    pub fn note(&self, segment: String, block: Option<usize>, error: &io::Error) {
        if !is_damage(error) {
            return tracing::error!("segment {segment} cannot be read: {error}");
        }
        let place = block.map_or("its directory".to_owned(), |block| format!("its frame {block}"));
        let what = format!("segment {segment} is damaged, {place}: {error}");
        self.add(segment, block, &what);
    }

    fn add(&self, segment: String, block: Option<usize>, what: &str) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() >= DAMAGE_NOTED_MAX || !noted.insert((segment, block)) {
            return;
        }
        self.gauge.set(i64::try_from(noted.len()).unwrap_or(i64::MAX));
        tracing::error!("{what}");
        let places = noted.len();
        self.health.warn("segments", format!("{places} damaged places in segments; see the journal"));
    }
}
