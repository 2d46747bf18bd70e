//! What the threads of a log have in common.

use super::cache::Cache;
use super::damage::Damage;
use super::files::Files;
use super::live::Live;
use super::segment::{Plain, Sealed};
use super::segments::Segments;
use crate::log::retention::{Candidate, Policy};
use crate::runtime::health::Board;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::UNIX_EPOCH;

/// What the writer, the upkeep and the readers share.
pub struct Shared {
    pub(super) files: Files,
    pub(super) segments: Segments,
    pub(super) cache: Cache,
    pub(super) damage: Arc<Damage>,
    pub(super) policy: Policy,
    pub(super) live: Live,
    pub(super) health: Arc<Board>,
    pub(super) stopping: AtomicBool,
}

impl Shared {
    /// Whether the upkeep is to end.
    pub(super) fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// An error when the upkeep is to end.
    pub(super) fn go_on(&self) -> io::Result<()> {
        if self.stopping() { Err(ErrorKind::Interrupted.into()) } else { Ok(()) }
    }

    /// What retention may delete, and the bytes of all that it may not. A
    /// segment that cannot be read is kept.
    pub(super) fn candidates(&self) -> (Vec<(Arc<Sealed>, Candidate)>, u64) {
        let candidate = |sealed: Arc<Sealed>| {
            let summary = sealed.summary(&self.cache).ok()?;
            let since = sealed.sealed_at().ok()?.duration_since(UNIX_EPOCH).ok()?;
            let candidate = Candidate {
                name: sealed.name.to_string(),
                class: sealed.name.class.clone(),
                bytes: sealed.stored_len(),
                oldest_ns: summary.min_ns,
                newest_ns: summary.max_ns,
                sealed_ns: i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
                first_seq: summary.first_seq,
                records: summary.records,
            };
            Some((sealed, candidate))
        };
        let plain = self.segments.plain();
        let plain_len = |plain: &Arc<Plain>| plain.file().metadata().map_or(0, |m| m.len);
        (
            self.segments.sealed().into_iter().filter_map(candidate).collect(),
            plain.iter().map(plain_len).sum(),
        )
    }
}
