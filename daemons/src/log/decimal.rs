//! Decimal numbers of any size, compared exactly.
//!
//! A float has 53 bits: as floats 9007199254740993 and 9007199254740992 are
//! equal, and 1e400 is infinite.

use std::cmp::Ordering;

/// Digits that a number may have when it is written out without an exponent.
const PLAIN_MAX: i64 = 40;
/// Exponents beyond this are equal to it.
const EXPONENT_MAX: i64 = 1 << 60;

/// A decimal number: `0.DIGITS × 10^point`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    /// Without zeros at either end; empty for zero.
    digits: Vec<u8>,
    point: i64,
}

impl Decimal {
    /// Parses `-12`, `1.50`, `.5`, `1e400`, `+3E-7`.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (negative, unsigned) = match bytes {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let (mantissa, exponent) = match unsigned.iter().position(|b| matches!(b, b'e' | b'E')) {
            Some(at) => {
                let (mantissa, exponent) = unsigned.split_at_checked(at)?;
                (mantissa, parse_exponent(exponent.get(1..)?)?)
            }
            None => (unsigned, 0),
        };
        let (whole, fraction) = match memchr::memchr(b'.', mantissa) {
            Some(at) => (mantissa.get(..at)?, mantissa.get(at + 1..)?),
            None => (mantissa, [].as_slice()),
        };
        let all = || whole.iter().chain(fraction);
        if all().next().is_none() || !all().all(u8::is_ascii_digit) {
            return None;
        }
        let leading = all().take_while(|digit| **digit == b'0').count();
        let mut digits: Vec<u8> = all().skip(leading).copied().collect();
        digits.truncate(digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1));
        if digits.is_empty() {
            return Some(Self { negative: false, digits, point: 0 });
        }
        let point = i64::try_from(whole.len()).ok()? - i64::try_from(leading).ok()?;
        Some(Self { negative, digits, point: point.saturating_add(exponent) })
    }

    /// The number written out without an exponent, if that is short.
    pub fn plain(&self) -> Option<String> {
        let len = i64::try_from(self.digits.len()).ok()?;
        if self.point.unsigned_abs().checked_add(len.unsigned_abs())? > PLAIN_MAX.unsigned_abs() {
            return None;
        }
        let digits = std::str::from_utf8(&self.digits).ok()?;
        let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
        let sign = if self.negative { "-" } else { "" };
        Some(match digits.split_at_checked(usize::try_from(self.point).unwrap_or(0)) {
            None => format!("{sign}{digits}{}", zeros(self.point - len)),
            Some(("", "")) => "0".to_owned(),
            Some((whole, "")) => format!("{sign}{whole}"),
            Some(("", fraction)) => format!("{sign}0.{}{fraction}", zeros(-self.point)),
            Some((whole, fraction)) => format!("{sign}{whole}.{fraction}"),
        })
    }

    /// The same text for equal numbers, and for no other.
    pub fn canonical(&self) -> String {
        let sign = if self.negative { '-' } else { '+' };
        format!("{sign}{}e{}", String::from_utf8_lossy(&self.digits), self.point)
    }
}

fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() {
        return None;
    }
    let size = digits.iter().try_fold(0_i64, |size, digit| {
        let digit = digit.is_ascii_digit().then(|| i64::from(digit - b'0'))?;
        Some(size.saturating_mul(10).saturating_add(digit).min(EXPONENT_MAX))
    })?;
    Some(if negative { -size } else { size })
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits.is_empty(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let magnitude = || self.point.cmp(&other.point).then_with(|| self.digits.cmp(&other.digits));
        sign(self).cmp(&sign(other)).then_with(|| match sign(self) {
            0 => Ordering::Equal,
            1 => magnitude(),
            _ => magnitude().reverse(),
        })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn equal_numbers_are_equal_however_they_are_written() {
        for same in [
            ["1", "1.0", "1e0", "10e-1", "+1", "0.01E2", "001"],
            ["1000", "1e3", "1E+3", "1000.000", "0.1e4", "100e1", "10.00e2"],
            ["0", "-0", "0.0", "0e9", "-0.00e-7", ".0", "0."],
            ["-0.5", "-5e-1", "-.5", "-0.50", "-50e-2", "-0.05e1", "-00.5"],
        ] {
            for text in same {
                assert_eq!(decimal(text), decimal(same[0]), "{text}");
                assert_eq!(decimal(text).plain().as_deref(), Some(same[0]), "{text}");
                assert_eq!(decimal(text).canonical(), decimal(same[0]).canonical(), "{text}");
            }
        }
    }

    #[test]
    fn numbers_ascend_beyond_the_precision_and_the_range_of_floats() {
        let ascending = [
            "-1e401",
            "-1e400",
            "-9007199254740993",
            "-9007199254740992",
            "-1.5",
            "-1",
            "0",
            "1e-400",
            "1e-399",
            "0.1",
            "0.1000000000000000055511151231257827",
            "1",
            "1.0000000000000000000000001",
            "2",
            "10",
            "9007199254740992",
            "9007199254740993",
            "18446744073709551615",
            "18446744073709551616",
            "1e400",
            "1e401",
            "1e9223372036854775807",
        ];
        for pair in ascending.windows(2) {
            assert!(decimal(pair[0]) < decimal(pair[1]), "{pair:?}");
        }
        assert_eq!(decimal("1e400").plain(), None);
        assert_eq!(decimal("1e-400").plain(), None);
    }

    #[test]
    fn other_texts_are_no_numbers() {
        for text in
            ["", "-", "+", ".", "e5", "1e", "1e+", "1x", "0x10", "inf", "NaN", "1.2.3", "1 ", "--1", "１"]
        {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn integers_compare_as_integers(a in any::<i128>(), b in any::<i128>(), shift in 0..100_u32) {
            let (a, b) = (a >> shift, b >> shift);
            prop_assert_eq!(decimal(&a.to_string()).cmp(&decimal(&b.to_string())), a.cmp(&b));
        }

        #[test]
        fn a_plain_number_is_the_same_number(text in "-?[0-9]{1,9}(\\.[0-9]{1,9})?(e-?[0-9])?") {
            let number = decimal(&text);
            let plain = number.plain().unwrap();
            prop_assert_eq!(&decimal(&plain), &number);
            prop_assert_eq!(decimal(&plain).plain(), Some(plain));
        }
    }
}
