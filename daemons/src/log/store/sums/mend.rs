//! Repairing text that differs from its checksums.
//!
//! The length of a text never changes by that. A single flipped bit is found by
//! trying, and the text is again what was written. Where more is damaged the text
//! stays, but for its line feeds: as many lines must be there as were written,
//! for sequences are counted by lines, and those after the damage must not name
//! other records. What is overwritten is kept in `torn/`.

use super::check::{Difference, differences};
use super::read;
use crate::log::codec::checksum;
use crate::log::disk::{DiskFile, Open, SyncSite};
use crate::log::store::damage::Damage;
use crate::log::store::files::Files;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Trying takes a second or so: for so many groups of a segment.
const TRIED_MAX: usize = 4;
/// Longer groups are not tried.
const TRIED_LEN_MAX: usize = 128 << 10;

/// Compares a segment's text with its checksums, repairs what it can, and tells
/// what was damaged. Answers whether the text was changed.
///
/// # Errors
/// When it cannot be read or written.
pub fn mend(files: &Files, base: u64, path: &Path, damage: &Damage) -> io::Result<bool> {
    let entries = read(files, base)?;
    if entries.is_empty() {
        return Ok(false);
    }
    let text = match files.disk().open(path, Open::Read) {
        // Moved away: nothing is there to be repaired.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        text => text?,
    };
    let found = differences(&entries, base, text.as_ref())?;
    if found.is_empty() {
        return Ok(false);
    }
    let text = files.disk().open(path, Open::Write)?;
    let mut is_changed = false;
    for (nth, difference) in found.iter().enumerate() {
        is_changed |= mend_group(files, base, text.as_ref(), difference, nth < TRIED_MAX, damage)?;
    }
    if is_changed {
        text.sync_all(SyncSite::SumsMend)?;
    }
    Ok(is_changed)
}

fn mend_group(
    files: &Files,
    base: u64,
    text: &dyn DiskFile,
    difference: &Difference,
    may_try: bool,
    damage: &Damage,
) -> io::Result<bool> {
    let Difference { range, seqs, sum, .. } = difference;
    let mut group = vec![0; usize::try_from(range.end - range.start).unwrap_or_default()];
    text.read_exact_at(&mut group, range.start)?;
    if may_try
        && group.len() <= TRIED_LEN_MAX
        && let Some(at) = restore_bit(&mut group, *sum)
    {
        let byte = group.get(at..=at).unwrap_or_default();
        text.write_all_at(byte, range.start + at as u64)?;
        tracing::warn!(
            "segment {base}: a flipped bit at {} was found by the checksum and restored",
            range.start + at as u64
        );
        return Ok(true);
    }
    let what = format!("the text of records {} to {} is not what was written", seqs.start, seqs.end - 1);
    damage.note_text(base, range.start, &what);
    if difference.keeps_count() {
        return Ok(false);
    }
    let kept = files.torn(base, range.start);
    let copy = files.disk().open(&kept, Open::Truncate)?;
    copy.write_all_at(&group, 0)?;
    copy.sync_all(SyncSite::Torn)?;
    files.disk().sync_parent(&kept, SyncSite::TornDirectory)?;
    restore_count(&mut group, seqs.end - seqs.start);
    text.write_all_at(&group, range.start)?;
    tracing::error!(
        "segment {base}: {} lines stood where {} were written; they are divided again, and what was there is \
         kept in {}",
        difference.lines,
        seqs.end - seqs.start,
        kept.display()
    );
    Ok(true)
}

/// Finds the one flipped bit and flips it back. Answers where.
fn restore_bit(group: &mut [u8], sum: u64) -> Option<usize> {
    for at in 0..group.len() {
        for bit in 0..8 {
            *group.get_mut(at)? ^= 1 << bit;
            if checksum(group) == sum {
                return Some(at);
            }
            *group.get_mut(at)? ^= 1 << bit;
        }
    }
    None
}

/// Makes so many lines of a group: line feeds are overwritten with blanks, or
/// blanks and then other bytes with line feeds, from the end.
fn restore_count(group: &mut [u8], wanted: u64) {
    let mut lines = memchr::memchr_iter(b'\n', group).count() as u64;
    if let Some(last) = group.last_mut().filter(|last| **last != b'\n') {
        *last = b'\n';
        lines += 1;
    }
    let Some((_, body)) = group.split_last_mut() else { return };
    let is_none = |byte: u8| byte != b'\n';
    let steps: [(&dyn Fn(u8) -> bool, u8); 3] =
        [(&|byte| byte == b'\n', b' '), (&|byte| byte == b' ', b'\n'), (&is_none, b'\n')];
    for (matches, replacement) in steps {
        for byte in body.iter_mut().rev() {
            let is_wanted = if replacement == b' ' { lines > wanted } else { lines < wanted };
            if !is_wanted {
                break;
            }
            if matches(*byte) {
                *byte = replacement;
                lines = if replacement == b' ' { lines - 1 } else { lines + 1 };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_flipped_bit_is_found_and_any_count_of_lines_restored() {
        let text = b"one\ntwo words\nthree\n".to_vec();
        for at in 0..text.len() {
            let mut damaged = text.clone();
            damaged[at] ^= 1 << (at % 8);
            assert_eq!(restore_bit(&mut damaged, checksum(&text)), Some(at));
            assert_eq!(damaged, text);
        }
        for damaged in ["one\ntwo words three\n", "one\n\n\nwords\nthree\n", "xxxxxxxxx", "\n\n\n\n\n\n"] {
            let mut group = damaged.as_bytes().to_vec();
            restore_count(&mut group, 3);
            assert_eq!((group.len(), group.iter().filter(|b| **b == b'\n').count()), (damaged.len(), 3));
            assert!(group.ends_with(b"\n"));
        }
    }
}
