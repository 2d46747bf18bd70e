//! Following the log: replay first where that is asked for, then live.

use super::lines::Reader;
use super::output::{self, Form};
use super::query::Filter;
use super::store::{Chunk, Following};
use super::time;
use crate::log::limits::{BEHIND_MAX, BEHIND_TIME_MAX};
use futures_util::Stream;
use futures_util::stream;
use std::sync::{Arc, Weak};
use std::time::Instant;
use tokio::sync::OwnedSemaphorePermit;

/// Bytes of lines that are looked at before the reader must have taken what
/// matched: what a stalled reader holds, and for how long one keeps a thread.
const STEP: usize = 16 * 1024;

/// What a reader is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A record, written.
    Record {
        /// Its sequence.
        seq: u64,
        /// Its JSON or its line.
        text: Vec<u8>,
    },
    /// So many records were passed over: too many to keep up with, or damaged.
    Lagged(u64),
}

struct Tail {
    following: Following,
    filter: Filter,
    form: Form,
    caught_up: bool,
    behind_since: Option<Instant>,
    /// The time of the last line, told or passed over.
    last_ns: Option<i64>,
    /// When it began.
    began_ns: i64,
    /// The lines that are being told, and how far.
    telling: Option<Telling>,
    _place: OwnedSemaphorePermit,
}

struct Telling {
    /// Held by all together, as long as there is room: ten thousand stalled
    /// readers must not hold a block each.
    chunk: Weak<Chunk>,
    /// Held alone, where it cannot be read again to the same.
    _damaged: Option<Arc<Chunk>>,
    offset: usize,
    /// The place of the next line among them.
    at: usize,
    /// Nothing before this one is told.
    from: u64,
}

/// Follows the log until it is closed. Each item holds what
/// was there to be told at once.
pub fn follow(
    following: Following,
    filter: Filter,
    form: Form,
    place: OwnedSemaphorePermit,
) -> impl Stream<Item = Vec<Told>> + Send {
    let tail = Tail {
        following,
        filter,
        form,
        caught_up: false,
        behind_since: None,
        last_ns: None,
        began_ns: time::now_ns(),
        telling: None,
        _place: place,
    };
    stream::unfold(tail, |mut tail| async move { tail.next().await.map(|told| (told, tail)) })
}

impl Tail {
    async fn next(&mut self) -> Option<Vec<Told>> {
        if let Some(telling) = self.telling.take()
            && let Some(chunk) = telling.chunk.upgrade()
        {
            return Some(self.step(&chunk, telling));
        }
        if let Some(missed) = self.lag() {
            return Some(vec![Told::Lagged(missed)]);
        }
        self.following.wait().await;
        let from = self.following.position;
        let chunk = self.following.next().await;
        let damaged = (chunk.lost > 0).then(|| Arc::clone(&chunk));
        let telling = Telling { chunk: Arc::downgrade(&chunk), _damaged: damaged, offset: 0, at: 0, from };
        if chunk.lost > 0 {
            self.telling = Some(telling);
            return Some(vec![Told::Lagged(chunk.lost)]);
        }
        Some(self.step(&chunk, telling))
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

    /// What matches in the next lines of those that are being told.
    fn step(&mut self, chunk: &Chunk, mut telling: Telling) -> Vec<Told> {
        let mut told = Vec::new();
        let rest = chunk.lines.get(telling.offset..).unwrap_or_default();
        let mut reader = Reader::after(self.last_ns, rest, self.began_ns);
        let mut looked_at = 0;
        for raw in rest.split_inclusive(|b| *b == b'\n') {
            if looked_at >= STEP {
                break;
            }
            let line = reader.read(looked_at, raw);
            looked_at += raw.len();
            let seq = chunk.seq(telling.at);
            telling.at += 1;
            if seq >= telling.from && self.filter.matches(seq, &line) {
                let mut text = Vec::with_capacity(raw.len() + 64);
                output::write(&mut text, self.form, seq, raw, &line);
                told.push(Told::Record { seq, text });
            }
        }
        self.last_ns = reader.last_ns(looked_at);
        telling.offset += looked_at;
        let done = telling.offset >= chunk.lines.len();
        // If the lines are let go of meanwhile, they are read again from here on.
        let next_seq = if done { chunk.end_seq } else { chunk.seq(telling.at) };
        self.following.position = next_seq.max(telling.from);
        self.telling = (!done).then_some(telling);
        told
    }
}
