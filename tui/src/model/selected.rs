//! What is selected in a list that changes under it.

/// The selected row of a list, by its key: when rows come, go or move, the same
/// one stays selected. A row that moved under the cursor must not be acted upon
/// by mistake. Until the operator has moved, the first row is selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected<K> {
    key: Option<K>,
    index: usize,
}

impl<K> Default for Selected<K> {
    fn default() -> Self {
        Self { key: None, index: 0 }
    }
}

impl<K: Clone + PartialEq> Selected<K> {
    /// The row, in a list of `len`; none in an empty one.
    pub fn index(&self, len: usize) -> Option<usize> {
        len.checked_sub(1).map(|last| self.index.min(last))
    }

    /// What is selected, once the operator has moved.
    pub const fn key(&self) -> Option<&K> {
        self.key.as_ref()
    }

    /// Moves by so many rows, as far as the list goes.
    pub fn step(&mut self, by: isize, keys: &[K]) {
        let from = self.index(keys.len()).unwrap_or(0);
        self.index = from.saturating_add_signed(by).min(keys.len().saturating_sub(1));
        self.key = keys.get(self.index).cloned();
    }

    /// Selects the row that is selected because the operator has not moved yet.
    pub fn pin(&mut self, keys: &[K]) {
        if self.key.is_none() {
            self.key = self.index(keys.len()).and_then(|index| keys.get(index)).cloned();
        }
    }

    /// Moves to a key, where the list has it.
    pub fn select(&mut self, key: &K, keys: &[K]) {
        if let Some(index) = keys.iter().position(|candidate| candidate == key) {
            self.index = index;
            self.key = Some(key.clone());
        }
    }

    /// Stays on its row in a list that has changed. Where it is gone, its
    /// neighbour is selected in its place.
    pub fn keep(&mut self, keys: &[K]) {
        let Some(key) = &self.key else { return };
        match keys.iter().position(|candidate| candidate == key) {
            Some(index) => self.index = index,
            None => {
                self.index = self.index(keys.len()).unwrap_or(0);
                self.key = keys.get(self.index).cloned();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_row_stays_selected_wherever_it_goes() {
        let mut selected = Selected::default();
        selected.keep(&['b', 'c']);
        assert_eq!(selected.index(2), Some(0), "until one moves, it is the first");
        selected.step(1, &['b', 'c']);
        selected.keep(&['a', 'b', 'c', 'd']);
        assert_eq!(selected.index(4), Some(2));
        selected.keep(&['a', 'b', 'd']);
        assert_eq!((selected.index(3), selected.key()), (Some(2), Some(&'d')), "it is gone: its neighbour");
        selected.keep(&[]);
        assert_eq!((selected.index(0), selected.key()), (None, None));
        selected.step(9, &['a', 'b']);
        assert_eq!(selected.index(2), Some(1));
        selected.select(&'a', &['a', 'b']);
        assert_eq!(selected.index(2), Some(0));
    }
}
