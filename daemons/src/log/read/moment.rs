//! A date with a time of day, as programs write it, and an epoch.
//!
//! What is not written is assumed, and the answer says what was: nothing else is
//! completed or corrected. A date that does not exist is no time.

use super::cursor::Cursor;
use super::zone::{Written, Zone, is_end, read as read_zone};
use crate::log::assumed::Assumed;
use crate::log::time;

const NANOS: i64 = 1_000_000_000;
const DAY_NS: i64 = 86_400 * NANOS;
const MONTHS: [&[u8]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
const MONTHS_IN_FULL: [&[u8]; 12] = [
    b"january",
    b"february",
    b"march",
    b"april",
    b"may",
    b"june",
    b"july",
    b"august",
    b"september",
    b"october",
    b"november",
    b"december",
];
const WEEKDAYS: [&[u8]; 7] =
    [b"monday", b"tuesday", b"wednesday", b"thursday", b"friday", b"saturday", b"sunday"];

/// The order of a date that is written in numbers only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum DateOrder {
    /// Day, month, year
    Dmy,
    /// Month, day, year
    Mdy,
    /// Year, month, day
    Ymd,
}

/// What decides where a time leaves something open.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The zone of times that name none.
    pub zone: Option<Zone>,
    /// The order of dates that can be read in several ways.
    pub date_order: Option<DateOrder>,
    /// The year of dates without one.
    pub year: Option<i64>,
    /// A date without a year is the last one up to a day after this.
    pub reference_ns: i64,
}

impl Options {
    /// Nothing is decided: what is open is assumed.
    pub const fn open(reference_ns: i64) -> Self {
        Self { zone: None, date_order: None, year: None, reference_ns }
    }
}

/// A time, and what was assumed to read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Nanoseconds since 1970.
    pub ns: i64,
    /// What was assumed.
    pub assumed: Assumed,
}

impl Moment {
    /// A time of which everything is written.
    pub const fn certain(ns: i64) -> Self {
        Self { ns, assumed: Assumed::NOTHING }
    }
}

struct Date {
    year: Option<i64>,
    month: i64,
    day: i64,
    has_weekday: bool,
    is_access: bool,
}

struct Clock {
    second: i64,
    fraction_ns: i64,
}

/// Reads a time at the beginning of a text, and how many bytes it takes.
pub fn leading(text: &[u8], options: &Options) -> Option<(Moment, usize)> {
    if let Some((ns, end)) = time::read(text) {
        return Some((Moment::certain(ns), end));
    }
    let mut at = Cursor::new(text);
    let mut assumed = Assumed::default();
    let mut date = date(&mut at, options, &mut assumed)?;
    between(&mut at, date.is_access)?;
    let clock = clock(&mut at)?;
    let mut zone = read_zone(at.rest());
    if let Written::Offset { len, .. } = zone {
        at.skip(len);
    }
    if date.year.is_none() && date.has_weekday {
        // ctime writes the year last, date(1) after the zone.
        let mut ahead = at;
        ahead.blanks();
        if let Some(year) = ahead.number(4, 4) {
            (date.year, at) = (Some(year), ahead);
        }
    }
    if zone == Written::Unknown || !is_end(at.rest()) {
        return None;
    }
    if let Written::Offset { ambiguous: true, .. } = zone {
        assumed.add(Assumed::ABBREVIATION);
        if options.zone.is_some() {
            assumed.remove(Assumed::ABBREVIATION);
            zone = Written::Nothing;
        }
    }
    let zone = match zone {
        Written::Offset { east_s, .. } => Zone::Offset(east_s),
        _ => {
            if options.zone.is_none() {
                assumed.add(Assumed::ZONE);
            }
            options.zone.unwrap_or(Zone::UTC)
        }
    };
    let resolve = |year| {
        let day_s = time::day_seconds(year, date.month, date.day)?;
        zone.resolve(day_s + clock.second, clock.fraction_ns)
    };
    let ns = match date.year.or(options.year) {
        Some(year) => resolve(year)?,
        None => {
            assumed.add(Assumed::YEAR);
            let latest = options.reference_ns.saturating_add(DAY_NS);
            let this_year = time::year_of(latest);
            // A leap day is at most eight years ago.
            (0..=8).filter_map(|back| resolve(this_year - back)).find(|ns| *ns <= latest)?
        }
    };
    Some((Moment { ns, assumed }, at.at()))
}

/// A text that is a time, or an epoch, and nothing else.
pub fn whole(text: &str, options: &Options) -> Option<Moment> {
    if let Some(ns) = time::parse_rfc3339(text) {
        return Some(Moment::certain(ns));
    }
    let text = text.trim_ascii();
    let read = leading(text.as_bytes(), options).filter(|(_, end)| *end == text.len());
    read.map(|(moment, _)| moment).or_else(|| epoch(text).map(Moment::certain))
}

/// Reads a decimal number of seconds, milliseconds, microseconds or nanoseconds
/// since 1970: which of them, its size tells, for it is later than 1973.
pub fn epoch(number: &str) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: usize = match whole.len() {
        9..=11 => 9,
        12..=14 => 6,
        15..=17 => 3,
        18..=19 => 0,
        _ => return None,
    };
    if !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction = format!("{fraction:0<digits$}");
    format!("{whole}{}", fraction.get(..digits)?).parse().ok()
}

fn date(at: &mut Cursor<'_>, options: &Options, assumed: &mut Assumed) -> Option<Date> {
    if at.peek()?.is_ascii_alphabetic() {
        return date_by_words(at, options, assumed);
    }
    let date = |year, month, day| Some(Date { year, month, day, has_weekday: false, is_access: false });
    match at.digits() {
        8 => date(Some(at.fixed(4)?), at.fixed(2)?, at.fixed(2)?),
        6 => {
            let (year, month, day) = (at.fixed(2)?, at.fixed(2)?, at.fixed(2)?);
            assumed.add(Assumed::CENTURY);
            date(Some(century(year)), month, day)
        }
        4 => {
            let year = at.fixed(4)?;
            let separator = at.eat(b"-/. ")?;
            let month = month(at)?;
            at.eat(&[separator])?;
            date(Some(year), month, at.number(1, 2)?)
        }
        1..=2 => date_from_short(at, options, assumed),
        _ => None,
    }
}

/// `24/Feb/2018`, `24 Feb 2018`, `24.02.2018`, `02/24/18`, `02-24`.
fn date_from_short(at: &mut Cursor<'_>, options: &Options, assumed: &mut Assumed) -> Option<Date> {
    let first = at.number(1, 2)?;
    let separator = at.eat(b"-/. ")?;
    if at.peek()?.is_ascii_alphabetic() {
        let month = month(at)?;
        let is_access = separator == b'/';
        let year = if at.eat(&[separator]).is_some() { year(at, assumed) } else { None };
        return Some(Date { year, month, day: first, has_weekday: false, is_access });
    }
    let second = if separator == b' ' { None } else { at.number(1, 2) }?;
    let date = |year, month, day| Some(Date { year, month, day, has_weekday: false, is_access: false });
    if at.eat(&[separator]).is_none() {
        // As Android writes it.
        return if separator == b'-' { date(None, first, second) } else { None };
    }
    let digits = at.digits();
    let third = if digits == 2 || digits == 4 { at.fixed(digits) } else { None }?;
    let long = |year| if digits == 2 { century(year) } else { year };
    if digits == 2 {
        assumed.add(Assumed::CENTURY);
    }
    let certain = match separator {
        // A date with points has its day first wherever it is used.
        b'.' => Some(DateOrder::Dmy),
        _ if digits == 4 && second > 12 => Some(DateOrder::Mdy),
        _ if digits == 4 && first > 12 => Some(DateOrder::Dmy),
        _ => options.date_order,
    };
    let order = certain.unwrap_or_else(|| {
        assumed.add(Assumed::ORDER);
        // A year of two digits comes first in the logs of Java, one of four last.
        if digits == 2 { DateOrder::Ymd } else { DateOrder::Mdy }
    });
    match order {
        DateOrder::Ymd if digits == 2 => date(Some(century(first)), second, third),
        DateOrder::Dmy => date(Some(long(third)), second, first),
        DateOrder::Mdy | DateOrder::Ymd => date(Some(long(third)), first, second),
    }
}

/// `Feb 24`, `Feb 24, 2018`, `Sat Feb 24`, `Sat, 24 Feb 2018`.
fn date_by_words(at: &mut Cursor<'_>, options: &Options, assumed: &mut Assumed) -> Option<Date> {
    let start = *at;
    let word = at.word().to_ascii_lowercase();
    if WEEKDAYS.iter().any(|day| word.len() >= 3 && day.starts_with(&word)) {
        at.eat(b",");
        at.blanks();
        let date = if at.peek()?.is_ascii_digit() {
            date_from_short(at, options, assumed)
        } else {
            date_by_month(at, assumed)
        }?;
        return Some(Date { has_weekday: true, ..date });
    }
    *at = start;
    date_by_month(at, assumed)
}

fn date_by_month(at: &mut Cursor<'_>, assumed: &mut Assumed) -> Option<Date> {
    let month = month(at)?;
    at.eat(b" ")?;
    at.blanks();
    let day = at.number(1, 2)?;
    let mut ahead = *at;
    ahead.eat(b",");
    let year = if ahead.blanks() > 0 && ahead.digits() == 4 { year(&mut ahead, assumed) } else { None };
    if year.is_some() {
        *at = ahead;
    }
    Some(Date { year, month, day, has_weekday: false, is_access: false })
}

/// A month by its name or number.
fn month(at: &mut Cursor<'_>) -> Option<i64> {
    if at.digits() > 0 {
        return at.number(1, 2);
    }
    let word = at.word().to_ascii_lowercase();
    let named = |names: &[&[u8]]| names.iter().position(|name| *name == word.as_slice());
    named(&MONTHS).or_else(|| named(&MONTHS_IN_FULL)).and_then(|month| i64::try_from(month + 1).ok())
}

fn year(at: &mut Cursor<'_>, assumed: &mut Assumed) -> Option<i64> {
    match at.digits() {
        4 => at.fixed(4),
        2 => {
            // Two digits before a colon are the time of day.
            let mut ahead = *at;
            let year = ahead.fixed(2).filter(|_| ahead.peek() != Some(b':'))?;
            assumed.add(Assumed::CENTURY);
            *at = ahead;
            Some(century(year))
        }
        _ => None,
    }
}

const fn century(year: i64) -> i64 {
    if year < 70 { 2000 + year } else { 1900 + year }
}

/// What stands between a date and a time of day.
fn between(at: &mut Cursor<'_>, is_access: bool) -> Option<()> {
    if is_access && at.eat(b":").is_some() {
        return Some(());
    }
    if at.eat(b"Tt_-").is_some() {
        return Some(());
    }
    at.eat(b",");
    (1..=2).contains(&at.blanks()).then_some(())
}

/// `10:11:12`, `10:11:12.123456`, `10:11`, `1:02:03 PM`, `101112`.
fn clock(at: &mut Cursor<'_>) -> Option<Clock> {
    let compact = at.digits() == 6;
    let mut hour = if compact { at.fixed(2) } else { at.number(1, 2) }?;
    let colon = |at: &mut Cursor<'_>| if compact { Some(b':') } else { at.eat(b":") };
    colon(at)?;
    let minute = at.fixed(2)?;
    let mut ahead = *at;
    let second = match colon(&mut ahead).and_then(|_| ahead.fixed(2)) {
        Some(second) => {
            *at = ahead;
            second
        }
        None => 0,
    };
    let fraction_ns = fraction(at)?;
    let mut ahead = *at;
    ahead.blanks();
    let half = ahead.word().to_ascii_uppercase();
    if matches!(half.as_slice(), b"AM" | b"PM") && is_end(ahead.rest()) {
        if !(1..=12).contains(&hour) {
            return None;
        }
        *at = ahead;
        hour = hour % 12 + if half == b"PM" { 12 } else { 0 };
    }
    // 60 is a leap second: the first of the next minute.
    let exists = hour < 24 && minute < 60 && second <= 60;
    exists.then_some(Clock { second: hour * 3_600 + minute * 60 + second, fraction_ns })
}

/// The fraction of a second; none if it has more digits than a nanosecond.
fn fraction(at: &mut Cursor<'_>) -> Option<i64> {
    let mut ahead = *at;
    let digits = match ahead.eat(b".,:") {
        Some(mark) => {
            let digits = ahead.digits();
            if mark == b':' && digits != 3 { 0 } else { digits }
        }
        None => 0,
    };
    if digits == 0 {
        return Some(0);
    }
    if digits > 9 {
        return None;
    }
    *at = ahead;
    let number = at.fixed(digits)?;
    Some((digits..9).fold(number, |number, _| number * 10))
}
