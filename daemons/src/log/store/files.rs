//! The names of the log's files, each made and read here, and the few things
//! that have to be done right to make a file durable.

use crate::log::disk::{self, Disk, DiskFile, Open, SyncSite};
use crate::runtime::StartError;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the log's files are.
#[derive(Debug, Clone)]
pub struct Files {
    /// The active segment.
    pub active: PathBuf,
    dir: PathBuf,
    disk: Arc<dyn Disk>,
}

const SEGMENTS: &str = "segments";
const TORN: &str = "torn";
const SUMS: &str = "sums";
const PLAIN: &str = ".log";
const SEALED: &str = ".log.zst";
const INDEX: &str = ".idx";
/// A file that is being written.
const UNFINISHED: &str = ".new";
/// A segment that is being copied from another file system.
const COPY: &str = ".copy";

impl Files {
    /// Makes the directories.
    pub fn new(disk: Arc<dyn Disk>, active: PathBuf, dir: PathBuf) -> Result<Self, StartError> {
        for path in [dir.join(SEGMENTS), dir.join(TORN)] {
            let made = disk.create_dir(&path).and_then(|is_new| match is_new {
                true => disk.sync_parent(&path, SyncSite::LogDirectories),
                false => Ok(()),
            });
            made.map_err(|e| StartError::path("cannot make the directory", &path, e))?;
        }
        // Without it the text has no checksums; a full disk keeps nothing from starting.
        if let Err(error) = disk.create_dir(&dir.join(SUMS)) {
            tracing::warn!("cannot make the directory {}: {error}", dir.join(SUMS).display());
        }
        Ok(Self::there(disk, active, dir))
    }

    /// The files of a log that is there.
    pub fn there(disk: Arc<dyn Disk>, active: PathBuf, dir: PathBuf) -> Self {
        // A link to the log is followed once: it is the file that is rotated.
        let active = disk.canonicalize(&active).unwrap_or(active);
        Self { active, dir, disk }
    }

    /// The file system that they are on.
    pub const fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
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
        let mut kept = match self.disk.list(&self.dir.join(TORN)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            kept => kept?,
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

    /// Where the checksums of a plain segment's text are.
    pub fn sums(&self, base: u64) -> PathBuf {
        self.dir.join(SUMS).join(format!("{base:020}"))
    }

    /// The checksums that belong to no segment in `bases`, ascending.
    pub fn stale_sums(&self, bases: &[u64]) -> io::Result<Vec<PathBuf>> {
        let mut stale = match self.disk.list(&self.dir.join(SUMS)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            sums => sums?,
        };
        let base = |path: &PathBuf| path.file_name()?.to_str().filter(|name| name.len() == 20)?.parse().ok();
        stale.retain(|path| base(path).is_some_and(|base: u64| bases.binary_search(&base).is_err()));
        Ok(stale)
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
        for path in self.disk.list(&self.segments())? {
            match path.file_name().and_then(|name| name.to_str()).and_then(parse) {
                Some(Name::Plain(base)) => listing.plain.push(base),
                Some(Name::Sealed(name)) => listing.sealed.push(name),
                Some(Name::Index(name)) => indexes.push(name),
                Some(Name::Unfinished) => listing.leftover.push(path),
                None => listing.foreign.push(path),
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
        let disk = &self.disk;
        match disk.rename(&self.active, &to) {
            // Another file system: copied under a name of no meaning first.
            Err(error) if error.kind() == ErrorKind::CrossesDevices => {
                let copy = to.with_extension(COPY.trim_start_matches('.'));
                let (from, into) = (disk.open(&self.active, Open::Read)?, disk.open(&copy, Open::Truncate)?);
                disk::copy(from.as_ref(), 0, from.metadata()?.len, into.as_ref())?;
                into.sync_all(SyncSite::RotateCopy)?;
                disk.rename(&copy, &to)?;
                disk.sync_parent(&to, SyncSite::RotateCopyDirectory)?;
                disk.remove(&self.active)?;
            }
            result => result?,
        }
        disk.sync_parent(&to, SyncSite::RotateDirectory)?;
        disk.sync_parent(&self.active, SyncSite::RotateActiveDirectory)
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

/// Opens a file for reading and writing, creating it durably if it does not exist.
pub fn open(disk: &dyn Disk, path: &Path, site: SyncSite) -> io::Result<Box<dyn DiskFile>> {
    let existed = disk.exists(path);
    let file = disk.open(path, Open::Write)?;
    if !existed {
        disk.sync_parent(path, site)?;
    }
    Ok(file)
}

/// Replaces a file's contents so that after a crash it holds the old or the new.
/// The sites are those of the file and of its name.
pub fn replace(
    disk: &dyn Disk,
    path: &Path,
    contents: &[u8],
    (file_site, name_site): (SyncSite, SyncSite),
) -> io::Result<()> {
    let new = unfinished(path);
    let file = disk.open(&new, Open::Truncate)?;
    file.write_all_at(contents, 0)?;
    file.sync_all(file_site)?;
    disk.rename(&new, path)?;
    disk.sync_parent(path, name_site)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::disk::RealDisk;
    use std::fs;

    #[test]
    fn a_segment_is_named_by_its_base_and_nothing_else_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let files =
            Files::new(Arc::new(RealDisk), dir.path().join("distributed.log"), dir.path().join("log"))
                .unwrap();
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
