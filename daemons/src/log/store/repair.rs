//! What recovery writes, in an order in which it may be cut off at any place.
//!
//! After an unclean end the page cache is not trusted: after a failed write-back
//! the kernel calls pages clean that never got to disk, shows them to readers,
//! and a later sync of the same file succeeds. So the active file is read past
//! the cache, its whole lines are copied to a new file, and that replaces the old
//! one. Nothing is ever appended to a file of the run before.
//!
//! 1. What is cut off goes to `torn/`, synced.
//! 2. The whole lines go to a new file, synced, which is renamed over the active
//!    one; the directory is synced.
//! 3. The keys without their records are dropped by rewriting the file of keys.
//! 4. The manifest is written.
//!
//! On a full disk the log is opened all the same: it can be read, and the writer
//! goes on with the repair before it appends anything.

use super::files::{self, Files};
use super::keys::{self, Keys};
use super::manifest::Manifest;
use crate::log::disk::{self, Disk, DiskFile, Open, SyncSite};
use std::io;
use std::ops::Range;
use std::path::Path;

/// Bytes of the active file that are no records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// Where they are.
    pub range: Range<u64>,
    /// What they are.
    pub what: &'static str,
}

/// What is left to be written before the log can be appended to.
#[derive(Debug)]
pub struct Repair {
    /// The length of the active file's whole lines, if it is to be replaced.
    pub replace: Option<u64>,
    /// What is cut off, in order.
    pub torn: Vec<Torn>,
    /// Whether files of the run before may differ from what is on disk.
    pub unclean: bool,
    /// The manifest as it is to be.
    pub manifest: Manifest,
    /// The sequence of the next record.
    pub next_seq: u64,
}

impl Repair {
    /// Writes what is left. Answers the new active file, once it has its name,
    /// and the keys, when all is written. After an error it can be run again.
    pub fn run(&mut self, files: &Files) -> (Option<Box<dyn DiskFile>>, io::Result<Keys>) {
        // A rotation may have renamed a segment without syncing its directory, and
        // what follows relies on it.
        let named = match self.unclean {
            true => files.disk().sync_dir(&files.segments(), SyncSite::RecoverSegments),
            false => Ok(()),
        };
        let replaced =
            named.and_then(|()| self.replace.map(|len| self.replace_active(files, len)).transpose());
        let new = match replaced {
            Ok(new) => new,
            Err(error) => return (None, Err(error)),
        };
        self.replace = None;
        (new, self.write_rest(files))
    }

    fn replace_active(&self, files: &Files, len: u64) -> io::Result<Box<dyn DiskFile>> {
        let disk = files.disk().as_ref();
        let on_disk = disk.open(&files.active, Open::Uncached)?;
        for Torn { range, what } in &self.torn {
            let kept = files.torn(self.manifest.base, range.start);
            keep(disk, on_disk.as_ref(), range, &kept)?;
            let (bytes, at, kept) = (range.end - range.start, range.start, kept.display());
            tracing::warn!("{what} is cut off the log: {bytes} bytes from {at} on, kept in {kept}");
        }
        let new = files::unfinished(&files.active);
        let copied = copy(disk, on_disk.as_ref(), len, &new).and_then(|file| {
            disk.rename(&new, &files.active)?;
            disk.sync_parent(&files.active, SyncSite::RecoverActiveDirectory)?;
            Ok(file)
        });
        // Without space for it, it must not take up what there is.
        copied.inspect_err(|_| drop(disk.remove(&new)))
    }

    fn write_rest(&self, files: &Files) -> io::Result<Keys> {
        let how = if self.unclean { Open::Uncached } else { Open::Read };
        let keys = Keys::adopt(files, keys::read(files, how)?, self.next_seq, self.unclean)?;
        if self.unclean || !self.manifest.stands(files)? {
            self.manifest.write(files)?;
        }
        Ok(keys)
    }
}

/// Copies what is kept of the active file, and locks the copy.
fn copy(disk: &dyn Disk, from: &dyn DiskFile, len: u64, to: &Path) -> io::Result<Box<dyn DiskFile>> {
    let file = disk.open(to, Open::Truncate)?;
    file.try_lock()?;
    disk::copy(from, 0, len, file.as_ref())?;
    file.sync_all(SyncSite::RecoverActive)?;
    Ok(file)
}

/// Keeps bytes that are cut off.
fn keep(disk: &dyn Disk, from: &dyn DiskFile, range: &Range<u64>, to: &Path) -> io::Result<()> {
    let kept = disk.open(to, Open::Truncate)?;
    let copied = disk::copy(from, range.start, range.end - range.start, kept.as_ref())
        .and_then(|()| kept.sync_all(SyncSite::Torn))
        .and_then(|()| disk.sync_parent(to, SyncSite::TornDirectory));
    copied.inspect_err(|_| drop(disk.remove(to)))
}
