//! A sealed segment's text: a file that `zstdcat`, `zstdgrep` and `zstd -t` read.
//!
//! ```text
//! file       = frame… directory seek-table
//! frame      = a zstd frame (RFC 8878) of whole lines, about 1 MiB before
//!              compression, with its size and its content checksum
//! directory  = a skippable frame: what the frames hold ([`directory`])
//! seek-table = a skippable frame in the zstd seekable format, version 0.1.0:
//!              the lengths of all frames, with checksums
//! ```
//!
//! Every frame stands alone: one that is damaged loses its own lines and no
//! others. The directory has a checksum of every frame as it is stored and one
//! of itself, so that each flipped bit is noticed before anything is decoded.
//! It is a copy of what can be found out by decoding, and a copy of it stands in
//! the index: if the directory is lost, that one is used, else the seek table
//! and the frames themselves.

#[cfg(any(test, fuzzing))]
pub mod any_bytes;
mod directory;
mod write;

use crate::log::limits::BLOCK_LEN_MAX;
pub use directory::{Directory, Origin};
pub use write::{FrameSums, SealedWriter};

use super::block::Block;
use crate::log::codec::checksum;
use crate::log::disk::DiskFile;
use std::cell::RefCell;
use std::io::{self, ErrorKind};
use zstd::bulk::Decompressor;

/// Skippable frames that hold a directory; any decoder passes over them.
const DIRECTORY_MAGIC: u32 = 0x184D_2A50;
/// The same, of a segment whose sequences do not simply follow its base.
const SCATTERED_MAGIC: u32 = 0x184D_2A5B;
/// The one that the seekable format uses.
const SEEK_TABLE_MAGIC: u32 = 0x184D_2A5E;
/// The last four bytes of a seek table.
const SEEKABLE_MAGIC: u32 = 0x8F92_EAB1;
/// The seek table's descriptor: there are checksums.
const SEEK_CHECKSUMS: u8 = 0x80;
/// Bytes of the magic number and the length of a skippable frame.
const SKIPPABLE_HEAD: usize = 8;
/// Bytes after the seek table's entries: their number, the descriptor, the magic.
const SEEK_FOOTER: usize = 9;
/// Bytes of an entry: compressed length, length, checksum.
const SEEK_ENTRY: usize = 12;

/// Something is not as it was written.
pub fn damaged(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

/// Reads a frame's lines into `lines`.
///
/// # Errors
/// When it cannot be read, or is damaged.
pub fn read_frame(file: &dyn DiskFile, block: &Block, sum: u64, lines: &mut Vec<u8>) -> io::Result<()> {
    thread_local! {
        /// The frame as it is stored: kept from one to the next.
        static STORED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    STORED.with_borrow_mut(|stored| {
        stored.resize(block.stored_len, 0);
        file.read_exact_at(stored, block.offset)?;
        if checksum(stored) != sum {
            return Err(damaged("a frame is damaged"));
        }
        decode(stored, block.len, lines)
    })
}

/// Decodes one frame of a known length.
fn decode(stored: &[u8], len: usize, lines: &mut Vec<u8>) -> io::Result<()> {
    if len > BLOCK_LEN_MAX {
        return Err(damaged("a frame is too long"));
    }
    thread_local! {
        static DECODER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
    }
    lines.clear();
    lines.reserve_exact(len);
    let decoded = DECODER.with_borrow_mut(|decoder| {
        let decoder = match decoder {
            Some(decoder) => decoder,
            none => none.insert(Decompressor::new()?),
        };
        decoder.decompress_to_buffer(stored, lines)
    })?;
    if decoded == len { Ok(()) } else { Err(damaged("a frame has another length than it should")) }
}
