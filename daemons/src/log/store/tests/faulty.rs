//! A file system on which the process dies, or a call fails, at a chosen call
//! that changes something.

use crate::log::disk::{Disk, DiskFile, Metadata, Open, RealDisk, SyncSite};
use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

#[derive(Clone, Copy)]
enum Fate {
    Die,
    Fail(io::ErrorKind),
    /// Every call from here on fails for want of space.
    Full,
}

/// The payload of the panic of a process that died.
struct Died;

thread_local! {
    static LEFT: Cell<Option<(usize, Fate)>> = const { Cell::new(None) };
}

/// Dies or fails when this thread has made as many calls as it may.
fn point() -> io::Result<()> {
    match LEFT.get() {
        None => Ok(()),
        Some((0, Fate::Die)) => resume_unwind(Box::new(Died)),
        Some((_, Fate::Full)) => Err(io::ErrorKind::StorageFull.into()),
        Some((0, Fate::Fail(kind))) => {
            LEFT.set(None);
            Err(kind.into())
        }
        Some((left, fate)) => {
            LEFT.set(Some((left - 1, fate)));
            Ok(())
        }
    }
}

/// Does `work`, which dies before the call after the first `calls`: then there
/// is no result.
pub fn survive<T>(calls: usize, work: impl FnOnce() -> T) -> Option<T> {
    LEFT.set(Some((calls, Fate::Die)));
    let result = catch_unwind(AssertUnwindSafe(work));
    LEFT.set(None);
    match result {
        Ok(result) => Some(result),
        Err(died) if died.is::<Died>() => None,
        Err(panic) => resume_unwind(panic),
    }
}

/// Does `work`, in which the call after the first `calls` fails, once. Answers
/// whether it came as far as that.
pub fn fail(calls: usize, kind: io::ErrorKind, work: impl FnOnce()) -> bool {
    LEFT.set(Some((calls, Fate::Fail(kind))));
    work();
    LEFT.take().is_none()
}

/// Does `work` on a full disk.
pub fn full<T>(work: impl FnOnce() -> T) -> T {
    LEFT.set(Some((0, Fate::Full)));
    let result = work();
    LEFT.set(None);
    result
}

/// A file of this name is what the disk holds where the page cache holds `path`.
pub fn on_disk(path: &Path) -> PathBuf {
    path.with_extension("on-disk")
}

/// The file system of the machine, with faults.
#[derive(Debug)]
pub struct FaultyDisk;

#[derive(Debug)]
struct FaultyFile(Box<dyn DiskFile>);

impl Disk for FaultyDisk {
    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn DiskFile>> {
        // An existing file is opened on a full disk, too.
        let creates = how == Open::Truncate || (how == Open::Write && !path.exists());
        if creates {
            point()?;
        }
        let on_disk = on_disk(path);
        let path = if how == Open::Uncached && on_disk.exists() { &on_disk } else { path };
        Ok(Box::new(FaultyFile(RealDisk.open(path, how)?)))
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        RealDisk.metadata(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        RealDisk.list(dir)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<bool> {
        RealDisk.create_dir(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        point()?;
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        point()?;
        RealDisk.remove(path)
    }

    fn sync_dir(&self, dir: &Path, site: SyncSite) -> io::Result<()> {
        point()?;
        RealDisk.sync_dir(dir, site)
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        RealDisk.canonicalize(path)
    }
}

impl DiskFile for FaultyFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        point()?;
        self.0.write_at(bytes, offset)
    }

    fn metadata(&self) -> io::Result<Metadata> {
        self.0.metadata()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        point()?;
        self.0.set_len(len)
    }

    fn set_modified(&self, modified: SystemTime) -> io::Result<()> {
        self.0.set_modified(modified)
    }

    fn sync_data(&self, site: SyncSite) -> io::Result<()> {
        point()?;
        self.0.sync_data(site)
    }

    fn sync_all(&self, site: SyncSite) -> io::Result<()> {
        point()?;
        self.0.sync_all(site)
    }

    fn try_lock(&self) -> io::Result<()> {
        self.0.try_lock()
    }

    fn unlock(&self) {
        self.0.unlock();
    }
}
