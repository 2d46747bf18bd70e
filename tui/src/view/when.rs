//! Moments and lengths of time, as short as they are clear. All are UTC, as in
//! the log file.

use chrono::{DateTime, Utc};
use shared::span;
use std::time::Duration;

/// A moment: the time of day if it is today's, else day and time.
pub(super) fn moment(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let format = if at.date_naive() == now.date_naive() { "%H:%M:%S" } else { "%m-%d %H:%M" };
    at.format(format).to_string()
}

/// The time from one moment to another, in at most two units.
pub(super) fn between(from: DateTime<Utc>, to: DateTime<Utc>) -> String {
    span::age((to - from).to_std().unwrap_or_default())
}

/// When something is tried again, in whole seconds begun.
pub(super) fn retry(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    match (at - now).num_milliseconds() {
        ms @ 1.. => format!("retry in {}", span::age(Duration::from_secs(ms.unsigned_abs().div_ceil(1_000)))),
        _ => "retrying now".to_owned(),
    }
}

/// How old what is shown is.
pub(super) fn as_of(age: Duration) -> String {
    format!("as of {} ago", span::age(age))
}

/// A share from 0 to 1 as a percentage; 100 % only where nothing is missing.
pub(crate) fn percent(share: f64) -> String {
    let share = share.clamp(0.0, 1.0) * 100.0;
    if share >= 100.0 { "100 %".to_owned() } else { format!("{:.1} %", (share * 10.0).floor() / 10.0) }
}

/// Whole milliseconds.
pub(crate) fn millis(latency: Option<u64>) -> String {
    latency.map_or_else(|| "-".to_owned(), |ms| format!("{ms} ms"))
}
