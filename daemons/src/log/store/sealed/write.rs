//! Writing a sealed segment's file, frame by frame.

use super::super::block::{Block, Run};
use super::Directory;
use crate::log::codec::checksum;
use crate::log::disk::{Disk, DiskFile, Open, SyncSite};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;
use zstd::bulk::Compressor;
use zstd::zstd_safe::CParameter;

/// What each frame's lines were, to be compared with what is read back.
pub type FrameSums = Vec<u64>;

/// A sealed file that is being written.
pub struct SealedWriter {
    file: Box<dyn DiskFile>,
    compressor: Compressor<'static>,
    directory: Directory,
    content_sums: Vec<u32>,
    sums: FrameSums,
    offset: u64,
}

impl SealedWriter {
    /// Begins a file.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(disk: &dyn Disk, path: &Path, base: u64, level: i32) -> io::Result<Self> {
        let file = disk.open(path, Open::Truncate)?;
        let mut compressor = Compressor::new(level)?;
        compressor.set_parameter(CParameter::ChecksumFlag(true))?;
        let directory = Directory { level, base, ..Directory::default() };
        Ok(Self { file, compressor, directory, content_sums: Vec::new(), sums: Vec::new(), offset: 0 })
    }

    /// Adds a frame of whole lines. `runs` are the sequences of its records, of
    /// which there is at least one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn push(&mut self, lines: &[u8], runs: &[Run], (min_ns, max_ns): (i64, i64)) -> io::Result<()> {
        let stored = self.compressor.compress(lines)?;
        self.file.write_all_at(&stored, self.offset)?;
        let content_sum = stored.last_chunk().map_or(0, |sum| u32::from_le_bytes(*sum));
        self.content_sums.push(content_sum);
        self.sums.push(checksum(lines));
        self.directory.sums.push(checksum(&stored));
        self.directory.blocks.push(Block {
            offset: self.offset,
            stored_len: stored.len(),
            len: lines.len(),
            first_seq: runs.first().map_or(0, |run| run.first),
            records: runs.iter().map(|run| run.len).sum(),
            runs: (runs.len() > 1).then(|| Arc::from(runs)),
            min_ns,
            max_ns,
        });
        self.offset += stored.len() as u64;
        Ok(())
    }

    /// Ends the file and syncs it.
    ///
    /// # Errors
    /// When that fails.
    pub fn finish(self) -> io::Result<(Directory, FrameSums)> {
        self.finish_as_of(SystemTime::now())
    }

    /// Ends the file, gives it this age, and syncs it.
    ///
    /// # Errors
    /// When that fails.
    pub fn finish_as_of(self, modified: SystemTime) -> io::Result<(Directory, FrameSums)> {
        self.file.write_all_at(&self.directory.to_tail(&self.content_sums), self.offset)?;
        self.file.set_modified(modified)?;
        self.file.sync_all(SyncSite::SealFrames)?;
        Ok((self.directory, self.sums))
    }
}
