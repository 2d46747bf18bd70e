//! Outcomes that are shown for a while.

use super::source::elapsed;
use chrono::{DateTime, Utc};
use std::collections::VecDeque;
use std::time::Duration;

/// How many are shown at once; older ones give way.
pub const TOASTS_MAX: usize = 3;

/// For how long good news is shown.
const GOOD_SHOWN: Duration = Duration::from_secs(4);
/// For how long bad news is shown: it has to be read.
const BAD_SHOWN: Duration = Duration::from_secs(10);

/// One outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    /// What happened.
    pub text: String,
    /// Whether it went well.
    pub good: bool,
}

impl Toast {
    /// It went well.
    pub fn good(text: impl Into<String>) -> Self {
        Self { text: text.into(), good: true }
    }

    /// It did not.
    pub fn bad(text: impl Into<String>) -> Self {
        Self { text: text.into(), good: false }
    }
}

/// How many are kept, shown or not.
pub const HISTORY_MAX: usize = 200;

/// The outcomes: all that are kept, of which the newest few are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Toasts {
    history: VecDeque<(DateTime<Utc>, Toast)>,
    shown: VecDeque<(DateTime<Utc>, Toast)>,
}

impl Toasts {
    /// Adds one; the oldest gives way where there are too many.
    pub fn push(&mut self, toast: Toast, now: DateTime<Utc>) {
        self.keep(toast.clone(), now);
        if self.shown.len() == TOASTS_MAX {
            self.shown.pop_front();
        }
        self.shown.push_back((now, toast));
    }

    /// Keeps one that is shown elsewhere.
    pub fn keep(&mut self, toast: Toast, now: DateTime<Utc>) {
        if self.history.len() == HISTORY_MAX {
            self.history.pop_front();
        }
        self.history.push_back((now, toast));
    }

    /// Drops those that were shown for long enough.
    pub fn expire(&mut self, now: DateTime<Utc>) {
        self.shown
            .retain(|(since, toast)| elapsed(*since, now) < if toast.good { GOOD_SHOWN } else { BAD_SHOWN });
    }

    /// Drops the newest. False where there is none.
    pub fn dismiss(&mut self) -> bool {
        self.shown.pop_back().is_some()
    }

    /// Whether none is shown.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// All that are kept, with when they came, oldest first.
    pub fn history(&self) -> impl DoubleEndedIterator<Item = (DateTime<Utc>, &Toast)> {
        self.history.iter().map(|(at, toast)| (*at, toast))
    }

    /// Those that are shown, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Toast> {
        self.shown.iter().map(|(_, toast)| toast)
    }
}
