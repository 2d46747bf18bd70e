//! Reading a file past the page cache.

use super::{DiskFile, Metadata, SyncSite};
use rustix::fs::{Advice, OFlags, fadvise};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::time::SystemTime;

/// What direct I/O requires of offsets, lengths and addresses, at most.
const ALIGNMENT: usize = 4096;

/// A file whose reads return what is on disk. After a failed write-back the page
/// cache holds, as clean pages, what never got there.
#[derive(Debug)]
pub struct Uncached {
    file: File,
    /// With `O_DIRECT`; none where the file system has none.
    direct: Option<File>,
}

impl Uncached {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// As `open(2)`.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        // Pages that are still dirty are written by the caller's sync before
        // this. Clean ones are dropped, also for readers without `O_DIRECT`.
        fadvise(&file, 0, None, Advice::DontNeed)?;
        let flags = OFlags::DIRECT.bits().cast_signed();
        let direct = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
            Err(error) if is_unsupported(&error) => None,
            direct => Some(direct?),
        };
        Ok(Self { file, direct })
    }
}

fn is_unsupported(error: &io::Error) -> bool {
    let unsupported = [Errno::INVAL, Errno::OPNOTSUPP].map(Errno::raw_os_error);
    error.raw_os_error().is_some_and(|code| unsupported.contains(&code))
}

/// Reads whole aligned units around the range that is wanted.
fn read_direct(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let before = usize::try_from(offset % ALIGNMENT as u64).unwrap_or_default();
    let len = (before + buffer.len()).next_multiple_of(ALIGNMENT);
    let mut space = vec![0; len + ALIGNMENT];
    let skew = space.as_ptr().align_offset(ALIGNMENT);
    let aligned = space.get_mut(skew..).and_then(|space| space.get_mut(..len)).unwrap_or_default();
    let n = FileExt::read_at(file, aligned, offset - before as u64)?;
    let wanted = aligned.get(before..n).unwrap_or_default();
    let n = wanted.len().min(buffer.len());
    buffer.iter_mut().zip(wanted).for_each(|(to, from)| *to = *from);
    Ok(n)
}

impl DiskFile for Uncached {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self.direct.as_ref().map(|direct| read_direct(direct, buffer, offset)) {
            Some(Err(error)) if is_unsupported(&error) => {}
            Some(read) => return read,
            None => {}
        }
        FileExt::read_at(&self.file, buffer, offset)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<usize> {
        Err(Errno::BADF.into())
    }

    fn metadata(&self) -> io::Result<Metadata> {
        DiskFile::metadata(&self.file)
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(Errno::BADF.into())
    }

    fn set_modified(&self, _: SystemTime) -> io::Result<()> {
        Err(Errno::BADF.into())
    }

    fn sync_data(&self, site: SyncSite) -> io::Result<()> {
        DiskFile::sync_data(&self.file, site)
    }

    fn sync_all(&self, site: SyncSite) -> io::Result<()> {
        DiskFile::sync_all(&self.file, site)
    }

    fn try_lock(&self) -> io::Result<()> {
        DiskFile::try_lock(&self.file)
    }

    fn unlock(&self) {
        DiskFile::unlock(&self.file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_range_is_read_as_through_the_cache() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let bytes: Vec<u8> = (0..20_000_u32).map(|n| (n % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let file = Uncached::open(&path).unwrap();
        for (offset, len) in [(0, 1), (1, 4095), (4096, 4096), (4095, 2), (8191, 9000), (19_990, 10)] {
            let mut buffer = vec![0; len];
            file.read_exact_at(&mut buffer, offset as u64).unwrap();
            assert_eq!(buffer, bytes[offset..offset + len], "{len} bytes at {offset}");
        }
        assert_eq!(file.read_at(&mut [0; 100], 19_990).unwrap(), 10);
        assert_eq!(file.read_at(&mut [0; 100], 20_000).unwrap(), 0);
    }
}
