//! Looking at every file of the log, changing none.
//!
//! What is found is data ([`Finding`]): it says what is wrong and what the next
//! start or the upkeep would do about it, and is told by whoever asked. A log
//! service may be running: then what it is just doing looks like what a crash
//! leaves behind, and is taken for the former ([`Finding::gravity`]).

mod head;
mod sealed;
mod text;

use super::files::{Files, SealedName};
use crate::log::disk::RealDisk;
use crate::runtime::OwnDir;
use crate::settings;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is to be said of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It cannot be read, and not because it is damaged.
    Unreadable(String),
    /// So many records were written by hand.
    ByHand(u64),
    /// No file has these sequences.
    Gap(Range<u64>),
    /// Another file has some of these sequences too.
    Overlap(Range<u64>),
    /// A manifest, a file of keys or an index is not there.
    Missing,
    /// A manifest or an index is damaged.
    Damaged(String),
    /// The manifest is damaged or gone, and its copy is not.
    CopyUsed,
    /// The manifest's copy is another.
    CopyDiffers,
    /// The log service does not start with this manifest.
    Unusable(String),
    /// The active segment was renamed, and no other one begun.
    RotationCutShort,
    /// Keys that cannot be read.
    KeysDamaged(u64),
    /// Keys of requests whose records are not all there.
    KeysUnfinished(u64),
    /// Bytes after the last whole line.
    Torn(u64),
    /// Records with zeros in the place of bytes, and the first of them.
    Zeros {
        /// How many.
        records: u64,
        /// The sequence of the first.
        first: u64,
    },
    /// The text of these records is not what was written.
    TextDiffers(Range<u64>),
    /// Records from the end that are a part of a request that was never
    /// acknowledged.
    Unacknowledged(Range<u64>),
    /// The active file has vanished or is shorter than it was: its records are
    /// gone, and sequences go on here.
    Cut(u64),
    /// The last record has lost its end.
    NoEnd(u64),
    /// Nothing is left that says what the file holds.
    Lost(String),
    /// The directory is damaged, and read from the copy in the index.
    DirectoryCopied,
    /// The directory is damaged, and made from the frames, of which nothing is
    /// known of so many.
    DirectoryMade(usize),
    /// What ends a sealed file is not as it was written.
    Tail,
    /// Frames that are damaged, counted from 0, and the sequences of their records.
    Frames {
        /// Which.
        frames: Range<usize>,
        /// How many records they have.
        records: u64,
        /// Between what their sequences lie.
        seqs: Range<u64>,
    },
    /// A frame says another than the directory.
    FrameDiffers(usize),
    /// The sequences do not ascend.
    Disorder,
    /// The index is whole, and not what the lines give.
    IndexDiffers,
    /// The index cannot be rebuilt: the segment is damaged.
    IndexHopeless,
    /// It was not finished.
    Leftover,
    /// It is none of the log's.
    Foreign,
    /// Recovery cut it off and kept it.
    Kept,
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gravity {
    /// It is only worth a word.
    None,
    /// It can be repaired, and no record is lost.
    Repairable,
    /// It could not be looked at.
    Unknown,
    /// Records are lost.
    Lost,
}

impl Finding {
    /// How grave it is, while a log service is running or not.
    pub const fn gravity(&self, is_running: bool) -> Gravity {
        match self {
            Self::ByHand(_) | Self::Gap(_) | Self::Foreign | Self::Kept => Gravity::None,
            Self::Torn(_)
            | Self::KeysUnfinished(_)
            | Self::Unacknowledged(_)
            | Self::CopyDiffers
            | Self::Leftover
                if is_running =>
            {
                Gravity::None
            }
            Self::Unreadable(_) => Gravity::Unknown,
            Self::Zeros { .. }
            | Self::TextDiffers(_)
            | Self::Cut(_)
            | Self::NoEnd(_)
            | Self::Lost(_)
            | Self::DirectoryMade(1..)
            | Self::Frames { .. }
            | Self::FrameDiffers(_)
            | Self::Overlap(_)
            | Self::Disorder => Gravity::Lost,
            _ => Gravity::Repairable,
        }
    }

    /// How many records are lost, as far as that is known.
    pub const fn lost(&self) -> u64 {
        match self {
            Self::Zeros { records, .. } | Self::Frames { records, .. } => *records,
            Self::NoEnd(_) => 1,
            _ => 0,
        }
    }

    /// An error of reading.
    fn of(error: &io::Error, damaged: impl FnOnce(String) -> Self) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => damaged(error.to_string()),
            _ => Self::Unreadable(error.to_string()),
        }
    }
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The manifest.
    Manifest,
    /// Its copy.
    ManifestCopy,
    /// The idempotency keys.
    Keys,
    /// The active segment.
    Active,
    /// A rotated segment.
    Plain,
    /// A sealed segment.
    Sealed,
    /// The index of one.
    Index,
    /// Anything else.
    Other,
}

/// What was seen of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which.
    pub path: PathBuf,
    /// What it is.
    pub what: What,
    /// The records that can be read.
    pub records: u64,
    /// The base of its segment.
    base: Option<u64>,
    /// Between what the sequences of its records lie.
    pub seqs: Range<u64>,
    /// What there is to be said of it.
    pub findings: Vec<Finding>,
}

impl Report {
    fn new(path: PathBuf, what: What) -> Self {
        Self { path, what, records: 0, base: None, seqs: 0..0, findings: Vec::new() }
    }

    fn with(mut self, findings: impl IntoIterator<Item = Finding>) -> Self {
        self.findings.extend(findings);
        self
    }

    /// How grave the gravest finding is.
    pub fn gravity(&self, is_running: bool) -> Gravity {
        let gravities = self.findings.iter().map(|finding| finding.gravity(is_running));
        gravities.max().unwrap_or(Gravity::None)
    }
}

/// What is looked at in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// The manifest, the keys and the active file: each says something of the others.
    Head,
    /// A rotated segment.
    Plain(u64),
    /// All sealed files of one base, with their indexes.
    Sealed(Vec<SealedName>),
    /// Any other file.
    Other(PathBuf, Finding),
}

/// Told of bytes and records while they are looked at.
pub type Seen<'a> = &'a (dyn Fn(u64, u64) + Sync);

/// The files of a log.
#[derive(Debug)]
pub struct Log {
    files: Files,
}

impl Log {
    /// The log that the settings are about, of which `dir` has all but the
    /// active file.
    pub fn new(settings: &settings::Log, dir: PathBuf) -> Self {
        Self { files: Files::there(Arc::new(RealDisk), settings.file.clone(), dir) }
    }

    /// Where all but the active file is.
    pub fn dir(&self) -> &Path {
        self.files.dir()
    }

    /// Whether there is a log at all.
    pub fn exists(&self) -> bool {
        let disk = self.files.disk();
        disk.exists(&self.files.manifest()) || disk.exists(&self.files.segments())
    }

    /// Whether a log service is running.
    pub fn is_running(&self) -> bool {
        OwnDir::is_used(self.files.dir())
    }

    /// What there is to look at.
    ///
    /// # Errors
    /// When a directory cannot be read.
    pub fn units(&self) -> io::Result<Vec<Unit>> {
        let listing = self.files.list()?;
        let mut units = vec![Unit::Head];
        units.extend(listing.plain.into_iter().map(Unit::Plain));
        let of_one_base = listing.sealed.chunk_by(|a, b| a.base == b.base);
        units.extend(of_one_base.map(|names| Unit::Sealed(names.to_vec())));
        units.sort_by_key(Unit::base);
        let other = |finding: Finding| move |path| Unit::Other(path, finding.clone());
        units.extend(listing.leftover.into_iter().map(other(Finding::Leftover)));
        units.extend(listing.foreign.into_iter().map(other(Finding::Foreign)));
        units.extend(self.files.kept()?.into_iter().map(other(Finding::Kept)));
        Ok(units)
    }

    /// About how many bytes it has.
    pub fn len(&self, unit: &Unit) -> u64 {
        let disk = self.files.disk();
        let len = |path: PathBuf| disk.metadata(&path).map_or(0, |metadata| metadata.len);
        match unit {
            Unit::Head => len(self.files.active.clone()),
            Unit::Plain(base) => len(self.files.plain(*base)),
            Unit::Sealed(names) => names.iter().map(|name| len(self.files.sealed(name))).sum(),
            Unit::Other(..) => 0,
        }
    }

    /// Looks at it.
    pub fn check(&self, unit: &Unit, seen: Seen<'_>) -> Vec<Report> {
        match unit {
            Unit::Head => head::check(&self.files, seen),
            Unit::Plain(base) => vec![text::check_rotated(&self.files, *base, seen)],
            Unit::Sealed(names) => sealed::check(&self.files, names, seen),
            Unit::Other(path, finding) => {
                vec![Report::new(path.clone(), What::Other).with([finding.clone()])]
            }
        }
    }
}

impl Unit {
    /// The base of its segment; the active one comes first of all.
    fn base(&self) -> Option<u64> {
        match self {
            Self::Head | Self::Other(..) => None,
            Self::Plain(base) => Some(*base),
            Self::Sealed(names) => names.first().map(|name| name.base),
        }
    }
}

/// Compares the segments with each other: no sequence may be in two, and those
/// that are in none were deleted, or are lost.
pub fn compare(reports: &mut [Report]) {
    let mut segments: Vec<(u64, Range<u64>, usize)> = reports
        .iter()
        .enumerate()
        .filter_map(|(at, report)| Some((report.base?, report.seqs.clone(), at)))
        .collect();
    segments.sort_by_key(|(base, ..)| *base);
    let mut end = None;
    for of_one_base in segments.chunk_by(|a, b| a.0 == b.0) {
        let begin = of_one_base.iter().map(|(_, seqs, _)| seqs.start).min().unwrap_or(0);
        let first = of_one_base.first().and_then(|(_, _, at)| reports.get_mut(*at));
        if let (Some(report), Some(end)) = (first, end) {
            if begin > end {
                report.findings.push(Finding::Gap(end..begin));
            } else if begin < end {
                report.findings.push(Finding::Overlap(begin..end));
            }
        }
        end = of_one_base.iter().map(|(_, seqs, _)| seqs.end).max().max(end);
    }
}
