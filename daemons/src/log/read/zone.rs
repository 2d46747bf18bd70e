//! Zones: offsets, abbreviations, and what stands in for a zone that is not written.

use chrono::{DateTime, Local, TimeZone as _, Utc};
use std::str::FromStr;

const NANOS: i64 = 1_000_000_000;

/// Abbreviations with their offset in minutes. The American ones are those of
/// RFC 2822, 4.3; the others are unique enough in practice.
const ABBREVIATIONS: [(&str, i32); 38] = [
    ("UTC", 0),
    ("GMT", 0),
    ("UT", 0),
    ("EST", -300),
    ("EDT", -240),
    ("CST", -360),
    ("CDT", -300),
    ("MST", -420),
    ("MDT", -360),
    ("PST", -480),
    ("PDT", -420),
    ("AKST", -540),
    ("AKDT", -480),
    ("HST", -600),
    ("WET", 0),
    ("WEST", 60),
    ("BST", 60),
    ("CET", 60),
    ("CEST", 120),
    ("MET", 60),
    ("MEST", 120),
    ("SAST", 120),
    ("EET", 120),
    ("EEST", 180),
    ("MSK", 180),
    ("PKT", 300),
    ("IST", 330),
    ("HKT", 480),
    ("SGT", 480),
    ("AWST", 480),
    ("JST", 540),
    ("KST", 540),
    ("ACST", 570),
    ("ACDT", 630),
    ("AEST", 600),
    ("AEDT", 660),
    ("NZST", 720),
    ("NZDT", 780),
];
/// Abbreviations that stand for several zones.
const AMBIGUOUS: [&str; 3] = ["CST", "IST", "BST"];
/// The first parts of the names in the time zone database.
const REGIONS: [&str; 12] = [
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Etc",
    "Europe",
    "Indian",
    "Pacific",
    "US",
];

/// A zone that a local time can be read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// Seconds east of UTC.
    Offset(i32),
    /// The zone of this machine, or of the variable `TZ`, with its summer time.
    Local,
}

impl Zone {
    /// UTC.
    pub const UTC: Self = Self::Offset(0);

    /// Nanoseconds since 1970, from the seconds that a clock in this zone shows.
    pub fn resolve(self, local_s: i64, fraction_ns: i64) -> Option<i64> {
        let seconds = match self {
            Self::Offset(east_s) => local_s.checked_sub(i64::from(east_s))?,
            Self::Local => {
                let shown = DateTime::<Utc>::from_timestamp(local_s, 0)?.naive_utc();
                // An hour that occurs twice is the first of both.
                Local.from_local_datetime(&shown).earliest()?.timestamp()
            }
        };
        seconds.checked_mul(NANOS)?.checked_add(fraction_ns)
    }
}

impl FromStr for Zone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("local") {
            return Ok(Self::Local);
        }
        match read(text.as_bytes()) {
            Written::Offset { east_s, len, .. } if len == text.len() => Ok(Self::Offset(east_s)),
            _ => Err("write UTC, an offset such as +02:00, an abbreviation such as CET, or local; \
                for another zone set the variable TZ (TZ=Europe/Berlin) and write local"
                .to_owned()),
        }
    }
}

/// What stands where a zone may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// No zone.
    Nothing,
    /// An offset, and how many bytes it takes.
    Offset {
        /// Seconds east of UTC.
        east_s: i32,
        /// Bytes.
        len: usize,
        /// Whether the abbreviation stands for other zones too.
        ambiguous: bool,
    },
    /// A zone whose offset is not known here.
    Unknown,
}

/// Reads a zone directly after a time of day.
pub fn read(text: &[u8]) -> Written {
    let blanks = text.iter().take_while(|b| **b == b' ').count().min(2);
    let rest = text.get(blanks..).unwrap_or_default();
    let offset = |east_s, len| Written::Offset { east_s, len: blanks + len, ambiguous: false };
    match rest {
        [b'Z' | b'z', ..] if blanks == 0 => offset(0, 1),
        [b'Z', after @ ..] if is_end(after) => offset(0, 1),
        [sign @ (b'+' | b'-'), digits @ ..] => match numeric(digits) {
            // After a blank a number may be anything, unless it ends like an offset.
            Some((east_s, len)) if blanks == 0 || is_end(digits.get(len..).unwrap_or_default()) => {
                let east_s = if *sign == b'-' { -east_s } else { east_s };
                let named = zone_name_in_brackets(digits.get(len..).unwrap_or_default());
                offset(east_s, 1 + len + named)
            }
            _ => Written::Nothing,
        },
        _ => named(rest, blanks),
    }
}

/// `0200`, `02:00` or `02`: seconds, and how many bytes.
fn numeric(digits: &[u8]) -> Option<(i32, usize)> {
    let two = |at: usize| match digits.get(at..at + 2)? {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Some(i32::from(a - b'0') * 10 + i32::from(b - b'0')),
        _ => None,
    };
    let hours = two(0).filter(|hours| *hours <= 18)?;
    let colon = usize::from(digits.get(2) == Some(&b':'));
    match two(2 + colon).filter(|minutes| *minutes < 60) {
        Some(minutes) => Some(((hours * 60 + minutes) * 60, 4 + colon)),
        None => Some((hours * 3_600, 2)),
    }
}

/// The length of `[Europe/Berlin]`, as Java adds it to an offset.
fn zone_name_in_brackets(text: &[u8]) -> usize {
    let Some(inner) = text.strip_prefix(b"[") else { return 0 };
    let is_name = |b: &&u8| b.is_ascii_alphabetic() || matches!(b, b'/' | b'_');
    let len = inner.iter().take_while(is_name).count();
    if len > 0 && inner.get(len) == Some(&b']') { len + 2 } else { 0 }
}

fn named(text: &[u8], blanks: usize) -> Written {
    let len = text.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    let (word, after) = text.split_at(len);
    if after.first() == Some(&b'/') && REGIONS.iter().any(|region| region.as_bytes() == word) {
        return Written::Unknown;
    }
    let known = ABBREVIATIONS.iter().find(|(name, _)| name.as_bytes() == word && is_end(after));
    known.map_or(Written::Nothing, |(name, minutes)| Written::Offset {
        east_s: minutes * 60,
        len: blanks + len,
        ambiguous: AMBIGUOUS.contains(name),
    })
}

/// Whether a time can end before these bytes.
pub fn is_end(after: &[u8]) -> bool {
    match after.first() {
        None => true,
        Some(b) => b.is_ascii_whitespace() || b"]\"),;:|}'<>".contains(b) || *b == 0x1b || *b == 0,
    }
}
