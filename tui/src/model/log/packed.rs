//! Records that are packed once nothing is added to them any more.
//!
//! Log lines resemble each other: packed they take an eighth. What is looked at
//! is unpacked where it is asked for, and let go of with the next change, so
//! that the view needs nothing but the model, and a whole search no more memory
//! than the bound on unpacked records allows.
//!
//! Packed is, by zstd, the texts one behind the other, and after them what is
//! known of each record: numbers of seven bits a byte (LEB128), of time and
//! sequence the difference to the record before.

use shared::wire::log::Level;
use std::cell::OnceCell;
use std::fmt;
use zstd::bulk::{Compressor, decompress};
use zstd::compress_bound;

/// The fastest level proper: some 500 MB a second.
const LEVEL: i32 = 1;
/// So much of the place where records are packed is kept: usual ones fit.
const KEPT_MAX: usize = 64 << 10;

/// What is known of a record beside its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) ts_ns: i64,
    /// The sequence, counted from that of the block.
    pub(super) seq: u32,
    /// Where its text ends.
    pub(super) end: u32,
    /// Bytes of the fields at the end of its text.
    pub(super) fields: u32,
    /// Its service, among those of the block.
    pub(super) service: u16,
    pub(super) level: Level,
}

/// Records as they are read: their texts, and what is known of each.
#[derive(Debug, Clone, Default)]
pub(super) struct Plain {
    pub(super) text: String,
    pub(super) entries: Vec<Entry>,
}

impl Plain {
    /// Bytes that it takes.
    pub(super) const fn bytes(&self) -> usize {
        self.text.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.text.as_bytes());
        let mut before = Entry { ts_ns: 0, seq: 0, end: 0, fields: 0, service: 0, level: Level::Info };
        for entry in &self.entries {
            let later = entry.ts_ns.wrapping_sub(before.ts_ns);
            // Zigzag: a small difference is a small number, whatever its sign.
            put(out, ((later << 1) ^ (later >> 63)).cast_unsigned());
            put(out, u64::from(entry.seq.wrapping_sub(before.seq)));
            put(out, u64::from(entry.end.wrapping_sub(before.end)));
            put(out, u64::from(entry.fields));
            put(out, u64::from(entry.service));
            put(out, Level::ALL.iter().position(|level| *level == entry.level).unwrap_or(0) as u64);
            before = *entry;
        }
    }

    /// None where it is not what [`Self::encode`] made.
    fn decode(mut text: Vec<u8>, text_len: usize, count: usize) -> Option<Self> {
        let mut rest = text.get(text_len..)?;
        let mut entries: Vec<Entry> = Vec::with_capacity(count);
        for _ in 0..count {
            let before = entries.last().map_or((0, 0, 0), |entry| (entry.ts_ns, entry.seq, entry.end));
            let zigzag = take(&mut rest)?;
            let later = (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed();
            let mut next = || u32::try_from(take(&mut rest)?).ok();
            entries.push(Entry {
                ts_ns: before.0.wrapping_add(later),
                seq: before.1.wrapping_add(next()?),
                end: before.2.wrapping_add(next()?),
                fields: next()?,
                service: u16::try_from(next()?).ok()?,
                level: *Level::ALL.get(next()? as usize)?,
            });
        }
        text.truncate(text_len);
        Some(Self { text: String::from_utf8(text).ok()?, entries })
    }
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Packs one after the other, with one set of tables.
#[derive(Default)]
pub(super) struct Packer {
    compressor: Option<Compressor<'static>>,
    raw: Vec<u8>,
    /// Where it is packed, before it gets a place of its size.
    packed: Vec<u8>,
}

impl Packer {
    /// None where it cannot be packed.
    fn pack(&mut self, plain: &Plain) -> Option<Packed> {
        if self.compressor.is_none() {
            self.compressor = Compressor::new(LEVEL).ok();
        }
        self.raw.clear();
        plain.encode(&mut self.raw);
        self.packed.clear();
        self.packed.reserve(compress_bound(self.raw.len()));
        self.compressor.as_mut()?.compress_to_buffer(self.raw.as_slice(), &mut self.packed).ok()?;
        let packed = Packed {
            bytes: Box::from(self.packed.as_slice()),
            raw_len: self.raw.len(),
            text_len: plain.text.len(),
            count: plain.entries.len(),
        };
        self.raw.shrink_to(KEPT_MAX);
        self.packed.shrink_to(KEPT_MAX);
        Some(packed)
    }
}

/// A copy has tables of its own, once it needs them.
impl Clone for Packer {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Packer")
    }
}

#[derive(Debug, Clone)]
struct Packed {
    bytes: Box<[u8]>,
    raw_len: usize,
    text_len: usize,
    count: usize,
}

impl Packed {
    fn unpack(&self) -> Option<Plain> {
        Plain::decode(decompress(&self.bytes, self.raw_len).ok()?, self.text_len, self.count)
    }
}

/// Records that grow in number, and are then packed.
#[derive(Debug, Clone)]
pub(super) struct Held {
    /// Empty while only the packed records are held.
    plain: OnceCell<Plain>,
    packed: Option<Packed>,
}

impl Held {
    /// None yet, in room that is there already.
    pub(super) fn new(room: Plain) -> Self {
        Self { plain: OnceCell::from(room), packed: None }
    }

    /// All of them, unpacked now if they were not.
    pub(super) fn plain(&self) -> &Plain {
        // What was packed here is what comes out.
        let unpack = || self.packed.as_ref().and_then(Packed::unpack).unwrap_or_default();
        self.plain.get_or_init(unpack)
    }

    /// Them, to be changed; none where they are packed.
    pub(super) fn plain_mut(&mut self) -> Option<&mut Plain> {
        self.plain.get_mut().filter(|_| self.packed.is_none())
    }

    /// Holds them packed alone; answers the room that they had before.
    pub(super) fn pack(&mut self, packer: &mut Packer) -> Option<Plain> {
        if self.packed.is_some() {
            self.plain.take();
            return None;
        }
        self.packed = Some(packer.pack(self.plain.get()?)?);
        let mut room = self.plain.take()?;
        room.text.clear();
        room.entries.clear();
        Some(room)
    }

    /// The bytes that they take, unpacked.
    pub(super) fn bytes(&self) -> usize {
        let unpacked = |packed: &Packed| packed.text_len + packed.count * size_of::<Entry>();
        let plain = || self.plain.get().map_or(0, Plain::bytes);
        self.packed.as_ref().map_or_else(plain, unpacked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_read_the_same_packed_and_are_let_go_of_when_they_were_read() {
        let mut plain = Plain::default();
        for (nth, ts_ns) in (0..200).zip([0, 7, i64::MAX, i64::MIN, -1].into_iter().cycle()) {
            plain.text.push_str("分布式: answered 200 in 12 ms; {}");
            plain.entries.push(Entry {
                ts_ns,
                seq: nth * 1_000_000,
                end: plain.text.len().try_into().unwrap(),
                fields: 2,
                service: 300,
                level: Level::Fatal,
            });
        }
        let (mut held, mut packer) = (Held::new(plain.clone()), Packer::default());
        assert!(held.plain_mut().is_some());
        held.pack(&mut packer).unwrap();
        assert!(held.plain_mut().is_none() && held.plain.get().is_none());
        let packed = held.packed.as_ref().unwrap().bytes.len();
        assert!(packed * 8 < held.bytes(), "{packed} of {}", held.bytes());
        assert_eq!((&held.plain().text, &held.plain().entries), (&plain.text, &plain.entries));
        assert!(held.pack(&mut packer).is_none() && held.plain.get().is_none());
    }

    #[test]
    fn what_was_not_packed_here_is_not_unpacked() {
        let mut raw = Vec::new();
        put(&mut raw, u64::MAX);
        assert_eq!(take(&mut raw.as_slice()), Some(u64::MAX));
        assert_eq!(take(&mut [0x80].as_slice()), None);
        assert!(Plain::decode(raw, 0, 1).is_none());
        assert!(Plain::decode(vec![0xff], 1, 0).is_none());
    }
}
