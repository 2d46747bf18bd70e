//! The index as a file: the layout is in [`super`].

use super::kinds::Kinds;
use super::words::{self, Shape};
use super::{BlockIndex, Blocks, Columns, Count};
use crate::log::codec::{Reader, checksum, put_bytes, put_signed, put_varint};
use crate::log::disk::{Disk, DiskFile, Open};
use crate::log::limits::SECTION_MAX;
use crate::log::query::Kind;
use crate::log::words::Runs;
use shared::wire::log::Level;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

const MAGIC: &[u8; 8] = b"distlogI";
const VERSION: u32 = 2;
const SECTIONS: usize = 5;
const HEADER_LEN: usize = 32 + SECTIONS * 24 + 8;
/// How hard the sections are compressed: 9 would take 3% off, for three times the work.
const ZSTD_LEVEL: i32 = 3;

/// The sections, in the order of the file.
#[derive(Clone, Copy)]
enum Section {
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
    let sections = [pack(&kinds_to_bytes(kinds, runs))?, pack(&counts)?, directory.to_vec(), columns, words];
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

fn pack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    put_varint(&mut out, bytes.len() as u64);
    out.extend_from_slice(&zstd::bulk::compress(bytes, ZSTD_LEVEL)?);
    Ok(out)
}

fn unpack(bytes: &[u8]) -> Option<Vec<u8>> {
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

fn pack_columns(columns: &Columns) -> io::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(columns.kinds.len() * 4);
    out.extend(columns.kinds.iter().map(|kind| *kind as u8));
    out.extend(columns.kinds.iter().map(|kind| (kind >> 8) as u8));
    let mut before = 0;
    for second in &columns.seconds {
        put_signed(&mut out, second - before);
        before = *second;
    }
    let mut packed = Vec::new();
    put_varint(&mut packed, columns.kinds.len() as u64);
    packed.extend_from_slice(&pack(&out)?);
    Ok(packed)
}

fn unpack_columns(packed: &[u8]) -> Option<Columns> {
    let mut reader = Reader(packed);
    let records = reader.size()?;
    columns_from_bytes(records, &unpack(reader.0)?)
}

/// The columns of so many records.
pub fn columns_from_bytes(records: usize, bytes: &[u8]) -> Option<Columns> {
    let mut reader = Reader(bytes);
    let (low, high) = (reader.take(records)?, reader.take(records)?);
    let kinds = low.iter().zip(high).map(|(low, high)| u16::from_le_bytes([*low, *high])).collect();
    let mut seconds = Vec::with_capacity(records);
    let mut second = 0_i64;
    for _ in 0..records {
        second = second.wrapping_add(reader.signed()?);
        seconds.push(second);
    }
    Some(Columns { kinds, seconds })
}

/// Where a section is, and its checksum.
#[derive(Debug, Clone, Copy)]
struct Place {
    offset: u64,
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

struct Header {
    identity: u64,
    shape: Shape,
    places: [Place; SECTIONS],
}

impl Header {
    fn read(file: &dyn DiskFile) -> io::Result<Self> {
        let mut bytes = [0; HEADER_LEN];
        file.read_exact_at(&mut bytes, 0)?;
        Self::parse(&bytes).ok_or_else(damaged)
    }

    fn parse(bytes: &[u8; HEADER_LEN]) -> Option<Self> {
        let (summed, sum) = bytes.split_last_chunk::<8>()?;
        let mut reader = Reader(summed);
        if u64::from_le_bytes(*sum) != checksum(summed)
            || reader.take(MAGIC.len())? != MAGIC
            || reader.u32()? != VERSION
        {
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
        Some(Self { identity, shape: Shape { blocks, pages }, places })
    }

    const fn place(&self, section: Section) -> Place {
        let [kinds, counts, directory, columns, words] = self.places;
        match section {
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
    shape: Shape,
    columns: Place,
    words: Place,
    counts: Vec<u8>,
    blocks: Vec<BlockPlace>,
}

#[derive(Debug, Clone, Copy)]
struct BlockPlace {
    columns: Place,
    /// Where its counts are.
    counts: usize,
}

/// Opens an index file and looks at all of it that is small.
pub fn open(file: Box<dyn DiskFile>, identity: u64) -> io::Result<(Kinds, Runs, Opened)> {
    let header = Header::read(file.as_ref())?;
    if header.identity != identity {
        return Err(io::Error::new(ErrorKind::InvalidData, "the index is of other lines"));
    }
    let section = |section| unpack(&header.place(section).read(file.as_ref())?).ok_or_else(damaged);
    let (kinds, runs) = kinds_from_bytes(&section(Section::Kinds)?).ok_or_else(damaged)?;
    let counts = section(Section::Counts)?;
    let (columns, words) = (header.place(Section::Columns), header.place(Section::Words));
    if Some(words.len) != header.shape.len() {
        return Err(damaged());
    }
    let blocks = block_places(&counts, columns, header.shape.blocks).ok_or_else(damaged)?;
    Ok((kinds, runs, Opened { file, shape: header.shape, columns, words, counts, blocks }))
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
    pub const fn blocks(&self) -> usize {
        self.shape.blocks
    }

    pub fn memory(&self) -> usize {
        self.counts.len() + self.blocks.len() * size_of::<BlockPlace>()
    }

    pub fn counts(&self, block: usize, each: impl FnMut(Count)) {
        if let Some(bytes) = self.blocks.get(block).and_then(|place| self.counts.get(place.counts..)) {
            // Read once already, when the file was opened.
            let _ = read_counts(&mut Reader(bytes), each);
        }
    }

    pub fn columns(&self, block: usize) -> io::Result<Columns> {
        let place = self.blocks.get(block).ok_or_else(|| super::out_of_range(block))?;
        unpack_columns(&place.columns.read(self.file.as_ref())?).ok_or_else(damaged)
    }

    pub fn blocks_with(&self, hash: u64) -> io::Result<Blocks> {
        words::blocks_with(self.file.as_ref(), self.words.offset, self.shape, hash)
    }

    /// Looks at every byte.
    pub fn check(&self) -> io::Result<()> {
        let words = self.words.read(self.file.as_ref())?;
        let end = self.words.offset + self.words.len as u64;
        let whole = words::are_whole(&words, self.shape) && self.file.metadata()?.len == end;
        self.columns.read(self.file.as_ref())?;
        (0..self.blocks()).try_for_each(|block| self.columns(block).map(drop))?;
        if whole { Ok(()) } else { Err(damaged()) }
    }

    /// Whether it has these words and this copy of a directory.
    pub fn has(&self, blocks: &[Arc<BlockIndex>], directory: &[u8]) -> io::Result<bool> {
        let (shape, words) = words::build(blocks);
        Ok(shape == self.shape
            && words == self.words.read(self.file.as_ref())?
            && directory == directory_of(self.file.as_ref())?)
    }
}
