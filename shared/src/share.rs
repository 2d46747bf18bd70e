//! Shares of time as percentages.

/// A share from 0 to 1 in percent, without the sign: rounded down, so that it is
/// `100` only where nothing is missing.
pub fn percent(share: f64, decimals: usize) -> String {
    if share >= 1.0 {
        return "100".to_owned();
    }
    let scale = 10_f64.powi(i32::try_from(decimals).unwrap_or(2));
    // What a decimal fraction lacks in binary is no failure.
    let steps = (share.max(0.0) * 100.0 * scale + 1e-6).floor().min(100.0 * scale - 1.0);
    format!("{:.decimals$}", steps / scale)
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn a_share_is_never_rounded_up_to_all() {
        for (share, decimals, want) in [
            (1.0, 2, "100"),
            (0.999_98, 2, "99.99"),
            (0.999_999_999_999, 2, "99.99"),
            (0.999_98, 1, "99.9"),
            (0.57, 2, "57.00"),
            (0.5, 1, "50.0"),
            (0.0, 2, "0.00"),
        ] {
            assert_eq!(percent(share, decimals), want, "{share}");
        }
    }
}
