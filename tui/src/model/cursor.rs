//! A place in a list, and the part of the list around it that fits.

use std::ops::Range;

/// The selected row of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cursor(usize);

impl Cursor {
    /// At a row.
    pub const fn at(index: usize) -> Self {
        Self(index)
    }

    /// The row, in a list of `len`; none in an empty one.
    pub fn index(self, len: usize) -> Option<usize> {
        len.checked_sub(1).map(|last| self.0.min(last))
    }

    /// Moves by so many rows, as far as the list goes.
    pub fn step(&mut self, by: isize, len: usize) {
        self.0 = self.index(len).unwrap_or(0).saturating_add_signed(by).min(len.saturating_sub(1));
    }

    /// Moves to a row.
    pub const fn set(&mut self, index: usize) {
        self.0 = index;
    }
}

/// The rows of a list that are shown in `height` lines: the selected one as
/// near to the middle as the ends of the list allow. It depends on nothing that
/// was shown before, so that the view needs no memory.
pub fn window(len: usize, selected: usize, height: usize) -> Range<usize> {
    let start = selected.saturating_sub(height / 2).min(len.saturating_sub(height));
    start..len.min(start + height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_stays_within_its_list() {
        let mut cursor = Cursor::default();
        assert_eq!(cursor.index(0), None);
        cursor.step(-3, 5);
        assert_eq!(cursor.index(5), Some(0));
        cursor.step(99, 5);
        assert_eq!(cursor.index(5), Some(4));
        assert_eq!(cursor.index(2), Some(1), "the list became shorter");
        cursor.step(1, 0);
        assert_eq!(cursor.index(5), Some(0));
    }

    #[test]
    fn the_window_holds_the_selected_row_and_wastes_no_line() {
        for (len, selected, height, want) in [
            (3, 0, 10, 0..3),
            (100, 0, 10, 0..10),
            (100, 50, 10, 45..55),
            (100, 99, 10, 90..100),
            (100, 50, 1, 50..51),
            (0, 0, 10, 0..0),
            (5, 2, 0, 2..2),
        ] {
            assert_eq!(window(len, selected, height), want, "{len} {selected} {height}");
        }
    }
}
