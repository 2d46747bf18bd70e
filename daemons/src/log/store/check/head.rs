//! The manifest, the keys and the active file.

use super::super::files::Files;
use super::super::keys;
use super::super::manifest::Manifest;
use super::super::sums;
use super::text::{self, Text};
use super::{Finding, Report, Seen, What};
use crate::log::disk::Open;
use crate::log::limits::SEGMENT_ROOM;
use std::io::{self, ErrorKind};
use std::time::Duration;

/// The active segment may be rotated while they are read. Then they are read
/// again, so often, after a pause in which a rotation ends.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// Looks at them.
pub fn check(files: &Files, seen: Seen<'_>) -> Vec<Report> {
    for _ in 1..TRIES {
        let manifests = Manifests::read(files);
        let reports = check_with(files, &manifests, seen);
        let mut findings = reports.iter().flat_map(|report| &report.findings);
        let is_rotating = |finding: &Finding| {
            matches!(finding, Finding::Cut(_) | Finding::RotationCutShort | Finding::CopyDiffers)
        };
        if !findings.any(is_rotating) && Manifests::read(files) == manifests {
            return reports;
        }
        std::thread::sleep(PAUSE);
    }
    check_with(files, &Manifests::read(files), seen)
}

/// The manifest and its copy.
#[derive(PartialEq, Eq)]
struct Manifests([Result<Manifest, Finding>; 2]);

impl Manifests {
    fn read(files: &Files) -> Self {
        Self([files.manifest(), files.manifest_copy()].map(|path| {
            match Manifest::read_from(files.disk().as_ref(), &path) {
                Ok(Some(manifest)) => Ok(manifest),
                Ok(None) if files.disk().exists(&path) => {
                    Err(Finding::Damaged("it is not what it should be".to_owned()))
                }
                Ok(None) => Err(Finding::Missing),
                Err(error) if error.kind() == ErrorKind::Other => Err(Finding::Unusable(error.to_string())),
                Err(error) => Err(Finding::Unreadable(error.to_string())),
            }
        }))
    }

    /// The one that counts.
    fn get(&self) -> Option<&Manifest> {
        let Self([manifest, copy]) = self;
        manifest.as_ref().or(copy.as_ref()).ok()
    }

    fn report(&self, files: &Files) -> [Report; 2] {
        let Self([manifest, copy]) = self;
        let mut reports = [
            Report::new(files.manifest(), What::Manifest),
            Report::new(files.manifest_copy(), What::ManifestCopy),
        ];
        let [of_manifest, of_copy] = &mut reports;
        match (manifest, copy) {
            (Err(Finding::Damaged(_) | Finding::Missing), Ok(_)) => {
                of_manifest.findings.push(Finding::CopyUsed)
            }
            (Err(finding), _) => of_manifest.findings.push(finding.clone()),
            (Ok(_), _) => {}
        }
        match (manifest, copy) {
            (_, Err(finding)) => of_copy.findings.push(finding.clone()),
            (Ok(manifest), Ok(copy)) if manifest != copy => of_copy.findings.push(Finding::CopyDiffers),
            _ => {}
        }
        reports
    }
}

fn check_with(files: &Files, manifests: &Manifests, seen: Seen<'_>) -> Vec<Report> {
    let [mut of_manifest, of_copy] = manifests.report(files);
    let mut of_keys = Report::new(files.keys(), What::Keys);
    let mut of_active = Report::new(files.active.clone(), What::Active);
    let manifest = manifests.get();
    // First, for the records of a request come after its key.
    let keys = keys::read(files, Open::Read);
    let active = files.disk().open(&files.active, Open::Read).and_then(|file| {
        if let Some(manifest) = manifest.filter(|manifest| !is_rotated(files, Some(manifest))) {
            let entries = sums::read(files, manifest.base)?;
            of_active.findings.extend(text::differences(&entries, manifest.base, file.as_ref())?);
        }
        text::read(file.as_ref(), seen)
    });
    match &active {
        Ok(text) => check_active(&mut of_active, files, manifest, text),
        Err(error) if error.kind() == ErrorKind::NotFound => match manifest {
            Some(_) if is_rotated(files, manifest) => {}
            Some(manifest) => of_active.findings.push(cut(manifest)),
            None => of_active.findings.push(Finding::Missing),
        },
        Err(error) => of_active.findings.push(Finding::Unreadable(error.to_string())),
    }
    if is_rotated(files, manifest) {
        of_manifest.findings.push(Finding::RotationCutShort);
    }
    match keys {
        Ok(found) => {
            // Where the active segment begins, the manifest says.
            let next_seq = match (manifest, &active) {
                (Some(manifest), Ok(text)) if !is_rotated(files, Some(manifest)) => {
                    Some(manifest.base + text.records)
                }
                _ => None,
            };
            check_keys(&mut of_keys, files, &found, next_seq);
            if let (Some(manifest), Some(next_seq)) = (manifest, next_seq)
                && let Some(first) =
                    keys::cut_at(&found.entries, next_seq).filter(|first| *first >= manifest.base)
                // What was there at a clean end was acknowledged, and stays.
                && text::offset_of(files.disk().as_ref(), &files.active, first - manifest.base)
                    .is_ok_and(|offset| offset >= manifest.least_len)
            {
                of_active.findings.push(Finding::Unacknowledged(first..next_seq));
            }
        }
        Err(error) => of_keys.findings.push(Finding::Unreadable(error.to_string())),
    }
    vec![of_manifest, of_copy, of_keys, of_active]
}

fn cut(manifest: &Manifest) -> Finding {
    Finding::Cut(manifest.base.saturating_add(SEGMENT_ROOM))
}

/// Whether the active segment of the manifest is among the rotated ones already.
fn is_rotated(files: &Files, manifest: Option<&Manifest>) -> bool {
    let has_base = |base| -> io::Result<bool> {
        let listing = files.list()?;
        Ok(listing.plain.contains(&base) || listing.sealed.iter().any(|name| name.base == base))
    };
    manifest.is_some_and(|manifest| has_base(manifest.base).unwrap_or(false))
}

fn check_active(report: &mut Report, files: &Files, manifest: Option<&Manifest>, text: &Text) {
    report.records = text.records;
    let rotated = is_rotated(files, manifest);
    let base = manifest.map_or(0, |manifest| manifest.base);
    if manifest.is_some() && !rotated {
        report.base = Some(base);
        report.seqs = base..base + text.records;
    }
    if let Some(manifest) = manifest
        && !rotated
        && text.len < manifest.least_len
    {
        report.findings.push(cut(manifest));
    }
    report.findings.extend(text.findings(base));
    if text.whole < text.len {
        report.findings.push(Finding::Torn(text.len - text.whole));
    }
}

fn check_keys(report: &mut Report, files: &Files, found: &keys::Found, next_seq: Option<u64>) {
    if !files.disk().exists(&files.keys()) {
        report.findings.push(Finding::Missing);
    }
    if found.damaged > 0 {
        report.findings.push(Finding::KeysDamaged(found.damaged));
    }
    if found.torn > 0 {
        report.findings.push(Finding::Torn(found.torn));
    }
    let unfinished = next_seq.map_or(0, |next_seq| found.unfinished(next_seq));
    if unfinished > 0 {
        report.findings.push(Finding::KeysUnfinished(unfinished));
    }
}
