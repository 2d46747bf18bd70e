//! Sealed segments that are open: those that were asked for last.

use super::segment::{Opened, Sealed};
use crate::log::limits::{CACHE_LEN_MAX, CACHE_OPEN_MAX};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// A cache of open segments, the one asked for last in front.
#[derive(Debug, Default)]
pub struct Cache {
    open: Mutex<VecDeque<(u64, Arc<Opened>)>>,
}

impl Cache {
    /// An open segment.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(&self, sealed: &Sealed) -> io::Result<Arc<Opened>> {
        if let Some(opened) = self.take(sealed.id) {
            self.put(sealed.id, Arc::clone(&opened));
            return Ok(opened);
        }
        let opened = Arc::new(sealed.open()?);
        self.put(sealed.id, Arc::clone(&opened));
        Ok(opened)
    }

    /// Forgets a segment, so that it is opened anew.
    pub fn forget(&self, sealed: &Sealed) {
        self.take(sealed.id);
    }

    fn take(&self, id: u64) -> Option<Arc<Opened>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let at = open.iter().position(|(known, _)| *known == id)?;
        open.remove(at).map(|(_, opened)| opened)
    }

    fn put(&self, id: u64, opened: Arc<Opened>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(known, _)| *known != id);
        open.push_front((id, opened));
        let mut memory = 0;
        let fits = |opened: &Opened| {
            memory += opened.memory();
            memory <= CACHE_LEN_MAX
        };
        let fitting =
            open.iter().map(|(_, opened)| opened.as_ref()).map(fits).take_while(|fits| *fits).count();
        open.truncate(fitting.clamp(1, CACHE_OPEN_MAX));
    }
}
