//! Counting whole segments by their rollups, which stay in memory.

use super::grouping::Grouping;
use super::tally::Tally;
use crate::log::query::{Filter, Verdict};
use crate::log::store::View;

/// Counts a segment, if its rollup tells all that is wanted: when it lies within
/// the bounds of the filter, the filter asks for nothing but level and service, and
/// the counts are by level, service and steps that are no shorter than those of the
/// rollup.
pub fn count(view: &View, filter: &Filter, grouping: Grouping<'_>, tally: &mut Tally) -> Option<()> {
    let bounds = view.bounds().ok()?;
    if !filter.bounds.meet(bounds.seqs, bounds.times) {
        return Some(());
    }
    let rollup = view.rollup()?;
    let verdicts: Vec<Verdict> =
        rollup.sources().iter().map(|of| filter.verdict_on_source(of.level, &of.service)).collect();
    if verdicts.iter().all(|verdict| *verdict == Verdict::No) {
        return Some(());
    }
    let is_known = grouping.is_by_kind()
        && !verdicts.contains(&Verdict::Maybe)
        && filter.bounds.cover_all(bounds.seqs, bounds.times);
    if !is_known {
        return None;
    }
    let matches = |source: usize| verdicts.get(source) == Some(&Verdict::Yes);
    let keys = grouping.keys(rollup.sources().iter().map(|of| (of.level, of.service.as_ref())));
    let Some(step_seconds) = grouping.step_seconds else {
        for (source, of) in rollup.sources().iter().enumerate().filter(|(source, _)| matches(*source)) {
            tally.add(keys.of_source(source), 0, of.total);
        }
        return Some(());
    };
    let unit_seconds = rollup.step_seconds()?;
    if step_seconds % unit_seconds != 0 {
        return None;
    }
    // The entries of one step come together: they are summed up by key first.
    let mut sums = vec![0_u64; keys.len()];
    let mut current = i64::MIN;
    let mut flush = |step: i64, sums: &mut [u64]| {
        for (key, sum) in sums.iter_mut().enumerate().filter(|(_, sum)| **sum > 0) {
            tally.add(keys.get(key), step, std::mem::take(sum));
        }
    };
    rollup.entries(|second, source, count| {
        let step = grouping.step(second);
        if step != current {
            flush(current, &mut sums);
            current = step;
        }
        if matches(source)
            && let Some(sum) = sums.get_mut(keys.number_of_source(source))
        {
            *sum += count;
        }
    });
    flush(current, &mut sums);
    Some(())
}
