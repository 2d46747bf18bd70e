//! What the text itself does not say: where the active segment begins.
//!
//! There is a copy: nothing else knows which sequences were used, once the
//! segments that had them are deleted.

use super::files::{self, Files};
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
}

const VERSION: u32 = 1;

impl Manifest {
    /// A segment that begins now.
    pub fn begin(base: u64) -> Self {
        Self { version: VERSION, base, begun_ms: chrono::Utc::now().timestamp_millis(), least_len: 0 }
    }

    /// Reads it, or its copy where it is damaged or gone; none on the very first
    /// start.
    pub fn read(files: &Files) -> io::Result<Option<Self>> {
        match Self::read_from(files.disk().as_ref(), &files.manifest())? {
            Some(manifest) => Ok(Some(manifest)),
            None => Self::read_from(files.disk().as_ref(), &files.manifest_copy()),
        }
    }

    /// Reads it or its copy; none where that is damaged or gone.
    pub fn read_from(disk: &dyn Disk, path: &Path) -> io::Result<Option<Self>> {
        let text = match disk.read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            result => result?,
        };
        let manifest: Self = match serde_json::from_slice(&text) {
            Ok(manifest) => manifest,
            Err(error) => {
                tracing::error!("{} is damaged and is made anew: {error}", path.display());
                return Ok(None);
            }
        };
        if manifest.version != VERSION {
            let version = manifest.version;
            return Err(io::Error::other(format!("it was written by a later distlogd (version {version})")));
        }
        Ok(Some(manifest))
    }

    /// Whether it and its copy are on disk as they are here.
    pub fn stands(&self, files: &Files) -> io::Result<bool> {
        let there = [
            Self::read_from(files.disk().as_ref(), &files.manifest())?,
            Self::read_from(files.disk().as_ref(), &files.manifest_copy())?,
        ];
        Ok(there == [Some(*self); 2])
    }

    /// Writes it durably. The copy first, so that it is never behind.
    pub fn write(&self, files: &Files) -> io::Result<()> {
        let text = serde_json::to_vec(self)?;
        files::replace(
            files.disk().as_ref(),
            &files.manifest_copy(),
            &text,
            (SyncSite::ManifestCopy, SyncSite::ManifestCopyDirectory),
        )?;
        files::replace(
            files.disk().as_ref(),
            &files.manifest(),
            &text,
            (SyncSite::Manifest, SyncSite::ManifestDirectory),
        )
    }
}
