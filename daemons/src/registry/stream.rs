//! A watch as server-sent events.

use super::core::Watch;
use super::expiry::Holds;
use super::state::Entry;
use super::view::{Beginning, Begun};
use super::watch::Told;
use crate::runtime::sse::written;
use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::{self, StreamExt};
use shared::wire::registry::{Bookmark, Place};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval_at};

/// The pause between two bookmarks, where other services than the one watched
/// have moved the revision on.
const BOOKMARK: Duration = Duration::from_secs(15);

/// What is made of a snapshot at a time, in bytes.
const PART: usize = 16 * 1024;

struct Following {
    watch: Watch,
    queue: Receiver<Arc<Told>>,
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
) -> impl Stream<Item = Bytes> + Send {
    let place = begun.place;
    let (snapshot, missed, told) = match begun.beginning {
        Beginning::Snapshot(entries) => (Some(snapshot(place, entries)), Vec::new(), place),
        Beginning::Changes(changes) => {
            let last = changes.last().map(|last| Place { revision: last.revision, ..place });
            let missed = changes.iter().map(|told| told.event.clone()).collect();
            (None, missed, last.or(resume).unwrap_or(place))
        }
    };
    let first = stream::iter(snapshot.into_iter().flatten().chain(missed));
    let mut bookmarks = interval_at(tokio::time::Instant::now() + BOOKMARK, BOOKMARK);
    bookmarks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Whoever comes while expiry is held back is told so.
    holds.mark_changed();
    let following =
        Following { watch, queue: begun.queue, told, bookmarks, holds, told_held: false, ended: false };
    let then = stream::unfold(following, |mut following| async move {
        following.next().await.map(|events| (stream::iter(events), following))
    });
    first.chain(then.flatten())
}

impl Following {
    async fn next(&mut self) -> Option<Vec<Bytes>> {
        if self.ended {
            return None;
        }
        tokio::select! {
            told = self.queue.recv() => match told {
                Some(told) => {
                    self.told.revision = told.revision;
                    Some(vec![told.event.clone()])
                }
                None => Some(self.cut_off()),
            },
            _ = self.bookmarks.tick() => Some(self.bookmark()),
            Ok(()) = self.holds.changed() => Some(self.held()),
        }
    }

    /// Whether expiry is held back for what is watched: an event without a
    /// place, for it is no change of a registration.
    fn held(&mut self) -> Vec<Bytes> {
        let holds = Arc::clone(&self.holds.borrow_and_update());
        let told = self.watch.core().guard_event(&holds, self.watch.watched());
        let held = !told.scopes.is_empty();
        let name = match (std::mem::replace(&mut self.told_held, held), held) {
            (_, true) => "held",
            (true, false) => "released",
            (false, false) => return Vec::new(),
        };
        let data = serde_json::to_string(&told).unwrap_or_default();
        vec![written(name, None, &data)]
    }

    fn bookmark(&mut self) -> Vec<Bytes> {
        let (changes, place) = self.watch.catch_up(&mut self.queue);
        let mut events: Vec<Bytes> = changes.iter().map(|told| told.event.clone()).collect();
        if let Some(last) = changes.last() {
            self.told.revision = last.revision;
        }
        match place {
            None => events.extend(self.cut_off()),
            Some(place) if place.revision > self.told.revision => {
                let bookmark = Bookmark { revision: place.revision };
                let data = serde_json::to_string(&bookmark).unwrap_or_default();
                events.push(written("bookmark", Some(&place.to_string()), &data));
                self.told = place;
            }
            Some(_) => {}
        }
        events
    }

    /// The watcher was too slow. It is told so, and can resume.
    fn cut_off(&mut self) -> Vec<Bytes> {
        self.ended = true;
        vec![written("cut", None, "too slow: resume with the id of the last event")]
    }
}

/// The event of everything that there is, part by part: a watcher that is slow
/// holds one part, and not the whole fleet.
fn snapshot(place: Place, entries: Vec<Arc<Entry>>) -> impl Iterator<Item = Bytes> + Send {
    let head =
        format!("event: snapshot\nid: {place}\ndata: {{\"revision\":{},\"services\":[", place.revision);
    let mut entries = entries.into_iter().enumerate().peekable();
    let parts = std::iter::from_fn(move || {
        entries.peek()?;
        let mut part = String::new();
        while part.len() < PART
            && let Some((at, entry)) = entries.next()
        {
            part.push_str(if at == 0 { "" } else { "," });
            part.push_str(&entry.json);
        }
        Some(Bytes::from(part))
    });
    std::iter::once(head.into()).chain(parts).chain([Bytes::from_static(b"]}\n\n")])
}
