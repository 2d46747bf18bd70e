//! Cutting a text into tokens, 64 bytes at a time.
//!
//! Log lines are short words and long ids: a loop that decides byte by byte
//! guesses wrong at both ends of every token, and that is most of its time. So
//! a block's bytes are sorted into classes without a branch, a class is a mask
//! of bits, and tokens are runs of ones in it.

use super::is_word;

/// Bytes of a block.
const BLOCK: usize = 64;

/// A token where it stands in its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'t> {
    /// Where it begins, in bytes.
    pub start: usize,
    /// What it is.
    pub text: &'t str,
    /// Whether it holds an ASCII digit.
    pub variable: bool,
    /// Whether folding may change it.
    pub folds: bool,
}

impl Token<'_> {
    /// Where it ends.
    pub const fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// Calls `each` with every token of a text, in order.
#[inline]
pub fn tokens<'t>(text: &'t str, mut each: impl FnMut(Token<'t>)) {
    let mut emit = |start: usize, end: usize, variable: bool, folds: bool| {
        if let Some(text) = text.get(start..end) {
            each(Token { start, text, variable, folds });
        }
    };
    // A token that goes on from the block before.
    let mut open: Option<(usize, bool, bool)> = None;
    let mut base = 0;
    let (blocks, rest) = text.as_bytes().as_chunks::<BLOCK>();
    let mut last = [0; BLOCK];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    for block in blocks.iter().chain([&last]) {
        let mut masks = Masks::of(block);
        if masks.wide != 0 {
            masks.read_wide(text, base, open.is_some());
        }
        if let Some((start, digits, folds)) = open.take() {
            let run = low_ones(masks.word.trailing_ones());
            let (digits, folds) = (digits | (masks.digit & run != 0), folds | (masks.folds & run != 0));
            if run == u64::MAX {
                open = Some((start, digits, folds));
                base += BLOCK;
                continue;
            }
            masks.word &= !run;
            emit(start, base + run.trailing_ones() as usize, digits, folds);
        }
        while masks.word != 0 {
            let at = masks.word.trailing_zeros();
            let len = (masks.word >> at).trailing_ones();
            let run = low_ones(len) << at;
            let (start, digits, folds) = (base + at as usize, masks.digit & run != 0, masks.folds & run != 0);
            if at + len == u64::BITS {
                open = Some((start, digits, folds));
                break;
            }
            masks.word &= !run;
            emit(start, start + len as usize, digits, folds);
        }
        base += BLOCK;
    }
}

/// That many ones, at most 64, from the lowest bit on.
const fn low_ones(count: u32) -> u64 {
    match count {
        0 => 0,
        count => u64::MAX >> (u64::BITS - count),
    }
}

/// A block's bytes by class: bit n for byte n.
struct Masks {
    /// Part of a word.
    word: u64,
    /// ASCII digits.
    digit: u64,
    /// Changed by folding, perhaps.
    folds: u64,
    /// Beyond ASCII.
    wide: u64,
}

impl Masks {
    #[inline]
    fn of(block: &[u8; BLOCK]) -> Self {
        let digit = |b: u8| b.wrapping_sub(b'0') < 10;
        let letter = |b: u8| (b | 0x20).wrapping_sub(b'a') < 26;
        let upper = |b: u8| b.wrapping_sub(b'A') < 26;
        Self {
            word: mask(block, |b| letter(b) | digit(b) | (b == b'_')),
            digit: mask(block, digit),
            folds: mask(block, |b| upper(b) | (b >= 0x80)),
            wide: if block.is_ascii() { 0 } else { mask(block, |b| b >= 0x80) },
        }
    }

    /// Adds what is beyond ASCII to the words: every byte of a character is what
    /// the character is. `open` says whether the block before ended in a word.
    #[cold]
    fn read_wide(&mut self, text: &str, base: usize, open: bool) {
        let mut word = open;
        let mut wide = self.wide;
        while wide != 0 {
            let at = wide.trailing_zeros();
            wide &= wide - 1;
            // Within a character (or this block begins there) it stays as it was.
            if let Some(c) = text.get(base + at as usize..).and_then(|text| text.chars().next()) {
                word = is_word(c);
            }
            self.word |= u64::from(word) << at;
        }
    }
}

/// The bytes of a class, as bits. The multiplication gathers the lowest bits of
/// eight bytes in the highest byte
/// (<https://www.chessprogramming.org/Flipping_Mirroring_and_Rotating>).
#[inline]
fn mask(block: &[u8; BLOCK], class: impl Fn(u8) -> bool) -> u64 {
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let flags = block.map(|b| u8::from(class(b)));
    let (eights, _) = flags.as_chunks::<8>();
    eights
        .iter()
        .rev()
        .fold(0, |mask, eight| (mask << 8) | (u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56))
}
