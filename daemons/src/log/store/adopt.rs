//! Lines that another process appends to the active file: they are records like
//! any other.
//!
//! They are taken in pieces, so that memory stays bounded however much was
//! appended. A line longer than [`APPENDED_LINE_MAX`] is cut into several records:
//! the blank before the limit, or the byte at it where there is none, is
//! overwritten with a line feed.

use super::live::Chunk;
use super::writer::Writer;
use crate::log::disk::{DiskFile, SyncSite};
use crate::log::limits::{APPENDED_LINE_MAX, APPENDED_PIECE};
use std::io;

impl Writer {
    /// Takes in what another process appended, so that nothing of it is
    /// overwritten.
    pub(super) fn adopt_appended(&mut self) -> io::Result<()> {
        let before = self.len;
        let mut len = self.active.file().metadata()?.len;
        if len <= before {
            return Ok(());
        }
        let mut last = [0];
        self.active.file().read_exact_at(&mut last, len - 1)?;
        if last != *b"\n" {
            self.active.file().write_all_at(b"\n", len)?;
            len += 1;
        }
        let mut cuts = 0;
        while self.len < len {
            let (lines, cut) = take_piece(self.active.file(), self.len, len)?;
            cuts += cut;
            self.active.file().sync_data(SyncSite::ActiveAdopt)?;
            self.publish_appended(lines);
        }
        tracing::warn!(
            "another process appended {} bytes to the log file; they are taken as records",
            len - before
        );
        if cuts > 0 {
            tracing::warn!(
                "lines longer than {APPENDED_LINE_MAX} bytes were among them: cut at {cuts} places"
            );
        }
        Ok(())
    }

    fn publish_appended(&mut self, lines: Vec<u8>) {
        let records = memchr::memchr_iter(b'\n', &lines).count() as u64;
        self.active.extend(|extent| {
            extent.push(&lines, records, (i64::MIN, i64::MAX));
            self.len = extent.len;
        });
        self.sums.push(&lines);
        let first_seq = self.next_seq;
        self.next_seq += records;
        if self.shared.live.is_followed() {
            self.shared.live.hold(Chunk::new(first_seq, records, lines));
        }
        self.shared.live.advance(self.next_seq);
    }
}

/// Reads whole lines from `offset` on, of a file that ends with a line feed at
/// `end`, and cuts long ones in the file. Answers the lines and the number of cuts.
fn take_piece(file: &dyn DiskFile, offset: u64, end: u64) -> io::Result<(Vec<u8>, usize)> {
    let len = usize::try_from(end - offset).unwrap_or(usize::MAX).min(APPENDED_PIECE);
    let mut lines = vec![0; len];
    file.read_exact_at(&mut lines, offset)?;
    let cuts = cut_long_lines(&mut lines);
    for cut in &cuts {
        file.write_all_at(b"\n", offset + *cut as u64)?;
    }
    // A piece is longer than a line may be, so there is one.
    let whole = memchr::memrchr(b'\n', &lines).map_or(len, |end| end + 1);
    lines.truncate(whole);
    Ok((lines, cuts.len()))
}

/// Overwrites bytes of lines that are too long with line feeds. Answers where.
fn cut_long_lines(lines: &mut [u8]) -> Vec<usize> {
    let mut cuts = Vec::new();
    let mut begin = 0;
    while let Some(rest) = lines.get(begin..).filter(|rest| !rest.is_empty()) {
        let window = rest.get(..=APPENDED_LINE_MAX).unwrap_or(rest);
        if let Some(end) = memchr::memchr(b'\n', window) {
            begin += end + 1;
            continue;
        }
        let Some(window) = rest.get(..=APPENDED_LINE_MAX) else { break };
        let near = APPENDED_LINE_MAX - APPENDED_LINE_MAX / 16;
        let blank = memchr::memrchr(b' ', window).filter(|at| *at >= near);
        // Without a blank, the byte that is overwritten is the first of a character.
        let is_first = |at: &usize| window.get(*at).is_some_and(|byte| byte & 0xC0 != 0x80);
        let cut = blank.or_else(|| (near..=APPENDED_LINE_MAX).rev().find(is_first));
        let cut = begin + cut.unwrap_or(APPENDED_LINE_MAX);
        cuts.push(cut);
        if let Some(byte) = lines.get_mut(cut) {
            *byte = b'\n';
        }
        begin = cut + 1;
    }
    cuts
}

/// Cuts long lines from an offset on, in a file that is recovered: what another
/// process appended while no log service was running.
pub fn cut_from(file: &dyn DiskFile, from: u64) -> io::Result<usize> {
    let end = file.metadata()?.len;
    let (mut offset, mut all) = (from, 0);
    let mut lines = Vec::new();
    while offset < end {
        let len = usize::try_from(end - offset).unwrap_or(usize::MAX).min(APPENDED_PIECE);
        lines.resize(len, 0);
        file.read_exact_at(&mut lines, offset)?;
        let cuts = cut_long_lines(&mut lines);
        for cut in &cuts {
            file.write_all_at(b"\n", offset + *cut as u64)?;
        }
        all += cuts.len();
        offset += memchr::memrchr(b'\n', &lines).map_or(len, |end| end + 1) as u64;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_are_too_long_are_cut_at_a_blank_or_between_characters() {
        let short = [&b"x".repeat(APPENDED_LINE_MAX - 1)[..], b"\n"].concat();
        assert_eq!(cut_long_lines(&mut short.clone()), Vec::<usize>::new());
        let mut words = [&b"word ".repeat(APPENDED_LINE_MAX / 2)[..], b"\n"].concat();
        let cuts = cut_long_lines(&mut words);
        assert!(cuts.len() >= 2 && cuts.iter().all(|at| at % 5 == 4), "{cuts:?}");
        assert!(words.split(|b| *b == b'\n').all(|line| line.len() <= APPENDED_LINE_MAX));
        let mut wide = "日".repeat(APPENDED_LINE_MAX).into_bytes();
        assert!(cut_long_lines(&mut wide).iter().all(|at| at % 3 == 0));
    }
}
