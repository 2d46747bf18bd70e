//! The log: the records that are held, and how one looks at them.
//!
//! Held is a window of the log as the filter shows it, without a gap. While the
//! log is followed, the window ends at the newest record; whoever scrolls back
//! moves it, and what falls out at its other end is fetched again when it is
//! needed. Records are held in the order of their sequence, so the cursor is a
//! sequence: it stays on its record whatever arrives or is dropped around it.

mod back;
mod block;
mod complete;
mod detail;
mod facets;
mod fields;
mod filter;
mod lines;
mod moment;
mod packed;
mod prompt;
mod search;
mod timeline;

pub use back::BackStep;
pub use block::Line;
pub use complete::complete;
pub use detail::{BESIDE_FROM, LINES_MAX as DETAIL_LINES_MAX, RecordDetail, RecordField};
pub use facets::Facet;
pub use fields::decoded;
pub use filter::{Filter, Levels, ServiceFilter, Stretch, term};
pub use lines::Lines;
pub use moment::parse as parse_moment;
pub use prompt::{Completion, Prompt, PromptKind, RECENT_MAX, Recent};
pub use search::{Found, Seek, Sought, holds, nearest};
pub use timeline::{HitsSpan, Timeline};

use super::Selected;
use chrono::{DateTime, Utc};
use packed::Packer;
use std::collections::BTreeSet;

/// How many records are held; those farthest from where one looks give way.
pub const LINES_MAX: usize = 50_000;
/// How many bytes of records are held, unpacked, as a bound on memory.
pub const BYTES_MAX: usize = 16 << 20;
/// How many records can be marked.
pub const MARKS_MAX: usize = 1_000;
/// This close to an end of what is held, in rows, what lies beyond is fetched.
const NEAR: usize = 200;

/// Which of the two feeds of records: the log tab's, which has a filter, or
/// the overview's errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFeed {
    /// What the log tab shows.
    Lines,
    /// Errors, for the overview.
    Errors,
}

/// A side of what is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Towards the beginning of the log.
    Older,
    /// Towards its end.
    Newer,
}

/// Whether the log goes on beyond what is held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Edge {
    /// Perhaps.
    More,
    /// It is being asked for.
    Loading,
    /// No: the end is held.
    #[default]
    End,
}

/// Where a log is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenAt {
    /// At its newest record, which is then followed.
    Newest,
    /// At its oldest record.
    Oldest,
    /// At the record of this sequence, or the next.
    Seq(u64),
    /// At the first record from this moment on.
    Time(DateTime<Utc>),
}

/// A stretch of the log, as it is opened.
#[derive(Debug, Clone, Default)]
pub struct Opened {
    /// Its records.
    pub lines: Lines,
    /// The record to look at; none follows the newest.
    pub at: Option<u64>,
    /// Whether there is more before them.
    pub older: bool,
    /// Whether there is more after them.
    pub newer: bool,
}

/// What became of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marked {
    /// The record is marked.
    Now,
    /// It is not marked any more.
    NoMore,
    /// No other record can be marked.
    Full,
}

/// Where one was, to come back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The filter.
    pub filter: Filter,
    /// The record; none where the newest was followed.
    pub cursor: Option<u64>,
}

/// The state of the log tab.
#[derive(Debug, Clone, Default)]
pub struct LogPane {
    /// Counts up whenever the log is opened anew: what arrives for an older
    /// generation is dropped.
    pub generation: u64,
    /// Which records are shown.
    pub filter: Filter,
    /// The filter that is being tried.
    pub wanted: Option<Filter>,
    /// Where it is to be opened once that is accepted; else where one is.
    pub open_at: Option<OpenAt>,
    /// Where the log is being opened: what is held is of before.
    pub opening: Option<OpenAt>,
    lines: Lines,
    packer: Packer,
    /// The record that is selected; none while the log is followed.
    pub cursor: Option<u64>,
    /// How many arrived since the log was paused.
    pub arrived: u64,
    /// How many this console was too slow for.
    pub missed: u64,
    /// The last record that arrived, held or not.
    told: u64,
    /// By how many cells the messages are scrolled sideways.
    pub shift: usize,
    /// Whether long lines are wrapped.
    pub wrap: bool,
    /// The text whose matches are marked.
    pub search: Option<String>,
    /// The match that was gone to last.
    pub found: Option<Found>,
    /// The record that is looked at in full.
    pub detail: Option<RecordDetail>,
    /// The line of input, while one is open.
    pub prompt: Option<Prompt>,
    /// The level or service that is selected, while they are listed.
    pub facet: Option<Selected<Facet>>,
    /// How much was logged when.
    pub timeline: Timeline,
    /// Whether there are older records than those held.
    pub older: Edge,
    /// Whether there are newer records than those held.
    pub newer: Edge,
    /// The records that were marked.
    pub marks: BTreeSet<u64>,
    /// The queries that were typed last.
    pub recent_filters: Recent,
    /// The texts that were searched for last.
    pub recent_searches: Recent,
    /// Where one was before looking at a record's context.
    pub back_to: Option<Spot>,
    /// Where one was before another screen led here, to a service's log.
    pub led_from: Option<Spot>,
}

impl LogPane {
    /// The records that are held, oldest first.
    pub const fn lines(&self) -> &Lines {
        &self.lines
    }

    /// Whether new records are shown as they arrive.
    pub const fn is_following(&self) -> bool {
        self.cursor.is_none()
    }

    /// The row of the selected record, or of the newest while following.
    pub fn index(&self) -> Option<usize> {
        let last = self.lines.len().checked_sub(1)?;
        Some(self.cursor.map_or(last, |seq| self.lines.row_of(seq).min(last)))
    }

    /// The selected record, or the newest while following.
    pub fn selected(&self) -> Option<Line<'_>> {
        self.lines.get(self.index()?)
    }

    /// Takes what was opened in place of what was held.
    pub fn open(&mut self, opened: Opened) {
        if self.opening.is_none() {
            // Nobody asked: the log has begun anew, and its sequences with it.
            self.marks.clear();
            self.back_to = None;
        }
        let edge = |more| if more { Edge::More } else { Edge::End };
        self.opening = None;
        (self.older, self.newer) = (edge(opened.older), edge(opened.newer));
        self.lines = opened.lines;
        self.told = self.lines.last().map_or(0, |line| line.seq);
        (self.arrived, self.missed) = (0, 0);
        self.cursor = opened.at;
        // Where no record passes the filter, the place is kept nonetheless.
        self.cursor = opened.at.map(|at| self.selected().map_or(at, |line| line.seq));
        self.trim();
    }

    /// Takes records that arrived: they are held where the window ends with the
    /// log, and only counted where it does not.
    pub fn push(&mut self, arrived: &Lines, missed: u64) {
        if missed > 0 {
            self.missed = self.missed.saturating_add(missed);
            self.part();
        }
        let told = self.told;
        for line in arrived.iter().filter(|line| line.seq > told) {
            self.told = line.seq;
            self.arrived += u64::from(self.cursor.is_some());
            if self.newer == Edge::End {
                self.lines.push(&line);
                self.trim();
            }
            self.timeline.histogram.count(line.ts_ns, line.level);
        }
        // While what arrived is still there: what is packed stays for long, and
        // would cut up the room that it leaves.
        self.pack();
    }

    /// Records were passed over: what is held stays without a gap. Whoever follows
    /// goes on behind it; whoever has scrolled back comes to it in time.
    fn part(&mut self) {
        if self.newer != Edge::End {
            return;
        }
        if self.cursor.is_none() {
            self.lines = Lines::default();
            self.older = Edge::More;
        } else {
            self.newer = Edge::More;
        }
    }

    /// Takes a page that was asked for from one end of what is held. A page that
    /// does not fit there any more is dropped.
    pub fn push_page(&mut self, side: Side, from: u64, page: &Lines, more: bool) {
        let end = match side {
            Side::Older => self.lines.first(),
            Side::Newer => self.lines.last(),
        };
        let fits = end.is_some_and(|end| end.seq == from);
        match side {
            Side::Older => {
                self.older = if more || !fits { Edge::More } else { Edge::End };
                if fits {
                    self.lines.push_older(page);
                }
            }
            Side::Newer => {
                if fits {
                    page.iter().for_each(|line| self.lines.push(&line));
                }
                // What arrived meanwhile was counted, not held.
                let last = self.lines.last().map_or(0, |line| line.seq);
                self.newer = if more || !fits || self.told > last { Edge::More } else { Edge::End };
            }
        }
        self.trim();
    }

    /// Lets go of what is too much, at the end that is farther from the cursor.
    fn trim(&mut self) {
        if !self.is_full() {
            return;
        }
        let mut row = self.index().unwrap_or(0);
        while self.is_full() && self.lines.len() > 1 {
            if self.cursor.is_none() || row * 2 >= self.lines.len() {
                self.lines.drop_first();
                self.older = if self.older == Edge::Loading { Edge::Loading } else { Edge::More };
                row = row.saturating_sub(1);
            } else {
                self.lines.drop_last();
                self.newer = if self.newer == Edge::Loading { Edge::Loading } else { Edge::More };
            }
        }
    }

    /// Packs what is not looked at: done after every change.
    pub fn pack(&mut self) {
        self.lines.pack(&mut self.packer);
    }

    fn is_full(&self) -> bool {
        self.lines.len() > LINES_MAX || self.lines.bytes() > BYTES_MAX
    }

    /// The side on which what lies beyond is needed now, with the record at that
    /// end; it counts as being asked for from then on.
    pub fn needed(&mut self) -> Option<(Side, u64)> {
        let row = self.index().filter(|_| self.opening.is_none())?;
        // Of long records few are held: their ends are not always near.
        let is_roomy = self.lines.bytes() < BYTES_MAX / 2;
        let near = if is_roomy { NEAR } else { NEAR.min(self.lines.len() / 4 + 1) };
        if self.older == Edge::More && row < near && self.cursor.is_some() {
            self.older = Edge::Loading;
            return self.lines.first().map(|line| (Side::Older, line.seq));
        }
        if self.newer == Edge::More && row + near >= self.lines.len() {
            self.newer = Edge::Loading;
            return self.lines.last().map(|line| (Side::Newer, line.seq));
        }
        None
    }

    /// Pauses at a row.
    pub fn pause(&mut self, row: usize) {
        if let Some(line) = self.lines.get(row) {
            if self.cursor.is_none() {
                self.arrived = 0;
            }
            self.cursor = Some(line.seq);
        }
    }

    /// Follows the log; false where its end is not held and has to be opened.
    pub fn follow(&mut self) -> bool {
        if self.newer == Edge::End {
            (self.cursor, self.arrived) = (None, 0);
        }
        self.newer == Edge::End
    }

    /// Marks the selected record, or takes the mark away.
    pub fn mark(&mut self) -> Option<Marked> {
        let seq = self.selected()?.seq;
        Some(if self.marks.remove(&seq) {
            Marked::NoMore
        } else if self.marks.len() < MARKS_MAX {
            self.marks.insert(seq);
            Marked::Now
        } else {
            Marked::Full
        })
    }

    /// The next mark upwards, round to the last.
    pub fn marked_before(&self) -> Option<u64> {
        let here = self.selected().map_or(u64::MAX, |line| line.seq);
        self.marks.range(..here).next_back().or_else(|| self.marks.last()).copied()
    }
}
