//! Levels: by word, by number, and where a line holds one.
//!
//! Prose names levels too ("no error occurred"), so a word counts only where it
//! can be nothing else: after `level=`; in brackets; in capitals among the first
//! eight words, with a word after it; in capitals and delimited, or in lower case
//! and between colons, among the first twelve. Nothing is taken from the status
//! of a request.

use shared::wire::log::Level;

/// Bytes of a line that are searched for its level.
const HEAD_MAX: usize = 512;
/// Words that are looked at.
const WORDS_MAX: usize = 12;
/// Words among which capitals are enough.
const CAPITALS_MAX: usize = 8;
const KEYS: [&str; 5] = ["level", "lvl", "severity", "loglevel", "log_level"];
/// Short forms beside those of [`Level`]: Serilog, .NET, zerolog, MySQL.
const SHORT: [(&str, Level); 9] = [
    ("trc", Level::Trace),
    ("vrb", Level::Trace),
    ("dbg", Level::Debug),
    ("inf", Level::Info),
    ("note", Level::Info),
    ("wrn", Level::Warn),
    ("eror", Level::Error),
    ("ftl", Level::Fatal),
    ("fail", Level::Error),
];
/// Spellings that are words of prose when a colon follows them.
const PROSE: [&str; 7] = ["fine", "finer", "finest", "information", "verbose", "note", "alert"];

/// A level by its name.
pub fn word(text: &str) -> Option<Level> {
    let short = || SHORT.iter().find(|(name, _)| text.eq_ignore_ascii_case(name)).map(|(_, level)| *level);
    text.parse().ok().or_else(short)
}

/// A level by its number: a severity of syslog, or 10 to 60 of bunyan and pino.
pub const fn number(number: u64) -> Option<Level> {
    match number {
        0..=2 | 60 => Some(Level::Fatal),
        3 | 50 => Some(Level::Error),
        4 | 40 => Some(Level::Warn),
        5 | 6 | 30 => Some(Level::Info),
        7 | 20 => Some(Level::Debug),
        10 => Some(Level::Trace),
        _ => None,
    }
}

/// A level by a letter, as klog and glog write it.
pub const fn letter(letter: u8) -> Option<Level> {
    match letter {
        b'I' => Some(Level::Info),
        b'W' => Some(Level::Warn),
        b'E' => Some(Level::Error),
        b'F' => Some(Level::Fatal),
        _ => None,
    }
}

/// The length of `<34>` at the beginning of a syslog line, and its level.
pub fn priority(line: &[u8]) -> Option<(usize, Level)> {
    let inner = line.strip_prefix(b"<")?;
    let len = inner.iter().take_while(|b| b.is_ascii_digit()).count();
    let digits = inner.get(..len).filter(|_| (1..=3).contains(&len) && inner.get(len) == Some(&b'>'))?;
    let value = digits.iter().fold(0, |sum, b| sum * 10 + u64::from(b - b'0'));
    let level = if value < 192 { number(value % 8) } else { None };
    level.map(|level| (len + 2, level))
}

/// The level that a line tells.
pub fn find(line: &str) -> Option<Level> {
    let head = line.get(..line.floor_char_boundary(HEAD_MAX)).unwrap_or(line);
    let plain;
    let head = if head.contains('\u{1b}') {
        plain = without_colours(head);
        plain.as_str()
    } else {
        head
    };
    let mut words = head.split_whitespace().take(WORDS_MAX).enumerate().peekable();
    let mut before = "";
    while let Some((at, word)) = words.next() {
        let next = words.peek().map(|(_, next)| *next);
        if let Some(level) = of_word(at, word, before, next) {
            return Some(level);
        }
        before = word;
    }
    None
}

fn of_word(at: usize, text: &str, before: &str, next: Option<&str>) -> Option<Level> {
    if let Some((key, value)) = text.split_once('=') {
        let value = value.trim_matches(['"', '\'', ',']);
        let by_number = || value.parse().ok().and_then(number);
        return if KEYS.contains(&key) { word(value).or_else(by_number) } else { None };
    }
    if text.starts_with(['[', '<', '|']) {
        // "[2026-11-22T10:00:00][INFO", "[core:error]", "[main/WARN]:".
        let parts = text.split(['[', ']', '<', '>', '|', ':', '/', ',']);
        return parts.filter(|part| !part.is_empty()).find_map(word);
    }
    let bare = text.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let level = word(bare)?;
    let ends_with_colon = text.ends_with(':');
    if bare.bytes().all(|b| b.is_ascii_uppercase()) {
        let is_mark = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_punctuation());
        let delimited = text.ends_with([':', ']', '|']) || is_mark(before) || next.is_some_and(is_mark);
        let early = at < CAPITALS_MAX && (at < 4 || next.is_some());
        return (early || delimited).then_some(level);
    }
    let between_colons = ends_with_colon && (at == 0 || before.ends_with(':'));
    (between_colons && !PROSE.iter().any(|word| bare.eq_ignore_ascii_case(word))).then_some(level)
}

/// A text without the escape sequences that colour it.
fn without_colours(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        out.push_str(before);
        rest = after.get(colour_len(after.as_bytes())..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The length of an escape sequence after its first byte.
pub fn colour_len(after: &[u8]) -> usize {
    if after.first() != Some(&b'[') {
        return 0;
    }
    let parameters = after.iter().skip(1).take(32).take_while(|b| (0x20..0x40).contains(*b)).count();
    (1 + parameters + 1).min(after.len())
}
