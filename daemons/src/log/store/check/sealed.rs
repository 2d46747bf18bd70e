//! Sealed segments and their indexes.

use super::super::block::Run;
use super::super::files::{Files, SealedName};
use super::super::seal::Built;
use super::super::sealed::{Directory, Origin, read_frame};
use super::{Finding, Gravity, Report, Seen, What};
use crate::log::disk::{Disk, DiskFile, FileId, Open};
use crate::log::index::{self, Index};
use crate::log::lines::span;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

/// A segment may be recompressed, or its index rebuilt, while it is looked at:
/// first the one file is replaced, then the other. Then it is looked at again, so
/// often, after a pause in which that ends.
const TRIES: usize = 5;
const PAUSE: Duration = Duration::from_millis(50);

/// Looks at all sealed files of one base.
pub fn check(files: &Files, names: &[SealedName], seen: Seen<'_>) -> Vec<Report> {
    let mut reports = Vec::new();
    let mut runs = Vec::new();
    for name in names {
        let (both, own) = check_settled(files, name, seen);
        reports.extend(both);
        runs.extend(own);
    }
    runs.sort_unstable_by_key(|run| run.first);
    let findings = between(&runs);
    if let Some(first) = reports.first_mut() {
        first.findings.extend(findings);
    }
    reports
}

fn check_settled(files: &Files, name: &SealedName, seen: Seen<'_>) -> ([Report; 2], Vec<Run>) {
    let mut tries_left = TRIES;
    loop {
        let (before, mut runs) = (inodes(files, name), Vec::new());
        let both = check_one(files, name, &mut runs, seen);
        tries_left -= 1;
        if tries_left == 0 || both.iter().all(|report| report.gravity(true) == Gravity::None) {
            return (both, runs);
        }
        std::thread::sleep(PAUSE);
        if inodes(files, name) == before {
            return (both, runs);
        }
    }
}

/// Which files they are: a file is never changed, only replaced.
fn inodes(files: &Files, name: &SealedName) -> [Option<FileId>; 2] {
    [files.sealed(name), files.index(name)].map(|path| files.disk().metadata(&path).ok().map(|file| file.id))
}

/// What is twice or not at all in sorted runs: the first of each.
fn between(runs: &[Run]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (mut has_gap, mut has_overlap) = (false, false);
    let mut end = None;
    for run in runs {
        let run_end = run.first.saturating_add(u64::from(run.len));
        match end {
            Some(end) if run.first > end && !std::mem::replace(&mut has_gap, true) => {
                findings.push(Finding::Gap(end..run.first));
            }
            Some(end) if run.first < end && !std::mem::replace(&mut has_overlap, true) => {
                findings.push(Finding::Overlap(run.first..end.min(run_end)));
            }
            _ => {}
        }
        end = end.max(Some(run_end));
    }
    findings
}

fn check_one(files: &Files, name: &SealedName, runs: &mut Vec<Run>, seen: Seen<'_>) -> [Report; 2] {
    let mut sealed = Report::new(files.sealed(name), What::Sealed);
    let mut index = Report::new(files.index(name), What::Index);
    let disk = files.disk().as_ref();
    let copy = || index::read_directory(disk, &index.path);
    let found = disk.open(&sealed.path, Open::Read).and_then(|file| {
        let found = Directory::find(file.as_ref(), copy, name.base)?;
        Ok((file, found))
    });
    let (file, (mut directory, origin)) = match found {
        Ok(found) => found,
        Err(error) => {
            sealed.findings.push(Finding::of(&error, Finding::Lost));
            index.findings.extend(disk.exists(&index.path).then_some(Finding::IndexHopeless));
            return [sealed, index];
        }
    };
    sealed.base = Some(name.base);
    match origin {
        Origin::Own => match directory.tail_is_whole(file.as_ref()) {
            Ok(true) => {}
            Ok(false) => sealed.findings.push(Finding::Tail),
            Err(error) => sealed.findings.push(Finding::of(&error, |_| Finding::Tail)),
        },
        Origin::Copy(_) => sealed.findings.push(Finding::DirectoryCopied),
        Origin::Frames { given_up, .. } => {
            sealed.findings.push(Finding::DirectoryMade(given_up));
            if given_up > 0 {
                // It stands for all that nothing is known of.
                directory.blocks.pop();
                directory.sums.pop();
            }
        }
    }
    let built = check_frames(&mut sealed, file.as_ref(), &directory, seen);
    check_order(&mut sealed, &directory, name.base, runs);
    index.findings.extend(check_index(disk, &index, &directory, built.as_ref()));
    [sealed, index]
}

/// Reads every frame; the index that they give, if all can be read.
fn check_frames(
    report: &mut Report,
    file: &dyn DiskFile,
    directory: &Directory,
    seen: Seen<'_>,
) -> Option<Built> {
    let mut built = Some(Built::default());
    let mut lines = Vec::new();
    for (at, (block, sum)) in directory.blocks.iter().zip(&directory.sums).enumerate() {
        let read = read_frame(file, block, *sum, &mut lines);
        seen(block.stored_len as u64, u64::from(block.records));
        if let Err(error) = read {
            built = None;
            let seqs = block.first_seq..block.last_seq() + 1;
            let damaged = |_| Finding::Frames { frames: at..at + 1, records: u64::from(block.records), seqs };
            add(&mut report.findings, Finding::of(&error, damaged));
            continue;
        }
        let (records, min_ns, max_ns) = span(&lines);
        report.records += u64::from(records);
        let in_time = block.min_ns <= min_ns && max_ns <= block.max_ns;
        if records != block.records || !in_time {
            report.findings.push(Finding::FrameDiffers(at));
        }
        if let Some(built) = &mut built {
            built.blocks.push(Arc::new(built.builder.block(&lines)));
        }
    }
    built
}

/// Frames that follow each other and are damaged are one finding.
fn add(findings: &mut Vec<Finding>, finding: Finding) {
    if let Finding::Frames { frames, records, seqs } = &finding
        && let Some(Finding::Frames { frames: before, records: before_records, seqs: before_seqs }) =
            findings.last_mut()
        && before.end == frames.start
    {
        before.end = frames.end;
        *before_records += records;
        before_seqs.end = seqs.end;
        return;
    }
    findings.push(finding);
}

/// Looks at the sequences, and hands them out.
fn check_order(report: &mut Report, directory: &Directory, base: u64, all: &mut Vec<Run>) {
    let (mut end, mut in_order) = (base, true);
    for block in &directory.blocks {
        let whole = [Run { first: block.first_seq, len: block.records }];
        let runs: &[Run] = block.runs.as_deref().unwrap_or(&whole);
        let records: u64 = runs.iter().map(|run| u64::from(run.len)).sum();
        in_order &= records == u64::from(block.records);
        for run in runs {
            in_order &= run.first >= end && run.len > 0;
            end = run.first.saturating_add(u64::from(run.len));
            // Those that follow each other over frames are one.
            match all.last_mut() {
                Some(last)
                    if last.first.checked_add(u64::from(last.len)) == Some(run.first)
                        && last.len.checked_add(run.len).is_some() =>
                {
                    last.len += run.len;
                }
                _ => all.push(*run),
            }
        }
    }
    report.seqs = directory.blocks.first().map_or(base, |block| block.first_seq)..end;
    if !in_order {
        report.findings.push(Finding::Disorder);
    }
}

fn check_index(
    disk: &dyn Disk,
    report: &Report,
    directory: &Directory,
    built: Option<&Built>,
) -> Option<Finding> {
    let checked = Index::open(disk, &report.path, directory.identity()).and_then(|index| {
        index.check()?;
        let Some(built) = built else { return Ok(None) };
        let same = index.says(&built.builder, &built.blocks, &directory.to_payload())?;
        Ok((!same).then_some(Finding::IndexDiffers))
    });
    match checked {
        Ok(finding) => finding,
        Err(error) => {
            let finding = match error.kind() {
                ErrorKind::NotFound => Finding::Missing,
                _ => Finding::of(&error, Finding::Damaged),
            };
            let is_hopeless = built.is_none() && !matches!(finding, Finding::Unreadable(_));
            Some(if is_hopeless { Finding::IndexHopeless } else { finding })
        }
    }
}
