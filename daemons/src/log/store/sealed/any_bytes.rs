//! Any bytes as a sealed file: whatever they are, reading them ends.

use super::directory::{SeekTable, TRAILER};
use super::{Directory, checksum, decode, read_frame};
use crate::log::fuzzing::file_of;
use std::fs::File;

/// Longer frames take more memory than a test has.
const LEN_MAX: usize = 1 << 24;

/// Reads them as they are, and with checksums that are right.
pub fn frame(bytes: &[u8]) {
    look(&file_of(bytes));
    if let Some(mended) = mend(bytes) {
        look(&file_of(&mended));
    }
}

fn look(file: &File) {
    let mut lines = Vec::new();
    let found =
        Directory::find(file, || Err(std::io::ErrorKind::NotFound.into()), 1).map(|(directory, _)| directory);
    for directory in [Directory::read(file, 1), found].into_iter().flatten() {
        assert_eq!(Directory::from_payload(&directory.to_payload(), 1).as_ref(), Some(&directory));
        let _ = (directory.identity(), directory.fits(file), directory.tail_is_whole(file));
        for (block, sum) in directory.blocks.iter().zip(&directory.sums) {
            assert!(block.last_seq() >= block.first_seq);
            assert_eq!(block.seqs().take(1_000).last(), block.seqs().take(1_000).max());
            if block.len <= LEN_MAX && read_frame(file, block, *sum, &mut lines).is_ok() {
                assert_eq!(lines.len(), block.len);
            }
        }
    }
}

/// The same with the checksums that it should have, where it is enough of a
/// sealed file to have any.
fn mend(bytes: &[u8]) -> Option<Vec<u8>> {
    let table = SeekTable::read(&file_of(bytes)).ok()?;
    let mut mended = bytes.to_vec();
    let (content, _) = mended.split_at_mut_checked(usize::try_from(table.begin).ok()?)?;
    let len = content.get(content.len().checked_sub(TRAILER)?..)?.first_chunk::<4>()?;
    let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
    let (frames, payload) = content.split_at_mut_checked(content.len().checked_sub(len)?)?;
    let mut rest: &[u8] = frames;
    let mut entries = payload.get_mut(28..)?;
    for (stored_len, _) in table.entries {
        let Some((stored, after)) = rest.split_at_checked(stored_len) else { break };
        let Some((entry, others)) = entries.split_at_mut_checked(48) else { break };
        let _ = decode(stored, 1 << 16, &mut Vec::new());
        entry.get_mut(40..)?.copy_from_slice(&checksum(stored).to_le_bytes());
        (rest, entries) = (after, others);
    }
    let (summed, sum) = payload.split_last_chunk_mut::<8>()?;
    *sum = checksum(summed).to_le_bytes();
    Some(mended)
}
