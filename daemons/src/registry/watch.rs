//! Watchers: each with a bounded queue, woken only by what it watches.

use super::state::Entry;
use crate::runtime::sse;
use bytes::Bytes;
use shared::wire::registry::{ChangeKind, Place};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Changes that may wait for one watcher; one more and it is cut off. It loses
/// nothing: it resumes where it was.
const QUEUE_MAX: usize = 1024;

/// A change as it is told: written once, however many watch.
#[derive(Debug)]
pub struct Told {
    /// Its revision.
    pub revision: u64,
    /// To which service.
    pub service: String,
    /// The event.
    pub event: Bytes,
}

impl Told {
    /// Writes a change that leads to this entry or takes it away.
    pub fn new(epoch: u64, kind: ChangeKind, entry: &Entry) -> Self {
        let registration = &entry.registration;
        let revision = registration.revision;
        let place = Place { epoch, revision }.to_string();
        let event = sse::written(kind.event_name(), Some(&place), &entry.json);
        Self { revision, service: registration.service_name.clone(), event }
    }
}

/// What a watcher watches: one service, or all.
pub type Watched = Option<String>;

/// Everyone who watches.
#[derive(Debug, Default)]
pub struct Watchers {
    next_id: u64,
    queues: HashMap<Watched, HashMap<u64, Sender<Arc<Told>>>>,
}

impl Watchers {
    /// One more watcher: its id and its queue.
    pub fn add(&mut self, watched: Watched) -> (u64, Receiver<Arc<Told>>) {
        let (sender, receiver) = channel(QUEUE_MAX);
        self.next_id += 1;
        self.queues.entry(watched).or_default().insert(self.next_id, sender);
        (self.next_id, receiver)
    }

    /// A watcher has gone.
    pub fn remove(&mut self, watched: &Watched, id: u64) {
        if let Some(queues) = self.queues.get_mut(watched) {
            queues.remove(&id);
            if queues.is_empty() {
                self.queues.remove(watched);
            }
        }
    }

    /// Tells everyone whom it concerns. Whoever is too slow is cut off: its
    /// queue ends after what is in it.
    pub fn tell(&mut self, told: &Arc<Told>) {
        for watched in [None, Some(told.service.clone())] {
            if let Some(queues) = self.queues.get_mut(&watched) {
                queues.retain(|_, queue| queue.try_send(Arc::clone(told)).is_ok());
            }
        }
    }

    /// How many watch.
    pub fn count(&self) -> usize {
        self.queues.values().map(HashMap::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(service: &str, revision: u64) -> Arc<Told> {
        Arc::new(Told { revision, service: service.to_owned(), event: Bytes::new() })
    }

    #[test]
    fn a_watcher_of_one_service_is_woken_by_that_service_only() {
        let mut watchers = Watchers::default();
        let (_, mut one) = watchers.add(Some("a".to_owned()));
        let (_, mut all) = watchers.add(None);
        watchers.tell(&told("b", 1));
        watchers.tell(&told("a", 2));
        assert_eq!(one.try_recv().unwrap().revision, 2);
        assert!(one.try_recv().is_err());
        assert_eq!([all.try_recv().unwrap().revision, all.try_recv().unwrap().revision], [1, 2]);
    }

    #[test]
    fn a_watcher_that_is_too_slow_is_cut_off_after_what_it_was_told() {
        let mut watchers = Watchers::default();
        let (_, mut slow) = watchers.add(None);
        for revision in 1..=QUEUE_MAX as u64 + 5 {
            watchers.tell(&told("a", revision));
        }
        assert_eq!(watchers.count(), 0);
        let mut heard = 0;
        while let Ok(told) = slow.try_recv() {
            heard += 1;
            assert_eq!(told.revision, heard);
        }
        assert_eq!(heard, QUEUE_MAX as u64);
    }
}
