//! What the text itself does not say: where the active segment begins, and
//! whether the log was closed cleanly.
//!
//! `manifest.json` is `{"version","base","begun_ms","least_len","clean","sum"}`;
//! `sum` is the checksum of the others. Manifests written before it existed have
//! neither `clean` nor `sum`: they are read as after an unclean end.
//!
//! There is a copy: nothing else knows which sequences were used, once the
//! segments that had them are deleted.

use super::files::{self, Files};
use crate::log::codec::checksum;
use crate::log::disk::{Disk, SyncSite};
use serde::{Deserialize, Serialize};
use std::io::{self, ErrorKind};
use std::path::Path;

/// The manifest, replaced as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the format.
    pub version: u32,
    /// The sequence of the active segment's first record.
    pub base: u64,
    /// When the active segment was begun, in milliseconds since 1970.
    pub begun_ms: i64,
    /// The active file has at least this length, unless somebody has cut it: as
    /// it was when the log service last started or stopped.
    pub least_len: u64,
    /// Whether the log was closed after the active file had been synced, and
    /// nothing was appended since.
    #[serde(default)]
    pub clean: bool,
}

/// The manifest as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(flatten)]
    manifest: Manifest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sum: Option<String>,
}

/// All that is read of a manifest before its version is known.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

const VERSION: u32 = 1;

impl Manifest {
    /// A segment that begins now.
    pub fn begin(base: u64) -> Self {
        let begun_ms = chrono::Utc::now().timestamp_millis();
        Self { version: VERSION, base, begun_ms, least_len: 0, clean: false }
    }

    fn sum(&self) -> String {
        let Self { version, base, begun_ms, least_len, clean } = self;
        format!("{:016x}", checksum(format!("{version} {base} {begun_ms} {least_len} {clean}").as_bytes()))
    }

    /// The contents of its file.
    ///
    /// # Errors
    /// When it cannot be serialized.
    pub fn to_bytes(self) -> io::Result<Vec<u8>> {
        Ok(serde_json::to_vec(&Stored { manifest: self, sum: Some(self.sum()) })?)
    }

    /// Reads it and its copy; none on the very first start. `end` is the sequence
    /// after the last segment's last record: where the two differ it tells which
    /// one is right.
    ///
    /// # Errors
    /// When one cannot be read, or is of a later version.
    pub fn read(files: &Files, end: Option<u64>) -> io::Result<Option<Self>> {
        let manifest = Self::read_from(files.disk().as_ref(), &files.manifest())?;
        let copy = Self::read_from(files.disk().as_ref(), &files.manifest_copy())?;
        Ok(match (manifest, copy) {
            (Some(manifest), Some(copy)) if manifest != copy => Some(Self::choose(manifest, copy, end)),
            (manifest, copy) => manifest.or(copy),
        })
    }

    /// The one of two that counts. They differ after a crash between the two
    /// writes, and then the copy, written first, has the larger base; or one of
    /// them is damaged and was written before there were checksums.
    fn choose(manifest: Self, copy: Self, end: Option<u64>) -> Self {
        let rank = |of: &Self| (Some(of.base) == end, of.base, !of.clean, of.least_len);
        let chosen = if rank(&copy) > rank(&manifest) { copy } else { manifest };
        tracing::warn!("the manifest and its copy differ: {manifest:?}, {copy:?}; used is {chosen:?}");
        // Never trusted to be clean: the active file is copied from what is on disk.
        Self { clean: false, ..chosen }
    }

    /// Reads it or its copy; none where that is damaged or gone.
    ///
    /// # Errors
    /// When it cannot be read, or is of a later version.
    pub fn read_from(disk: &dyn Disk, path: &Path) -> io::Result<Option<Self>> {
        let text = match disk.read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            result => result?,
        };
        let damaged = |why: &dyn std::fmt::Display| {
            tracing::error!("{} is damaged and is replaced: {why}", path.display());
            Ok(None)
        };
        let stored: Option<Stored> = serde_json::from_slice(&text).ok();
        let is_whole = stored.as_ref().is_some_and(|stored| {
            let at_version = Self { version: VERSION, ..stored.manifest };
            stored.sum.as_ref().is_none_or(|sum| *sum == at_version.sum())
        });
        // The version first: a later one may have other fields.
        match serde_json::from_slice(&text) {
            Ok(Versioned { version: VERSION }) => {}
            // The checksum of version 1 fits: only the version is damaged.
            Ok(_) if is_whole && stored.as_ref().is_some_and(|stored| stored.sum.is_some()) => {
                return damaged(&"its version");
            }
            Ok(Versioned { version }) => {
                let later = format!(
                    "it was written by a later distlogd (version {version}); this one knows version {VERSION} and \
                     changes nothing"
                );
                return Err(io::Error::other(later));
            }
            Err(error) => return damaged(&error),
        }
        match stored {
            None => damaged(&"fields are missing"),
            Some(_) if !is_whole => damaged(&"its checksum differs"),
            Some(stored) => Ok(Some(stored.manifest)),
        }
    }

    /// Whether it and its copy are on disk as they are here.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn stands(&self, files: &Files) -> io::Result<bool> {
        let disk = files.disk().as_ref();
        let there =
            [Self::read_from(disk, &files.manifest())?, Self::read_from(disk, &files.manifest_copy())?];
        Ok(there == [Some(*self); 2])
    }

    /// Writes it durably. The copy first, so that it is never behind.
    ///
    /// # Errors
    /// When a file cannot be written, synced or renamed.
    pub fn write(&self, files: &Files) -> io::Result<()> {
        let (disk, bytes) = (files.disk().as_ref(), self.to_bytes()?);
        let copy_sites = (SyncSite::ManifestCopy, SyncSite::ManifestCopyDirectory);
        files::replace(disk, &files.manifest_copy(), &bytes, copy_sites)?;
        files::replace(disk, &files.manifest(), &bytes, (SyncSite::Manifest, SyncSite::ManifestDirectory))
    }
}
