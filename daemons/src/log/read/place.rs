//! Where in a line its time stands.
//!
//! At the beginning; behind what may stand before a time (a colour, brackets, a
//! level, a syslog priority, the name of a container); in the brackets of an
//! access log; after a key of logfmt. A date in the middle of prose is not the
//! time of the line.

use super::cursor::Cursor;
use super::level::{self, colour_len, priority};
use super::moment::{Moment, Options, epoch, leading};
use super::zone::is_end;
use crate::log::time;
use shared::wire::log::Level;

/// Steps over what may stand before a time.
const STEPS_MAX: usize = 12;
/// Bytes in which the brackets of an access log begin.
const ACCESS_MAX: usize = 512;
/// Bytes in which a key of logfmt stands.
const LOGFMT_MAX: usize = 1_024;
/// Bytes in which the name of a container stands.
const CONTAINER_MAX: usize = 64;
const KEYS: [&[u8]; 8] = [b"time", b"ts", b"timestamp", b"t", b"at", b"date", b"datetime", b"eventtime"];

/// The time of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The time.
    pub moment: Moment,
    /// The level that is written as a part of the time.
    pub level: Option<Level>,
    /// Bytes that are nothing but the time, at the beginning of the line.
    pub len: usize,
}

/// Finds the time of a line.
pub fn find(line: &str, options: &Options) -> Option<Found> {
    let bytes = line.as_bytes();
    if let Some((moment, len)) = leading(bytes, options) {
        return Some(Found { moment, level: None, len });
    }
    let within = |moment| Found { moment, level: None, len: 0 };
    behind(bytes, options)
        .or_else(|| access(bytes, options).map(within))
        .or_else(|| logfmt(bytes, options).map(within))
        .or_else(|| audit(line).map(within))
        .or_else(|| container(bytes, options).map(within))
}

/// Whether a line seems to hold a time near its beginning: three numbers of two
/// digits with colons, or a date in numbers.
pub fn seems_timed(line: &str) -> bool {
    let head = line.as_bytes().get(..line.len().min(96)).unwrap_or_default();
    let digit = |b: Option<&u8>| b.is_some_and(u8::is_ascii_digit);
    (0..head.len()).any(|at| {
        let rest = head.get(at..).unwrap_or_default();
        let before = at.checked_sub(1).and_then(|before| head.get(before));
        let is_clock = matches!(rest, [a, b, b':', c, d, b':', e, f, ..]
            if [a, b, c, d, e, f].iter().all(|b| b.is_ascii_digit()));
        let is_date = matches!(rest, [a, b, c, d, x, e, f, y, g, h, ..]
            if [a, b, c, d, e, f, g, h].iter().all(|b| b.is_ascii_digit()) && x == y && b"-/.".contains(x));
        let len = if is_clock { 8 } else { 10 };
        (is_clock || is_date) && !digit(before) && before != Some(&b':') && {
            let after = rest.get(len);
            !digit(after) && (is_date || after != Some(&b':'))
        }
    })
}

/// A time behind what may stand before one.
fn behind(line: &[u8], options: &Options) -> Option<Found> {
    let mut at = Cursor::new(line);
    for step in 0..STEPS_MAX {
        if step > 0
            && let Some((moment, _)) = leading(at.rest(), options)
        {
            return Some(Found { moment, level: None, len: 0 });
        }
        if let Some(found) = klog(at.rest(), options) {
            return Some(found);
        }
        if let Some(moment) = leading_epoch(at.rest(), options) {
            return Some(Found { moment, level: None, len: 0 });
        }
        skip_one(&mut at, options)?;
    }
    None
}

/// Goes over one thing that may stand before a time.
fn skip_one(at: &mut Cursor<'_>, options: &Options) -> Option<()> {
    // The letter of a level before the brackets, as Ruby's Logger writes it.
    if matches!(at.rest(), [b'D' | b'I' | b'W' | b'E' | b'F' | b'A', b',', b' ', b'[', ..]) {
        at.skip(3);
        return Some(());
    }
    match at.peek()? {
        0x1b => {
            at.skip(1);
            at.skip(colour_len(at.rest()));
        }
        b'[' => {
            let inner = at.rest().get(1..).unwrap_or_default();
            let mut colour = Cursor::new(inner);
            while colour.peek() == Some(0x1b) {
                colour.skip(1);
                colour.skip(colour_len(colour.rest()));
            }
            let is_time =
                leading(colour.rest(), options).is_some() || leading_epoch(inner, options).is_some();
            let level_and_time = inner.first().is_some_and(|b| level::letter(*b).is_some() || *b == b'D')
                && inner.get(1) == Some(&b' ');
            let skipped = match memchr::memchr(b']', inner.get(..inner.len().min(64))?) {
                _ if is_time => 1 + inner.len() - colour.rest().len(),
                _ if level_and_time => 3,
                Some(end) => end + 2,
                None => return None,
            };
            at.skip(skipped);
        }
        b'<' => {
            at.skip(priority(at.rest())?.0);
            // The version of RFC 5424.
            if at.rest().starts_with(b"1 ") {
                at.skip(2);
            }
        }
        b' ' | b'\t' => at.skip(at.rest().iter().take_while(|b| matches!(b, b' ' | b'\t')).count()),
        b'(' | b'"' | b'\'' | b'-' | b'|' | b':' | b']' | b')' | b'*' | b'>' => at.skip(1),
        _ => {
            let word = at.word();
            level::word(std::str::from_utf8(word).ok()?)?;
        }
    }
    Some(())
}

/// `I0224 10:11:12.123456`, and with a year before the month.
fn klog(text: &[u8], options: &Options) -> Option<Found> {
    let (first, rest) = text.split_first()?;
    let level = level::letter(*first)?;
    let digits = Cursor::new(rest).digits();
    if !matches!(digits, 4 | 8) {
        return None;
    }
    let (date, clock) = rest.split_at_checked(digits)?;
    // Rewritten as what it is short for; the bound keeps a long line from being copied.
    let clock = clock.get(..clock.len().min(48))?;
    let written = match date {
        [m0, m1, d0, d1] => [&[*m0, *m1, b'-', *d0, *d1], clock].concat(),
        _ => [date, clock].concat(),
    };
    let (moment, _) = leading(&written, options)?;
    Some(Found { moment, level: Some(level), len: 0 })
}

/// Seconds, or a smaller unit, since 1970: later than 2001 and not in the future.
fn leading_epoch(text: &[u8], options: &Options) -> Option<Moment> {
    let mut at = Cursor::new(text);
    let whole = at.digits();
    if !matches!(whole, 10 | 13 | 16 | 19) {
        return None;
    }
    at.skip(whole);
    if at.eat(b".").is_some() {
        at.skip(at.digits());
    }
    let number = text.get(..at.at()).filter(|_| is_end(at.rest()))?;
    let ns = epoch(std::str::from_utf8(number).ok()?)?;
    let latest = options.reference_ns.max(time::now_ns()).saturating_add(86_400_000_000_000);
    (ns >= 1_000_000_000_000_000_000 && ns <= latest).then_some(Moment::certain(ns))
}

/// `host ident user [24/Feb/2018:10:11:12 +0100] "GET …`.
fn access(line: &[u8], options: &Options) -> Option<Moment> {
    let head = line.get(..line.len().min(ACCESS_MAX))?;
    memchr::memchr_iter(b'[', head).take(8).find_map(|at| {
        let inner = line.get(at + 1..)?;
        let is_date = matches!(inner, [b'0'..=b'9', b'0'..=b'9', b'/', b'A'..=b'Z', ..]);
        leading(inner, options).filter(|_| is_date).map(|(moment, _)| moment)
    })
}

/// `level=info ts=2018-02-24T10:11:12Z`.
fn logfmt(line: &[u8], options: &Options) -> Option<Moment> {
    let head = line.get(..line.len().min(LOGFMT_MAX))?;
    memchr::memchr_iter(b'=', head).take(64).find_map(|at| {
        let before = line.get(..at)?;
        let key = before.iter().rev().take_while(|b| b.is_ascii_alphabetic()).count();
        let (start, key) = before.split_at(before.len() - key);
        if !matches!(start.last(), None | Some(b' ' | b'\t' | b'{' | b',' | b';')) {
            return None;
        }
        if !KEYS.iter().any(|known| known.eq_ignore_ascii_case(key)) {
            return None;
        }
        let value = line.get(at + 1..)?;
        let value = value.strip_prefix(b"\"").unwrap_or(value);
        leading(value, options).map(|(moment, _)| moment).or_else(|| leading_epoch(value, options))
    })
}

/// `type=SYSCALL msg=audit(1364481363.243:24287): …`.
fn audit(line: &str) -> Option<Moment> {
    let (_, after) = line.get(..line.floor_char_boundary(256))?.split_once("msg=audit(")?;
    epoch(after.split_once(':')?.0).map(Moment::certain)
}

/// `web_1  | 2018-02-24T10:11:12Z …`, as compose shows the lines of containers.
fn container(line: &[u8], options: &Options) -> Option<Moment> {
    let bar = memchr::memchr(b'|', line.get(..line.len().min(CONTAINER_MAX))?)?;
    let after = line.get(bar + 1..)?;
    let after = after.strip_prefix(b" ").unwrap_or(after);
    leading(after, options).map(|(moment, _)| moment)
}
