//! Where one is in the log, and where one step back leads.

use super::{LogPane, OpenAt, Spot};
use chrono::{DateTime, Utc};

/// One step back from the lines: what was done last goes first, and the whole
/// log, followed, is the last of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackStep {
    /// The search ends.
    Search,
    /// From a record's context to where one was before.
    Context,
    /// To the screen from which one was led here, and the log is as it was before.
    Led,
    /// The log is followed again.
    Follow,
    /// The time is not narrowed any more.
    Stretch,
    /// Nothing is filtered any more.
    Filter,
}

impl BackStep {
    /// Where it leads, in a word or two.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Search => "end search",
            Self::Context | Self::Led => "back",
            Self::Follow => "follow",
            Self::Stretch => "all times",
            Self::Filter => "all records",
        }
    }
}

impl Spot {
    /// Where the log is to be opened to come back to it.
    pub fn at(&self) -> OpenAt {
        self.cursor.map_or(OpenAt::Newest, OpenAt::Seq)
    }
}

impl LogPane {
    /// Where one is now.
    pub fn spot(&self) -> Spot {
        Spot { filter: self.filter.clone(), cursor: self.cursor }
    }

    /// Where the log is to be opened so that one stays where one is; while it is
    /// being opened, that is where it will be.
    pub fn here(&self) -> OpenAt {
        self.opening.unwrap_or_else(|| self.cursor.map_or(OpenAt::Newest, OpenAt::Seq))
    }

    /// Whether the time is narrowed to what is past: no record comes any more.
    pub fn has_ended(&self, now: DateTime<Utc>) -> bool {
        self.filter.stretch.is_some_and(|stretch| stretch.until <= now)
    }

    /// Where one step back from the lines leads; none where it leads nowhere.
    pub fn back_step(&self, now: DateTime<Utc>) -> Option<BackStep> {
        if self.search.is_some() {
            Some(BackStep::Search)
        } else if self.back_to.is_some() {
            Some(BackStep::Context)
        } else if self.led_from.is_some() {
            Some(BackStep::Led)
        } else if self.here() != OpenAt::Newest && !self.has_ended(now) {
            Some(BackStep::Follow)
        } else if self.filter.stretch.is_some() {
            Some(BackStep::Stretch)
        } else if !self.filter.is_empty() {
            Some(BackStep::Filter)
        } else {
            None
        }
    }

    /// The moment that the timeline has to show: that of the selected record, or
    /// of the stretch that is shown. None while it goes on with the time.
    pub fn moment(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let ended = self.filter.stretch.filter(|_| self.has_ended(now));
        if self.cursor.is_none() && ended.is_none() {
            return None;
        }
        self.selected().map(|line| line.ts()).or_else(|| ended.map(|stretch| stretch.since))
    }
}
