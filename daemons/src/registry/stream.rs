//! A watch as server-sent events.

use super::core::Watch;
use super::expiry::Holds;
use super::view::{Beginning, Begun};
use super::watch::Told;
use crate::runtime::sse::event;
use axum::response::sse::Event;
use futures_util::Stream;
use futures_util::stream::{self, StreamExt};
use shared::wire::registry::{Bookmark, Place, Snapshot};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval_at};

/// The pause between two bookmarks, where other services than the one watched
/// have moved the revision on.
const BOOKMARK: Duration = Duration::from_secs(15);

struct Following {
    watch: Watch,
    queue: Receiver<Arc<Told>>,
    epoch: u64,
    /// The last place that was told.
    told: Place,
    bookmarks: Interval,
    holds: watch::Receiver<Arc<Holds>>,
    /// Whether it was told that expiry is held back.
    told_held: bool,
    ended: bool,
}

/// What a watch tells, from its beginning for as long as it keeps up.
pub fn events(
    begun: Begun,
    watch: Watch,
    resume: Option<Place>,
    mut holds: watch::Receiver<Arc<Holds>>,
) -> impl Stream<Item = Event> + Send {
    let place = begun.place;
    let (first, told) = match begun.beginning {
        Beginning::Snapshot(entries) => {
            let services = entries.iter().map(|entry| entry.registration.clone()).collect();
            let snapshot = Snapshot { revision: place.revision, services };
            (vec![event("snapshot", place, &snapshot)], place)
        }
        Beginning::Changes(changes) => {
            let last = changes.last().map(|last| Place { revision: last.revision, ..place });
            let events = changes.iter().map(|told| change(place.epoch, told)).collect();
            (events, last.or(resume).unwrap_or(place))
        }
    };
    let mut bookmarks = interval_at(tokio::time::Instant::now() + BOOKMARK, BOOKMARK);
    bookmarks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Whoever comes while expiry is held back is told so.
    holds.mark_changed();
    let following = Following {
        watch,
        queue: begun.queue,
        epoch: place.epoch,
        told,
        bookmarks,
        holds,
        told_held: false,
        ended: false,
    };
    let then = stream::unfold(following, |mut following| async move {
        following.next().await.map(|events| (stream::iter(events), following))
    });
    stream::iter(first).chain(then.flatten())
}

impl Following {
    async fn next(&mut self) -> Option<Vec<Event>> {
        if self.ended {
            return None;
        }
        tokio::select! {
            told = self.queue.recv() => match told {
                Some(told) => {
                    self.told.revision = told.revision;
                    Some(vec![change(self.epoch, &told)])
                }
                None => Some(self.cut_off()),
            },
            _ = self.bookmarks.tick() => Some(self.bookmark()),
            Ok(()) = self.holds.changed() => Some(self.held()),
        }
    }

    /// Whether expiry is held back for what is watched: an event without a
    /// place, for it is no change of a registration.
    fn held(&mut self) -> Vec<Event> {
        let holds = Arc::clone(&self.holds.borrow_and_update());
        let told = self.watch.core().guard_event(&holds, self.watch.watched());
        let held = !told.scopes.is_empty();
        let name = match (std::mem::replace(&mut self.told_held, held), held) {
            (_, true) => "held",
            (true, false) => "released",
            (false, false) => return Vec::new(),
        };
        let data = serde_json::to_string(&told).unwrap_or_default();
        vec![Event::default().event(name).data(data)]
    }

    fn bookmark(&mut self) -> Vec<Event> {
        let (changes, place) = self.watch.catch_up(&mut self.queue);
        let mut events: Vec<Event> = changes.iter().map(|told| change(self.epoch, told)).collect();
        if let Some(last) = changes.last() {
            self.told.revision = last.revision;
        }
        match place {
            None => events.extend(self.cut_off()),
            Some(place) if place.revision > self.told.revision => {
                events.push(event("bookmark", place, &Bookmark { revision: place.revision }));
                self.told = place;
            }
            Some(_) => {}
        }
        events
    }

    /// The watcher was too slow. It is told so, and can resume.
    fn cut_off(&mut self) -> Vec<Event> {
        self.ended = true;
        vec![Event::default().event("cut").data("too slow: resume with the id of the last event")]
    }
}

fn change(epoch: u64, told: &Told) -> Event {
    let place = Place { epoch, revision: told.revision };
    Event::default().event(told.kind.event_name()).id(place.to_string()).data(&told.data)
}
