//! Lines of any file in bounded memory: one without an end comes in pieces.

use std::io::{self, BufRead as _, BufReader, Read};

/// Bytes of a line that are read as one: more than the JSON of the largest
/// record takes (1 MiB of message and of fields, a control character as six bytes).
pub const LINE_MAX: usize = 16 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A line, or a piece of one that is longer than [`LINE_MAX`].
#[derive(Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Without line feed and carriage return.
    pub bytes: &'a [u8],
    /// Whether this is all of it.
    pub is_whole: bool,
    /// Whether it ends here.
    pub ends: bool,
}

/// Reads lines.
pub struct Lines<R> {
    input: BufReader<R>,
    buffer: Vec<u8>,
    /// Bytes of the buffer that were told already.
    told: usize,
    within: bool,
    max: usize,
}

impl<R: Read> Lines<R> {
    /// From the beginning, past a byte order mark.
    ///
    /// # Errors
    /// When nothing can be read.
    pub fn new(input: BufReader<R>) -> io::Result<Self> {
        Self::with_max(input, LINE_MAX)
    }

    fn with_max(mut input: BufReader<R>, max: usize) -> io::Result<Self> {
        if input.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
            input.consume(BYTE_ORDER_MARK.len());
        }
        Ok(Self { input, buffer: Vec::new(), told: 0, within: false, max })
    }

    /// The next one; none at the end.
    ///
    /// # Errors
    /// When the input cannot be read, or what it is packed in is broken.
    pub fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.buffer.drain(..self.told);
        let room = self.max.saturating_sub(self.buffer.len());
        self.told = 0;
        self.input.by_ref().take(room as u64).read_until(b'\n', &mut self.buffer)?;
        if self.buffer.is_empty() {
            return Ok(None);
        }
        let ends = self.buffer.ends_with(b"\n") || self.buffer.len() < self.max;
        let continued = std::mem::replace(&mut self.within, !ends);
        self.told = if ends { self.buffer.len() } else { between_characters(&self.buffer) };
        let mut bytes = self.buffer.get(..self.told).unwrap_or_default();
        if ends {
            bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
            bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        }
        Ok(Some(Line { bytes, is_whole: ends && !continued, ends }))
    }

    /// Whether the next line has to be waited for.
    pub fn is_drained(&self) -> bool {
        self.input.buffer().is_empty()
    }
}

/// A place near the end of `bytes` that cuts no character in two.
fn between_characters(bytes: &[u8]) -> usize {
    let continues = |b: &u8| b & 0b1100_0000 == 0b1000_0000;
    let tail = bytes.iter().rev().take(3).take_while(|b| continues(b)).count();
    let place = bytes.len().saturating_sub(tail + 1);
    if place == 0 { bytes.len() } else { place }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, max: usize) -> Vec<(String, bool, bool)> {
        let mut lines = Lines::with_max(BufReader::new(text.as_bytes()), max).unwrap();
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            all.push((String::from_utf8(line.bytes.to_vec()).unwrap(), line.is_whole, line.ends));
        }
        all
    }

    #[test]
    fn lines_end_with_a_line_feed_or_with_both_or_with_the_file() {
        let whole = |text: &str| (text.to_owned(), true, true);
        assert_eq!(read("\u{feff}a\r\n\nb\rc\nd", 100), [whole("a"), whole(""), whole("b\rc"), whole("d")]);
        assert_eq!(read("", 100), []);
    }

    #[test]
    fn a_long_line_comes_in_pieces_that_cut_no_character() {
        let pieces = read("书书书书书\nend\n", 8);
        let text: String = pieces.iter().map(|(piece, ..)| piece.as_str()).collect();
        assert_eq!(text, "书书书书书end");
        assert!(pieces.iter().all(|(piece, ..)| piece.len() <= 8));
        let (last, pieces) = pieces.split_last().unwrap();
        assert_eq!(last, &("end".to_owned(), true, true));
        assert!(pieces.iter().all(|(_, is_whole, _)| !is_whole));
        assert_eq!(pieces.iter().filter(|(.., ends)| *ends).count(), 1);
    }
}
