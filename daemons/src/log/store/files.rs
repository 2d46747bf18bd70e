//! The names of the log's files, each made and read here, and the few things
//! that have to be done right to make a file durable.

use super::crash;
use crate::runtime::StartError;
use std::fmt;
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
const PLAIN: &str = ".log";
const SEALED: &str = ".log.zst";
const INDEX: &str = ".idx";
/// A file that is being written.
const UNFINISHED: &str = ".new";
/// A segment that is being copied from another file system.
const COPY: &str = ".copy";

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
        Ok(Self::there(active, dir))
    }

    /// The files of a log that is there.
    pub fn there(active: PathBuf, dir: PathBuf) -> Self {
        // A link to the log is followed once: it is the file that is rotated.
        let active = std::fs::canonicalize(&active).unwrap_or(active);
        Self { active, dir }
    }

    /// Where all but the active segment is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where the segments are, and their indexes.
    pub fn segments(&self) -> PathBuf {
        self.dir.join(SEGMENTS)
    }

    /// What was cut off and is kept.
    pub fn kept(&self) -> io::Result<Vec<PathBuf>> {
        let mut kept: Vec<PathBuf> = match fs::read_dir(self.dir.join(TORN)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            entries => entries?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?,
        };
        kept.sort_unstable();
        Ok(kept)
    }

    /// Where the manifest is.
    pub fn manifest(&self) -> PathBuf {
        self.dir.join("manifest.json")
    }

    /// Where the manifest's copy is.
    pub fn manifest_copy(&self) -> PathBuf {
        self.dir.join("manifest.copy.json")
    }

    /// Where the keys are.
    pub fn keys(&self) -> PathBuf {
        self.dir.join("keys")
    }

    /// Where a rotated segment is.
    pub fn plain(&self, base: u64) -> PathBuf {
        self.segments().join(format!("{base:020}{PLAIN}"))
    }

    /// Where a sealed segment is.
    pub fn sealed(&self, name: &SealedName) -> PathBuf {
        self.segments().join(format!("{name}{SEALED}"))
    }

    /// Where the index of a sealed segment is.
    pub fn index(&self, name: &SealedName) -> PathBuf {
        self.segments().join(format!("{name}{INDEX}"))
    }

    /// Where what was cut off at `offset` of a segment is kept.
    pub fn torn(&self, base: u64, offset: u64) -> PathBuf {
        self.dir.join(TORN).join(format!("{base:020}-{offset}"))
    }

    /// The segments that are there, ascending, and what is left over of work
    /// that was not finished.
    pub fn list(&self) -> io::Result<Listing> {
        let mut listing = Listing::default();
        let mut indexes = Vec::new();
        for entry in fs::read_dir(self.segments())? {
            let entry = entry?;
            match entry.file_name().to_str().and_then(parse) {
                Some(Name::Plain(base)) => listing.plain.push(base),
                Some(Name::Sealed(name)) => listing.sealed.push(name),
                Some(Name::Index(name)) => indexes.push(name),
                Some(Name::Unfinished) => listing.leftover.push(entry.path()),
                None => listing.foreign.push(entry.path()),
            }
        }
        listing.plain.sort_unstable();
        listing.sealed.sort_unstable();
        // While the plain file is there, sealing it was not finished.
        let unfinished = |name: &SealedName| listing.plain.binary_search(&name.base).is_ok();
        let (left, sealed): (Vec<_>, Vec<_>) = listing.sealed.into_iter().partition(unfinished);
        listing.sealed = sealed;
        listing.leftover.extend(left.iter().map(|name| self.sealed(name)));
        let orphans = indexes.iter().filter(|name| listing.sealed.binary_search(name).is_err());
        listing.leftover.extend(orphans.map(|name| self.index(name)));
        Ok(listing)
    }

    /// Moves the active file to its place among the rotated ones, durably.
    pub fn rotate(&self, base: u64) -> io::Result<()> {
        let to = self.plain(base);
        match fs::rename(&self.active, &to) {
            // Another file system: copied under a name of no meaning first.
            Err(error) if error.kind() == ErrorKind::CrossesDevices => {
                let copy = to.with_extension(COPY.trim_start_matches('.'));
                fs::copy(&self.active, &copy)?;
                crash::point()?;
                File::open(&copy)?.sync_all()?;
                fs::rename(&copy, &to)?;
                crash::point()?;
                sync_parent(&to)?;
                fs::remove_file(&self.active)?;
            }
            result => result?,
        }
        crash::point()?;
        sync_parent(&to)?;
        sync_parent(&self.active)
    }
}

/// The name of a sealed segment: its base, and the class of records that it
/// holds if there are classes ([`crate::log::retention`]).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SealedName {
    /// The base of the segment that was sealed.
    pub base: u64,
    /// The class; none for what belongs to no class.
    pub class: Option<String>,
}

impl fmt::Display for SealedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:020}", self.base)?;
        self.class.iter().try_for_each(|class| write!(f, "-{class}"))
    }
}

/// What is in the directory of segments.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The bases of rotated segments that are not sealed yet.
    pub plain: Vec<u64>,
    /// The sealed segments.
    pub sealed: Vec<SealedName>,
    /// Files of work that was not finished.
    pub leftover: Vec<PathBuf>,
    /// Files that are none of the log's.
    pub foreign: Vec<PathBuf>,
}

enum Name {
    Plain(u64),
    Sealed(SealedName),
    Index(SealedName),
    Unfinished,
}

/// Reads the names that [`Files`] makes.
fn parse(name: &str) -> Option<Name> {
    if let Some(finished) = name.strip_suffix(UNFINISHED) {
        let finished = parse(finished).filter(|name| matches!(name, Name::Sealed(_) | Name::Index(_)));
        return finished.map(|_| Name::Unfinished);
    }
    let base = |digits: &str| digits.parse().ok().filter(|_| digits.len() == 20);
    let sealed_name = |stem: &str| {
        let (digits, class) = match stem.split_once('-') {
            Some((digits, class)) => (digits, Some(class.to_owned())),
            None => (stem, None),
        };
        Some(SealedName { base: base(digits)?, class })
    };
    if let Some(stem) = name.strip_suffix(COPY) {
        base(stem).map(|_: u64| Name::Unfinished)
    } else if let Some(stem) = name.strip_suffix(SEALED) {
        sealed_name(stem).map(Name::Sealed)
    } else if let Some(stem) = name.strip_suffix(INDEX) {
        sealed_name(stem).map(Name::Index)
    } else {
        base(name.strip_suffix(PLAIN)?).map(Name::Plain)
    }
}

/// Where a file is written before it has its name.
pub fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(UNFINISHED);
    PathBuf::from(name)
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
        crash::point()?;
        sync_parent(path)?;
    }
    Ok(file)
}

/// A new or renamed file is durable only when its directory is synced too.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

/// Writes a file that only its owner may read.
pub fn write_private(path: &Path, contents: &[u8]) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(contents)?;
    Ok(file)
}

/// Replaces a file's contents so that after a crash it holds the old or the new.
pub fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let new = unfinished(path);
    write_private(&new, contents)?.sync_all()?;
    crash::point()?;
    fs::rename(&new, path)?;
    crash::point()?;
    sync_parent(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_named_by_its_base_and_nothing_else_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(dir.path().join("distributed.log"), dir.path().join("log")).unwrap();
        let name = |base, class: Option<&str>| SealedName { base, class: class.map(str::to_owned) };
        for base in [7, u64::MAX, 1] {
            fs::write(files.plain(base), "").unwrap();
        }
        for sealed in [name(3, Some("debug")), name(3, None), name(7, None)] {
            fs::write(files.sealed(&sealed), "").unwrap();
            fs::write(files.index(&sealed), "").unwrap();
        }
        fs::write(files.index(&name(9, None)), "").unwrap();
        fs::write(unfinished(&files.sealed(&name(9, None))), "").unwrap();
        fs::write(files.plain(9).with_file_name("notes.log"), "").unwrap();
        let mut listing = files.list().unwrap();
        listing.leftover.sort();
        assert_eq!(listing.plain, [1, 7, u64::MAX]);
        assert_eq!(listing.sealed, [name(3, None), name(3, Some("debug"))]);
        let leftover = [
            files.index(&name(7, None)),
            files.sealed(&name(7, None)),
            files.index(&name(9, None)),
            unfinished(&files.sealed(&name(9, None))),
        ];
        assert_eq!(listing.leftover, leftover);
        assert_eq!(listing.foreign, [files.plain(9).with_file_name("notes.log")]);
    }
}
