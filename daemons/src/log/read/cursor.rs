//! A place in bytes, and the few steps that times are read with.

/// A place in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    rest: &'a [u8],
    len: usize,
}

impl<'a> Cursor<'a> {
    /// At the beginning.
    pub const fn new(text: &'a [u8]) -> Self {
        Self { rest: text, len: text.len() }
    }

    /// Bytes before this place.
    pub const fn at(&self) -> usize {
        self.len - self.rest.len()
    }

    /// Bytes from this place on.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next byte.
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Goes on by some bytes.
    pub fn skip(&mut self, len: usize) {
        self.rest = self.rest.get(len..).unwrap_or_default();
    }

    /// Goes over one byte if it is among these.
    pub fn eat(&mut self, any: &[u8]) -> Option<u8> {
        let next = self.peek().filter(|b| any.contains(b))?;
        self.skip(1);
        Some(next)
    }

    /// Goes over blanks; how many there were.
    pub fn blanks(&mut self) -> usize {
        let len = self.rest.iter().take_while(|b| **b == b' ').count();
        self.skip(len);
        len
    }

    /// How many digits come next.
    pub fn digits(&self) -> usize {
        self.rest.iter().take_while(|b| b.is_ascii_digit()).count()
    }

    /// Reads a number of `min` to `max` digits, all that there are.
    pub fn number(&mut self, min: usize, max: usize) -> Option<i64> {
        let len = self.digits();
        if len < min || len > max { None } else { self.fixed(len) }
    }

    /// Reads a number of exactly so many digits; more may follow.
    pub fn fixed(&mut self, len: usize) -> Option<i64> {
        let digits = self.rest.get(..len).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        let number = digits.iter().fold(0, |sum, b| sum * 10 + i64::from(b - b'0'));
        self.skip(len);
        Some(number)
    }

    /// Goes over letters.
    pub fn word(&mut self) -> &'a [u8] {
        let len = self.rest.iter().take_while(|b| b.is_ascii_alphabetic()).count();
        let word = self.rest.get(..len).unwrap_or_default();
        self.skip(len);
        word
    }
}
