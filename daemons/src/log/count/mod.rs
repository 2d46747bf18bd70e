//! Counting instead of listing: over time, and by label.
//!
//! What an index knows is summed up: by its rollup where a whole segment counts, by
//! block and minute, or by the columns where seconds matter. Text is read only where a
//! label is in no index, a kind of records may or may not match, or a bound cuts
//! through a second.

mod grouping;
mod rollup;
mod tally;

pub use grouping::Label;

use super::index::{Count, Index, Kinds};
use super::limits::WAVE_MAX;
use super::query::{Filter, Verdict};
use super::search::{Budget, Part, Reservation, Share, WAIT_MAX, parallel};
use super::store::{Block, Snapshot, View};
use super::time;
use chrono::DateTime;
use grouping::Grouping;
use shared::wire::log::{Group, Hits, Series, Stats};
use std::io::ErrorKind;
use std::sync::Arc;
use tally::Tally;

const NS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_MINUTE: i64 = 60;

/// Counts by label, the largest groups first.
pub fn stats(snapshot: &Snapshot, filter: &Filter, by: &[Label], limit: usize, budget: &Budget) -> Stats {
    let grouping = Grouping { by, step_seconds: None };
    let tally = count(snapshot, filter, grouping, budget);
    let (total, partial) = (tally.total, tally.partial);
    let mut counts: Vec<(Vec<u8>, u64)> =
        tally.into_counts().map(|(key, points)| (key, points.into_values().sum())).collect();
    counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(limit);
    let groups = counts.into_iter().map(|(key, count)| Group { by: grouping.labels(&key), count }).collect();
    Stats { total, groups, partial }
}

/// Counts over time, in steps of whole seconds aligned to 1970.
pub fn hits(snapshot: &Snapshot, filter: &Filter, by: &[Label], step_seconds: i64, budget: &Budget) -> Hits {
    let grouping = Grouping { by, step_seconds: Some(step_seconds) };
    let tally = count(snapshot, filter, grouping, budget);
    let (total, partial) = (tally.total, tally.partial);
    let at = |step: i64| {
        let ns = step.saturating_mul(step_seconds).saturating_mul(NS_PER_SECOND);
        DateTime::from_timestamp_nanos(ns.max(time::MIN_NS))
    };
    let mut counts: Vec<_> = tally.into_counts().collect();
    counts.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let series = counts.into_iter().map(|(key, points)| Series {
        by: grouping.labels(&key),
        points: points.into_iter().map(|(step, count)| (at(step), count)).collect(),
    });
    Hits { step_seconds: step_seconds.unsigned_abs(), total, series: series.collect(), partial }
}

fn count(snapshot: &Snapshot, filter: &Filter, grouping: Grouping<'_>, budget: &Budget) -> Tally {
    let mut tally = Tally::default();
    let mut reservation = budget.memory.reservation();
    let mut opened: Vec<&View> = Vec::new();
    for view in snapshot {
        if budget.is_spent() || rollup::count(view, filter, grouping, &mut tally).is_none() {
            opened.push(view);
        }
        if !reservation.try_resize(tally.cost()) {
            tally.close();
        }
    }
    // A few segments at a time, and a few of their blocks: what is open, and what
    // was counted but not summed up yet, stays small.
    for views in opened.chunks(WAVE_MAX) {
        let mut texts: Vec<(Arc<Part>, usize)> = Vec::new();
        for of_view in parallel::map(views, |view, _| count_segment(view, filter, grouping, budget)) {
            tally.merge(of_view.tally);
            if let Some(part) = of_view.part.map(Arc::new) {
                texts.extend(of_view.texts.into_iter().map(|at| (Arc::clone(&part), at)));
            }
        }
        let mut texts = texts.as_slice();
        while !texts.is_empty() {
            let width = reserve_texts(&mut reservation, &tally, texts, grouping);
            if width == 0 {
                tally.partial = true;
                return tally;
            }
            let (wave, later) = texts.split_at(width);
            let count = |(part, at): &(Arc<Part>, usize), text: &mut Vec<u8>| {
                count_text(part, *at, filter, grouping, budget, text)
            };
            parallel::map(wave, count).into_iter().for_each(|of_block| tally.merge(of_block));
            texts = later;
        }
        if !reservation.try_resize(tally.cost()) {
            tally.close();
        }
    }
    tally
}

/// Reserves memory for the next blocks of which the text is counted: how many. None
/// when there is none.
fn reserve_texts(
    reservation: &mut Reservation,
    tally: &Tally,
    texts: &[(Arc<Part>, usize)],
    grouping: Grouping<'_>,
) -> usize {
    let mut width = texts.len().min(WAVE_MAX);
    loop {
        let blocks = texts.iter().take(width).filter_map(|(part, at)| part.reading().blocks().get(*at));
        let (mut buffer, mut counted) = (0, 0);
        for block in blocks {
            buffer = buffer.max(block.len + block.stored_len);
            // By what kinds have in common there are few keys.
            counted += if grouping.is_by_kind() { 0 } else { block.len };
        }
        let len = tally.cost() + parallel::threads().min(width) * buffer + counted;
        if width <= 1 {
            return usize::from(reservation.resize(len, WAIT_MAX));
        }
        if reservation.try_resize(len) {
            return width;
        }
        width /= 2;
    }
}

/// What a segment's index counted, and the blocks of which the text is to be read.
#[derive(Default)]
struct Counted {
    tally: Tally,
    part: Option<Part>,
    texts: Vec<usize>,
}

fn count_segment(view: &View, filter: &Filter, grouping: Grouping<'_>, budget: &Budget) -> Counted {
    let mut counted = Counted::default();
    if budget.is_spent() {
        counted.tally.partial = true;
        return counted;
    }
    let part = match Part::to_count(view, filter) {
        Ok(None) => return counted,
        Ok(Some(part)) => part,
        // Deleted since the snapshot was taken: its time had come.
        Err(error) if error.kind() == ErrorKind::NotFound => return counted,
        Err(error) => {
            tracing::error!("segment {} cannot be read: {error}", view.base());
            counted.tally.partial = true;
            return counted;
        }
    };
    let indexed = part.index().filter(|(_, verdicts)| grouping.is_by_kind() && !verdicts.is_empty());
    match indexed {
        None => counted.texts = part.candidates(filter).map(|(at, _)| at).collect(),
        Some((index, verdicts)) => {
            let of_kinds = index.kinds().map(|kinds| {
                let keys = grouping.keys(kinds.sources());
                OfKinds { index, kinds, verdicts, keys, grouping }
            });
            let Ok(of_kinds) = of_kinds.inspect_err(|error| part.reading().note_index(error)) else {
                counted.texts = part.candidates(filter).map(|(at, _)| at).collect();
                counted.part = Some(part);
                return counted;
            };
            if of_kinds.add_whole(&part, filter, &mut counted.tally).is_none() {
                for (at, block) in part.candidates(filter) {
                    if of_kinds.add_block(&part, at, block, filter, &mut counted.tally).is_none() {
                        counted.texts.push(at);
                    }
                }
            }
        }
    }
    counted.part = Some(part).filter(|_| !counted.texts.is_empty());
    counted
}

/// Counting by what an index knows.
struct OfKinds<'a> {
    index: &'a Index,
    kinds: &'a Kinds,
    verdicts: &'a [Verdict],
    /// The keys under which kinds are counted.
    keys: grouping::Keys,
    grouping: Grouping<'a>,
}

impl OfKinds<'_> {
    /// Counts the whole segment, if that can be done by its totals.
    fn add_whole(&self, part: &Part, filter: &Filter, tally: &mut Tally) -> Option<()> {
        let blocks = part.reading().blocks();
        let is_sure = self.grouping.step_seconds.is_none()
            && self.index.blocks() == blocks.len()
            && self.kinds.unknown() == 0
            && self.verdicts.len() == self.kinds.len()
            && self.verdicts.iter().all(|verdict| *verdict != Verdict::Maybe)
            && blocks.iter().all(|block| filter.bounds.cover(block));
        if !is_sure {
            return None;
        }
        for ((kind, (_, total)), verdict) in (0..).zip(self.kinds.iter()).zip(self.verdicts) {
            if *verdict == Verdict::Yes {
                tally.add(self.keys.of(self.kinds, kind), 0, total);
            }
        }
        Some(())
    }

    /// Counts a block, if that can be done without its text.
    fn add_block(
        &self,
        part: &Part,
        at: usize,
        block: &Block,
        filter: &Filter,
        tally: &mut Tally,
    ) -> Option<()> {
        match part.share(at) {
            Share::None => Some(()),
            _ if at >= self.index.blocks() => None,
            Share::Unknown => None,
            Share::Kinds => {
                let by_minutes = self.grouping.step_seconds.is_none_or(|step| step % SECONDS_PER_MINUTE == 0);
                if by_minutes && filter.bounds.cover(block) {
                    return self.add_minutes(part, at, tally);
                }
                self.add_seconds(part, at, block, filter, tally)
            }
        }
    }

    fn add_minutes(&self, part: &Part, at: usize, tally: &mut Tally) -> Option<()> {
        // The entries of one minute come together: they are summed up by key first.
        let mut sums = vec![0_u64; self.keys.len()];
        let mut current = i64::MIN;
        let mut flush = |minute: i64, sums: &mut [u64]| {
            let step = self.grouping.step(minute.saturating_mul(SECONDS_PER_MINUTE));
            for (key, sum) in sums.iter_mut().enumerate().filter(|(_, sum)| **sum > 0) {
                tally.add(self.keys.get(key), step, std::mem::take(sum));
            }
        };
        let counted = self.index.counts(at, |Count { minute, kind, count }| {
            if minute != current {
                flush(current, &mut sums);
                current = minute;
            }
            if self.verdicts.get(usize::from(kind)) == Some(&Verdict::Yes)
                && let Some(sum) = sums.get_mut(self.keys.number(self.kinds, kind))
            {
                *sum += u64::from(count);
            }
        });
        flush(current, &mut sums);
        // Nothing was counted when this failed.
        counted.inspect_err(|error| part.reading().note_index(error)).ok()
    }

    /// Counts by the columns; not if a bound cuts through a second in which
    /// there are records.
    fn add_seconds(
        &self,
        part: &Part,
        at: usize,
        block: &Block,
        filter: &Filter,
        tally: &mut Tally,
    ) -> Option<()> {
        let columns = self.index.columns(at).inspect_err(|error| part.reading().note_index(error)).ok()?;
        let whole = filter.bounds.whole_seconds();
        let cut = |second: i64| !whole.contains(&second) && filter.bounds.touch_second(second);
        if columns.seconds.iter().any(|second| cut(*second)) {
            return None;
        }
        for ((seq, kind), second) in block.seqs().zip(&columns.kinds).zip(&columns.seconds) {
            let counts =
                whole.contains(second) && (filter.bounds.seqs.0..filter.bounds.seqs.1).contains(&seq);
            if counts && part.verdict(*kind) == Verdict::Yes {
                tally.add(self.keys.of(self.kinds, *kind), self.grouping.step(*second), 1);
            }
        }
        Some(())
    }
}

fn count_text(
    part: &Part,
    at: usize,
    filter: &Filter,
    grouping: Grouping<'_>,
    budget: &Budget,
    text: &mut Vec<u8>,
) -> Tally {
    let mut tally = Tally::default();
    if budget.is_spent() {
        tally.partial = true;
        return tally;
    }
    let mut key = Vec::new();
    let visited = part.visit(at, filter, text, |_, _, line| {
        key.clear();
        grouping.key_of_line(line, &mut key);
        tally.add(&key, grouping.step(line.ts_ns.div_euclid(NS_PER_SECOND)), 1);
    });
    tally.partial |= visited.is_err();
    tally
}
