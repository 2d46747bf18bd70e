//! The index as a file: the layout is in [`super`].

use super::columns::{pack_columns, unpack_columns};
use super::kinds::Kinds;
use super::words::{self, Shape};
use super::{BlockIndex, Blocks, Columns, Count, Resident, Rollup};
use crate::log::codec::{Reader, checksum, put_bytes, put_signed, put_varint};
use crate::log::disk::{Disk, DiskFile, Open};
use crate::log::limits::SECTION_MAX;
use crate::log::query::Kind;
use crate::log::words::Runs;
use shared::wire::log::Level;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::{Arc, OnceLock};

const MAGIC: &[u8; 8] = b"distlogI";
const VERSION: u32 = 4;
const SECTIONS: usize = 6;
const HEADER_LEN: usize = 32 + SECTIONS * 24 + 8;
/// How hard the sections are compressed: 9 would take 3% off, for three times the work.
const ZSTD_LEVEL: i32 = 3;

/// The sections, in the order of the file.
#[derive(Clone, Copy)]
pub enum Section {
    Rollup,
    Kinds,
    Counts,
    Directory,
    Columns,
    Words,
}

/// Something in an index is not as it was written.
pub fn damaged() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "the index is damaged")
}

/// The file of an index, as a function of the index.
///
/// # Errors
/// When a section cannot be compressed.
pub fn to_bytes(
    kinds: &Kinds,
    runs: &Runs,
    blocks: &[Arc<BlockIndex>],
    identity: u64,
    directory: &[u8],
) -> io::Result<Vec<u8>> {
    let mut columns = Vec::new();
    let mut counts = Vec::new();
    for block in blocks {
        let packed = pack_columns(&block.columns)?;
        put_varint(&mut counts, columns.len() as u64);
        put_varint(&mut counts, packed.len() as u64);
        counts.extend_from_slice(&checksum(&packed).to_le_bytes());
        put_counts(&mut counts, &block.counts);
        columns.extend_from_slice(&packed);
    }
    let (shape, words) = words::build(blocks);
    let rollup = Rollup::of(kinds, blocks).map_or_else(Vec::new, |rollup| rollup.to_bytes());
    let (kinds, counts) = (pack(&kinds_to_bytes(kinds, runs))?, pack(&counts)?);
    let sections = [rollup, kinds, counts, directory.to_vec(), columns, words];
    let mut out = Vec::with_capacity(HEADER_LEN + sections.iter().map(Vec::len).sum::<usize>());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&(blocks.len() as u32).to_le_bytes());
    out.extend_from_slice(&identity.to_le_bytes());
    out.extend_from_slice(&(shape.pages as u32).to_le_bytes());
    out.extend_from_slice(&unicode().to_le_bytes());
    let mut offset = HEADER_LEN as u64;
    for section in &sections {
        for part in [offset, section.len() as u64, checksum(section)] {
            out.extend_from_slice(&part.to_le_bytes());
        }
        offset += section.len() as u64;
    }
    let sum = checksum(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    sections.iter().for_each(|section| out.extend_from_slice(section));
    Ok(out)
}

/// The version of Unicode that says what letters words are made of.
fn unicode() -> u32 {
    let (major, minor, update) = char::UNICODE_VERSION;
    u32::from_be_bytes([0, major, minor, update])
}

pub fn pack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    put_varint(&mut out, bytes.len() as u64);
    out.extend_from_slice(&zstd::bulk::compress(bytes, ZSTD_LEVEL)?);
    Ok(out)
}

pub fn unpack(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Reader(bytes);
    let len = reader.size().filter(|len| *len <= SECTION_MAX)?;
    let unpacked = zstd::bulk::decompress(reader.0, len).ok()?;
    (unpacked.len() == len).then_some(unpacked)
}

fn kinds_to_bytes(kinds: &Kinds, runs: &Runs) -> Vec<u8> {
    let mut out = Vec::new();
    put_bytes(&mut out, &runs.to_bytes());
    put_varint(&mut out, kinds.unknown());
    put_varint(&mut out, kinds.len() as u64);
    for (kind, total) in kinds.iter() {
        out.push(kind.level as u8);
        put_bytes(&mut out, kind.service);
        put_varint(&mut out, kind.template.map_or(0, |template| template.len() as u64 + 1));
        out.extend_from_slice(kind.template.unwrap_or_default());
        put_varint(&mut out, total);
    }
    out
}

/// What [`kinds_to_bytes`] wrote.
pub fn kinds_from_bytes(bytes: &[u8]) -> Option<(Kinds, Runs)> {
    let mut reader = Reader(bytes);
    let runs = Runs::from_bytes(reader.bytes()?)?;
    let mut kinds = Kinds::default();
    kinds.count(super::UNKNOWN, reader.varint()?);
    for _ in 0..reader.size()? {
        let level = *Level::ALL.get(usize::from(reader.u8()?))?;
        let service = reader.bytes()?;
        let template = match reader.size()? {
            0 => None,
            len => Some(reader.take(len - 1)?),
        };
        let number = kinds.push(&Kind { level, service, template })?;
        kinds.count(number, reader.varint()?);
    }
    Some((kinds, runs))
}

fn put_counts(out: &mut Vec<u8>, counts: &[Count]) {
    put_varint(out, counts.len() as u64);
    let (mut minute, mut kind) = (0_i64, 0_i64);
    for count in counts {
        put_signed(out, count.minute.wrapping_sub(minute));
        put_signed(out, i64::from(count.kind) - kind);
        put_varint(out, u64::from(count.count));
        (minute, kind) = (count.minute, i64::from(count.kind));
    }
}

fn read_counts(reader: &mut Reader<'_>, mut each: impl FnMut(Count)) -> Option<()> {
    let (mut minute, mut kind) = (0_i64, 0_i64);
    for _ in 0..reader.size()? {
        minute = minute.wrapping_add(reader.signed()?);
        kind = kind.wrapping_add(reader.signed()?);
        let count = u32::try_from(reader.varint()?).ok()?;
        each(Count { minute, kind: u16::try_from(kind).ok()?, count });
    }
    Some(())
}

/// Where a section is, and its checksum.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub offset: u64,
    len: usize,
    sum: u64,
}

impl Place {
    fn read(self, file: &dyn DiskFile) -> io::Result<Vec<u8>> {
        if self.len > SECTION_MAX {
            return Err(damaged());
        }
        let mut bytes = vec![0; self.len];
        file.read_exact_at(&mut bytes, self.offset)?;
        if checksum(&bytes) == self.sum { Ok(bytes) } else { Err(damaged()) }
    }
}

/// The beginning of an index file.
#[derive(Debug, Clone)]
pub struct Header {
    identity: u64,
    /// The shape of the word filters.
    pub shape: Shape,
    places: [Place; SECTIONS],
    /// The checksum of the header, and so of the checksums of all sections.
    pub sum: u64,
}

impl Header {
    pub fn read(file: &dyn DiskFile) -> io::Result<Self> {
        let mut bytes = [0; HEADER_LEN];
        file.read_exact_at(&mut bytes, 0)?;
        let mut reader = Reader(&bytes);
        if reader.take(MAGIC.len()) == Some(MAGIC) && reader.u32().is_some_and(|version| version != VERSION) {
            return Err(io::Error::new(ErrorKind::InvalidData, "the index is of another version"));
        }
        Self::parse(&bytes).ok_or_else(damaged)
    }

    fn parse(bytes: &[u8; HEADER_LEN]) -> Option<Self> {
        let (summed, sum) = bytes.split_last_chunk::<8>()?;
        let mut reader = Reader(summed);
        let sum = u64::from_le_bytes(*sum);
        if sum != checksum(summed) || reader.take(MAGIC.len())? != MAGIC || reader.u32()? != VERSION {
            return None;
        }
        let blocks = reader.u32()? as usize;
        let identity = reader.u64()?;
        let pages = reader.u32()? as usize;
        // What a word is may be another by now.
        if reader.u32()? != unicode() {
            return None;
        }
        let mut places = [Place { offset: 0, len: 0, sum: 0 }; SECTIONS];
        for place in &mut places {
            *place = Place { offset: reader.u64()?, len: reader.u64()? as usize, sum: reader.u64()? };
        }
        Some(Self { identity, shape: Shape { blocks, pages }, places, sum })
    }

    pub const fn place(&self, section: Section) -> Place {
        let [rollup, kinds, counts, directory, columns, words] = self.places;
        match section {
            Section::Rollup => rollup,
            Section::Kinds => kinds,
            Section::Counts => counts,
            Section::Directory => directory,
            Section::Columns => columns,
            Section::Words => words,
        }
    }
}

/// An open index file: what is small is in memory, the rest is read when needed.
#[derive(Debug)]
pub struct Opened {
    file: Box<dyn DiskFile>,
    pub resident: Resident,
    pub rollup: Option<Arc<Rollup>>,
    detail: OnceLock<Detail>,
}

/// What is read when a query first needs it.
#[derive(Debug)]
pub struct Detail {
    pub kinds: Kinds,
    pub runs: Runs,
    counts: Vec<u8>,
    blocks: Vec<BlockPlace>,
}

#[derive(Debug, Clone, Copy)]
struct BlockPlace {
    columns: Place,
    /// Where its counts are.
    counts: usize,
}

/// Opens an index file and reads its header and its rollup.
pub fn open(file: Box<dyn DiskFile>, identity: u64) -> io::Result<Opened> {
    let header = Header::read(file.as_ref())?;
    if header.identity != identity {
        return Err(io::Error::new(ErrorKind::InvalidData, "the index is of other lines"));
    }
    if Some(header.place(Section::Words).len) != header.shape.len() {
        return Err(damaged());
    }
    let rollup = header.place(Section::Rollup).read(file.as_ref())?;
    let rollup = match rollup.as_slice() {
        [] => None,
        bytes => Some(Arc::new(Rollup::from_bytes(bytes).ok_or_else(damaged)?)),
    };
    Ok(Opened { file, resident: Resident(header), rollup, detail: OnceLock::new() })
}

fn block_places(counts: &[u8], columns: Place, blocks: usize) -> Option<Vec<BlockPlace>> {
    let mut reader = Reader(counts);
    let mut places = Vec::new();
    for _ in 0..blocks {
        let offset = columns.offset.checked_add(reader.varint()?)?;
        let len = reader.size()?;
        let sum = reader.u64()?;
        places
            .push(BlockPlace { columns: Place { offset, len, sum }, counts: counts.len() - reader.0.len() });
        read_counts(&mut reader, |_| ())?;
    }
    Some(places)
}

/// The copy of the sealed file's directory in the index file of this name.
///
/// # Errors
/// When the index cannot be read, or is damaged.
pub fn read_directory(disk: &dyn Disk, path: &Path) -> io::Result<Vec<u8>> {
    directory_of(disk.open(path, Open::Read)?.as_ref())
}

/// The copy of the sealed file's directory in an index file.
///
/// # Errors
/// When the index cannot be read, or is damaged.
pub fn directory_of(file: &dyn DiskFile) -> io::Result<Vec<u8>> {
    Header::read(file)?.place(Section::Directory).read(file)
}

impl Opened {
    const fn header(&self) -> &Header {
        &self.resident.0
    }

    pub const fn blocks(&self) -> usize {
        self.header().shape.blocks
    }

    pub fn memory(&self) -> usize {
        self.rollup.as_ref().map_or(0, |rollup| rollup.memory())
            + self.detail.get().map_or(0, |detail| {
                detail.kinds.memory()
                    + detail.counts.len()
                    + detail.blocks.len() * size_of::<BlockPlace>()
                    + size_of_val(&detail.runs)
            })
    }

    /// Kinds and counts, read once.
    pub fn detail(&self) -> io::Result<&Detail> {
        if let Some(detail) = self.detail.get() {
            return Ok(detail);
        }
        let header = self.header();
        let section = |section| unpack(&header.place(section).read(self.file.as_ref())?).ok_or_else(damaged);
        let (kinds, runs) = kinds_from_bytes(&section(Section::Kinds)?).ok_or_else(damaged)?;
        let counts = section(Section::Counts)?;
        let columns = header.place(Section::Columns);
        let blocks = block_places(&counts, columns, header.shape.blocks).ok_or_else(damaged)?;
        Ok(self.detail.get_or_init(|| Detail { kinds, runs, counts, blocks }))
    }

    pub fn counts(&self, block: usize, each: impl FnMut(Count)) -> io::Result<()> {
        let detail = self.detail()?;
        if let Some(bytes) = detail.blocks.get(block).and_then(|place| detail.counts.get(place.counts..)) {
            // They were read once with the rest of the section.
            let _ = read_counts(&mut Reader(bytes), each);
        }
        Ok(())
    }

    pub fn columns(&self, block: usize) -> io::Result<Columns> {
        let place = self.detail()?.blocks.get(block).ok_or_else(|| super::out_of_range(block))?;
        unpack_columns(&place.columns.read(self.file.as_ref())?).ok_or_else(damaged)
    }

    pub fn blocks_with(&self, hash: u64) -> io::Result<Blocks> {
        let header = self.header();
        words::blocks_with(self.file.as_ref(), header.place(Section::Words).offset, header.shape, hash)
    }

    /// Looks at every byte.
    pub fn check(&self) -> io::Result<()> {
        let header = self.header();
        let place = header.place(Section::Words);
        let words = place.read(self.file.as_ref())?;
        let end = place.offset + place.len as u64;
        let whole = words::are_whole(&words, header.shape) && self.file.metadata()?.len == end;
        header.place(Section::Columns).read(self.file.as_ref())?;
        (0..self.blocks()).try_for_each(|block| self.columns(block).map(drop))?;
        self.detail()?;
        directory_of(self.file.as_ref())?;
        if whole { Ok(()) } else { Err(damaged()) }
    }

    /// Whether it has these words and this copy of a directory.
    pub fn has(&self, blocks: &[Arc<BlockIndex>], directory: &[u8]) -> io::Result<bool> {
        let (shape, words) = words::build(blocks);
        let header = self.header();
        Ok(shape == header.shape
            && words == header.place(Section::Words).read(self.file.as_ref())?
            && directory == directory_of(self.file.as_ref())?)
    }
}
