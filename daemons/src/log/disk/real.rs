//! The file system of the machine.

use super::uncached::Uncached;
use super::{Disk, DiskFile, FileId, Metadata, Open, SyncSite};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The file system of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Metadata {
    fn of(metadata: &fs::Metadata) -> io::Result<Self> {
        Ok(Self {
            len: metadata.len(),
            modified: metadata.modified()?,
            id: FileId { device: metadata.dev(), inode: metadata.ino() },
        })
    }
}

impl Disk for RealDisk {
    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn DiskFile>> {
        if how == Open::Uncached {
            return Ok(Box::new(Uncached::open(path)?));
        }
        let mut options = OpenOptions::new();
        options.read(true).mode(0o600);
        match how {
            Open::Read | Open::Uncached => &mut options,
            Open::Write => options.write(true).create(true).truncate(false),
            Open::Truncate => options.write(true).create(true).truncate(true),
        };
        let file = options.open(path)?;
        if how != Open::Read {
            // Another program may have created it readable by everybody.
            file.set_permissions(Permissions::from_mode(0o600))?;
        }
        Ok(Box::new(file))
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        Metadata::of(&fs::metadata(path)?)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect()
    }

    fn create_dir(&self, dir: &Path) -> io::Result<bool> {
        if dir.is_dir() {
            return Ok(false);
        }
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        Ok(true)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path, _: SyncSite) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(path)
    }
}

impl DiskFile for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        FileExt::write_at(self, bytes, offset)
    }

    fn metadata(&self) -> io::Result<Metadata> {
        Metadata::of(&Self::metadata(self)?)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        Self::set_len(self, len)
    }

    fn set_modified(&self, modified: SystemTime) -> io::Result<()> {
        Self::set_modified(self, modified)
    }

    fn sync_data(&self, _: SyncSite) -> io::Result<()> {
        Self::sync_data(self)
    }

    fn sync_all(&self, _: SyncSite) -> io::Result<()> {
        Self::sync_all(self)
    }

    fn try_lock(&self) -> io::Result<()> {
        Ok(Self::try_lock(self)?)
    }

    fn unlock(&self) {
        let _ = Self::unlock(self);
    }
}
