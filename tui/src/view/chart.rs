//! Charts out of block characters, which every font has.

use crate::theme::BARS;

/// Eighths of a cell, by which a bar grows.
const EIGHTHS: u64 = 8;

/// Bars of at most `height` lines, top line first: a sample a cell, the newest
/// last, as many as `cells` hold. What is missing is `×` in the lowest line.
pub(super) fn bars(samples: &[Option<u64>], cells: usize, height: u16, scale_min: u64) -> Vec<String> {
    let shown = samples.get(samples.len().saturating_sub(cells)..).unwrap_or_default();
    let top = top(shown, scale_min);
    let full = u64::from(height) * EIGHTHS;
    (0..height)
        .rev()
        .map(|line| {
            let below = u64::from(line) * EIGHTHS;
            shown.iter().map(|sample| bar(*sample, top, full, below)).collect()
        })
        .collect()
}

/// The value that a bar of full height stands for.
pub(super) fn top(samples: &[Option<u64>], scale_min: u64) -> u64 {
    samples.iter().flatten().copied().max().unwrap_or(0).max(scale_min).max(1)
}

fn bar(sample: Option<u64>, top: u64, full: u64, below: u64) -> &'static str {
    let Some(sample) = sample else { return if below == 0 { "×" } else { " " } };
    // Whatever is not nothing is seen.
    let least = sample.min(1);
    let eighths = (sample.saturating_mul(full) / top).clamp(least, full).saturating_sub(below);
    match usize::try_from(eighths.min(EIGHTHS)).unwrap_or(0).checked_sub(1) {
        Some(at) => BARS.get(at).unwrap_or(&"█"),
        None => " ",
    }
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
}
