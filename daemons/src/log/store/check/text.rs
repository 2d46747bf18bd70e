//! Plain text: the active file and rotated segments.

use super::super::files::Files;
use super::super::sums::{self, Entry};
use super::{Finding, Report, Seen, What};
use crate::log::disk::{Disk, DiskFile, DiskReader, Open};
use crate::log::line::Line;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// What a file of lines is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// Whole lines up to the last one without zeros.
    pub records: u64,
    /// The length up to there: what recovery leaves of an active file.
    pub whole: u64,
    /// The length of the file.
    pub len: u64,
    /// Lines up to there that are not of the grammar.
    by_hand: u64,
    /// Lines up to there with zeros in them, and the place of the first.
    zeros: u64,
    first_zeros: u64,
    /// Whole lines after that: all of them have zeros in them.
    rest: u64,
    /// Whether the last line has no end.
    no_end: bool,
}

impl Text {
    /// What is to be said of its lines, the first of which is `base`.
    pub fn findings(&self, base: u64) -> Vec<Finding> {
        let zeros = Finding::Zeros { records: self.zeros, first: base + self.first_zeros };
        let mut findings = Vec::new();
        findings.extend((self.zeros > 0).then_some(zeros));
        findings.extend((self.by_hand > 0).then_some(Finding::ByHand(self.by_hand)));
        findings
    }

    fn has_zeros(&mut self, lines: u64) {
        if self.zeros == 0 {
            self.first_zeros = self.records;
        }
        self.zeros += lines;
        self.records += lines;
    }
}

/// Reads a file of lines. Zeros stand where bytes were lost; at the end they are
/// no records.
pub fn read(file: &dyn DiskFile, seen: Seen<'_>) -> io::Result<Text> {
    let mut reader = BufReader::with_capacity(1 << 18, DiskReader::new(file));
    let mut text = Text::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(text);
        }
        text.len += line.len() as u64;
        let Some(whole) = line.strip_suffix(b"\n") else {
            text.no_end = true;
            continue;
        };
        seen(line.len() as u64, 1);
        if memchr::memchr(0, whole).is_some() {
            text.rest += 1;
            continue;
        }
        let rest = std::mem::take(&mut text.rest);
        if rest > 0 {
            text.has_zeros(rest);
        }
        text.by_hand += u64::from(Line::parse(whole).is_none());
        text.records += 1;
        text.whole = text.len;
    }
}

/// Where the text of a segment differs from its checksums. Those of the active
/// one are read before its text, which only grows.
pub fn differences(entries: &[Entry], base: u64, file: &dyn DiskFile) -> io::Result<Vec<Finding>> {
    let found = sums::differences(entries, base, file)?;
    Ok(found.into_iter().map(|difference| Finding::TextDiffers(difference.seqs)).collect())
}

/// Where a line begins, by its place.
pub fn offset_of(disk: &dyn Disk, path: &Path, line: u64) -> io::Result<u64> {
    let file = disk.open(path, Open::Read)?;
    let mut reader = BufReader::new(DiskReader::new(file.as_ref()));
    let mut offset = 0;
    for _ in 0..line {
        offset += reader.skip_until(b'\n')? as u64;
    }
    Ok(offset)
}

/// Looks at a rotated segment. Nothing is cut off from one: what has lost bytes
/// at its end is a record all the same.
pub fn check_rotated(files: &Files, base: u64, seen: Seen<'_>) -> Report {
    let report = Report::new(files.plain(base), What::Plain);
    let read = files.disk().open(&report.path, Open::Read).and_then(|file| {
        let differ = differences(&sums::read(files, base)?, base, file.as_ref())?;
        Ok((read(file.as_ref(), seen)?, differ))
    });
    let (mut text, differ) = match read {
        Ok(read) => read,
        Err(error) => return report.with([Finding::Unreadable(error.to_string())]),
    };
    if text.rest > 0 {
        text.has_zeros(text.rest);
    }
    let mut findings = text.findings(base);
    findings.extend(differ);
    if text.no_end {
        findings.push(Finding::NoEnd(base + text.records));
        text.records += 1;
    }
    Report { base: Some(base), records: text.records, seqs: base..base + text.records, ..report }
        .with(findings)
}
