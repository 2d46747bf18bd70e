//! Sealed segments that are open.
//!
//! A query over everything opens more segments than there is room for. If each
//! took the place of the one that was used longest ago, none would be found again
//! by the next query. So a segment that is opened while the cache is full takes
//! the place of the one opened last, until it is asked for again; only one in
//! [`PROMOTED`] is treated as used at once, so that the cache follows what queries
//! ask for (bimodal insertion; Qureshi et al., ISCA 2007).

use super::segment::{Opened, Sealed};
use crate::log::limits::{CACHE_LEN_MAX, CACHE_OPEN_MAX};
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};

/// One segment in so many is treated as used when it is opened.
const PROMOTED: usize = 32;

/// A cache of open segments.
#[derive(Debug, Default)]
pub struct Cache {
    open: Mutex<Entries>,
    /// Bytes of rollups that stay in memory.
    rollups_len: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Entries {
    /// By the identity of the segment, the one asked for last in front.
    segments: VecDeque<(u64, Arc<Opened>)>,
    /// Segments put in while the cache was full.
    replaced: usize,
}

impl Cache {
    /// An open segment.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(&self, sealed: &Sealed) -> io::Result<Arc<Opened>> {
        if let Some(opened) = self.entries().get(sealed.id) {
            return Ok(opened);
        }
        let opened = Arc::new(sealed.open()?);
        self.entries().put(sealed.id, Arc::clone(&opened));
        Ok(opened)
    }

    /// Forgets a segment, so that it is opened anew.
    pub fn forget(&self, sealed: &Sealed) {
        self.entries().segments.retain(|(id, _)| *id != sealed.id);
    }

    /// Bytes of rollups that stay in memory.
    pub const fn rollups_len(&self) -> &Arc<AtomicUsize> {
        &self.rollups_len
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Entries> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn get(&mut self, id: u64) -> Option<Arc<Opened>> {
        let at = self.segments.iter().position(|(known, _)| *known == id)?;
        let entry = self.segments.remove(at)?;
        let opened = Arc::clone(&entry.1);
        self.segments.push_front(entry);
        Some(opened)
    }

    fn put(&mut self, id: u64, opened: Arc<Opened>) {
        self.segments.retain(|(known, _)| *known != id);
        // What a segment takes grows while it is open.
        let mut memory = opened.memory() + self.segments.iter().map(|(_, open)| open.memory()).sum::<usize>();
        let mut is_full = false;
        while (memory > CACHE_LEN_MAX || self.segments.len() >= CACHE_OPEN_MAX)
            && let Some((_, last)) = self.segments.pop_back()
        {
            memory -= last.memory().min(memory);
            is_full = true;
        }
        self.replaced += usize::from(is_full);
        if is_full && !self.replaced.is_multiple_of(PROMOTED) {
            self.segments.push_back((id, opened));
        } else {
            self.segments.push_front((id, opened));
        }
    }
}
