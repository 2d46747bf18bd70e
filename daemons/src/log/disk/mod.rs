//! The file system seam: the log reaches every one of its files through [`Disk`]
//! and [`DiskFile`].
//!
//! [`RealDisk`] is the file system of the machine. A test may pass another
//! implementation that loses what was not synced, fails calls, or writes short.
//! What an implementation has to guarantee is what POSIX does:
//!
//! * Bytes of a file are durable after [`DiskFile::sync_data`] or
//!   [`DiskFile::sync_all`] returned `Ok`. After an error it is unknown which
//!   are, and a later sync of the same file may return `Ok` all the same.
//! * A name (created, renamed, removed) is durable after [`Disk::sync_dir`] of
//!   its directory.
//! * [`Disk::rename`] is atomic: after a crash a name leads to the old file or
//!   to the new one.
//!
//! Every sync names its [`SyncSite`], so that a test can turn one site into a
//! no-op and prove that the log needs it.

mod real;
#[cfg(test)]
pub mod sim;
mod site;
mod uncached;

pub use real::RealDisk;
pub use site::SyncSite;

use std::fmt::Debug;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// For reading.
    Read,
    /// For reading what is on disk instead of what the page cache holds: after a
    /// failed write-back they differ, and the cache holds what is lost. The
    /// caller syncs the file before, and ignores an error of that.
    Uncached,
    /// For reading and writing; created empty, readable by its owner only, if it
    /// does not exist.
    Write,
    /// For reading and writing; created, or emptied if it exists.
    Truncate,
}

/// Identifies a file independently of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileId {
    /// The device.
    pub device: u64,
    /// The inode.
    pub inode: u64,
}

/// What the file system knows of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    /// The length in bytes.
    pub len: u64,
    /// The time of the last modification.
    pub modified: SystemTime,
    /// The identity.
    pub id: FileId,
}

/// A file system. All paths are absolute or relative to the working directory.
pub trait Disk: Debug + Send + Sync {
    /// Opens a file.
    ///
    /// # Errors
    /// As `open(2)`.
    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn DiskFile>>;

    /// The metadata of a file, following symbolic links.
    ///
    /// # Errors
    /// As `stat(2)`.
    fn metadata(&self, path: &Path) -> io::Result<Metadata>;

    /// The paths of the entries of a directory, in any order.
    ///
    /// # Errors
    /// As `readdir(3)`.
    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>>;

    /// Creates a directory and its missing ancestors, accessible by their owner
    /// only. Answers whether it was missing.
    ///
    /// # Errors
    /// As `mkdir(2)`.
    fn create_dir(&self, dir: &Path) -> io::Result<bool>;

    /// Renames a file, replacing the one that has the new name.
    ///
    /// # Errors
    /// As `rename(2)`; [`ErrorKind::CrossesDevices`] between file systems.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// As `unlink(2)`.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// As `fsync(2)`.
    fn sync_dir(&self, dir: &Path, site: SyncSite) -> io::Result<()>;

    /// The path with all symbolic links resolved.
    ///
    /// # Errors
    /// As `realpath(3)`.
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf>;

    /// Whether a path exists.
    fn exists(&self, path: &Path) -> bool {
        self.metadata(path).is_ok()
    }

    /// Makes the names in the directory of a file durable.
    ///
    /// # Errors
    /// As `fsync(2)`.
    fn sync_parent(&self, path: &Path, site: SyncSite) -> io::Result<()> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        self.sync_dir(parent.unwrap_or(Path::new(".")), site)
    }

    /// Reads a whole file.
    ///
    /// # Errors
    /// When it cannot be opened or read.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = self.open(path, Open::Read)?;
        let mut bytes = Vec::new();
        DiskReader::new(file.as_ref()).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// An open file. It has no position: every read and write names its offset.
pub trait DiskFile: Debug + Send + Sync {
    /// Reads some bytes from an offset on; 0 at the end.
    ///
    /// # Errors
    /// As `pread(2)`.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes some bytes at an offset.
    ///
    /// # Errors
    /// As `pwrite(2)`.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// The metadata.
    ///
    /// # Errors
    /// As `fstat(2)`.
    fn metadata(&self) -> io::Result<Metadata>;

    /// Cuts or extends the file.
    ///
    /// # Errors
    /// As `ftruncate(2)`.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Sets the time of the last modification.
    ///
    /// # Errors
    /// As `utimensat(2)`.
    fn set_modified(&self, modified: SystemTime) -> io::Result<()>;

    /// Makes the contents and the length durable.
    ///
    /// # Errors
    /// As `fdatasync(2)`.
    fn sync_data(&self, site: SyncSite) -> io::Result<()>;

    /// Makes the contents and all metadata durable.
    ///
    /// # Errors
    /// As `fsync(2)`.
    fn sync_all(&self, site: SyncSite) -> io::Result<()>;

    /// Locks the file against other processes, without waiting.
    ///
    /// # Errors
    /// When it is locked already.
    fn try_lock(&self) -> io::Result<()>;

    /// Unlocks the file.
    fn unlock(&self);

    /// Reads exactly as many bytes as the buffer has.
    ///
    /// # Errors
    /// As [`Self::read_at`]; [`ErrorKind::UnexpectedEof`] when the file ends before.
    fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.read_at(buffer, offset) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(n) => {
                    buffer = buffer.get_mut(n..).unwrap_or_default();
                    offset += n as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes all of the bytes.
    ///
    /// # Errors
    /// As [`Self::write_at`]; some of them may have been written.
    fn write_all_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write_at(bytes, offset) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => {
                    bytes = bytes.get(n..).unwrap_or_default();
                    offset += n as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Reads a file from its beginning.
pub struct DiskReader<'a> {
    file: &'a dyn DiskFile,
    offset: u64,
}

impl<'a> DiskReader<'a> {
    /// A reader that stands at the beginning.
    pub fn new(file: &'a dyn DiskFile) -> Self {
        Self { file, offset: 0 }
    }
}

impl Read for DiskReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(buffer, self.offset)?;
        self.offset += n as u64;
        Ok(n)
    }
}

/// Copies `len` bytes from one offset of a file to the beginning of another.
///
/// # Errors
/// When one cannot be read, ends before, or the other cannot be written.
pub fn copy(from: &dyn DiskFile, offset: u64, len: u64, to: &dyn DiskFile) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 20];
    let mut copied = 0;
    while copied < len {
        let n = usize::try_from(len - copied).unwrap_or(usize::MAX).min(buffer.len());
        let chunk = buffer.get_mut(..n).unwrap_or_default();
        from.read_exact_at(chunk, offset + copied)?;
        to.write_all_at(chunk, copied)?;
        copied += n as u64;
    }
    Ok(())
}
