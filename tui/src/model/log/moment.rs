//! Moments as people type them: `14:30`, `2h`, `2026-11-22T10:00:00Z`.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use shared::span::Span;

/// A text that is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time is 14:30 or 14:30:05 (UTC), how long ago as 15m, 2h or 7d, or 2026-11-22T10:00:00Z")]
pub struct MomentError;

/// Reads a moment. A time of day is the last such time before `now`; all are
/// UTC, as in the log, unless they say otherwise.
///
/// # Errors
/// When the text is no moment.
pub fn parse(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, MomentError> {
    let text = text.trim();
    let today = now.date_naive();
    let day = match text {
        "today" => Some(today),
        "yesterday" => today.checked_sub_days(Days::new(1)),
        _ => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok(),
    };
    if let Some(day) = day {
        return Ok(day.and_time(NaiveTime::MIN).and_utc());
    }
    if let Ok(Span(ago)) = text.trim_start_matches('-').parse() {
        return TimeDelta::from_std(ago).ok().and_then(|ago| now.checked_sub_signed(ago)).ok_or(MomentError);
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.to_utc());
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"] {
        if let Ok(at) = NaiveDateTime::parse_from_str(text, format) {
            return Ok(at.and_utc());
        }
    }
    for format in ["%H:%M:%S%.f", "%H:%M"] {
        if let Ok(time) = NaiveTime::parse_from_str(text, format) {
            let today = now.date_naive().and_time(time).and_utc();
            let day_before = || today.checked_sub_days(Days::new(1));
            return if today <= now { Some(today) } else { day_before() }.ok_or(MomentError);
        }
    }
    Err(MomentError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_of_day_a_span_ago_or_a_full_time() {
        let now = "2026-11-22T10:42:07Z".parse().unwrap();
        for (text, want) in [
            ("10:30", "2026-11-22T10:30:00Z"),
            ("14:30", "2026-11-21T14:30:00Z"),
            ("09:00:05", "2026-11-22T09:00:05Z"),
            ("2h", "2026-11-22T08:42:07Z"),
            ("yesterday", "2026-11-21T00:00:00Z"),
            ("today", "2026-11-22T00:00:00Z"),
            ("-90s", "2026-11-22T10:40:37Z"),
            (" 2026-11-20 ", "2026-11-20T00:00:00Z"),
            ("2026-11-20 07:01", "2026-11-20T07:01:00Z"),
            ("2026-11-20T07:01:02.5+02:00", "2026-11-20T05:01:02.500Z"),
        ] {
            assert_eq!(parse(text, now), Ok(want.parse().unwrap()), "{text}");
        }
        for text in ["", "soon", "25:00", "2026-13-01", "99999999999w", "7"] {
            assert_eq!(parse(text, now), Err(MomentError), "{text}");
        }
    }
}
