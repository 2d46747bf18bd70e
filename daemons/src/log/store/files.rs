//! The names of the log's files, each made and read here, and the few things
//! that have to be done right to make a file durable.

use crate::runtime::StartError;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Where the log's files are.
#[derive(Debug, Clone)]
pub struct Files {
    /// The active segment.
    pub active: PathBuf,
    dir: PathBuf,
}

const SEGMENTS: &str = "segments";
const TORN: &str = "torn";

impl Files {
    /// Makes the directories.
    pub fn new(active: PathBuf, dir: PathBuf) -> Result<Self, StartError> {
        for path in [dir.join(SEGMENTS), dir.join(TORN)] {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&path)
                .map_err(|e| StartError::path("cannot make the directory", &path, e))?;
        }
        // A link to the log is followed once: it is the file that is rotated.
        let active = std::fs::canonicalize(&active).unwrap_or(active);
        Ok(Self { active, dir })
    }

    /// Where the manifest is.
    pub fn manifest(&self) -> PathBuf {
        self.dir.join("manifest.json")
    }

    /// Where the keys are.
    pub fn keys(&self) -> PathBuf {
        self.dir.join("keys")
    }

    /// Where a rotated segment is.
    pub fn segment(&self, base: u64) -> PathBuf {
        self.dir.join(SEGMENTS).join(format!("{base:020}.log"))
    }

    /// Where what was cut off at `offset` of a segment is kept.
    pub fn torn(&self, base: u64, offset: u64) -> PathBuf {
        self.dir.join(TORN).join(format!("{base:020}-{offset}"))
    }

    /// The bases of the rotated segments, ascending.
    pub fn bases(&self) -> io::Result<Vec<u64>> {
        let mut bases = Vec::new();
        for entry in fs::read_dir(self.dir.join(SEGMENTS))? {
            bases.extend(entry?.file_name().to_str().and_then(base_of));
        }
        bases.sort_unstable();
        Ok(bases)
    }

    /// Moves the active file to its place among the rotated ones, durably.
    pub fn rotate(&self, base: u64) -> io::Result<()> {
        let to = self.segment(base);
        match fs::rename(&self.active, &to) {
            // Another file system: copied under a name of no meaning first.
            Err(error) if error.kind() == ErrorKind::CrossesDevices => {
                let copy = to.with_extension("copy");
                fs::copy(&self.active, &copy)?;
                File::open(&copy)?.sync_all()?;
                fs::rename(&copy, &to)?;
                sync_parent(&to)?;
                fs::remove_file(&self.active)?;
            }
            result => result?,
        }
        sync_parent(&to)?;
        sync_parent(&self.active)
    }
}

/// What [`Files::segment`] wrote.
fn base_of(name: &str) -> Option<u64> {
    name.strip_suffix(".log").filter(|digits| digits.len() == 20)?.parse().ok()
}

/// Opens a file for reading and writing, making it (0600, durably) if it is not there.
pub fn open(path: &Path) -> io::Result<File> {
    let existed = path.exists();
    let file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    if existed {
        // One that was made by another hand may be open to all.
        file.set_permissions(Permissions::from_mode(0o600))?;
    } else {
        sync_parent(path)?;
    }
    Ok(file)
}

/// A new or renamed file is durable only when its directory is synced too.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

/// Replaces a file's contents so that after a crash it holds the old or the new.
pub fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(contents)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    sync_parent(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_named_by_its_base_and_nothing_else_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(dir.path().join("distributed.log"), dir.path().join("log")).unwrap();
        for base in [7, u64::MAX, 0] {
            fs::write(files.segment(base), "").unwrap();
        }
        fs::write(files.segment(9).with_extension("copy"), "").unwrap();
        fs::write(files.segment(9).with_file_name("notes.log"), "").unwrap();
        assert_eq!(files.bases().unwrap(), [0, 7, u64::MAX]);
    }
}
