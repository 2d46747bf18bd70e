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
/// "chrono-Compatible Low-Level Date Algorithms" (`civil_from_days`).
const fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + (month <= 2) as i64, month, day)
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

fn push_digits(out: &mut Vec<u8>, value: i64, width: u32) {
    let mut rest = value;
    for place in (0..width).rev() {
        let unit = 10_i64.pow(place);
        // A digit is below 10.
        out.push(b'0' + (rest / unit) as u8);
        rest %= unit;
    }
}

/// Writes `2026-11-22T10:00:00.123456Z`: six digits of a second, nine where
/// they are needed.
pub fn write(out: &mut Vec<u8>, ns: i64) {
    let seconds = ns.div_euclid(NANOS);
    let (year, month, day) = civil(seconds.div_euclid(DAY_S));
    let second = seconds.rem_euclid(DAY_S);
    let fraction = ns.rem_euclid(NANOS);
    for (value, width, after) in [
        (year, 4, b'-'),
        (month, 2, b'-'),
        (day, 2, b'T'),
        (second / 3_600, 2, b':'),
        (second / 60 % 60, 2, b':'),
        (second % 60, 2, b'.'),
    ] {
        push_digits(out, value, width);
        out.push(after);
    }
    if fraction % 1_000 == 0 {
        push_digits(out, fraction / 1_000, 6);
    } else {
        push_digits(out, fraction, 9);
    }
    out.push(b'Z');
}

/// Reads what [`write()`] writes at the beginning of `text`: the time and how
/// many bytes it took.
pub fn read(text: &[u8]) -> Option<(i64, usize)> {
    let number = |from: usize, to: usize| -> Option<i64> {
        text.get(from..to)?
            .iter()
            .try_fold(0_i64, |sum, b| b.is_ascii_digit().then(|| sum * 10 + i64::from(b - b'0')))
    };
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.')];
    if !marks.iter().all(|(at, mark)| text.get(*at) == Some(mark)) {
        return None;
    }
    let (fraction, end) = match (text.get(26), text.get(29)) {
        (Some(b'Z'), _) => (number(20, 26)? * 1_000, 27),
        (_, Some(b'Z')) => (number(20, 29)?, 30),
        _ => return None,
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let exists = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60
        && civil(days(year, month, day)) == (year, month, day);
    if !exists {
        return None;
    }
    let seconds = days(year, month, day) * DAY_S + hour * 3_600 + minute * 60 + second;
    Some((seconds.checked_mul(NANOS)?.checked_add(fraction)?, end))
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
        for text in
            ["2026-02-30T00:00:00.000000Z", "2026-13-01T00:00:00.000000Z", "2026-01-01T24:00:00.000000Z"]
        {
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
