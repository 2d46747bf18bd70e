//! When a frame may be drawn.
//!
//! Who presses a key sees what comes of it at once, unless a frame was drawn for
//! a key less than a sixtieth of a second ago; what the feeds bring is drawn at
//! most thirty times a second. That is never more than sixty frames a second in
//! all: between two keys that are `n` sixtieths apart, the feeds have at most
//! `n / 2` frames, and `n / 2 + 1` is no more than `n` from 2 on; where the keys
//! are closer, the feeds have none.

use std::time::Duration;
use tokio::time::Instant;

/// The shortest time between two frames that keys have asked for.
const KEYS: Duration = Duration::from_micros(16_667);
/// The shortest time from any frame to one that only feeds have asked for.
const FEEDS: Duration = Duration::from_micros(33_334);

/// When the last frames were drawn, and for whom the next one is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    drawn: Instant,
    drawn_for_key: Instant,
    for_key: bool,
}

impl Pace {
    /// Nothing was drawn yet.
    pub(crate) fn new(now: Instant) -> Self {
        // Whatever asks for the first frame has it at once.
        let before = now.checked_sub(FEEDS).unwrap_or(now);
        Self { drawn: before, drawn_for_key: before, for_key: false }
    }

    /// The operator did something: the next frame is for that.
    pub(crate) const fn hurry(&mut self) {
        self.for_key = true;
    }

    /// When the next frame may be drawn.
    pub(crate) fn next(&self) -> Instant {
        if self.for_key { self.drawn_for_key + KEYS } else { self.drawn + FEEDS }
    }

    /// A frame was drawn.
    pub(crate) fn drawn(&mut self, now: Instant) {
        self.drawn = now;
        if std::mem::take(&mut self.for_key) {
            self.drawn_for_key = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_obeyed_at_once_even_in_the_middle_of_a_flood() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert!(pace.next() <= start);
        pace.drawn(start);
        assert_eq!(pace.next(), start + FEEDS);
        let pressed = start + Duration::from_millis(1);
        pace.hurry();
        assert!(pace.next() <= pressed);
        pace.drawn(pressed);
        pace.hurry();
        assert_eq!(pace.next(), pressed + KEYS, "keys that are held down are drawn as fast as films");
    }

    #[test]
    fn there_are_never_more_than_sixty_frames_in_a_second() {
        // Keys at every pace, and feeds that always have news.
        for gap_ms in 1..120 {
            let start = Instant::now();
            let (mut pace, mut frames) = (Pace::new(start), 0);
            for ms in 0..10_000 {
                let now = start + Duration::from_millis(ms);
                if ms % gap_ms == 0 {
                    pace.hurry();
                }
                if pace.next() <= now {
                    pace.drawn(now);
                    frames += 1;
                }
            }
            assert!(frames <= 601, "{frames} frames in 10 s with keys every {gap_ms} ms");
        }
    }
}
