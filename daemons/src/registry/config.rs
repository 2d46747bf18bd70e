//! What the registry is told by its settings.

use super::guard;
use super::state::Capacity;
use super::store::Kept;
use crate::settings::Registry;
use shared::span::Span;

/// The bounds within which a registry works.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Registrations that it keeps; one more is refused.
    pub capacity: Capacity,
    /// Changes that a watch can resume over.
    pub changes_kept: usize,
    /// The past that it keeps on disk.
    pub kept: Kept,
    /// When expiry is held back.
    pub guard: guard::Bounds,
}

impl Config {
    /// As it is set.
    pub fn new(settings: &Registry) -> Self {
        let count = settings.history_max.max(settings.changes_kept);
        let ms = |span: Span| i64::try_from(span.0.as_millis()).unwrap_or(i64::MAX);
        Self {
            capacity: Capacity {
                registrations_max: settings.registrations_max,
                leaseless_max: settings.leaseless_max,
            },
            changes_kept: settings.changes_kept,
            kept: Kept { age_ms: ms(settings.history), count: i64::try_from(count).unwrap_or(i64::MAX) },
            guard: guard::Bounds::new(settings.guard_share.0, settings.guard_hold),
        }
    }
}
