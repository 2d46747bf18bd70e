//! Every step of a mirror, for one who must not skip any.

use crate::client::WatchEvent;
use crate::wire::registry::{Change, Place};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc;

/// Steps that may wait: as many changes as a registry keeps by default. One
/// more, and what waits is followed by a [`Step::Jump`].
const STEPS_MAX: usize = 10_000;

/// What leads from one state of a mirror to the next.
#[derive(Debug, Clone)]
pub enum Step {
    /// One change, and the place after it.
    Change(Place, Arc<Change>),
    /// What led here is not known, for a snapshot came or too many steps
    /// waited: the mirror's fleet says what there is now. Changes that are told
    /// after this and bear a place up to that fleet's are part of it.
    Jump,
}

/// The steps as they come. What a step leads to is in the mirror before the
/// step is here.
#[derive(Debug)]
pub struct Steps {
    queue: mpsc::Receiver<Step>,
    cut: Arc<AtomicBool>,
}

impl Steps {
    /// The next step; none when the mirror is no more.
    pub async fn next(&mut self) -> Option<Step> {
        match self.ready() {
            Some(step) => Some(step),
            None => self.queue.recv().await,
        }
    }

    /// The next step if it is there already.
    pub fn ready(&mut self) -> Option<Step> {
        // What was told before the cut comes first.
        self.queue.try_recv().ok().or_else(|| self.cut.swap(false, Ordering::SeqCst).then_some(Step::Jump))
    }
}

/// Tells the steps.
#[derive(Debug)]
pub(super) struct Teller {
    queue: mpsc::Sender<Step>,
    cut: Arc<AtomicBool>,
}

impl Teller {
    /// A teller and its hearer.
    pub(super) fn new() -> (Self, Steps) {
        let (sender, queue) = mpsc::channel(STEPS_MAX);
        let cut = Arc::new(AtomicBool::new(false));
        (Self { queue: sender, cut: Arc::clone(&cut) }, Steps { queue, cut })
    }

    /// Tells a step. Once one had no room, none is told until the hearer has
    /// seen that something is missing.
    pub(super) fn tell(&self, step: Step) {
        if self.cut.load(Ordering::SeqCst) {
            return;
        }
        if let Err(mpsc::error::TrySendError::Full(step)) = self.queue.try_send(step) {
            self.cut.store(true, Ordering::SeqCst);
            // Should the hearer have emptied the queue just before it could see
            // that, this wakes it; the step is part of the jump as well.
            let _ = self.queue.try_send(step);
        }
    }
}

impl Step {
    /// The step that an event makes; a bookmark makes none.
    pub(super) fn of(event: &WatchEvent) -> Option<Self> {
        match event {
            WatchEvent::Snapshot(..) => Some(Self::Jump),
            WatchEvent::Change(place, change) => Some(Self::Change(*place, Arc::new((**change).clone()))),
            WatchEvent::Bookmark(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_has_no_room_becomes_one_jump_after_what_had() {
        let (teller, mut steps) = Teller::new();
        (0..STEPS_MAX + 50).for_each(|_| {
            let registration = serde_json::from_value(serde_json::json!({
                "serviceName": "S", "serviceUrl": "http://h:1", "instanceId": "a",
                "registeredAt": "2026-01-01T00:00:00Z", "revision": 1,
            }));
            let kind = crate::wire::registry::ChangeKind::Updated;
            let change = Change { kind, registration: registration.unwrap() };
            teller.tell(Step::Change(Place { epoch: 1, revision: 1 }, Arc::new(change)));
        });
        for _ in 0..STEPS_MAX {
            assert!(matches!(steps.next().await, Some(Step::Change(..))));
        }
        assert!(matches!(steps.next().await, Some(Step::Jump)));
        assert!(steps.ready().is_none());
        teller.tell(Step::Jump);
        assert!(matches!(steps.next().await, Some(Step::Jump)), "it is told again");
        drop(teller);
        assert!(steps.next().await.is_none());
    }
}
