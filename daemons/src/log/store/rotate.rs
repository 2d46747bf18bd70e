//! When the active segment ends and the next one begins.

use super::extent::Extent;
use super::fault::Fault;
use super::files;
use super::keys::{self, Keys};
use super::manifest::Manifest;
use super::segment::{Plain, Segment};
use super::sums::Sums;
use super::writer::Writer;
use crate::log::disk::{Open, SyncSite};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The pause after a rotation that failed.
const ROTATION_REST: Duration = Duration::from_secs(30);

impl Writer {
    /// Whether the active segment is large or old enough.
    pub(super) fn wants_rotation(&self) -> bool {
        let age_ms = chrono::Utc::now().timestamp_millis().saturating_sub(self.manifest.begun_ms);
        let due = self.len >= self.rotate_len || (self.len > 0 && age_ms >= self.rotate_age_ms);
        due && self.repair.is_none() && self.rotation_rests.is_none_or(|until| Instant::now() >= until)
    }

    /// Rotates the active segment, and looks after the keys' file.
    pub(super) fn rotate(&mut self) {
        match self.try_rotate() {
            Ok(()) => {
                self.rotation_rests = None;
                self.ring();
            }
            Err(fault @ Fault::Broken(_)) => drop(self.fail(fault)),
            Err(fault) => {
                tracing::warn!("cannot rotate the log, trying again in {ROTATION_REST:?}: {fault:?}");
                self.rotation_rests = Some(Instant::now() + ROTATION_REST);
            }
        }
    }

    fn try_rotate(&mut self) -> Result<(), Fault> {
        self.active.file().sync_all(SyncSite::ActiveRotate).map_err(Fault::Broken)?;
        if self.is_in_place().map_err(Fault::of_opening)? {
            self.adopt_appended().map_err(Fault::of_opening)?;
            let base = self.manifest.base;
            self.shared.files.rotate(base).map_err(Fault::of_opening)?;
            // Across file systems the segment is another file now; in the same
            // one it stays open, with what is known of it.
            if let Ok(moved) = self.shared.files.disk().open(&self.shared.files.plain(base), Open::Read)
                && moved.metadata().map_err(Fault::of_opening)?.id
                    != self.active.file().metadata().map_err(Fault::of_opening)?.id
            {
                let moved = Arc::new(Plain::new(base, moved, self.active.known()));
                self.shared.segments.replace_plain(&self.active, [Segment::Plain(Arc::clone(&moved))]);
                self.active = moved;
            }
        }
        self.begin_anew().map_err(Fault::of_opening)?;
        if self.keys.wants_rewrite() {
            let adopt = || {
                let found = keys::read(&self.shared.files, Open::Read)?;
                Keys::adopt(&self.shared.files, found, self.next_seq, false)
            };
            // Without space the old file stays, and is rewritten another time. After any
            // other failure it may have been replaced: without it open, no key could be kept.
            self.keys = adopt().map_err(Fault::of_write)?;
        }
        Ok(())
    }

    /// Whether the active file is still at its path and whole: somebody may have
    /// moved, removed or emptied it, and records must not go where nobody finds
    /// them, nor leave a hole before them.
    pub(super) fn is_in_place(&self) -> io::Result<bool> {
        let ours = self.active.file().metadata()?;
        if ours.len < self.len {
            return Ok(false);
        }
        match self.shared.files.disk().metadata(&self.shared.files.active) {
            Ok(there) => Ok(there.id == ours.id),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Begins a new active segment at the path.
    pub(super) fn begin_anew(&mut self) -> io::Result<()> {
        let disk = Arc::clone(self.shared.files.disk());
        if disk.metadata(&self.shared.files.active).is_ok_and(|there| there.len > 0) {
            // Not ours: kept beside, for whoever put it there.
            let beside = self.shared.files.active.with_extension(format!("foreign-{}", self.next_seq));
            tracing::warn!("somebody else's file is where the log should be; it is now {}", beside.display());
            disk.rename(&self.shared.files.active, &beside)?;
        }
        let emptied = self.active.file().metadata()?.len < self.len;
        let manifest = Manifest::begin(self.next_seq);
        // Where the old segment has its name, it tells the next start where this
        // one begins. Else only the manifest does, and is first: if no file
        // follows, the next start finds it missing and goes on far beyond.
        let is_rotated = disk.exists(&self.shared.files.plain(self.manifest.base));
        if !is_rotated {
            manifest.write(&self.shared.files)?;
        }
        let file = files::open(disk.as_ref(), &self.shared.files.active, SyncSite::ActiveDirectory)?;
        file.set_len(0)?;
        let _ = file.try_lock();
        if is_rotated {
            manifest.write(&self.shared.files)?;
        }
        self.manifest = manifest;
        self.sums = Sums::begin(&self.shared.files, self.next_seq);
        let active = Arc::new(Plain::new(self.next_seq, file, Some(Arc::new(Extent::empty(self.next_seq)))));
        if emptied {
            // Its lines are gone, and their places in the file may be others'.
            self.shared.segments.replace_plain(&self.active, []);
        }
        self.shared.segments.begin(Arc::clone(&active));
        self.active = active;
        self.len = 0;
        Ok(())
    }
}
