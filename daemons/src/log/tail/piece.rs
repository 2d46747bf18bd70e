//! What tails send, written once for all that send the same.

use crate::log::limits::PIECES_LEN_MAX;
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// What a piece takes beside its bytes.
const OVERHEAD: usize = 256;

/// What every tail of one view sends when it is at one position.
#[derive(Debug, Default)]
pub struct Piece {
    /// Whole records, as the view writes them; empty when none matches.
    pub bytes: Bytes,
    /// The position after it.
    pub next_seq: u64,
}

/// The number of a view, and a position.
type Key = (u64, u64);

/// The pieces that were written last, within a bound on their bytes.
#[derive(Debug, Default)]
pub struct Pieces(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    pieces: HashMap<Key, Arc<Piece>>,
    order: VecDeque<Key>,
    len: usize,
}

impl Pieces {
    /// A piece that was written before.
    pub fn get(&self, key: Key) -> Option<Arc<Piece>> {
        self.lock().pieces.get(&key).cloned()
    }

    /// Keeps a piece, and drops the oldest.
    pub fn insert(&self, key: Key, piece: Arc<Piece>) {
        let mut held = self.lock();
        let held = &mut *held;
        held.len += piece.bytes.len() + OVERHEAD;
        match held.pieces.insert(key, piece) {
            Some(before) => held.len -= before.bytes.len() + OVERHEAD,
            None => held.order.push_back(key),
        }
        while held.len > PIECES_LEN_MAX
            && let Some(oldest) = held.order.pop_front()
            && let Some(piece) = held.pieces.remove(&oldest)
        {
            held.len -= piece.bytes.len() + OVERHEAD;
        }
    }

    /// Drops all pieces.
    pub fn clear(&self) {
        *self.lock() = Held::default();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_pieces_are_dropped_beyond_the_bound() {
        let pieces = Pieces::default();
        let piece = |len: usize| Arc::new(Piece { bytes: vec![0; len].into(), next_seq: 1 });
        let third = PIECES_LEN_MAX / 3 - OVERHEAD;
        for seq in 0..3 {
            pieces.insert((1, seq), piece(third));
            // One that two tails wrote at the same time counts once.
            pieces.insert((1, seq), piece(third));
        }
        assert!((0..3).all(|seq| pieces.get((1, seq)).is_some()));
        pieces.insert((2, 0), piece(1_000));
        assert!(pieces.get((1, 0)).is_none() && pieces.get((1, 1)).is_some() && pieces.get((2, 0)).is_some());
        pieces.insert((2, 1), piece(2 * PIECES_LEN_MAX));
        assert!(pieces.get((2, 1)).is_none(), "one that is larger than all together is not kept");
        assert_eq!(pieces.lock().len, 0);
    }
}
