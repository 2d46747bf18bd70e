//! What stands between the digits of variable tokens.
//!
//! A template no longer has the letters of its variable tokens: of `blk_123` it
//! keeps nothing. A query for `*blk*` can therefore be refused by a template
//! only when no variable token holds those letters anywhere. [`Runs`] knows
//! the trigrams of all of them together, and so says for most words that none
//! does.

/// Letters of the alphabet: a-z, the underscore, and all others as one.
const SYMBOLS: usize = 28;
const UNDERSCORE: u8 = 26;
const OTHER: u8 = 27;
/// None of the letters.
const DIGIT: u8 = 28;
const TRIGRAMS: usize = SYMBOLS * SYMBOLS * SYMBOLS;
/// A bit for every trigram, without one left over.
const BLOCKS: usize = TRIGRAMS / 64;

/// Which trigrams of letters occur between the digits of variable tokens.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Runs(
    /// A bitmap, or empty as long as there is none.
    Vec<u64>,
);

impl Runs {
    /// Whether these letters may stand, in any case, side by side in one of the
    /// tokens. Fewer than three may always.
    pub fn may_contain(&self, letters: &str) -> bool {
        let mut all = true;
        trigrams(letters, |trigram, counts| {
            let known = self.0.get(trigram / 64).is_some_and(|block| block >> (trigram % 64) & 1 == 1);
            all &= known || !counts;
        });
        all
    }

    /// For a file: nothing, or 2,744 bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|block| block.to_le_bytes()).collect()
    }

    /// From a file; none when it is no such thing.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (blocks, rest) = bytes.as_chunks::<8>();
        let fits = rest.is_empty() && (blocks.is_empty() || blocks.len() == BLOCKS);
        let blocks: Vec<u64> = blocks.iter().map(|block| u64::from_le_bytes(*block)).collect();
        let any = blocks.iter().any(|block| *block != 0);
        fits.then(|| Self(if any { blocks } else { Vec::new() }))
    }

    /// Notes a variable token.
    pub(super) fn note(&mut self, token: &str) {
        // Three letters, and what makes it variable.
        if token.len() < 4 {
            return;
        }
        if self.0.is_empty() {
            let mut any = false;
            trigrams(token, |_, counts| any |= counts);
            if !any {
                return;
            }
            self.0.resize(BLOCKS, 0);
        }
        trigrams(token, |trigram, counts| {
            if let Some(block) = self.0.get_mut(trigram / 64) {
                *block |= u64::from(counts) << (trigram % 64);
            }
        });
    }
}

/// Calls `each` with a trigram for every character, and whether it counts: with
/// two characters before, and no digit. (In a hexadecimal number nobody can
/// guess where the next digit is, so nothing branches there.)
#[inline]
fn trigrams(text: &str, mut each: impl FnMut(usize, bool)) {
    let (mut trigram, mut run) = (0, 0_usize);
    let mut next = |symbol: u8| {
        run = (run + 1) * usize::from(symbol != DIGIT);
        trigram = (trigram * SYMBOLS + usize::from(symbol)) % TRIGRAMS;
        each(trigram, run >= 3);
    };
    if text.is_ascii() {
        text.bytes().for_each(|b| next(symbol(b)));
    } else {
        text.chars().for_each(|c| {
            next(match c {
                // The same letters as in ASCII to whoever looks in any case.
                '\u{212a}' => symbol(b'k'),
                '\u{17f}' => symbol(b's'),
                c => u8::try_from(c).map_or(OTHER, symbol),
            });
        });
    }
}

#[inline]
fn symbol(b: u8) -> u8 {
    ALPHABET.get(usize::from(b)).copied().unwrap_or(OTHER)
}

/// What every byte is.
static ALPHABET: [u8; 256] = {
    let mut alphabet = [OTHER; 256];
    let mut b = 0;
    while b < 128 {
        #[expect(clippy::indexing_slicing, reason = "at compile time")]
        let symbol = &mut alphabet[b as usize];
        *symbol = match b {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'z' => b - b'a',
            b'A'..=b'Z' => b - b'A',
            b'_' => UNDERSCORE,
            _ => OTHER,
        };
        b += 1;
    }
    alphabet
};
