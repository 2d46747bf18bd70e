//! The places where the log syncs something. Indexes and checksums of plain text
//! are not synced: both are made again from the text.
//!
//! | site | without it, a power cut |
//! |---|---|
//! | `LogDirectories` | loses the directories, with the segments in them |
//! | `ActiveCommit` | loses acknowledged records |
//! | `ActiveAdopt` | gives the sequences of lines appended by hand, already shown, to others |
//! | `ActiveUndo` | leaves a part of a refused batch behind its cut |
//! | `ActiveRotate` | loses lines of a rotated segment (`durability = os`, appended lines) |
//! | `ActiveClose` | loses lines after a manifest that says that all are there |
//! | `ActiveRecover` | reads less past the page cache than `kill -9` left in it |
//! | `ActiveDirectory` | loses the name of the active file, with its records |
//! | `RecoverActive`, `RecoverActiveDirectory` | leaves a name that leads to an empty file, or the old file again, to which new records were not written |
//! | `RecoverSegments` | loses a segment whose rename was not synced when the process was killed |
//! | `Torn`, `TornDirectory` | loses what recovery cut off: no record, but what somebody may want to look at |
//! | `KeysCommit` | leaves records whose key is not known: a repeat stores them again |
//! | `KeysUndo` | leaves a key whose sequences are others' |
//! | `KeysDirectory`, `KeysRewrite`, `KeysRewriteDirectory` | loses all keys |
//! | `Manifest`, `ManifestDirectory`, `ManifestCopy`, `ManifestCopyDirectory` | leaves a base that was used, or says that the end was clean |
//! | `RotateCopy`, `RotateCopyDirectory` | loses the segment after the original was removed (two file systems) |
//! | `RotateDirectory`, `RotateActiveDirectory` | loses the segment's name, or leaves the active name to it |
//! | `SumsMend` | leaves a part of a repair, which the next start repairs again |
//! | `SealFrames`, `SealDirectory` | loses the segment after its plain file was removed |
//! | `SealRemoveDirectory` | brings the plain file back: sealed again |
//! | `RecompressDirectory` | brings the file before back: recompressed again |
//! | `DeleteDirectory` | brings a deleted segment back: deleted again |

/// A place where the log syncs a file or a directory. Each exists once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SyncSite {
    /// The directories of the log, when the first start creates them.
    LogDirectories,
    /// Appended lines, before they are acknowledged.
    ActiveCommit,
    /// Lines that another process appended, before they get sequences.
    ActiveAdopt,
    /// The cut after a write that found no space.
    ActiveUndo,
    /// The active file before it is rotated.
    ActiveRotate,
    /// The active file at a clean stop.
    ActiveClose,
    /// The active file of the run before, before it is read past the page cache.
    ActiveRecover,
    /// The copy of the active file that recovery makes.
    RecoverActive,
    /// The name of that copy.
    RecoverActiveDirectory,
    /// The names of segments, after an unclean end.
    RecoverSegments,
    /// The name of a new active file.
    ActiveDirectory,
    /// What recovery cut off.
    Torn,
    /// The name of what recovery cut off.
    TornDirectory,
    /// Idempotency keys, before their records are written.
    KeysCommit,
    /// The cut of keys whose records were not written.
    KeysUndo,
    /// The name of a new file of keys.
    KeysDirectory,
    /// Keys, rewritten.
    KeysRewrite,
    /// The name of the rewritten keys.
    KeysRewriteDirectory,
    /// The manifest.
    Manifest,
    /// The name of the manifest.
    ManifestDirectory,
    /// The manifest's copy.
    ManifestCopy,
    /// The name of the manifest's copy.
    ManifestCopyDirectory,
    /// A segment copied from the file system of the active file.
    RotateCopy,
    /// The name of that copy, before the original is removed.
    RotateCopyDirectory,
    /// The new name of a rotated segment.
    RotateDirectory,
    /// The directory that a rotated segment left.
    RotateActiveDirectory,
    /// Text repaired by its checksums.
    SumsMend,
    /// The frames of a sealed segment.
    SealFrames,
    /// The names of sealed files, before the plain one is removed.
    SealDirectory,
    /// The removal of the plain file.
    SealRemoveDirectory,
    /// The name of a recompressed segment.
    RecompressDirectory,
    /// The removal of a segment by retention.
    DeleteDirectory,
}

impl SyncSite {
    /// All of them.
    #[cfg(test)]
    pub const ALL: [Self; 32] = [
        Self::LogDirectories,
        Self::ActiveCommit,
        Self::ActiveAdopt,
        Self::ActiveUndo,
        Self::ActiveRotate,
        Self::ActiveClose,
        Self::ActiveRecover,
        Self::RecoverActive,
        Self::RecoverActiveDirectory,
        Self::RecoverSegments,
        Self::ActiveDirectory,
        Self::Torn,
        Self::TornDirectory,
        Self::KeysCommit,
        Self::KeysUndo,
        Self::KeysDirectory,
        Self::KeysRewrite,
        Self::KeysRewriteDirectory,
        Self::Manifest,
        Self::ManifestDirectory,
        Self::ManifestCopy,
        Self::ManifestCopyDirectory,
        Self::RotateCopy,
        Self::RotateCopyDirectory,
        Self::RotateDirectory,
        Self::RotateActiveDirectory,
        Self::SumsMend,
        Self::SealFrames,
        Self::SealDirectory,
        Self::SealRemoveDirectory,
        Self::RecompressDirectory,
        Self::DeleteDirectory,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_site_is_listed_once() {
        assert_eq!(BTreeSet::from(SyncSite::ALL).len(), SyncSite::ALL.len());
    }
}
