//! Moments and lengths of time, as short as they are clear. All are UTC, as in
//! the log file.

use crate::model::elapsed;
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
    span::age(elapsed(from, to))
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
