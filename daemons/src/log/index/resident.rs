//! What stays in memory of the index of a sealed segment.

use super::Blocks;
use super::file::{Header, Section, damaged};
use crate::log::disk::{Disk, Open};
use crate::log::query::Needs;
use std::io;
use std::path::Path;

/// Where the word filters of an index file are. They are asked without opening
/// the segment, so that a search for a rare word reads one page for each segment
/// that does not hold it.
#[derive(Debug, Clone)]
pub struct Resident(pub(super) Header);

impl Resident {
    /// The blocks that may hold what is needed.
    ///
    /// # Errors
    /// When the filters cannot be read, are damaged, or are no longer those of this
    /// file.
    pub fn blocks_with(&self, disk: &dyn Disk, path: &Path, needs: &Needs) -> io::Result<Blocks> {
        let Self(header) = self;
        let mut opened = None;
        Blocks::with(needs, header.shape.blocks, &mut |hash| {
            let file = match &opened {
                Some(file) => file,
                None => {
                    let file = disk.open(path, Open::Read)?;
                    // Recompression replaces the file.
                    if Header::read(file.as_ref())?.sum != header.sum {
                        return Err(damaged());
                    }
                    opened.insert(file)
                }
            };
            let offset = header.place(Section::Words).offset;
            super::words::blocks_with(file.as_ref(), offset, header.shape, hash)
        })
    }
}
