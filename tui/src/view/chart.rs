//! Charts out of block characters, which every font has. All have one scale: from
//! nothing, which is empty, by eighths of a cell; whatever is not nothing is seen.

/// The parts of a cell, by which a bar grows; the last is the whole of it.
const EIGHTHS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
/// How many there are.
const CELL: u64 = EIGHTHS.len() as u64;

/// The latency, in milliseconds, under which a chart does not magnify: the
/// difference between 1 ms and 2 ms is noise.
pub(super) const LATENCY_SCALE_MIN: u64 = 8;

/// A cell of which so many eighths are full.
pub(super) fn cell(eighths: u64) -> &'static str {
    match usize::try_from(eighths.min(CELL)).unwrap_or(0).checked_sub(1) {
        Some(at) => EIGHTHS.get(at).unwrap_or(&"█"),
        None => " ",
    }
}

/// How much of `full` eighths a sample fills, where `top` fills all of them.
fn filled(sample: u64, top: u64, full: u64) -> u64 {
    sample.saturating_mul(full).div_ceil(top.max(1)).min(full)
}

/// Bars of at most `height` lines, top line first: a sample a cell, the newest
/// last, as many as `cells` hold. What is missing is `×` in the lowest line.
pub(super) fn bars(samples: &[Option<u64>], cells: usize, height: u16, scale_min: u64) -> Vec<String> {
    let shown = samples.get(samples.len().saturating_sub(cells)..).unwrap_or_default();
    let top = top(shown, scale_min);
    let full = u64::from(height) * CELL;
    let bar = |sample: Option<u64>, line: u16| match sample {
        Some(sample) => cell(filled(sample, top, full).saturating_sub(u64::from(line) * CELL)),
        None if line == 0 => "×",
        None => " ",
    };
    (0..height).rev().map(|line| shown.iter().map(|sample| bar(*sample, line)).collect()).collect()
}

/// The value that a bar of full height stands for.
pub(super) fn top(samples: &[Option<u64>], scale_min: u64) -> u64 {
    samples.iter().flatten().copied().max().unwrap_or(0).max(scale_min).max(1)
}

/// The last `cells` latencies in one line; one that is missing is `·`.
pub(super) fn sparkline(
    samples: impl DoubleEndedIterator<Item = Option<u64>> + Clone,
    cells: usize,
) -> String {
    let last = samples.rev().take(cells);
    let top = last.clone().flatten().max().unwrap_or(0).max(LATENCY_SCALE_MIN);
    // An answer within the millisecond is an answer.
    let bar = |sample: Option<u64>| sample.map_or("·", |ms| cell(filled(ms.max(1), top, CELL)));
    let mut bars: Vec<&str> = last.map(bar).collect();
    bars.reverse();
    bars.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_grows_by_eighths_over_its_lines_and_a_failure_is_marked() {
        let samples = [Some(16), Some(8), Some(9), Some(0), None];
        assert_eq!(bars(&samples, 9, 2, 1), ["█ ▁  ", "███ ×"]);
        assert_eq!(bars(&samples, 2, 1, 1), [" ×"], "the newest");
        assert_eq!(bars(&[Some(1)], 9, 1, 8), ["▁"], "small differences are not magnified");
        assert_eq!(bars(&[], 9, 2, 1), ["", ""]);
    }

    #[test]
    fn a_sparkline_shows_its_last_samples_between_nothing_and_the_highest() {
        let samples = [Some(900), Some(0), Some(4), Some(8), None];
        assert_eq!(sparkline(samples.into_iter(), 4), "▁▄█·");
        assert_eq!(sparkline(samples.into_iter(), 9), "█▁▁▁·");
        assert_eq!(sparkline([].into_iter(), 9), "");
    }
}
