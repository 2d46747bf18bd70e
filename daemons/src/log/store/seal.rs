//! Sealing: from a segment of plain text to compressed frames and an index.
//!
//! The plain file is the truth until the last step. What a crash leaves before
//! that is thrown away at the next start, and sealing begins again.
//!
//! 1. The frames are written to `….log.zst.new`, synced, and every one of them
//!    read back and compared.
//! 2. The index is written and gets its name; it need not be synced, for a
//!    damaged one is rebuilt.
//! 3. The sealed file gets its name, and the directory is synced.
//! 4. The plain file is removed, and the directory is synced.
//!
//! Where there are classes, a segment becomes one sealed file for each class
//! that has records in it, so that each can be deleted as a whole when its time
//! has come. A line that was a record stays one, with its sequence.

use super::block::Run;
use super::damage::Damage;
use super::files::{self, Files, SealedName};
use super::sealed::{Directory, FrameSums, SealedWriter, damaged, read_frame};
use super::segment::{Plain, Sealed};
use super::sums;
use crate::log::codec::checksum;
use crate::log::disk::{Disk, Open, SyncSite};
use crate::log::index::{self, BlockIndex, Builder};
use crate::log::limits::BLOCK_LEN;
use crate::log::line::Line;
use crate::log::lines::lines;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

/// The level at which a segment is sealed: the ingest is faster than any other.
pub const LEVEL_FAST: i32 = 1;
/// The level to which a cold segment is recompressed. On real logs it takes 15%
/// off; 19 takes 9% more off, for thirty times the work.
pub const LEVEL_COLD: i32 = 9;

/// The index of the first blocks of a segment, built while it was active.
#[derive(Default)]
pub struct Built {
    /// Goes on where it ended.
    pub builder: Builder,
    /// The blocks so far.
    pub blocks: Vec<Arc<BlockIndex>>,
}

/// Tells the class of a record; none for one of no class.
pub type ClassOf<'a> = dyn Fn(&Line<'_>) -> Option<String> + 'a;

/// How and where segments are sealed.
pub struct Sealer<'a> {
    /// The names.
    pub files: &'a Files,
    /// Where damage is noted.
    pub damage: &'a Arc<Damage>,
    /// The class of a record; nobody asks when there are none.
    pub class_of: Option<&'a ClassOf<'a>>,
    /// Asked after each block whether to go on.
    pub go_on: &'a dyn Fn() -> io::Result<()>,
}

/// One sealed file that is being written.
struct Part {
    name: SealedName,
    writer: SealedWriter,
    built: Built,
    lines: Vec<u8>,
    runs: Vec<Run>,
}

/// Files that are written and compared, but do not have their names yet.
struct Written {
    name: SealedName,
    directory: Directory,
    built: Built,
}

impl Sealer<'_> {
    /// Seals a segment; what it became. Its plain file is gone then.
    ///
    /// # Errors
    /// When a file cannot be read or written; the plain file is there still.
    pub fn seal(&self, plain: &Plain, built: Built) -> io::Result<Vec<Sealed>> {
        let path = self.files.plain(plain.base);
        let built = if sums::mend(self.files, plain.base, &path, self.damage)? {
            // Its lines may be divided elsewhere.
            plain.forget_extent();
            Built::default()
        } else {
            built
        };
        let written = match self.class_of {
            None => vec![self.write_whole(plain, built)?],
            Some(class_of) => self.write_parts(plain, class_of)?,
        };
        let sealed = written.into_iter().map(|part| self.name(part)).collect::<io::Result<Vec<_>>>()?;
        let disk = self.files.disk();
        disk.sync_parent(&path, SyncSite::SealDirectory)?;
        remove(disk.as_ref(), &self.files.sums(plain.base))?;
        // Gone already if this was tried before, or somebody took it away.
        remove(disk.as_ref(), &path)?;
        disk.sync_parent(&path, SyncSite::SealRemoveDirectory)?;
        Ok(sealed)
    }

    fn begin(&self, base: u64, class: Option<String>, built: Built) -> io::Result<Part> {
        let name = SealedName { base, class };
        let new = files::unfinished(&self.files.sealed(&name));
        let writer = SealedWriter::create(self.files.disk().as_ref(), &new, base, LEVEL_FAST)?;
        Ok(Part { name, writer, built, lines: Vec::new(), runs: Vec::new() })
    }

    /// Every block becomes a frame.
    fn write_whole(&self, plain: &Plain, built: Built) -> io::Result<Written> {
        let mut part = self.begin(plain.base, None, built)?;
        let extent = plain.extent()?;
        for (at, block) in extent.blocks.iter().enumerate() {
            (self.go_on)()?;
            plain.read(block, &mut part.lines)?;
            part.runs = vec![Run { first: block.first_seq, len: block.records }];
            if at == part.built.blocks.len() {
                part.built.blocks.push(Arc::new(part.built.builder.block(&part.lines)));
            }
            part.push(at)?;
        }
        self.finish(part)
    }

    /// Every line goes to the file of its class.
    fn write_parts(&self, plain: &Plain, class_of: &ClassOf<'_>) -> io::Result<Vec<Written>> {
        let mut parts: Vec<Part> = Vec::new();
        let mut text = Vec::new();
        for block in &plain.extent()?.blocks {
            (self.go_on)()?;
            plain.read(block, &mut text)?;
            for (seq, (raw, line)) in block.seqs().zip(lines(&text)) {
                let class = class_of(&line);
                let at = match parts.iter().position(|part| part.name.class == class) {
                    Some(at) => at,
                    None => {
                        parts.push(self.begin(plain.base, class, Built::default())?);
                        parts.len() - 1
                    }
                };
                if let Some(part) = parts.get_mut(at) {
                    part.add(seq, raw)?;
                }
            }
        }
        parts.sort_by(|a, b| a.name.cmp(&b.name));
        parts
            .into_iter()
            .map(|mut part| {
                part.flush()?;
                self.finish(part)
            })
            .collect()
    }

    /// Ends a file and compares it with what it was made of.
    fn finish(&self, part: Part) -> io::Result<Written> {
        let (directory, sums) = part.writer.finish()?;
        let new = files::unfinished(&self.files.sealed(&part.name));
        compare(self.files.disk().as_ref(), &new, &directory, &sums, self.go_on)?;
        Ok(Written { name: part.name, directory, built: part.built })
    }

    /// Gives the files of a part their names.
    fn name(&self, part: Written) -> io::Result<Sealed> {
        let Written { name, directory, built } = part;
        write_index(self.files, &name, &directory, &built)?;
        let path = self.files.sealed(&name);
        self.files.disk().rename(&files::unfinished(&path), &path)?;
        Ok(Sealed::new(self.files, name, Arc::clone(self.damage)))
    }
}

impl Part {
    /// Adds a line; a frame is written when there are enough.
    fn add(&mut self, seq: u64, raw: &[u8]) -> io::Result<()> {
        if !self.lines.is_empty() && self.lines.len() + raw.len() > BLOCK_LEN {
            self.flush()?;
        }
        self.lines.extend_from_slice(raw);
        match self.runs.last_mut() {
            Some(run) if run.first + u64::from(run.len) == seq => run.len += 1,
            _ => self.runs.push(Run { first: seq, len: 1 }),
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.lines.is_empty() {
            return Ok(());
        }
        self.built.blocks.push(Arc::new(self.built.builder.block(&self.lines)));
        self.push(self.built.blocks.len() - 1)
    }

    /// Writes the lines as a frame, of which this is the index.
    fn push(&mut self, at: usize) -> io::Result<()> {
        let span = self.built.blocks.get(at).map_or((i64::MIN, i64::MAX), |block| block.span);
        self.writer.push(&self.lines, &self.runs, span)?;
        self.lines.clear();
        self.runs.clear();
        Ok(())
    }
}

/// Removes a file, if it is there.
fn remove(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    match disk.remove(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Reads a sealed file back and compares it with what it should hold.
fn compare(
    disk: &dyn Disk,
    path: &Path,
    directory: &Directory,
    sums: &FrameSums,
    go_on: &dyn Fn() -> io::Result<()>,
) -> io::Result<()> {
    let file = disk.open(path, Open::Read)?;
    let there = Directory::read(file.as_ref(), directory.base)?;
    let mut text = Vec::new();
    for ((block, stored_sum), sum) in there.blocks.iter().zip(&there.sums).zip(sums) {
        go_on()?;
        read_frame(file.as_ref(), block, *stored_sum, &mut text)?;
        if checksum(&text) != *sum {
            return Err(damaged("a sealed frame is not what was written"));
        }
    }
    if there == *directory && there.tail_is_whole(file.as_ref())? {
        Ok(())
    } else {
        Err(damaged("a sealed file is not what was written"))
    }
}

/// Writes an index beside its segment.
///
/// # Errors
/// When that fails.
pub fn write_index(files: &Files, name: &SealedName, directory: &Directory, built: &Built) -> io::Result<()> {
    let (kinds, runs) = (built.builder.kinds(), built.builder.runs());
    let bytes = index::to_bytes(kinds, runs, &built.blocks, directory.identity(), &directory.to_payload())?;
    let path = files.index(name);
    let new = files::unfinished(&path);
    let disk = files.disk();
    disk.open(&new, Open::Truncate)?.write_all_at(&bytes, 0)?;
    disk.rename(&new, &path)
}

/// Builds the index of a sealed segment anew, to the same bytes.
///
/// # Errors
/// When a frame cannot be read, or the index not be written.
pub fn rebuild_index(files: &Files, sealed: &Sealed, go_on: &dyn Fn() -> io::Result<()>) -> io::Result<()> {
    let opened = sealed.open()?;
    let mut built = Built::default();
    let mut text = Vec::new();
    for at in 0..opened.directory.blocks.len() {
        go_on()?;
        opened.read(at, &mut text).inspect_err(|error| sealed.note(at, error))?;
        built.blocks.push(Arc::new(built.builder.block(&text)));
    }
    // A directory that was found out by decoding knows no level: the copy is as the file has it.
    write_index(files, &sealed.name, &opened.directory, &built)
}

/// Compresses a sealed segment harder, frame by frame. Its index stays true, but
/// for the copy of the directory, with which it is written again.
///
/// # Errors
/// When a file cannot be read or written, or a frame is damaged: what is there stays.
pub fn recompress(files: &Files, sealed: &Sealed, go_on: &dyn Fn() -> io::Result<()>) -> io::Result<Sealed> {
    let path = files.sealed(&sealed.name);
    let new = files::unfinished(&path);
    let opened = sealed.open()?;
    let mut writer = SealedWriter::create(files.disk().as_ref(), &new, sealed.name.base, LEVEL_COLD)?;
    let mut built = Built::default();
    let mut text = Vec::new();
    for (at, block) in opened.directory.blocks.iter().enumerate() {
        go_on()?;
        opened.read(at, &mut text).inspect_err(|error| sealed.note(at, error))?;
        built.blocks.push(Arc::new(built.builder.block(&text)));
        let whole = [Run { first: block.first_seq, len: block.records }];
        writer.push(&text, block.runs.as_deref().unwrap_or(&whole), (block.min_ns, block.max_ns))?;
    }
    // It is as old as it was: its age counts for retention.
    let (directory, sums) = writer.finish_as_of(sealed.sealed_at()?)?;
    compare(files.disk().as_ref(), &new, &directory, &sums, go_on)?;
    // The index first: with its copy of a directory that is still to come it is
    // true all the same, and this is done again; with one that is no more it
    // would stay.
    write_index(files, &sealed.name, &directory, &built)?;
    files.disk().rename(&new, &path)?;
    files.disk().sync_parent(&path, SyncSite::RecompressDirectory)?;
    Ok(Sealed::new(files, sealed.name.clone(), Arc::clone(sealed.damage())))
}
