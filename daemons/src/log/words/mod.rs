//! What a text is made of: the one notion of a word that queries, which look at
//! texts, and indexes, which stand in for them, share.
//!
//! A *token* is a maximal run of letters, digits and underscores ([`is_word`]).
//! One that holds an ASCII digit is *variable*: a number, an address, an id. A
//! message with [`VARIABLE`] in the place of every variable token is its
//! *template*:
//!
//! ```text
//! took 35 ms from 10.0.0.1      ->  took * ms from *.*.*.*
//! ```
//!
//! Words are known by a hash of their *folded* form, in which two words are
//! equal whenever a query without capitals takes one for the other. The reverse
//! need not hold: an index may only say too much.
//!
//! ANSI escape sequences are part of no word ([`ansi`]).
//!
//! What a letter is depends on [`char::UNICODE_VERSION`]; whatever is kept of
//! words is good for that version.

mod ansi;
mod runs;
mod scan;
mod tokens;

pub use ansi::{strip_ansi, strip_ansi_str};
pub use runs::Runs;
pub use scan::{mask, scan_fields, scan_message};
pub use tokens::{Token, tokens};

use super::decimal::Decimal;
use xxhash_rust::xxh3::xxh3_64;

/// Stands in a template for a variable token. Never a byte of UTF-8.
pub const VARIABLE: u8 = 0xff;
/// Stands in a folded text for any cased letter beyond ASCII. Never a byte of
/// UTF-8.
pub const CASED: u8 = 0xfe;

/// The hash of the value of a number in a field that is not in its plain form
/// ([`Decimal::plain`]): a query for the value needs this or the plain form.
pub fn hash_number(number: &Decimal) -> u64 {
    xxh3_64(format!("\0{}", number.canonical()).as_bytes())
}

/// Whether a character is part of a word.
pub fn is_word(c: char) -> bool {
    // Of the Chinese characters all are, and would be slow to look up.
    c.is_ascii_alphanumeric() || c == '_' || matches!(c, '\u{4e00}'..='\u{9fff}') || c.is_alphanumeric()
}

/// The hash of a word, folded: the same in every version.
pub fn hash(word: &str) -> u64 {
    let mut folded = Vec::with_capacity(word.len());
    fold(&mut folded, word);
    xxh3_64(&folded)
}

/// Appends a text with the differences taken away that case makes: ASCII in
/// small letters, and [`CASED`] for any letter beyond that has a case, for what
/// the small letter of, say, ẞ, ς or ǅ is depends on who is asked. It never
/// gets longer.
pub fn fold(out: &mut Vec<u8>, text: &str) {
    for c in text.chars() {
        match c {
            c if c.is_ascii() => out.push(c.to_ascii_lowercase() as u8),
            // The two of other scripts that are the same letter as one of ASCII.
            '\u{212a}' => out.push(b'k'),
            '\u{17f}' => out.push(b's'),
            c if has_case(c) => out.push(CASED),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// Whether a letter has another form in the other case.
pub fn has_case(c: char) -> bool {
    // The scripts of East Asia have none, and would be slow to look up.
    let quick = matches!(c, '\u{2e80}'..='\u{a63f}' | '\u{ac00}'..='\u{d7ff}');
    !quick && (c.is_lowercase() || c.is_uppercase() || !c.to_lowercase().eq([c]) || !c.to_uppercase().eq([c]))
}

/// Hashes the tokens of one text.
struct Hasher<'t> {
    text: &'t str,
    /// The text in small ASCII, once a token needs it: that is faster done at
    /// once than word by word.
    lower: Vec<u8>,
    /// The last token that was folded.
    folded: Vec<u8>,
}

impl<'t> Hasher<'t> {
    const fn new(text: &'t str) -> Self {
        Self { text, lower: Vec::new(), folded: Vec::new() }
    }

    #[inline]
    fn hash(&mut self, token: &Token<'t>) -> u64 {
        if token.folds { self.hash_folded(token) } else { xxh3_64(token.text.as_bytes()) }
    }

    fn hash_folded(&mut self, token: &Token<'t>) -> u64 {
        if token.text.is_ascii() {
            if self.lower.is_empty() {
                self.lower = self.text.as_bytes().to_ascii_lowercase();
            }
            return xxh3_64(self.lower.get(token.start..token.end()).unwrap_or_default());
        }
        self.folded.clear();
        fold(&mut self.folded, token.text);
        xxh3_64(&self.folded)
    }
}

#[cfg(test)]
mod tests;
