//! What the frames of a sealed segment hold.
//!
//! ```text
//! payload  = "distlogD" version:u32 level:i32 count:u32 entry… runs
//!            length:u32 checksum:u64
//! entry    = stored-length:u32 length:u32 records:u32 runs:u32 first-seq:u64
//!            min-ns:i64 max-ns:i64 checksum:u64
//! runs     = first:u64 length:u32, as many as the entries say together
//! ```
//!
//! Around it is a skippable frame, of one magic number where all sequences simply
//! follow the base and of another where not: without the directory they can be
//! found out in the first case only.
//!
//! An entry with no runs has sequences that follow its first. The checksum of an
//! entry is of the frame as it is stored; the one at the end is of everything
//! before it. The length is that of the payload, for whoever comes from its end.

use super::super::block::{Block, Run};
use super::{
    DIRECTORY_MAGIC, SCATTERED_MAGIC, SEEK_CHECKSUMS, SEEK_ENTRY, SEEK_FOOTER, SEEK_TABLE_MAGIC,
    SEEKABLE_MAGIC, SKIPPABLE_HEAD, damaged, decode,
};
use crate::log::codec::{Reader, checksum};
use crate::log::disk::DiskFile;
use crate::log::limits::DIRECTORY_MAX;
use crate::log::lines::span;
use std::io;
use std::sync::Arc;

const MAGIC: &[u8; 8] = b"distlogD";
const VERSION: u32 = 1;
const ENTRY_LEN: usize = 48;
const RUN_LEN: usize = 12;
/// Bytes of the length and the checksum at the end.
pub const TRAILER: usize = 12;

/// Where a directory was found.
#[derive(Debug)]
pub enum Origin {
    /// In the file.
    Own,
    /// In the index: that of the file is damaged.
    Copy(io::Error),
    /// It was made from the frames.
    Frames {
        /// What is the matter with that of the file.
        damage: io::Error,
        /// Frames that nothing is known of, behind a damaged one.
        given_up: usize,
    },
}

/// The frames of a sealed segment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    /// The zstd level at which it was compressed.
    pub level: i32,
    /// The sequence that its records do not come before; the file's name has it.
    pub base: u64,
    /// The frames, in order.
    pub blocks: Vec<Block>,
    /// The checksum of each as it is stored.
    pub sums: Vec<u64>,
}

impl Directory {
    /// As it stands in the file, without the skippable frame around it.
    pub fn to_payload(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.blocks.len() * ENTRY_LEN);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&self.level.to_le_bytes());
        out.extend_from_slice(&(self.blocks.len() as u32).to_le_bytes());
        for (block, sum) in self.blocks.iter().zip(&self.sums) {
            let runs = block.runs.as_deref().unwrap_or_default();
            for part in [block.stored_len as u32, block.len as u32, block.records, runs.len() as u32] {
                out.extend_from_slice(&part.to_le_bytes());
            }
            out.extend_from_slice(&block.first_seq.to_le_bytes());
            out.extend_from_slice(&block.min_ns.to_le_bytes());
            out.extend_from_slice(&block.max_ns.to_le_bytes());
            out.extend_from_slice(&sum.to_le_bytes());
        }
        for run in self.blocks.iter().filter_map(|block| block.runs.as_deref()).flatten() {
            out.extend_from_slice(&run.first.to_le_bytes());
            out.extend_from_slice(&run.len.to_le_bytes());
        }
        out.extend_from_slice(&((out.len() + TRAILER) as u32).to_le_bytes());
        let sum = checksum(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        out
    }

    /// What [`Self::to_payload`] wrote of a segment with this base; none if any
    /// bit of it is another, or if what it says of a frame cannot be.
    pub fn from_payload(payload: &[u8], base: u64) -> Option<Self> {
        let (summed, sum) = payload.split_at_checked(payload.len().checked_sub(8)?)?;
        if Reader(sum).u64()? != checksum(summed) {
            return None;
        }
        let mut reader = Reader(summed);
        if reader.take(MAGIC.len())? != MAGIC || reader.u32()? != VERSION {
            return None;
        }
        let level = reader.u32()?.cast_signed();
        let count = reader.u32()? as usize;
        let mut runs = Reader(reader.0.get(count.checked_mul(ENTRY_LEN)?..)?);
        let mut directory =
            Self { level, base, blocks: Vec::with_capacity(count), sums: Vec::with_capacity(count) };
        let mut offset = 0;
        for _ in 0..count {
            let stored_len = reader.u32()? as usize;
            let len = reader.u32()? as usize;
            let records = reader.u32()?;
            let run_count = reader.u32()? as usize;
            let first_seq = reader.u64()?;
            let (min_ns, max_ns) = (reader.i64()?, reader.i64()?);
            directory.sums.push(reader.u64()?);
            let mut own = Reader(runs.take(run_count.checked_mul(RUN_LEN)?)?);
            let own: Option<Vec<Run>> =
                (0..run_count).map(|_| Some(Run { first: own.u64()?, len: own.u32()? })).collect();
            let own = Some(own?).filter(|own| !own.is_empty()).map(Arc::from);
            let block = Block { offset, stored_len, len, first_seq, records, runs: own, min_ns, max_ns };
            directory.blocks.push(Some(block).filter(Block::makes_sense)?);
            offset += stored_len as u64;
        }
        Some(directory)
    }

    /// What a rebuilt index must be of: the lines, however they are compressed.
    pub fn identity(&self) -> u64 {
        let mut bytes = Vec::with_capacity(self.blocks.len() * 24);
        for block in &self.blocks {
            bytes.extend_from_slice(&block.first_seq.to_le_bytes());
            bytes.extend_from_slice(&block.last_seq().to_le_bytes());
            bytes.extend_from_slice(&(block.len as u64).to_le_bytes());
        }
        checksum(&bytes)
    }

    /// Whether its sequences simply follow the base.
    fn is_contiguous(&self) -> bool {
        let mut next_seq = self.base;
        self.blocks.iter().all(|block| {
            let follows = block.runs.is_none() && block.first_seq == next_seq;
            next_seq = block.last_seq() + 1;
            follows
        })
    }

    /// The directory and the seek table as they end a file. The content
    /// checksums are those that zstd put at the end of each frame.
    pub fn to_tail(&self, content_sums: &[u32]) -> Vec<u8> {
        let payload = self.to_payload();
        let mut out = Vec::with_capacity(payload.len() + 64 + self.blocks.len() * SEEK_ENTRY);
        let magic = if self.is_contiguous() { DIRECTORY_MAGIC } else { SCATTERED_MAGIC };
        out.extend_from_slice(&magic.to_le_bytes());
        out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        out.extend_from_slice(&payload);
        // The directory is a frame of the file too, with no content.
        let count = self.blocks.len() + 1;
        out.extend_from_slice(&SEEK_TABLE_MAGIC.to_le_bytes());
        out.extend_from_slice(&((count * SEEK_ENTRY + SEEK_FOOTER) as u32).to_le_bytes());
        for (block, sum) in self.blocks.iter().zip(content_sums) {
            out.extend_from_slice(&(block.stored_len as u32).to_le_bytes());
            out.extend_from_slice(&(block.len as u32).to_le_bytes());
            out.extend_from_slice(&sum.to_le_bytes());
        }
        out.extend_from_slice(&((payload.len() + SKIPPABLE_HEAD) as u32).to_le_bytes());
        out.extend_from_slice(&[0; 8]);
        out.extend_from_slice(&(count as u32).to_le_bytes());
        out.push(SEEK_CHECKSUMS);
        out.extend_from_slice(&SEEKABLE_MAGIC.to_le_bytes());
        out
    }

    /// Reads a file's own directory.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub fn read(file: &dyn DiskFile, base: u64) -> io::Result<Self> {
        let table = SeekTable::read(file)?;
        let mut trailer = [0; TRAILER];
        let end = table.begin;
        file.read_exact_at(&mut trailer, end.checked_sub(TRAILER as u64).ok_or_else(lost)?)?;
        let len = Reader(&trailer).u32().unwrap_or_default() as usize;
        if len > DIRECTORY_MAX {
            return Err(lost());
        }
        let mut payload = vec![0; len];
        file.read_exact_at(&mut payload, end.checked_sub(len as u64).ok_or_else(lost)?)?;
        let directory = Self::from_payload(&payload, base).ok_or_else(lost)?;
        let stored: u64 = directory.blocks.iter().map(|block| block.stored_len as u64).sum();
        if stored + (SKIPPABLE_HEAD + len) as u64 == end { Ok(directory) } else { Err(lost()) }
    }

    /// Reads a file's own directory; if that is damaged, the copy in its index;
    /// if that is too, the frames themselves.
    ///
    /// # Errors
    /// When the file cannot be read, or nothing is left that says what it holds.
    pub fn find(
        file: &dyn DiskFile,
        copy: impl FnOnce() -> io::Result<Vec<u8>>,
        base: u64,
    ) -> io::Result<(Self, Origin)> {
        let damage = match Self::read(file, base) {
            Ok(directory) => return Ok((directory, Origin::Own)),
            Err(damage) => damage,
        };
        match copy().ok().and_then(|copy| Self::from_payload(&copy, base)) {
            Some(copy) if copy.fits(file) => Ok((copy, Origin::Copy(damage))),
            copy => match (Self::reconstruct(file, base), copy) {
                (Ok((directory, given_up)), _) => Ok((directory, Origin::Frames { damage, given_up })),
                // Of a file that was cut short it still says what is before the cut.
                (Err(_), Some(copy)) => Ok((copy, Origin::Copy(damage))),
                (Err(error), None) => Err(error),
            },
        }
    }

    /// Finds out by decoding what a lost directory said. What is behind a
    /// damaged frame is given up, for how many records that had, nobody knows: a
    /// block that cannot be read stands for all of it. Answers how many frames
    /// that are.
    ///
    /// # Errors
    /// When the file cannot be read, its seek table is damaged too, or the
    /// sequences of its records cannot be known.
    fn reconstruct(file: &dyn DiskFile, base: u64) -> io::Result<(Self, usize)> {
        let table = SeekTable::read(file)?;
        let mut magic = [0; 4];
        let head = table.entries.last().map_or(0, |(stored_len, _)| *stored_len as u64);
        file.read_exact_at(&mut magic, table.begin.checked_sub(head).ok_or_else(lost)?)?;
        if u32::from_le_bytes(magic) != DIRECTORY_MAGIC {
            return Err(damaged("the sequences of a sealed segment are lost"));
        }
        let mut found = Self { level: 0, base, blocks: Vec::new(), sums: Vec::new() };
        let (mut offset, mut first_seq) = (0, base);
        let (mut lines, mut given_up) = (Vec::new(), 0);
        // The directory is a frame without content.
        let frames = table.entries.into_iter().filter(|(_, len)| *len > 0);
        let count = frames.clone().count();
        for (at, (stored_len, len)) in frames.enumerate() {
            let mut stored = vec![0; stored_len];
            file.read_exact_at(&mut stored, offset)?;
            if decode(&stored, len, &mut lines).is_err() {
                tracing::error!(
                    "a frame and the directory of a sealed segment are damaged: what follows is lost"
                );
                given_up = count - at;
                found.sums.push(!checksum(&stored));
                found.blocks.push(Block {
                    offset,
                    stored_len,
                    len,
                    first_seq,
                    records: 1,
                    runs: None,
                    min_ns: i64::MIN,
                    max_ns: i64::MAX,
                });
                break;
            }
            let (records, min_ns, max_ns) = span(&lines);
            found.sums.push(checksum(&stored));
            found.blocks.push(Block {
                offset,
                stored_len,
                len,
                first_seq,
                records,
                runs: None,
                min_ns,
                max_ns,
            });
            offset += stored_len as u64;
            first_seq += u64::from(records);
        }
        Ok((found, given_up))
    }

    /// Whether a file of this length can be the one that this is the directory of.
    pub fn fits(&self, file: &dyn DiskFile) -> bool {
        let frames: u64 = self.blocks.iter().map(|block| block.stored_len as u64).sum();
        let tail = self.to_tail(&vec![0; self.blocks.len()]).len() as u64;
        file.metadata().is_ok_and(|metadata| metadata.len == frames + tail)
    }

    /// Whether the whole end of the file is as it was written, seek table and all.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn tail_is_whole(&self, file: &dyn DiskFile) -> io::Result<bool> {
        let begin: u64 = self.blocks.iter().map(|block| block.stored_len as u64).sum();
        let mut content_sums = Vec::with_capacity(self.blocks.len());
        for block in &self.blocks {
            // The last bytes of a frame are its content checksum.
            let mut sum = [0; 4];
            file.read_exact_at(&mut sum, block.offset + block.stored_len.saturating_sub(4) as u64)?;
            content_sums.push(u32::from_le_bytes(sum));
        }
        let tail = self.to_tail(&content_sums);
        let len = file.metadata()?.len.saturating_sub(begin);
        if len != tail.len() as u64 {
            return Ok(false);
        }
        let mut there = vec![0; tail.len()];
        file.read_exact_at(&mut there, begin)?;
        Ok(there == tail)
    }
}

fn lost() -> io::Error {
    damaged("the directory of a sealed segment is damaged")
}

/// The seek table, as far as it is needed.
pub struct SeekTable {
    /// Where its skippable frame begins.
    pub begin: u64,
    /// Stored and decoded length of each frame.
    pub entries: Vec<(usize, usize)>,
}

impl SeekTable {
    /// Reads it.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub fn read(file: &dyn DiskFile) -> io::Result<Self> {
        let lost = || damaged("the seek table of a sealed segment is damaged");
        let end = file.metadata()?.len;
        let mut footer = [0; SEEK_FOOTER];
        file.read_exact_at(&mut footer, end.checked_sub(SEEK_FOOTER as u64).ok_or_else(lost)?)?;
        let mut reader = Reader(&footer);
        let count = reader.u32().unwrap_or_default() as usize;
        let known = reader.u8() == Some(SEEK_CHECKSUMS) && reader.u32() == Some(SEEKABLE_MAGIC);
        let len = count * SEEK_ENTRY + SEEK_FOOTER + SKIPPABLE_HEAD;
        if !known || count == 0 || len > DIRECTORY_MAX {
            return Err(lost());
        }
        let begin = end.checked_sub(len as u64).ok_or_else(lost)?;
        let mut table = vec![0; count * SEEK_ENTRY];
        file.read_exact_at(&mut table, begin + SKIPPABLE_HEAD as u64)?;
        let mut reader = Reader(&table);
        let mut entries = Vec::with_capacity(count);
        while let (Some(stored_len), Some(len), Some(_)) = (reader.u32(), reader.u32(), reader.u32()) {
            entries.push((stored_len as usize, len as usize));
        }
        let stored: u64 = entries.iter().map(|(stored_len, _)| *stored_len as u64).sum();
        if stored == begin { Ok(Self { begin, entries }) } else { Err(lost()) }
    }
}
