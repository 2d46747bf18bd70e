//! Text that is packed once nothing is added to it any more.
//!
//! Log lines resemble each other: packed they take an eighth. What is looked at
//! is unpacked where it is asked for, and let go of with the next change, so
//! that the view needs nothing but the model, and a whole search no more memory
//! than the bound on unpacked text allows.

use std::cell::OnceCell;
use std::fmt;
use zstd::bulk::{Compressor, decompress};
use zstd::compress_bound;

/// The fastest level proper: some 500 MB a second.
const LEVEL: i32 = 1;
/// So much of the place where texts are packed is kept: a usual text fits.
const KEPT_MAX: usize = 64 << 10;

/// Packs texts one after the other, with one set of tables.
#[derive(Default)]
pub(super) struct Packer {
    compressor: Option<Compressor<'static>>,
    /// Where a text is packed, before it gets a place of its size.
    packed: Vec<u8>,
}

impl Packer {
    /// None where it cannot be packed.
    fn pack(&mut self, text: &str) -> Option<Box<[u8]>> {
        if self.compressor.is_none() {
            self.compressor = Compressor::new(LEVEL).ok();
        }
        self.packed.clear();
        self.packed.reserve(compress_bound(text.len()));
        self.compressor.as_mut()?.compress_to_buffer(text.as_bytes(), &mut self.packed).ok()?;
        let packed = Box::from(self.packed.as_slice());
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

/// A text that grows up to its capacity, and is then packed.
#[derive(Debug, Clone)]
pub(super) struct Text {
    /// Empty while only the packed text is held.
    plain: OnceCell<String>,
    packed: Option<Box<[u8]>>,
    /// Its bytes, unpacked.
    len: usize,
    capacity: usize,
}

impl Text {
    /// An empty text in room that is there already.
    pub(super) fn new(room: String) -> Self {
        let capacity = room.capacity();
        Self { plain: OnceCell::from(room), packed: None, len: 0, capacity }
    }

    /// Adds to its end; false where there is no room, or it is packed.
    pub(super) fn push(&mut self, parts: [&str; 2]) -> bool {
        let len = self.len + parts.iter().map(|part| part.len()).sum::<usize>();
        let Some(plain) = self.plain.get_mut().filter(|_| self.packed.is_none() && len <= self.capacity)
        else {
            return false;
        };
        parts.iter().for_each(|part| plain.push_str(part));
        self.len = len;
        true
    }

    /// Cuts it, where it is not packed: then its end is only not used.
    pub(super) fn truncate(&mut self, len: usize) {
        if let Some(plain) = self.plain.get_mut().filter(|_| self.packed.is_none()) {
            plain.truncate(len);
            self.len = plain.len();
        }
    }

    /// All of it, unpacked now if it was not.
    pub(super) fn as_str(&self) -> &str {
        let unpack = || {
            let bytes = decompress(self.packed.as_deref().unwrap_or_default(), self.len);
            // What was packed here is what comes out.
            bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
        };
        self.plain.get_or_init(unpack)
    }

    /// Holds it packed alone; answers the room that it had before.
    pub(super) fn pack(&mut self, packer: &mut Packer) -> Option<String> {
        if self.packed.is_some() {
            self.plain.take();
            return None;
        }
        self.packed = Some(packer.pack(self.plain.get()?)?);
        self.capacity = self.len;
        let mut room = self.plain.take()?;
        room.clear();
        Some(room)
    }

    /// Its bytes, unpacked.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The bytes that it takes, unpacked.
    pub(super) const fn bytes(&self) -> usize {
        self.capacity
    }

    /// The bytes that it takes now.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.plain.get().map_or(0, String::capacity) + self.packed.as_ref().map_or(0, |packed| packed.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_reads_the_same_packed_and_is_let_go_of_when_it_was_read() {
        let (mut text, mut packer) = (Text::new(String::with_capacity(4_000)), Packer::default());
        let line = "分布式: answered 200 in 12 ms; ";
        while text.push([line, "{}"]) {}
        let plain = text.as_str().to_owned();
        assert!(plain.len() > 3_900 && plain.len() <= 4_000);
        text.pack(&mut packer);
        let packed = text.held();
        assert!(packed < 400, "{packed}");
        assert_eq!(text.as_str(), plain);
        assert!(text.held() > plain.len());
        text.pack(&mut packer);
        assert_eq!((text.held(), text.as_str()), (packed, plain.as_str()));
        assert!(!text.push(["", ""]), "nothing is added to what is packed");
    }
}
