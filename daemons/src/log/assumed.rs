//! What has to be assumed to read a time that leaves something open.

/// What was assumed to read a time: a set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Assumed(u8);

impl Assumed {
    /// Everything is written.
    pub const NOTHING: Self = Self(0);
    /// No zone is written.
    pub const ZONE: Self = Self(1);
    /// No year is written.
    pub const YEAR: Self = Self(2);
    /// The order of day, month and year is open.
    pub const ORDER: Self = Self(4);
    /// The year has two digits.
    pub const CENTURY: Self = Self(8);
    /// The abbreviation stands for several zones.
    pub const ABBREVIATION: Self = Self(16);
    /// Each of these, what is said of it, and the option of an import that decides.
    pub const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::ZONE, "no zone: read as UTC", "--zone"),
        (Self::YEAR, "no year: read as the latest that is not in the future", "--year"),
        (Self::ORDER, "day and month (or year) in an order that is not certain", "--date-order"),
        (Self::CENTURY, "a year of two digits: read as 1970 to 2069", ""),
        (
            Self::ABBREVIATION,
            "an abbreviation of several zones (CST as -06:00, IST as +05:30, BST as +01:00)",
            "--zone",
        ),
    ];

    /// Adds to the set.
    pub const fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Takes out of the set.
    pub const fn remove(&mut self, other: Self) {
        self.0 &= !other.0;
    }

    /// Whether it has all of the other.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}
