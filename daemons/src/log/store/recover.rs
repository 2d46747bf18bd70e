//! What the last run left behind, made whole: see the table of failures in
//! [`super`].

use super::block::Block;
use super::damage::Damage;
use super::extent::{Extent, scan};
use super::files::{self, Files};
use super::keys::{self, Keys};
use super::manifest::Manifest;
use super::segment::{Plain, Sealed, Segment};
use crate::log::disk::{self, Disk, DiskFile, Open, SyncSite};
use crate::log::limits::SEGMENT_ROOM;
use crate::runtime::StartError;
use crate::runtime::health::Board;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

/// The first sequence of a new log: 0 is before all records.
const FIRST_SEQ: u64 = 1;

/// The log, ready to be appended to.
pub struct Recovered {
    /// All segments, the active one last.
    pub segments: Vec<Segment>,
    /// The active one.
    pub active: Arc<Plain>,
    /// The next record's sequence.
    pub next_seq: u64,
    /// As it stands on disk now.
    pub manifest: Manifest,
    /// The idempotency keys.
    pub keys: Keys,
}

/// Recovers the log.
pub fn recover(files: &Files, damage: &Arc<Damage>, health: &Board) -> Result<Recovered, StartError> {
    let active = files.active.as_path();
    let existed = files.disk().exists(active);
    let file = files::open(files.disk().as_ref(), active, SyncSite::ActiveDirectory).map_err(|e| {
        StartError::path(
            "cannot write the log file",
            active,
            format!("{e}; give another one with --log-file"),
        )
    })?;
    if file.try_lock().is_err() {
        return Err(StartError::path("cannot use the log file", active, "another process has locked it"));
    }
    recover_from(files, file, existed, damage, health)
        .map_err(|e| StartError::path("cannot recover the log", active, e))
}

fn recover_from(
    files: &Files,
    file: Box<dyn DiskFile>,
    existed: bool,
    damage: &Arc<Damage>,
    health: &Board,
) -> io::Result<Recovered> {
    let listing = files.list()?;
    listing.leftover.iter().try_for_each(|path| files.disk().remove(path))?;
    let sealed = listing
        .sealed
        .into_iter()
        .map(|name| Segment::Sealed(Arc::new(Sealed::new(files, name, Arc::clone(damage)))));
    let mut segments: Vec<Segment> = sealed.collect();
    for base in listing.plain {
        match files.disk().open(&files.plain(base), Open::Read) {
            Ok(file) => segments.push(Segment::Plain(Arc::new(Plain::new(base, file, None)))),
            // One file must not keep the log from starting.
            Err(error) => tracing::error!("segment {base} cannot be read: {error}"),
        }
    }
    segments.sort_by_key(Segment::base);
    let manifest = begin(files, file.as_ref(), existed, &segments)?;

    let len = file.metadata()?.len;
    // After an error of a sync the page cache may hold what never got to disk.
    let _ = file.sync_all(SyncSite::ActiveRecover);
    let on_disk = files.disk().open(&files.active, Open::Uncached)?;
    let whole = whole_len(on_disk.as_ref())?;
    if whole < len {
        cut(files, file.as_ref(), manifest.base, whole, len, "a torn tail")?;
    }
    let mut extent = scan(file.as_ref(), manifest.base, whole)?;
    let found = keys::read(files)?;
    if let Some(seq) = keys::cut_at(&found.entries, extent.next_seq).filter(|seq| *seq >= manifest.base) {
        let offset = offset_of(file.as_ref(), &extent, seq)?;
        // What was there at a clean end was acknowledged: if lines are missing
        // before it, somebody damaged them, and these are not to pay for it.
        if offset >= manifest.least_len {
            cut(
                files,
                file.as_ref(),
                manifest.base,
                offset,
                whole,
                "a part of a request that was never acknowledged",
            )?;
            extent = scan(file.as_ref(), manifest.base, offset)?;
        }
    }
    // What a crash left in the page cache alone is about to be shown: it must stay.
    file.sync_all(SyncSite::ActiveRecover)?;
    let keys = Keys::adopt(files, found, extent.next_seq)?;
    let manifest = note(files, Manifest { least_len: extent.len, ..manifest })?;
    health.pass("store");
    let next_seq = extent.next_seq;
    let active = Arc::new(Plain::new(manifest.base, file, Some(Arc::new(extent))));
    segments.push(Segment::Plain(Arc::clone(&active)));
    Ok(Recovered { segments, active, next_seq, manifest, keys })
}

/// Where the active segment begins.
fn begin(files: &Files, file: &dyn DiskFile, existed: bool, segments: &[Segment]) -> io::Result<Manifest> {
    let Some(manifest) = Manifest::read(files)? else {
        let ends = segments.iter().map(end_of).collect::<io::Result<Vec<_>>>()?;
        return Ok(Manifest::begin(ends.into_iter().max().unwrap_or(FIRST_SEQ)));
    };
    let len = file.metadata()?.len;
    let mut of_base = segments.iter().filter(|segment| segment.base() == manifest.base).peekable();
    if of_base.peek().is_some() {
        // The rotation got as far as the segment. Across file systems the active
        // file may still be there, the same to the byte.
        if let Some(Segment::Plain(rotated)) = of_base.peek()
            && len == rotated.file().metadata()?.len
            && same(file, rotated.file(), len)?
        {
            file.set_len(0)?;
        }
        let ends = of_base.map(end_of).collect::<io::Result<Vec<_>>>()?;
        return Ok(Manifest::begin(ends.into_iter().max().unwrap_or(manifest.base)));
    }
    if len < manifest.least_len || !existed {
        tracing::warn!(
            "the log file is not what it was when the log service last ran: its records are gone, and sequences \
             go on far beyond theirs"
        );
        return Ok(Manifest::begin(manifest.base + SEGMENT_ROOM));
    }
    Ok(manifest)
}

/// The sequence after the last record of a segment.
fn end_of(segment: &Segment) -> io::Result<u64> {
    match segment {
        Segment::Plain(plain) => Ok(plain.extent()?.next_seq),
        Segment::Sealed(sealed) => Ok(sealed.open()?.directory.blocks.last().map_or(0, Block::last_seq) + 1),
    }
}

/// Writes the manifest where it says something new. On a full disk the one that
/// is there still holds, as long as the base is the same.
fn note(files: &Files, manifest: Manifest) -> io::Result<Manifest> {
    if manifest.stands(files)? {
        return Ok(manifest);
    }
    let there = Manifest::read(files)?;
    match manifest.write(files) {
        Err(error)
            if error.kind() == ErrorKind::StorageFull && there.is_some_and(|t| t.base == manifest.base) =>
        {
            tracing::warn!("no space left for the log: it can be read, and written when there is");
            Ok(manifest)
        }
        result => result.map(|()| manifest),
    }
}

fn same(a: &dyn DiskFile, b: &dyn DiskFile, len: u64) -> io::Result<bool> {
    const CHUNK: usize = 1 << 20;
    let (mut of_a, mut of_b) = (vec![0; CHUNK], vec![0; CHUNK]);
    let mut at = 0;
    while at < len {
        let n = usize::try_from(len - at).unwrap_or(CHUNK).min(CHUNK);
        a.read_exact_at(of_a.get_mut(..n).unwrap_or_default(), at)?;
        b.read_exact_at(of_b.get_mut(..n).unwrap_or_default(), at)?;
        if of_a.get(..n) != of_b.get(..n) {
            return Ok(false);
        }
        at += n as u64;
    }
    Ok(true)
}

/// The length up to which the file is whole lines: the end of the last line
/// without a zero byte. Zeros are written by nobody: they stand where a power
/// cut left length without contents, or where a disk lost them. Lines with zeros
/// before a good line are damaged records, and stay.
fn whole_len(file: &dyn DiskFile) -> io::Result<u64> {
    let mut buffer = vec![0; 1 << 20];
    let (mut at, mut whole, mut damaged) = (0_u64, 0_u64, 0_u64);
    let mut zero_in_line = false;
    loop {
        let n = file.read_at(&mut buffer, at)?;
        if n == 0 {
            if damaged > 0 {
                tracing::error!("{damaged} lines of the log have lost bytes: zeros stand in their place");
            }
            return Ok(whole);
        }
        let read = buffer.get(..n).unwrap_or_default();
        for piece in read.split_inclusive(|b| *b == b'\n') {
            zero_in_line |= memchr::memchr(0, piece).is_some();
            at += piece.len() as u64;
            if piece.ends_with(b"\n") {
                if std::mem::take(&mut zero_in_line) {
                    damaged += 1;
                } else {
                    whole = at;
                }
            }
        }
    }
}

/// Cuts the file to `to`; what is cut off is on disk elsewhere before that.
fn cut(files: &Files, file: &dyn DiskFile, base: u64, to: u64, from: u64, what: &str) -> io::Result<()> {
    let kept = files.torn(base, to);
    match keep(files.disk().as_ref(), file, &kept, to, from) {
        Ok(()) => {
            let (len, kept) = (from - to, kept.display());
            tracing::warn!("{what} is cut off the log: {len} bytes from {to} on, kept in {kept}");
        }
        // It was never acknowledged, and a full disk must not keep the log from starting.
        Err(error) if error.kind() == ErrorKind::StorageFull => {
            let _ = files.disk().remove(&kept);
            tracing::warn!(
                "{what} is cut off the log: {} bytes from {to} on; no space to keep them",
                from - to
            );
        }
        Err(error) => return Err(error),
    }
    file.set_len(to)?;
    file.sync_all(SyncSite::ActiveCut)
}

fn keep(disk: &dyn Disk, file: &dyn DiskFile, kept: &Path, to: u64, from: u64) -> io::Result<()> {
    let copy = disk.open(kept, Open::Truncate)?;
    disk::copy(file, to, from - to, copy.as_ref())?;
    copy.sync_all(SyncSite::Torn)?;
    disk.sync_parent(kept, SyncSite::TornDirectory)
}

/// Where a record begins in the file.
fn offset_of(file: &dyn DiskFile, extent: &Extent, seq: u64) -> io::Result<u64> {
    let Some(block) = extent.blocks.iter().rev().find(|block| block.first_seq <= seq) else { return Ok(0) };
    let mut buffer = vec![0; block.len];
    file.read_exact_at(&mut buffer, block.offset)?;
    let before = usize::try_from(seq - block.first_seq).unwrap_or(usize::MAX);
    let within = match before.checked_sub(1) {
        None => 0,
        Some(nth) => memchr::memchr_iter(b'\n', &buffer).nth(nth).map_or(block.len, |newline| newline + 1),
    };
    Ok(block.offset + within as u64)
}
