//! A watch as server-sent events.

use super::core::Watch;
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
    ended: bool,
}

/// What a watch tells, from its beginning for as long as it keeps up.
pub fn events(begun: Begun, watch: Watch, resume: Option<Place>) -> impl Stream<Item = Event> + Send {
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
    let following =
        Following { watch, queue: begun.queue, epoch: place.epoch, told, bookmarks, ended: false };
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
        }
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
