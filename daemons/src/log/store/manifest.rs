//! What the text itself does not say: where the active segment begins.

use super::files::{self, Files};
use serde::{Deserialize, Serialize};
use std::io::{self, ErrorKind};

/// Sequences that a segment has room for: the next base after a segment whose
/// end is not known.
pub const SEGMENT_ROOM: u64 = 1 << 32;

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

    /// Reads it; none on the very first start.
    pub fn read(files: &Files) -> io::Result<Option<Self>> {
        let text = match std::fs::read(files.manifest()) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            result => result?,
        };
        let manifest: Self = match serde_json::from_slice(&text) {
            Ok(manifest) => manifest,
            Err(error) => {
                // Text is the truth: what it says of the base is enough.
                let path = files.manifest();
                tracing::error!("{} is damaged and is made anew from the segments: {error}", path.display());
                return Ok(None);
            }
        };
        if manifest.version != VERSION {
            let version = manifest.version;
            return Err(io::Error::other(format!("it was written by a later distlogd (version {version})")));
        }
        Ok(Some(manifest))
    }

    /// Writes it durably.
    pub fn write(&self, files: &Files) -> io::Result<()> {
        files::replace(&files.manifest(), &serde_json::to_vec(self)?)
    }
}
