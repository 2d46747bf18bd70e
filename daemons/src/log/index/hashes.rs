//! A set of hashes.

/// The set of the words of a block, by their hashes: most words are there
/// already, so that all of the time goes into finding that out. A hash that is
/// one already needs no other, and a table of nothing but hashes fits the cache.
#[derive(Debug, Default)]
pub struct Hashes {
    /// A power of two of them, at most half of them taken; 0 is a free one.
    slots: Vec<u64>,
    taken: usize,
    has_zero: bool,
}

/// Slots to begin with: a block of real logs has 12,000 words.
const SLOTS_MIN: usize = 1 << 15;

impl Hashes {
    /// Takes everything out.
    pub fn clear(&mut self) {
        self.slots.fill(0);
        self.taken = 0;
        self.has_zero = false;
    }

    /// Adds a hash.
    #[inline]
    pub fn insert(&mut self, hash: u64) {
        if hash == 0 {
            self.has_zero = true;
            return;
        }
        if self.taken * 2 >= self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while let Some(slot) = self.slots.get_mut(at) {
            if *slot == hash {
                return;
            }
            if *slot == 0 {
                *slot = hash;
                self.taken += 1;
                return;
            }
            at = (at + 1) & mask;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(SLOTS_MIN);
        let old = std::mem::replace(&mut self.slots, vec![0; size]);
        self.taken = 0;
        old.into_iter().filter(|hash| *hash != 0).for_each(|hash| self.insert(hash));
    }

    /// All of them, ascending.
    pub fn sorted(&self) -> Vec<u64> {
        let mut all = Vec::with_capacity(self.taken + 1);
        all.extend(self.has_zero.then_some(0));
        all.extend(self.slots.iter().filter(|hash| **hash != 0));
        all.sort_unstable();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_holds_what_a_set_would(hashes in proptest::collection::vec(prop_oneof![0..9_u64, any::<u64>()], 0..200)) {
            let mut set = Hashes::default();
            set.insert(7);
            set.clear();
            hashes.iter().for_each(|hash| set.insert(*hash));
            prop_assert_eq!(set.sorted(), hashes.iter().copied().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn it_grows() {
        let mut set = Hashes::default();
        let all: Vec<u64> = (0..100_000_u64).collect();
        all.iter().rev().for_each(|hash| set.insert(*hash));
        assert_eq!(set.sorted(), all);
    }
}
