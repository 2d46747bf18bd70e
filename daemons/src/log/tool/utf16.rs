//! UTF-16, as Windows writes text: recognised by its mark or by its zeros, and
//! read as UTF-8.

use std::io::{self, Read};

/// Bytes that are read at a time.
const CHUNK: usize = 64 * 1024;
/// Bytes by which UTF-16 without a mark is recognised.
pub const SAMPLE: usize = 1_024;

/// The order of the two bytes of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The lower one first.
    Little,
    /// The higher one first.
    Big,
}

/// Recognises UTF-16 by the first bytes of a text.
pub fn recognise(head: &[u8]) -> Option<Order> {
    match head {
        // The mark of UTF-32 begins alike.
        [0xff, 0xfe, 0, 0, ..] => None,
        [0xff, 0xfe, ..] => Some(Order::Little),
        [0xfe, 0xff, ..] => Some(Order::Big),
        _ => by_zeros(head.get(..SAMPLE).unwrap_or(head)),
    }
}

/// Text that is mostly ASCII has a zero in every other byte; no text in UTF-8 has.
fn by_zeros(sample: &[u8]) -> Option<Order> {
    let units = sample.len() / 2;
    if units < 4 {
        return None;
    }
    let zeros = |first: usize| sample.iter().skip(first).step_by(2).take(units).filter(|b| **b == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let (most, few) = (units * 7 / 10, units / 20);
    match (even >= most, odd >= most) {
        (true, false) if odd <= few => Some(Order::Big),
        (false, true) if even <= few => Some(Order::Little),
        _ => None,
    }
}

/// Reads UTF-16 as UTF-8. Half a character becomes U+FFFD.
pub struct Utf16<R> {
    inner: R,
    order: Order,
    /// What is read and not yet decoded: less than a character.
    raw: Vec<u8>,
    decoded: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: Read> Utf16<R> {
    /// From the beginning, with its mark, which becomes that of UTF-8.
    pub const fn new(inner: R, order: Order) -> Self {
        Self { inner, order, raw: Vec::new(), decoded: Vec::new(), given: 0, ended: false }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.decoded.clear();
        self.given = 0;
        let before = self.raw.len();
        self.raw.resize(before + CHUNK, 0);
        let read = self.inner.read(self.raw.get_mut(before..).unwrap_or_default());
        self.raw.truncate(before + read.as_ref().copied().unwrap_or(0));
        self.ended = read? == 0;
        let order = self.order;
        let pairs = self.raw.chunks_exact(2);
        let odd = !pairs.remainder().is_empty();
        let mut units: Vec<u16> = pairs
            .filter_map(|pair| <[u8; 2]>::try_from(pair).ok())
            .map(|pair| match order {
                Order::Little => u16::from_le_bytes(pair),
                Order::Big => u16::from_be_bytes(pair),
            })
            .collect();
        // The first half of a pair waits for the second.
        if !self.ended && units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit)) {
            units.pop();
        }
        for c in char::decode_utf16(units.iter().copied()) {
            let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
            self.decoded.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        self.raw.drain(..units.len() * 2);
        if self.ended && odd {
            self.raw.clear();
            self.decoded.extend_from_slice("\u{fffd}".as_bytes());
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.decoded.len() && !self.ended {
            self.refill()?;
        }
        let mut rest = self.decoded.get(self.given..).unwrap_or_default();
        let n = rest.read(into)?;
        self.given += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that gives few bytes at a time.
    struct Few<'a>(&'a [u8]);

    impl Read for Few<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let n = into.len().min(3);
            self.0.read(&mut into[..n])
        }
    }

    #[test]
    fn both_orders_are_recognised_with_and_without_a_mark_and_read_exactly() {
        let text = "2026-11-22 10:00:00 ERROR größer 书 😀\r\n";
        for mark in ["\u{feff}", ""] {
            for order in [Order::Little, Order::Big] {
                let units = format!("{mark}{text}").encode_utf16().collect::<Vec<_>>();
                let bytes: Vec<u8> = units
                    .iter()
                    .flat_map(|unit| match order {
                        Order::Little => unit.to_le_bytes(),
                        Order::Big => unit.to_be_bytes(),
                    })
                    .collect();
                assert_eq!(recognise(&bytes), Some(order), "{mark:?}");
                let mut out = String::new();
                Utf16::new(Few(&bytes), order).read_to_string(&mut out).unwrap();
                assert_eq!(out, format!("{mark}{text}"));
            }
        }
    }

    #[test]
    fn other_text_is_left_alone_and_half_a_character_is_replaced() {
        for text in
            [b"".as_slice(), b"plain text", &[0; 100], b"a\0b", "日志日志日志".as_bytes(), b"\xef\xbb\xbfabc"]
        {
            assert_eq!(recognise(text), None, "{text:?}");
        }
        let mut out = String::new();
        Utf16::new([b'a', 0, 0, 0xd8, b'b', 0, 7].as_slice(), Order::Little)
            .read_to_string(&mut out)
            .unwrap();
        assert_eq!(out, "a\u{fffd}b\u{fffd}");
    }
}
