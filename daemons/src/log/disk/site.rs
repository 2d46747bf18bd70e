//! The places where the log syncs something.

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
    /// The active file after recovery.
    ActiveRecover,
    /// The cut of a torn tail.
    ActiveCut,
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
    pub const ALL: [Self; 29] = [
        Self::LogDirectories,
        Self::ActiveCommit,
        Self::ActiveAdopt,
        Self::ActiveUndo,
        Self::ActiveRotate,
        Self::ActiveClose,
        Self::ActiveRecover,
        Self::ActiveCut,
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
