//! Numbers and reasons in words, on the screen and in what `--once` prints.

use shared::share;
use shared::wire::monitor::Phase;

/// A number with its thousands set apart.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count in nine cells, for as long as there are fewer than 10^16.
pub fn short(count: u64) -> String {
    match count {
        0..10_000_000 => grouped(count),
        10_000_000..10_000_000_000 => format!("{}M", grouped(count / 1_000_000)),
        _ => format!("{}G", grouped(count / 1_000_000_000)),
    }
}

/// A share from 0 to 1 as a percentage; 100 % only where nothing is missing.
pub fn percent(share: f64) -> String {
    format!("{} %", share::percent(share, 1))
}

/// A percentage, where there is one.
pub fn percent_or_none(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), percent)
}

/// Whole milliseconds, where there are any.
pub fn millis(latency: Option<u64>) -> String {
    latency.map_or_else(|| "-".to_owned(), |ms| format!("{ms} ms"))
}

/// The phase of a probe that failed, and the failure in words.
pub fn reason(phase: Option<Phase>, detail: Option<&str>) -> String {
    match (phase.map(Phase::as_str), detail) {
        (Some(phase), Some(detail)) => format!("{phase}: {detail}"),
        (phase, detail) => phase.or(detail).unwrap_or("").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_set_apart() {
        for (number, want) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")] {
            assert_eq!(super::grouped(number), want);
        }
    }

    #[test]
    fn a_count_is_exact_for_as_long_as_there_is_room() {
        for (count, want) in [(9_999_999, "9,999,999"), (10_000_000, "10M"), (u64::MAX, "18,446,744,073G")] {
            assert_eq!(super::short(count), want);
        }
    }
}
