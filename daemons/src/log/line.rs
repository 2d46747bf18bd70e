//! One record, one line: the grammar of the log file.
//!
//! ```text
//! line     = time SP level SP service ": " message [ TAB fields ] LF
//! time     = 2026-11-22T10:00:00.123456Z      six digits of a second, or nine
//! level    = " INFO" | "ERROR" | …            right-aligned in five columns
//! service  = escaped, and ':' before a space as \x3a
//! message  = escaped
//! fields   = a compact JSON object, hazards in its strings as \uNNNN
//! ```
//!
//! *Escaped*: a backslash is `\\`; line feed, carriage return and tab are `\n`,
//! `\r`, `\t`; other bytes below 0x20, 0x7f, and bytes that are no UTF-8 are
//! `\xNN`; other hazards ([`is_hazard`]) are `\u{…}`. So a line holds no control
//! character but the tab before its fields, `cat` is safe, and decoding gives
//! back the bytes exactly.
//!
//! A line that is not of this grammar (somebody wrote into the file by hand) is
//! a record all the same: the whole line is its message.

use super::{scan, time};
use shared::sanitize::is_hazard;
use shared::wire::log::Level;
use std::borrow::Cow;
use std::io::Write as _;

/// The service of a record that names none.
pub const NO_SERVICE: &str = "unknown";

/// A record as its line holds it: still escaped, nothing copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// When, in nanoseconds since 1970.
    pub ts_ns: i64,
    /// How grave.
    pub level: Level,
    /// Who, escaped.
    service: &'a [u8],
    /// What, escaped.
    message: &'a [u8],
    /// Further fields: a JSON object.
    pub fields: Option<&'a [u8]>,
    /// Whether it is not of the grammar: then nothing in it is escaped.
    by_hand: bool,
}

impl<'a> Line<'a> {
    /// Reads a line (without its line feed). One that is not of the grammar
    /// gets `fallback_ns` for its time.
    pub fn read(line: &'a [u8], fallback_ns: i64) -> Self {
        Self::parse(line).unwrap_or_else(|| Self::by_hand(line, fallback_ns))
    }

    /// A line that is not of the grammar.
    pub const fn by_hand(line: &'a [u8], ts_ns: i64) -> Self {
        Self {
            ts_ns,
            level: Level::Info,
            service: NO_SERVICE.as_bytes(),
            message: line,
            fields: None,
            by_hand: true,
        }
    }

    /// Reads a line (without its line feed) of the grammar.
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let (ts_ns, at) = time::read(line)?;
        let rest = line.get(at..)?.strip_prefix(b" ")?;
        let (level, rest) = rest.split_at_checked(5)?;
        let level = match level {
            b" INFO" => Level::Info,
            b" WARN" => Level::Warn,
            b"ERROR" => Level::Error,
            b"DEBUG" => Level::Debug,
            b"TRACE" => Level::Trace,
            b"FATAL" => Level::Fatal,
            _ => return None,
        };
        let rest = rest.strip_prefix(b" ")?;
        // Within a service no space follows a colon, so this is nearly always the first.
        let colon = memchr::memchr_iter(b':', rest).find(|at| rest.get(at + 1) == Some(&b' '))?;
        let (service, rest) = (rest.get(..colon)?, rest.get(colon + 2..)?);
        let (message, fields) = match memchr::memchr(b'\t', rest) {
            Some(tab) => (rest.get(..tab)?, rest.get(tab + 1..)),
            None => (rest, None),
        };
        Some(Self { ts_ns, level, service, message, fields, by_hand: false })
    }

    /// The service.
    pub fn service(&self) -> Cow<'a, str> {
        unescape_service(self.service)
    }

    /// The service, as the line holds it.
    pub const fn escaped_service(&self) -> &'a [u8] {
        self.service
    }

    /// Whether this is the service, given as [`escape_service`] writes it.
    pub fn is_service(&self, escaped: &[u8]) -> bool {
        self.service == escaped
    }

    /// The message.
    pub fn message(&self) -> Cow<'a, [u8]> {
        if self.by_hand { Cow::Borrowed(self.message) } else { unescape(self.message) }
    }
}

/// Writes the beginning of a line, up to its message.
pub fn write_head(out: &mut Vec<u8>, ts_ns: i64, level: Level, service: &[u8]) {
    time::write(out, ts_ns);
    out.extend_from_slice(match level {
        Level::Trace => b" TRACE ",
        Level::Debug => b" DEBUG ",
        Level::Info => b"  INFO ",
        Level::Warn => b"  WARN ",
        Level::Error => b" ERROR ",
        Level::Fatal => b" FATAL ",
    });
    out.extend_from_slice(service);
    out.extend_from_slice(b": ");
}

/// A service's name as lines hold it.
pub fn escape_service(service: &str) -> Cow<'_, [u8]> {
    let plain = |b: u8| (0x20..0x7f).contains(&b) && b != b'\\' && b != b':';
    if service.bytes().all(plain) {
        return Cow::Borrowed(service.as_bytes());
    }
    let mut out = Vec::with_capacity(service.len() + 16);
    escape(&mut out, service.as_bytes());
    // Escapes hold no colon of their own, so that every ": " left is the name's.
    let mut escaped = Vec::with_capacity(out.len());
    let mut rest = out.as_slice();
    while let Some(at) = memchr::memmem::find(rest, b": ") {
        let (before, after) = rest.split_at(at);
        escaped.extend_from_slice(before);
        escaped.extend_from_slice(b"\\x3a");
        rest = after.get(1..).unwrap_or_default();
    }
    escaped.extend_from_slice(rest);
    Cow::Owned(escaped)
}

/// Reads what [`escape_service`] wrote.
pub fn unescape_service(escaped: &[u8]) -> Cow<'_, str> {
    match unescape(escaped) {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// Writes bytes so that they stand on one line and harm no terminal.
pub fn escape(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut rest = bytes;
    while let Some((text, special)) = rest.split_at_checked(plain_len(rest)) {
        out.extend_from_slice(text);
        rest = match special {
            [] => return,
            [b'\\', after @ ..] => {
                out.extend_from_slice(b"\\\\");
                after
            }
            [b, after @ ..] if b.is_ascii() => {
                escape_byte(out, *b);
                after
            }
            _ => escape_unicode(out, special),
        };
    }
}

/// How many bytes at the beginning stand for themselves.
fn plain_len(bytes: &[u8]) -> usize {
    scan::len_before(bytes, |w| {
        scan::is_control(w) | scan::is(w, b'\\') | scan::is(w, 0x7f) | scan::is_beyond_ascii(w)
    })
}

fn escape_byte(out: &mut Vec<u8>, b: u8) {
    match b {
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        b => {
            let _ = write!(out, "\\x{b:02x}");
        }
    }
}

/// Writes the run of bytes beyond ASCII at the beginning of `bytes`, and
/// returns what is after it.
fn escape_unicode<'a>(out: &mut Vec<u8>, bytes: &'a [u8]) -> &'a [u8] {
    let run = bytes.iter().position(u8::is_ascii).unwrap_or(bytes.len());
    let (run, after) = bytes.split_at(run);
    for chunk in run.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_hazard(c) {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            } else {
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        chunk.invalid().iter().for_each(|b| escape_byte(out, *b));
    }
    after
}

/// Reads what [`escape`] wrote. A backslash that begins no escape (in a line
/// that somebody wrote by hand) stands for itself.
pub fn unescape(bytes: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', bytes).is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (text, escape) = rest.split_at(at);
        out.extend_from_slice(text);
        let taken = unescape_one(&mut out, escape).unwrap_or_else(|| {
            out.push(b'\\');
            1
        });
        rest = escape.get(taken..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

/// Reads one escape at the beginning of `bytes`; how long it was.
fn unescape_one(out: &mut Vec<u8>, bytes: &[u8]) -> Option<usize> {
    let hex = |digits: &[u8]| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
    match bytes.get(1)? {
        b'\\' => out.push(b'\\'),
        b'n' => out.push(b'\n'),
        b'r' => out.push(b'\r'),
        b't' => out.push(b'\t'),
        b'x' => {
            out.push(u8::try_from(hex(bytes.get(2..4)?)?).ok()?);
            return Some(4);
        }
        b'u' => {
            let digits = bytes.get(2..)?.strip_prefix(b"{")?;
            let end = digits.iter().take(7).position(|b| *b == b'}')?;
            let c = char::from_u32(hex(digits.get(..end)?)?)?;
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(end + 4);
        }
        _ => return None,
    }
    Some(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn write(ts_ns: i64, level: Level, service: &str, message: &[u8], fields: &str) -> Vec<u8> {
        let mut line = Vec::new();
        write_head(&mut line, ts_ns, level, &escape_service(service));
        escape(&mut line, message);
        if !fields.is_empty() {
            line.push(b'\t');
            line.extend_from_slice(fields.as_bytes());
        }
        line
    }

    #[test]
    fn a_line_is_as_the_grammar_says() {
        let line = write(
            1_763_805_600_123_456_000,
            Level::Info,
            "LibraryService",
            b"borrowed",
            r#"{"book_id":"1"}"#,
        );
        assert_eq!(
            String::from_utf8(line).unwrap(),
            "2025-11-22T10:00:00.123456Z  INFO LibraryService: borrowed\t{\"book_id\":\"1\"}"
        );
    }

    #[test]
    fn what_could_harm_a_reader_is_escaped() {
        for (message, want) in [
            (b"a\nb\tc\r".as_slice(), "a\\nb\\tc\\r"),
            (b"\x1b[31m\x07", "\\x1b[31m\\x07"),
            (b"C:\\new", "C:\\\\new"),
            (b"\xff\xfe ok", "\\xff\\xfe ok"),
            ("\u{202e}书\u{85}".as_bytes(), "\\u{202e}书\\u{85}"),
        ] {
            let mut out = Vec::new();
            escape(&mut out, message);
            assert_eq!(String::from_utf8(out).unwrap(), want);
        }
    }

    #[test]
    fn a_line_that_somebody_wrote_by_hand_is_its_own_message() {
        let line = Line::read(b"hello \\ there \\q", 7);
        assert_eq!((line.ts_ns, line.level, line.service().as_ref()), (7, Level::Info, NO_SERVICE));
        assert_eq!(line.message().as_ref(), b"hello \\ there \\q");
    }

    proptest! {
        #[test]
        fn any_bytes_come_back_exactly(
            ts_ns in any::<i64>(), level in 0..6_usize, service in ".{1,20}|a: b|x:|: ",
            message in proptest::collection::vec(any::<u8>(), 0..80),
        ) {
            let level = Level::ALL[level];
            let line = write(ts_ns, level, &service, &message, "{}");
            let read = Line::read(&line, 0);
            prop_assert_eq!((read.ts_ns, read.level), (ts_ns, level));
            prop_assert_eq!(read.service(), service);
            prop_assert_eq!(read.message().into_owned(), message);
            prop_assert_eq!(read.fields, Some(b"{}".as_slice()));
        }

        #[test]
        fn a_line_holds_no_hazard_but_the_tab_before_its_fields(
            message in proptest::collection::vec(any::<u8>(), 0..80), service in any::<String>(),
        ) {
            let line = write(0, Level::Warn, &service, &message, "");
            let text = String::from_utf8(line).unwrap();
            prop_assert!(!text.chars().any(is_hazard), "{text:?}");
        }

        #[test]
        fn it_is_escaped_as_one_character_after_the_other_is(message in "[ -~]{0,20}.{0,20}[ -~]{0,20}") {
            let mut out = Vec::new();
            escape(&mut out, message.as_bytes());
            let want: String = message
                .chars()
                .map(|c| match c {
                    '\\' => "\\\\".to_owned(),
                    '\n' => "\\n".to_owned(),
                    '\r' => "\\r".to_owned(),
                    '\t' => "\\t".to_owned(),
                    c if c.is_ascii_control() => format!("\\x{:02x}", u32::from(c)),
                    c if is_hazard(c) => format!("\\u{{{:x}}}", u32::from(c)),
                    c => c.to_string(),
                })
                .collect();
            prop_assert_eq!(String::from_utf8(out).unwrap(), want);
        }

        #[test]
        fn text_that_only_looks_escaped_comes_back_exactly(message in r"[\\nrtxu{}0-9a-f]{0,30}") {
            let mut out = Vec::new();
            escape(&mut out, message.as_bytes());
            let back = unescape(&out).into_owned();
            prop_assert_eq!(back.as_slice(), message.as_bytes());
        }
    }
}
