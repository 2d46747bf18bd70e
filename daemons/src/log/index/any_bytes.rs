//! Any bytes as an index: whatever they are, reading them ends.

use super::Rollup;
use super::columns::columns_from_bytes;
use super::file::{Opened, directory_of, kinds_from_bytes, open};
use crate::log::codec::checksum;
use crate::log::fuzzing::file_of;

/// Where the places of the sections are in the header, and how long one is.
const PLACES: usize = 32;
const PLACE_LEN: usize = 24;
const SECTIONS: usize = 6;
/// So many blocks are looked at.
const BLOCKS_MAX: usize = 64;

/// Reads them as they are, with checksums that are right, and as what is packed
/// in an index.
pub fn index(bytes: &[u8]) {
    look(bytes);
    if let Some(mended) = mend(bytes) {
        look(&mended);
    }
    let _ = (kinds_from_bytes(bytes), Rollup::from_bytes(bytes));
    for records in [0, 1, bytes.len() / 3, usize::MAX] {
        if let Some(columns) = columns_from_bytes(records, bytes) {
            assert_eq!((columns.kinds.len(), columns.seconds.len()), (records, records));
        }
    }
}

fn look(bytes: &[u8]) {
    let identity =
        bytes.get(16..).and_then(|rest| rest.first_chunk()).map_or(0, |id| u64::from_le_bytes(*id));
    let Ok(opened) = open(Box::new(file_of(bytes)), identity) else { return };
    if let Ok(detail) = opened.detail() {
        assert!(detail.kinds.iter().count() <= detail.kinds.len());
    }
    let blocks = Opened::blocks(&opened).min(BLOCKS_MAX);
    for block in 0..=blocks {
        let _ = opened.counts(block, |_| ());
        let _ = opened.columns(block);
    }
    for hash in [0, 1 << 40, u64::MAX] {
        if let Ok(found) = opened.blocks_with(hash) {
            assert!(!found.contains(opened.blocks()));
        }
    }
    let _ = (opened.check(), opened.memory(), directory_of(&file_of(bytes)));
}

/// The same with the checksums that it should have.
fn mend(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut mended = bytes.to_vec();
    for section in 0..SECTIONS {
        let at = PLACES + section * PLACE_LEN;
        let number = |at: usize| {
            let number = bytes.get(at..)?.first_chunk().map(|number| u64::from_le_bytes(*number))?;
            usize::try_from(number).ok()
        };
        let (offset, len) = (number(at)?, number(at + 8)?);
        if let Some(section) = bytes.get(offset..).and_then(|rest| rest.get(..len)) {
            mended.get_mut(at + 16..at + PLACE_LEN)?.copy_from_slice(&checksum(section).to_le_bytes());
        }
    }
    let (summed, rest) = mended.split_at_mut_checked(PLACES + SECTIONS * PLACE_LEN)?;
    rest.get_mut(..8)?.copy_from_slice(&checksum(summed).to_le_bytes());
    Some(mended)
}
