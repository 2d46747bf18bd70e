//! The segments of the log, in order.

use super::segment::{Plain, Sealed, Segment};
use std::sync::{Arc, PoisonError, RwLock};

/// All segments by base and class; the last one is the active one. The writer
/// adds at the end, the upkeep replaces and removes before it.
#[derive(Debug)]
pub struct Segments(RwLock<Vec<Segment>>);

impl Segments {
    /// Those that were found.
    pub const fn new(found: Vec<Segment>) -> Self {
        Self(RwLock::new(found))
    }

    /// All of them.
    pub fn all(&self) -> Vec<Segment> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A new active segment.
    pub fn begin(&self, active: Arc<Plain>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(Segment::Plain(active));
    }

    /// Puts what a plain segment became in its place.
    pub fn replace_plain(&self, old: &Arc<Plain>, new: impl IntoIterator<Item = Segment>) {
        self.replace(|segment| matches!(segment, Segment::Plain(plain) if Arc::ptr_eq(plain, old)), new);
    }

    /// Puts what a sealed segment became in its place: nothing, if it was deleted.
    pub fn replace_sealed(&self, old: &Arc<Sealed>, new: Option<Segment>) {
        self.replace(|segment| matches!(segment, Segment::Sealed(sealed) if Arc::ptr_eq(sealed, old)), new);
    }

    fn replace(&self, is_old: impl Fn(&Segment) -> bool, new: impl IntoIterator<Item = Segment>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = all.iter().position(is_old) {
            all.splice(at..=at, new);
        }
    }

    /// The sealed ones.
    pub fn sealed(&self) -> Vec<Arc<Sealed>> {
        self.pick(|segment| match segment {
            Segment::Sealed(sealed) => Some(Arc::clone(sealed)),
            Segment::Plain(_) => None,
        })
    }

    /// The plain ones; the last of them is active.
    pub fn plain(&self) -> Vec<Arc<Plain>> {
        self.pick(|segment| match segment {
            Segment::Plain(plain) => Some(Arc::clone(plain)),
            Segment::Sealed(_) => None,
        })
    }

    fn pick<T>(&self, pick: impl Fn(&Segment) -> Option<T>) -> Vec<T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).iter().filter_map(pick).collect()
    }
}
