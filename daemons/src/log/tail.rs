//! Following the log: replay first where that is asked for, then live.
//!
//! Tails with the same filter and format have one [`View`]. What a tail of a view
//! sends at a position depends on both alone, so it is written once, as a
//! [`piece::Piece`], and shared. A tail holds its position and nothing else
//! while it waits for its reader. Tails run on the threads for streams; the log's
//! writer wakes one task, which wakes them all.

mod piece;
mod view;

pub use view::{TailFormat, View, ViewKey, Views};

use super::store::Following;
use crate::log::limits::{BEHIND_MAX, BEHIND_TIME_MAX};
use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, watch};
use view::SECTION;

/// A piece larger than this is copied out in sections, so that a stalled reader
/// does not hold all of it.
const SHARED_MAX: usize = 4 * SECTION;

struct Tail {
    following: Following,
    view: Arc<View>,
    views: Arc<Views>,
    caught_up: bool,
    behind_since: Option<Instant>,
    /// The large piece that is being sent.
    sending: Option<Sending>,
    _place: OwnedSemaphorePermit,
}

/// How much of a large piece was sent.
struct Sending {
    from: u64,
    offset: usize,
    len: usize,
}

/// Follows the log until it is closed. Each item holds whole records, except
/// for those that are larger than an item.
pub fn follow(
    following: Following,
    view: Arc<View>,
    views: Arc<Views>,
    place: OwnedSemaphorePermit,
) -> impl Stream<Item = Bytes> + Send {
    views.enter();
    let tail =
        Tail { following, view, views, caught_up: false, behind_since: None, sending: None, _place: place };
    stream::unfold(tail, |mut tail| async move { tail.next().await.map(|bytes| (bytes, tail)) })
}

/// Passes on how far the log is, from the log's writer to the tails: to wake
/// thousands is not the writer's work.
pub async fn relay(mut from: watch::Receiver<u64>, to: watch::Sender<u64>) {
    loop {
        let next_seq = *from.borrow_and_update();
        to.send_replace(next_seq);
        if from.changed().await.is_err() {
            return;
        }
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.views.leave();
    }
}

impl Tail {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(sending) = self.sending.take() {
            return self.section(sending).await;
        }
        loop {
            if let Some(missed) = self.lag() {
                return Some(self.view.missed(missed));
            }
            self.following.wait().await;
            let from = self.following.position;
            let piece = self.piece(from).await;
            self.following.position = piece.next_seq;
            match piece.bytes.len() {
                0 => tokio::task::yield_now().await,
                1..=SHARED_MAX => return Some(piece.bytes.clone()),
                len => return self.section(Sending { from, offset: 0, len }).await,
            }
        }
    }

    /// What is sent at a position.
    async fn piece(&mut self, from: u64) -> Arc<piece::Piece> {
        if let Some(piece) = self.views.pieces.get((self.view.id, from)) {
            return piece;
        }
        let after = std::mem::replace(&mut self.following.position, from);
        let chunk = self.following.chunk().await;
        self.following.position = after;
        self.views.write(&self.view, &chunk, from)
    }

    /// The next section of a large piece. If the piece is not the same any more
    /// (its segment was deleted or damaged meanwhile), the stream ends within the
    /// record, and the reader resumes after the last whole one.
    async fn section(&mut self, Sending { from, offset, len }: Sending) -> Option<Bytes> {
        let piece = self.piece(from).await;
        if piece.bytes.len() != len {
            return None;
        }
        let end = len.min(offset + SECTION);
        self.sending = (end < len).then_some(Sending { from, offset: end, len });
        piece.bytes.get(offset..end).map(Bytes::copy_from_slice)
    }

    /// How many records are passed over, if this reader cannot keep up.
    fn lag(&mut self) -> Option<u64> {
        let behind = self.following.behind();
        self.caught_up |= behind == 0;
        if behind <= BEHIND_MAX || !self.caught_up {
            self.behind_since = None;
            return None;
        }
        let since = *self.behind_since.get_or_insert_with(Instant::now);
        if since.elapsed() < BEHIND_TIME_MAX {
            return None;
        }
        self.behind_since = None;
        self.following.position += behind;
        Some(behind)
    }
}
