//! Rebuilding indexes while no log service is running.

use super::damage::Damage;
use super::files::{Files, SealedName};
use super::seal;
use super::segment::Sealed;
use crate::log::disk::RealDisk;
use crate::log::index::{self, Index};
use crate::runtime::OwnDir;
use crate::runtime::health::Board;
use crate::runtime::metrics::Metrics;
use crate::settings;
use shared::daemon::Daemon;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;

/// The indexes of a log that nobody else is using.
pub struct Indexes {
    files: Files,
    damage: Arc<Damage>,
    _dir: OwnDir,
}

/// Why an index was rebuilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It was not there.
    Missing,
    /// It was damaged, or of another segment or version.
    Damaged,
    /// Somebody wanted it.
    Wanted,
}

impl Indexes {
    /// Those of the log that the settings are about.
    pub fn new(settings: &settings::Log, dir: OwnDir) -> Self {
        let files = Files::there(Arc::new(RealDisk), settings.file.clone(), dir.path().to_owned());
        // Nobody asks for either: the error says what is damaged.
        let (health, metrics) = (Arc::new(Board::new(Daemon::Log)), Metrics::default());
        Self { files, damage: Arc::new(Damage::new(health, &metrics)), _dir: dir }
    }

    /// The sealed segments.
    ///
    /// # Errors
    /// When their directory cannot be read.
    pub fn segments(&self) -> io::Result<Vec<SealedName>> {
        Ok(self.files.list()?.sealed)
    }

    /// Where the index of one is.
    pub fn path(&self, name: &SealedName) -> PathBuf {
        self.files.index(name)
    }

    /// The length of its text as it is stored.
    pub fn len(&self, name: &SealedName) -> u64 {
        self.files.disk().metadata(&self.files.sealed(name)).map_or(0, |metadata| metadata.len)
    }

    /// Rebuilds an index that is missing or damaged, or any if that is wanted.
    /// Answers why it did.
    ///
    /// # Errors
    /// When the segment cannot be read, or the index not be written.
    pub fn rebuild(&self, name: &SealedName, any: bool) -> io::Result<Option<Reason>> {
        let sealed = Sealed::new(&self.files, name.clone(), Arc::clone(&self.damage));
        let Some(reason) = self.reason(&sealed)?.or(any.then_some(Reason::Wanted)) else { return Ok(None) };
        seal::rebuild_index(&self.files, &sealed, &|| Ok(()))?;
        Ok(Some(reason))
    }

    fn reason(&self, sealed: &Sealed) -> io::Result<Option<Reason>> {
        let directory = sealed.open()?.directory;
        let (disk, path) = (self.files.disk().as_ref(), sealed.index_path());
        let is_whole = Index::open(disk, path, directory.identity()).and_then(|index| {
            index.check()?;
            // After a crash in recompression it is the one from before that.
            Ok(index::read_directory(disk, path)? == directory.to_payload())
        });
        match is_whole {
            Ok(true) => Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Some(Reason::Missing)),
            Ok(false) => Ok(Some(Reason::Damaged)),
            Err(error) if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) => {
                Ok(Some(Reason::Damaged))
            }
            Err(error) => Err(error),
        }
    }
}
