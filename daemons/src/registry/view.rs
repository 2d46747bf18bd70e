//! What readers and watchers see: what is on disk, and nothing else.

use super::state::{Entry, State};
use super::watch::{Told, Watched, Watchers};
use shared::wire::registry::{Change, ChangeKind, Place};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::mpsc::Receiver;

/// The published state, the changes that led to it, and who watches. All three
/// stand behind one lock, so that a watcher starts exactly where its snapshot
/// ends.
#[derive(Debug)]
pub struct View {
    /// Which history this is.
    pub epoch: u64,
    /// The registrations.
    pub state: State,
    history: VecDeque<Arc<Told>>,
    history_max: usize,
    watchers: Watchers,
}

/// A change as it becomes part of every state, and as it is told: made once, and
/// behind no lock.
#[derive(Debug)]
pub struct Made {
    /// What has happened.
    pub kind: ChangeKind,
    /// The registration that it leads to or takes away.
    pub entry: Arc<Entry>,
    told: Arc<Told>,
}

impl Made {
    /// Makes a change of this history; the lease is granted now.
    pub fn new(epoch: u64, change: &Change, now_ms: u64) -> Self {
        let entry = Arc::new(Entry::new(change.registration.clone(), now_ms));
        let told = Arc::new(Told::new(epoch, change.kind, &entry));
        Self { kind: change.kind, entry, told }
    }
}

/// How a watch begins.
#[derive(Debug)]
pub enum Beginning {
    /// With all there is.
    Snapshot(Vec<Arc<Entry>>),
    /// With what happened since the place that it resumes from.
    Changes(Vec<Arc<Told>>),
}

/// A watch that has begun.
#[derive(Debug)]
pub struct Begun {
    /// Its number among the watchers.
    pub id: u64,
    /// Where it stands when the beginning is told.
    pub place: Place,
    /// What is told first.
    pub beginning: Beginning,
    /// What is told then.
    pub queue: Receiver<Arc<Told>>,
}

/// That place is not kept, or is of another history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the changes since that place are no longer kept; watch from the beginning")]
pub struct Gone;

impl View {
    /// The state and the changes kept, oldest first.
    pub fn new(epoch: u64, state: State, changes: &[Change], history_max: usize) -> Self {
        let history_max = history_max.max(1);
        let surplus = changes.len().saturating_sub(history_max);
        let history = changes.iter().skip(surplus).map(|change| Made::new(epoch, change, 0).told).collect();
        Self { epoch, state, history, history_max, watchers: Watchers::default() }
    }

    /// Where the history stands.
    pub const fn place(&self) -> Place {
        Place { epoch: self.epoch, revision: self.state.revision }
    }

    /// Publishes a change that is on disk.
    pub fn publish(&mut self, made: &Made) {
        self.state.apply(made.kind, &made.entry);
        self.watchers.tell(&made.told);
        self.history.push_back(Arc::clone(&made.told));
        while self.history.len() > self.history_max {
            self.history.pop_front();
        }
    }

    /// Begins a watch: with a snapshot, or where another left off.
    ///
    /// # Errors
    /// When the place to resume from is not kept.
    pub fn watch(&mut self, watched: Watched, resume: Option<Place>) -> Result<Begun, Gone> {
        let beginning = match resume {
            Some(place) => Beginning::Changes(self.since(&watched, place)?),
            None => Beginning::Snapshot(
                self.state
                    .entries()
                    .filter(|e| watched.as_ref().is_none_or(|name| e.registration.service_name == *name))
                    .cloned()
                    .collect(),
            ),
        };
        let (id, queue) = self.watchers.add(watched);
        Ok(Begun { id, place: self.place(), beginning, queue })
    }

    /// The changes of what is watched after a place.
    fn since(&self, watched: &Watched, place: Place) -> Result<Vec<Arc<Told>>, Gone> {
        let oldest = self.history.front().map_or(self.state.revision + 1, |told| told.revision);
        if place.epoch != self.epoch || place.revision > self.state.revision || place.revision + 1 < oldest {
            return Err(Gone);
        }
        let concerns = |told: &&Arc<Told>| {
            told.revision > place.revision && watched.as_ref().is_none_or(|name| told.service == *name)
        };
        Ok(self.history.iter().filter(concerns).cloned().collect())
    }

    /// A watcher has gone.
    pub fn forget(&mut self, watched: &Watched, id: u64) {
        self.watchers.remove(watched, id);
    }

    /// How many watch.
    pub fn watchers(&self) -> usize {
        self.watchers.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::state::{Capacity, Registering};
    use chrono::Utc;
    use shared::wire::registry::Register;

    fn view(history_max: usize) -> View {
        View::new(7, State::default(), &[], history_max)
    }

    fn register(view: &mut View, name: &str, port: u16) {
        let register = Register {
            service_name: name.to_owned(),
            service_url: format!("http://localhost:{port}"),
            ..Register::default()
        };
        let room = Capacity { registrations_max: 100, leaseless_max: 100 };
        if let Registering::Changed(change) = view.state.register(register, Utc::now(), 0, room).unwrap() {
            view.publish(&Made::new(view.epoch, &change, 0));
        }
    }

    fn revisions(begun: &Begun) -> Vec<u64> {
        match &begun.beginning {
            Beginning::Changes(changes) => changes.iter().map(|told| told.revision).collect(),
            Beginning::Snapshot(_) => panic!("a snapshot"),
        }
    }

    #[test]
    fn a_watch_resumes_without_a_gap_or_a_repeat() {
        let mut view = view(100);
        (1..=5).for_each(|port| register(&mut view, if port % 2 == 0 { "even" } else { "odd" }, port));
        let place = Place { epoch: 7, revision: 2 };
        assert_eq!(revisions(&view.watch(None, Some(place)).unwrap()), [3, 4, 5]);
        assert_eq!(revisions(&view.watch(Some("even".to_owned()), Some(place)).unwrap()), [4]);
    }

    #[test]
    fn a_place_that_is_not_kept_or_of_another_history_is_gone() {
        let mut view = view(2);
        (1..=5).for_each(|port| register(&mut view, "s", port));
        let resume = |view: &mut View, epoch, revision| {
            view.watch(None, Some(Place { epoch, revision })).map(|begun| revisions(&begun))
        };
        assert_eq!(resume(&mut view, 7, 3), Ok(vec![4, 5]));
        assert_eq!(resume(&mut view, 7, 5), Ok(vec![]));
        assert_eq!(resume(&mut view, 7, 2), Err(Gone));
        assert_eq!(resume(&mut view, 7, 6), Err(Gone));
        assert_eq!(resume(&mut view, 8, 4), Err(Gone));
    }
}
