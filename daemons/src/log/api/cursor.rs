//! Where a page ends and the next begins.
//!
//! A search is answered in the order of time, so that its cursor is a time and,
//! among records of one time, a sequence: `2026-11-22T10:00:00.123456Z/42`.
//! Given as `before` or `after` it leads to the next page. A plain sequence there
//! asks for records before or after it in the order in which they were stored,
//! and is answered in that order.

use crate::log::search::Order;
use crate::log::time;
use crate::runtime::error::ApiError;

/// A place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    /// In the order of storing.
    Seq(u64),
    /// In the order of time.
    Time(i64, u64),
}

impl Cursor {
    /// Where a page in this order ended.
    pub const fn at(order: Order, ts_ns: i64, seq: u64) -> Self {
        match order {
            Order::Desc | Order::Asc => Self::Time(ts_ns, seq),
            Order::LastStored | Order::FirstStored => Self::Seq(seq),
        }
    }

    /// Reads a parameter.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(field: &str, text: &str) -> Result<Self, ApiError> {
        let parsed = match text.split_once('/') {
            None => text.parse().ok().map(Self::Seq),
            Some((ts, seq)) => {
                time::parse_rfc3339(ts).zip(seq.parse().ok()).map(|(ts_ns, seq)| Self::Time(ts_ns, seq))
            }
        };
        parsed.ok_or_else(|| {
            ApiError::malformed(format!("{field} must be a sequence, or the 'next' of another page"))
                .field(field)
        })
    }

    /// As a client gets it.
    pub fn to_text(self) -> String {
        match self {
            Self::Seq(seq) => seq.to_string(),
            Self::Time(ts_ns, seq) => format!("{}/{seq}", time::to_rfc3339(ts_ns)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_and_nothing_else_is_one() {
        for cursor in
            [Cursor::Seq(0), Cursor::Seq(u64::MAX), Cursor::Time(-1, 7), Cursor::Time(1_234_567_891, 0)]
        {
            assert_eq!(Cursor::parse("after", &cursor.to_text()).unwrap(), cursor);
        }
        for text in ["", "-1", "x", "/", "1/2", "2026-11-22T10:00:00Z/", "2026-11-22/4"] {
            assert!(Cursor::parse("after", text).is_err(), "{text}");
        }
    }
}
