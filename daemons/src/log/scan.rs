//! Looks for bytes in text, eight at a time.
//!
//! After "Determine if a word has a byte less than n" in Bit Twiddling Hacks by
//! Sean Eron Anderson: a borrow may mark a byte too many, but only after one
//! that is marked rightly, so that the first mark is always right.

const ONES: u64 = u64::from_ne_bytes([1; 8]);
/// The highest bit of each byte: where its mark is set.
const HIGH: u64 = ONES << 7;

/// Marks the bytes that are this one, which is below 0x80.
pub const fn is(word: u64, byte: u8) -> u64 {
    (word ^ (ONES * byte as u64)).wrapping_sub(ONES) & !(word ^ (ONES * byte as u64)) & HIGH
}

/// Marks the control characters below 0x20.
pub const fn is_control(word: u64) -> u64 {
    word.wrapping_sub(ONES * 0x20) & !word & HIGH
}

/// Marks the bytes beyond ASCII.
pub const fn is_beyond_ascii(word: u64) -> u64 {
    word & HIGH
}

/// How many bytes there are before the first that `marks` marks; control
/// characters must be among them.
#[inline]
pub fn len_before(bytes: &[u8], marks: impl Fn(u64) -> u64) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let found = marks(u64::from_le_bytes(*word));
        if found != 0 {
            return at * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    // After the last bytes stand zeros, which are marked.
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    words.len() * 8 + marks(u64::from_le_bytes(last)).trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_first_special_byte_is_found_where_a_plain_loop_finds_it(
            bytes in proptest::collection::vec(prop_oneof![8 => 0x20..0x7f_u8, 1 => any::<u8>()], 0..70),
        ) {
            let marks = |w| is_control(w) | is(w, b'\\') | is(w, 0x7f) | is_beyond_ascii(w);
            let special = |b: &u8| *b < 0x20 || *b == b'\\' || *b >= 0x7f;
            let want = bytes.iter().position(special).unwrap_or(bytes.len());
            prop_assert_eq!(len_before(&bytes, marks), want);
        }
    }
}
