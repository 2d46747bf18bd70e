//! The timeline: how much was logged when, and how one moves through it.
//!
//! Its counts come from the log when it is opened, zoomed or moved; from then on
//! what arrives is counted here, so that it lives without being asked for again.

mod walk;

use super::filter::Stretch;
use crate::model::{Histogram, PARTS};
use chrono::{DateTime, TimeDelta, Utc};
use shared::wire::log::Hits;

/// The lengths of a part in seconds, one for each zoom: from a minute in all to a
/// month.
const STEPS_S: [u32; 8] = [1, 5, 15, 60, 360, 1_440, 10_080, 43_200];
/// The zoom at first: an hour.
const ZOOM: usize = 3;
/// After so long the counts are asked for anew: while the log was away, records
/// came that nobody counted here.
const FRESH_S: i64 = 60;
/// After so long they are asked for again where they did not come.
const RETRY_S: i64 = 5;

/// The length of a part in seconds.
fn step_s(zoom: usize) -> u32 {
    STEPS_S.get(zoom).copied().unwrap_or(60)
}

fn signed(part: usize) -> i64 {
    i64::try_from(part).unwrap_or(i64::MAX)
}

/// What is to be counted: parts of `step_s` seconds from `since` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HitsSpan {
    /// Where the first part begins.
    pub since: DateTime<Utc>,
    /// Where the last part ends.
    pub until: DateTime<Utc>,
    /// The length of a part in seconds.
    pub step_s: u32,
}

/// How much was logged when.
#[derive(Debug, Clone)]
pub struct Timeline {
    zoom: usize,
    /// What was counted.
    pub histogram: Histogram,
    /// Whether its end is now, and goes on with it.
    pub slides: bool,
    /// The part that keys act upon, while they do.
    pub cursor: Option<usize>,
    /// Where a selection of several parts began.
    pub anchor: Option<usize>,
    /// When the counts were asked for last.
    asked_at: Option<DateTime<Utc>>,
    /// Counts up with every question: what answers an older one is dropped.
    pub asked: u64,
    /// Whether the counts are here.
    pub known: bool,
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            zoom: ZOOM,
            histogram: Histogram::new(step_s(ZOOM), 0),
            slides: true,
            cursor: None,
            anchor: None,
            asked_at: None,
            asked: 0,
            known: false,
        }
    }
}

impl Timeline {
    /// The stretch of time from one part to another, both of them in it.
    pub fn stretch(&self, from: usize, to: usize) -> Stretch {
        Stretch {
            since: self.histogram.begin_of(from.min(to)),
            until: self.histogram.begin_of(from.max(to) + 1),
        }
    }

    /// The stretch that is selected.
    pub fn selected(&self) -> Option<Stretch> {
        let cursor = self.cursor?;
        Some(self.stretch(self.anchor.unwrap_or(cursor), cursor))
    }

    /// Whether a part is selected.
    pub fn is_selected(&self, part: usize) -> bool {
        let Some(cursor) = self.cursor else { return false };
        let anchor = self.anchor.unwrap_or(cursor);
        (cursor.min(anchor)..=cursor.max(anchor)).contains(&part)
    }

    /// Moves its end to now, where it slides. True where something moved.
    pub fn slide(&mut self, now: DateTime<Utc>) -> bool {
        let parts = self.histogram.last_first(now) - self.histogram.first();
        if !self.slides || parts == 0 {
            return false;
        }
        self.shift(parts);
        true
    }

    /// Moves by so many parts; those that come into sight are not counted yet.
    fn shift(&mut self, by: i64) {
        self.histogram.shift(by);
        let moved = |part: usize| {
            let part = signed(part).saturating_sub(by);
            usize::try_from(part.max(0)).unwrap_or(0).min(PARTS - 1)
        };
        self.cursor = self.cursor.map(moved);
        self.anchor = self.anchor.map(moved);
    }

    /// What to count now, if the counts are old or were never asked for.
    pub fn ask(&mut self, now: DateTime<Utc>) -> Option<HitsSpan> {
        let fresh = |at: DateTime<Utc>| (0..FRESH_S).contains(&(now - at).num_seconds());
        if self.asked_at.is_some_and(fresh) {
            return None;
        }
        self.slide(now);
        self.asked_at = Some(now);
        self.asked += 1;
        let counted = &self.histogram;
        Some(HitsSpan {
            since: counted.begin_of(0),
            until: counted.begin_of(PARTS),
            step_s: counted.step_s(),
        })
    }

    /// Asks anew soon: the counts did not come.
    pub fn retry(&mut self, now: DateTime<Utc>) {
        self.asked_at = now.checked_sub_signed(TimeDelta::seconds(FRESH_S - RETRY_S));
    }

    /// Asks anew at the next opportunity.
    pub const fn outdate(&mut self) {
        self.asked_at = None;
    }

    /// Begins anew, as another filter has other counts.
    pub fn clear(&mut self) {
        self.begin(self.histogram.first());
    }

    /// Begins anew at a part, as other parts have other counts.
    fn begin(&mut self, first: i64) {
        self.histogram = Histogram::new(step_s(self.zoom), first);
        self.known = false;
        self.outdate();
    }

    /// Takes the log's counts.
    pub fn told(&mut self, hits: &Hits) {
        self.histogram.told(hits);
        self.known = true;
    }

    /// Ends at now where it would go beyond it.
    fn settle(&mut self, now: DateTime<Utc>) {
        let by = self.histogram.last_first(now) - self.histogram.first();
        if by <= 0 {
            self.shift(by);
            self.slides = true;
        }
        self.outdate();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Gravity;
    use shared::wire::log::Level;

    pub(super) fn now() -> DateTime<Utc> {
        "2026-11-22T10:42:07Z".parse().unwrap()
    }

    pub(super) fn asked() -> Timeline {
        let mut timeline = Timeline::default();
        timeline.ask(now()).unwrap();
        timeline
    }

    #[test]
    fn it_shows_the_last_hour_and_goes_on_with_the_time() {
        let mut timeline = asked();
        let stretch = timeline.stretch(0, PARTS - 1);
        assert_eq!(stretch.since, "2026-11-22T09:43:00Z".parse::<DateTime<Utc>>().unwrap());
        assert_eq!(stretch.until, "2026-11-22T10:43:00Z".parse::<DateTime<Utc>>().unwrap());
        timeline.histogram.count(now().timestamp_nanos_opt().unwrap(), Level::Fatal);
        timeline.histogram.count(0, Level::Info);
        assert_eq!(timeline.histogram.counts(Gravity::Bad).last(), Some(1));
        assert_eq!(timeline.histogram.counts(Gravity::Rest).sum::<u64>(), 0, "long ago");
        assert!(!timeline.slide(now()));
        assert!(timeline.slide(now() + TimeDelta::minutes(2)));
        assert_eq!(timeline.histogram.counts(Gravity::Bad).nth(PARTS - 3), Some(1));
    }

    #[test]
    fn what_the_log_counted_is_taken_and_asked_for_again_only_after_a_while() {
        let mut timeline = asked();
        assert_eq!(timeline.ask(now()), None);
        let hits = serde_json::json!({"step_seconds": 60, "total": 9, "series": [
            {"by": {"level": "error"}, "points": [["2026-11-22T10:42:00Z", 2], ["2026-11-22T08:00:00Z", 9]]},
            {"by": {"level": "debug"}, "points": [["2026-11-22T09:43:00Z", 5]]},
        ]});
        timeline.told(&serde_json::from_value(hits).unwrap());
        assert_eq!(timeline.histogram.counts(Gravity::Bad).sum::<u64>(), 2);
        assert_eq!(timeline.histogram.counts(Gravity::Rest).next(), Some(5));
        assert!(timeline.ask(now() + TimeDelta::seconds(61)).is_some());
    }

    #[test]
    fn a_selection_reaches_from_where_it_began_to_the_cursor() {
        let mut timeline = asked();
        timeline.step(-10, now());
        timeline.anchor = timeline.cursor;
        timeline.step(-5, now());
        let stretch = timeline.selected().unwrap();
        assert_eq!(stretch.until - stretch.since, TimeDelta::minutes(6));
        assert!(timeline.is_selected(PARTS - 13) && !timeline.is_selected(PARTS - 10));
    }
}
