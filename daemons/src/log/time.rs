//! Times as nanoseconds since 1970 (UTC), and as the log file writes them.
//!
//! A line's time costs as much as the rest of the line if a general formatter
//! writes it, so the file's one form is written and read by hand here; every
//! other form of RFC 3339 is left to chrono.

use chrono::{DateTime, SecondsFormat, Utc};
use shared::span::Span;

const NANOS: i64 = 1_000_000_000;
const DAY_S: i64 = 86_400;

/// The earliest whole second that can be kept (1677-09-21).
pub const MIN_NS: i64 = i64::MIN / NANOS * NANOS;

/// Now.
pub fn now_ns() -> i64 {
    Utc::now().timestamp_nanos_opt().unwrap_or(0)
}

/// A calendar date from days since 1970-01-01, after Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms" (`civil_from_days`). Every day
/// that can be kept is long after the year 0, where `z` begins.
const fn civil(days: i64) -> (u32, u32, u32) {
    let z = (days + 719_468) as u32;
    let era = z / 146_097;
    let doe = z % 146_097;
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + (month <= 2) as u32, month, day)
}

/// Days since 1970-01-01 of a calendar date (`days_from_civil`).
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let mp = (month + 9) % 12;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + (153 * mp + 2) / 5 + day - 1;
    era * 146_097 + doe - 719_468
}

/// Seconds from 1970 to the beginning of a day; none if there is no such day.
pub fn day_seconds(year: i64, month: i64, day: i64) -> Option<i64> {
    let exists = (1..=12).contains(&month) && (1..=days_of_month(year, month)).contains(&day);
    (exists && (0..=9_999).contains(&year)).then(|| days(year, month, day) * DAY_S)
}

/// The year of a time, in UTC.
pub const fn year_of(ns: i64) -> i64 {
    civil(ns.div_euclid(NANOS).div_euclid(DAY_S)).0 as i64
}

const fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Writes `2026-11-22T10:00:00.123456Z`: six digits of a second, nine where
/// they are needed.
pub fn write(out: &mut Vec<u8>, ns: i64) {
    let seconds = ns.div_euclid(NANOS);
    let (year, month, day) = civil(seconds.div_euclid(DAY_S));
    // Both are below 2^32.
    let second = seconds.rem_euclid(DAY_S) as u32;
    let fraction = ns.rem_euclid(NANOS) as u32;
    let pair = |value: u32| [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8];
    let [[y0, y1], [y2, y3], [m0, m1], [d0, d1]] = [year / 100, year % 100, month, day].map(pair);
    let [[h0, h1], [n0, n1], [s0, s1]] = [second / 3_600, second / 60 % 60, second % 60].map(pair);
    let [[f0, f1], [f2, f3], [f4, f5], [f6, f7]] =
        [fraction / 10_000_000, fraction / 100_000 % 100, fraction / 1_000 % 100, fraction / 10 % 100]
            .map(pair);
    let f8 = b'0' + (fraction % 10) as u8;
    #[rustfmt::skip]
    let text = [
        y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', n0, n1, b':', s0, s1, b'.',
        f0, f1, f2, f3, f4, f5, f6, f7, f8, b'Z',
    ];
    match text.split_last_chunk::<4>() {
        Some((six, b"000Z")) => {
            out.extend_from_slice(six);
            out.push(b'Z');
        }
        _ => out.extend_from_slice(&text),
    }
}

fn number<const N: usize>(digits: [u8; N]) -> Option<i64> {
    digits.into_iter().try_fold(0_i64, |sum, b| b.is_ascii_digit().then(|| sum * 10 + i64::from(b - b'0')))
}

/// Reads what [`write()`] writes at the beginning of `text`: the time and how
/// many bytes it took.
pub fn read(text: &[u8]) -> Option<(i64, usize)> {
    #[rustfmt::skip]
    let [
        y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', n0, n1, b':', s0, s1, b'.',
        f0, f1, f2, f3, f4, f5, ref rest @ ..,
    ] = *text else { return None };
    let micros = number([f0, f1, f2, f3, f4, f5])? * 1_000;
    let (fraction, len) = match *rest {
        [b'Z', ..] => (micros, 27),
        [f6, f7, f8, b'Z', ..] => (micros + number([f6, f7, f8])?, 30),
        _ => return None,
    };
    let (year, month, day) = (number([y0, y1, y2, y3])?, number([m0, m1])?, number([d0, d1])?);
    let (hour, minute, second) = (number([h0, h1])?, number([n0, n1])?, number([s0, s1])?);
    let exists = (1..=12).contains(&month)
        && (1..=days_of_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !exists {
        return None;
    }
    let seconds = days(year, month, day) * DAY_S + hour * 3_600 + minute * 60 + second;
    Some((seconds.checked_mul(NANOS)?.checked_add(fraction)?, len))
}

/// Reads any RFC 3339 time that can be kept.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    match read(text.as_bytes()) {
        Some((ns, end)) if end == text.len() => Some(ns),
        _ => DateTime::parse_from_rfc3339(text).ok()?.timestamp_nanos_opt(),
    }
}

/// Reads any RFC 3339 time, or a day, which stands for its beginning.
pub fn parse_day(text: &str) -> Option<i64> {
    parse_rfc3339(text).or_else(|| parse_rfc3339(&format!("{text}T00:00:00Z")))
}

/// Reads a moment as a user writes it: a time, a day, or a span ago.
pub fn parse_moment(text: &str) -> Option<i64> {
    let ago = |span: Span| now_ns().saturating_sub(i64::try_from(span.0.as_nanos()).unwrap_or(i64::MAX));
    parse_day(text).or_else(|| text.parse().ok().map(ago))
}

/// The time for JSON: RFC 3339 with as many digits as needed.
pub fn to_rfc3339(ns: i64) -> String {
    let mut out = Vec::with_capacity(30);
    write(&mut out, ns);
    String::from_utf8(out)
        .unwrap_or_else(|_| DateTime::from_timestamp_nanos(ns).to_rfc3339_opts(SecondsFormat::Nanos, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn six_digits_and_nine_where_they_are_needed() {
        assert_eq!(to_rfc3339(1_763_805_600_123_456_000), "2025-11-22T10:00:00.123456Z");
        assert_eq!(to_rfc3339(1_763_805_600_123_456_789), "2025-11-22T10:00:00.123456789Z");
        assert_eq!(to_rfc3339(-1), "1969-12-31T23:59:59.999999999Z");
    }

    #[test]
    fn a_date_that_does_not_exist_is_no_time() {
        for text in [
            "2026-02-30T00:00:00.000000Z",
            "2026-13-01T00:00:00.000000Z",
            "2026-01-01T24:00:00.000000Z",
            "1900-02-29T00:00:00.000000Z",
            "2026-00-01T00:00:00.000000Z",
            "2026-01-00T00:00:00.000000Z",
            "2026-11-31T00:00:00.000000Z",
            "2026-01-01T00:0x:00.000000Z",
        ] {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn other_forms_of_rfc_3339_are_read_too() {
        assert_eq!(parse_rfc3339("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(parse_rfc3339("1970-01-01T00:00:00.5Z"), Some(500_000_000));
        assert_eq!(parse_rfc3339("9999-01-01T00:00:00Z"), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_and_agrees_with_chrono(ns in any::<i64>()) {
            let text = to_rfc3339(ns);
            prop_assert_eq!(read(text.as_bytes()), Some((ns, text.len())));
            let chrono = DateTime::parse_from_rfc3339(&text).unwrap().timestamp_nanos_opt();
            prop_assert_eq!(chrono, Some(ns));
        }
    }
}
