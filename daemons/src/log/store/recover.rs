//! What the last run left behind, looked at and made whole: see the table of
//! failures in [`super`]. What is written for that is in [`super::repair`].

use super::adopt;
use super::block::Block;
use super::damage::Damage;
use super::extent::{Extent, scan};
use super::fault::Fault;
use super::files::{self, Files};
use super::keys::{self, Keys};
use super::manifest::Manifest;
use super::repair::{Repair, Torn};
use super::segment::{Plain, Sealed, Segment};
use super::sums;
use crate::log::disk::{DiskFile, Open, SyncSite};
use crate::log::limits::SEGMENT_ROOM;
use crate::runtime::StartError;
use crate::runtime::health::Board;
use std::io;
use std::sync::Arc;

/// The first sequence of a new log: 0 is before all records.
const FIRST_SEQ: u64 = 1;

/// The log, ready to be read, and to be appended to unless a repair is left.
pub struct Recovered {
    /// All segments, the active one last.
    pub segments: Vec<Segment>,
    /// The active one.
    pub active: Arc<Plain>,
    /// The next record's sequence.
    pub next_seq: u64,
    /// The manifest.
    pub manifest: Manifest,
    /// The idempotency keys.
    pub keys: Keys,
    /// What could not be written for want of space.
    pub repair: Option<Repair>,
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
    let is_ours = file.try_lock().is_ok()
        // Another process may just have replaced the file that was opened.
        && file.metadata().is_ok_and(|ours| files.disk().metadata(active).is_ok_and(|at| at.id == ours.id));
    if !is_ours {
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
    let mut segments = find_segments(files, damage)?;
    let begun = begin(files, file.as_ref(), existed, &segments)?;
    if let Err(error) = sums::mend(files, begun.manifest.base, &files.active, damage) {
        tracing::error!("the log file cannot be compared with its checksums: {error}");
    }
    match adopt::cut_from(file.as_ref(), begun.manifest.least_len) {
        Ok(0) => {}
        Ok(cuts) => tracing::warn!("the log file had lines that are too long: cut at {cuts} places"),
        Err(error) => tracing::warn!("long lines of the log file are not cut: {error}"),
    }
    // The file is new, or what it holds was written by a run before.
    let synced = file.sync_all(SyncSite::ActiveRecover);
    let unclean = !begun.manifest.clean || synced.is_err();
    let uncached = unclean.then(|| files.disk().open(&files.active, Open::Uncached)).transpose()?;
    let text = uncached.as_deref().unwrap_or(file.as_ref());
    let plain = segments.iter().filter(|segment| matches!(segment, Segment::Plain(_))).map(Segment::base);
    let mut bases: Vec<u64> = plain.chain([begun.manifest.base]).collect();
    bases.sort_unstable();
    files.stale_sums(&bases)?.iter().for_each(|path| drop(files.disk().remove(path)));
    let (extent, torn) = if begun.is_copied {
        (Extent::empty(begun.manifest.base), Vec::new())
    } else {
        divide(files, text, &begun.manifest, unclean)?
    };
    let next_seq = extent.next_seq;
    let manifest = Manifest { least_len: extent.len, clean: !unclean, ..begun.manifest };
    let replace = existed && (unclean || begun.is_copied || !torn.is_empty());
    let mut repair = Repair { replace: replace.then_some(extent.len), torn, unclean, manifest, next_seq };
    let (new, keys) = repair.run(files);
    let (keys, repair) = match keys {
        Ok(keys) => (keys, None),
        Err(error) => match Fault::of_opening(error) {
            Fault::Broken(error) => return Err(error),
            fault => {
                let why = fault.to_string();
                tracing::error!("the log can be read, and written when its recovery has ended: {why}");
                health.fail("store", why);
                (Keys::of(keys::read(files, Open::Read)?, next_seq), Some(repair))
            }
        },
    };
    if repair.is_none() {
        health.pass("store");
    }
    let file = new.unwrap_or(file);
    let active = Arc::new(Plain::new(manifest.base, file, Some(Arc::new(extent))));
    segments.push(Segment::Plain(Arc::clone(&active)));
    Ok(Recovered { segments, active, next_seq, manifest, keys, repair })
}

/// The segments before the active one, in order.
fn find_segments(files: &Files, damage: &Arc<Damage>) -> io::Result<Vec<Segment>> {
    let listing = files.list()?;
    listing.leftover.iter().try_for_each(|path| files.disk().remove(path))?;
    let sealed = |name| Segment::Sealed(Arc::new(Sealed::new(files, name, Arc::clone(damage))));
    let mut segments: Vec<Segment> = listing.sealed.into_iter().map(sealed).collect();
    for base in listing.plain {
        // Before it is scanned: sequences are counted by its lines.
        if let Err(error) = sums::mend(files, base, &files.plain(base), damage) {
            tracing::error!("the text of segment {base} cannot be compared with its checksums: {error}");
        }
        match files.disk().open(&files.plain(base), Open::Read) {
            Ok(file) => segments.push(Segment::Plain(Arc::new(Plain::new(base, file, None)))),
            // One file must not keep the log from starting.
            Err(error) => tracing::error!("segment {base} cannot be read: {error}"),
        }
    }
    segments.sort_by_key(Segment::base);
    Ok(segments)
}

/// Divides the active file into its whole lines and what is cut off.
fn divide(
    files: &Files,
    text: &dyn DiskFile,
    manifest: &Manifest,
    unclean: bool,
) -> io::Result<(Extent, Vec<Torn>)> {
    // Up to here everything was on disk once, so zeros in it are damage.
    let durable = if unclean {
        sums::read(files, manifest.base)?.last().map_or(0, |last| last.end).max(manifest.least_len)
    } else {
        u64::MAX
    };
    let (len, whole) = (text.metadata()?.len, whole_len(text, durable)?);
    let mut torn = Vec::new();
    if whole < len {
        torn.push(Torn { range: whole..len, what: "a torn tail" });
    }
    let extent = scan(text, manifest.base, whole)?;
    let found = keys::read(files, if unclean { Open::Uncached } else { Open::Read })?;
    let Some(seq) = keys::cut_at(&found.entries, extent.next_seq).filter(|seq| *seq >= manifest.base) else {
        return Ok((extent, torn));
    };
    let offset = offset_of(text, &extent, seq)?;
    // What was there at a clean end was acknowledged: if lines are missing before
    // it, somebody damaged them, and these are not to pay for it.
    if offset < manifest.least_len {
        return Ok((extent, torn));
    }
    torn.push(Torn { range: offset..whole, what: "a part of a request that was never acknowledged" });
    Ok((scan(text, manifest.base, offset)?, torn))
}

/// Where the active segment begins.
struct Begun {
    manifest: Manifest,
    /// The active file is a copy of a rotated segment.
    is_copied: bool,
}

impl Begun {
    fn with(manifest: Manifest) -> Self {
        Self { manifest, is_copied: false }
    }
}

/// Finds out where the active segment begins.
fn begin(files: &Files, file: &dyn DiskFile, existed: bool, segments: &[Segment]) -> io::Result<Begun> {
    // A damaged last segment keeps nothing from starting.
    let end = segments.last().and_then(|last| end_of(last).ok());
    let Some(manifest) = Manifest::read(files, end)? else {
        let ends = segments.iter().map(end_of).collect::<io::Result<Vec<_>>>()?;
        return Ok(Begun::with(Manifest::begin(ends.into_iter().max().unwrap_or(FIRST_SEQ))));
    };
    let len = file.metadata()?.len;
    let mut of_base = segments.iter().filter(|segment| segment.base() == manifest.base).peekable();
    if of_base.peek().is_some() {
        // The rotation got as far as the segment. Across file systems the active
        // file may still be there, the same to the byte.
        let is_copied = match of_base.peek() {
            Some(Segment::Plain(rotated)) => {
                len == rotated.file().metadata()?.len && same(file, rotated.file(), len)?
            }
            _ => false,
        };
        let ends = of_base.map(end_of).collect::<io::Result<Vec<_>>>()?;
        let manifest = Manifest::begin(ends.into_iter().max().unwrap_or(manifest.base));
        return Ok(Begun { manifest, is_copied });
    }
    if let Some(end) = end.filter(|end| *end > manifest.base) {
        // Its records would have sequences that others have.
        tracing::error!(
            "the manifest says that the active segment begins at {}, but the segment before it ends at {end}: \
             its records are numbered from there",
            manifest.base
        );
        return Ok(Begun::with(Manifest { base: end, clean: false, ..manifest }));
    }
    if len < manifest.least_len || !existed {
        tracing::warn!(
            "the log file is not what it was when the log service last ran: its records are gone, and sequences \
             go on far beyond theirs"
        );
        return Ok(Begun::with(Manifest::begin(manifest.base + SEGMENT_ROOM)));
    }
    Ok(Begun::with(manifest))
}

/// The sequence after the last record of a segment.
fn end_of(segment: &Segment) -> io::Result<u64> {
    match segment {
        Segment::Plain(plain) => Ok(plain.extent()?.next_seq),
        Segment::Sealed(sealed) => Ok(sealed.open()?.directory.blocks.last().map_or(0, Block::last_seq) + 1),
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
/// cut left length without contents, or where a disk lost them. In what was
/// durable they are damaged records, which stay. After it only the last commit can
/// have them, whose records were never acknowledged: there the first line with
/// zeros ends the file, even if lines after it are good.
fn whole_len(file: &dyn DiskFile, durable: u64) -> io::Result<u64> {
    let mut buffer = vec![0; 1 << 20];
    let (mut at, mut whole, mut damaged) = (0_u64, 0_u64, 0_u64);
    let (mut line_begin, mut zero_in_line) = (0, false);
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
                if !std::mem::take(&mut zero_in_line) {
                    whole = at;
                } else if line_begin < durable {
                    damaged += 1;
                } else {
                    return Ok(whole);
                }
                line_begin = at;
            }
        }
    }
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
