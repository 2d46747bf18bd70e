//! The walk through the timeline: its cursor, and what comes into sight.

use super::{STEPS_S, Timeline, signed, step_s};
use crate::model::PARTS;
use chrono::{DateTime, TimeDelta, Utc};

impl Timeline {
    /// Moves the cursor as far as an end; from there the time moves on by half of
    /// what is seen.
    pub fn step(&mut self, by: isize, now: DateTime<Utc>) {
        let from = self.cursor.unwrap_or(PARTS - 1);
        let wanted = signed(from).saturating_add(i64::try_from(by).unwrap_or(0));
        self.set_cursor(wanted);
        let beyond = match (by, from) {
            (..=-1, 0) => -1,
            (1.., from) if from == PARTS - 1 && !self.slides => 1,
            _ => return,
        };
        let before = self.histogram.first();
        self.slides = false;
        self.shift(beyond * (PARTS as i64 / 2));
        self.settle(now);
        // What is left to see may have been less than that.
        self.set_cursor(wanted.saturating_sub(self.histogram.first() - before));
    }

    /// To the first part that is shown.
    pub fn to_begin(&mut self) {
        self.cursor = Some(0);
    }

    /// To now.
    pub fn to_now(&mut self, now: DateTime<Utc>) {
        if !self.slides {
            self.anchor = None;
            self.keep(None, now);
        }
        self.cursor = Some(PARTS - 1);
    }

    fn set_cursor(&mut self, part: i64) {
        self.cursor = Some(usize::try_from(part.max(0)).unwrap_or(0).min(PARTS - 1));
    }

    /// The part that a moment is in, where it is shown.
    pub fn part_of(&self, at: DateTime<Utc>) -> Option<usize> {
        self.histogram.part_of(at.timestamp())
    }

    /// Keeps a moment in sight; without one it ends at now again.
    pub fn keep(&mut self, at: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        let half = PARTS as i64 / 2;
        let number_of = |at: DateTime<Utc>| self.histogram.number_of(at.timestamp());
        let first = match at {
            Some(at) if self.part_of(at).is_none() => number_of(at) - half,
            None if !self.slides => number_of(now),
            _ => return,
        };
        self.slides = false;
        self.begin(first);
        self.settle(now);
    }

    /// Moves the cursor to a moment.
    pub fn go(&mut self, at: DateTime<Utc>, now: DateTime<Utc>) {
        if self.part_of(at).is_none() {
            self.anchor = None;
        }
        self.keep(Some(at), now);
        self.cursor = Some(self.part_of(at).unwrap_or(PARTS - 1));
    }

    /// Closer to the cursor, or farther from it.
    pub fn zoom(&mut self, closer: bool, now: DateTime<Utc>) {
        let zoom = if closer { self.zoom.checked_sub(1) } else { Some(self.zoom + 1) };
        let Some(zoom) = zoom.filter(|zoom| *zoom < STEPS_S.len()) else { return };
        let cursor = self.cursor.unwrap_or(PARTS - 1);
        let half = TimeDelta::seconds(i64::from(self.histogram.step_s()) / 2);
        let at = self.histogram.begin_of(cursor) + half;
        self.zoom = zoom;
        self.anchor = None;
        self.slides = false;
        self.begin(at.timestamp().div_euclid(i64::from(step_s(zoom))) - PARTS as i64 / 2);
        self.settle(now);
        self.cursor = self.cursor.map(|_| self.part_of(at).unwrap_or(PARTS - 1));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{asked, now};
    use super::*;

    #[test]
    fn the_cursor_moves_through_time_as_far_back_as_one_likes_and_no_further_than_now() {
        let mut timeline = asked();
        timeline.step(0, now());
        timeline.step(1, now());
        assert_eq!((timeline.cursor, timeline.slides), (Some(PARTS - 1), true));
        timeline.step(-(PARTS as isize), now());
        assert_eq!((timeline.cursor, timeline.slides), (Some(0), true));
        let begin = timeline.histogram.begin_of(0);
        timeline.step(-1, now());
        assert_eq!(timeline.histogram.begin_of(timeline.cursor.unwrap()), begin - TimeDelta::minutes(1));
        assert!(!timeline.slides);
        for _ in 0..200 {
            timeline.step(1, now());
        }
        assert!(timeline.slides);
        assert_eq!(
            timeline.stretch(0, PARTS - 1).until,
            "2026-11-22T10:43:00Z".parse::<DateTime<Utc>>().unwrap()
        );
    }

    #[test]
    fn any_step_from_anywhere_ends_within_what_is_shown() {
        for zoom in [false, true] {
            for cursor in [0, 1, 29, 30, 58, PARTS - 1] {
                for by in -200..200 {
                    let mut timeline = asked();
                    timeline.cursor = Some(0);
                    timeline.step(-40, now());
                    if zoom {
                        timeline.zoom(true, now());
                    }
                    timeline.cursor = Some(cursor);
                    timeline.step(by, now());
                    assert!(timeline.cursor.is_some_and(|cursor| cursor < PARTS), "{cursor} {by}");
                    assert!(timeline.histogram.begin_of(PARTS - 1) <= now(), "{cursor} {by}");
                }
            }
        }
        let mut timeline = asked();
        timeline.cursor = Some(0);
        timeline.step(-1, now());
        assert!(!timeline.slides);
        timeline.to_now(now());
        assert_eq!((timeline.cursor, timeline.slides), (Some(PARTS - 1), true));
    }

    #[test]
    fn a_zoom_keeps_the_cursor_at_its_time() {
        let mut timeline = asked();
        timeline.step(-20, now());
        let at = timeline.selected().unwrap();
        for closer in [true, true, true, true, false, false, false] {
            timeline.zoom(closer, now());
            let selected = timeline.selected().unwrap();
            assert!(selected.since < at.until && at.since < selected.until, "{selected:?}");
        }
        assert_eq!(timeline.histogram.step_s(), 60);
        for _ in 0..20 {
            timeline.zoom(false, now());
        }
        assert_eq!(timeline.histogram.step_s(), 43_200);
        assert!(timeline.histogram.begin_of(PARTS) > now() && timeline.slides);
    }
}
