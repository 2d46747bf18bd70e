//! Following the log: replay first where that is asked for, then live.

use super::line::Line;
use super::output::{self, Form};
use super::query::Filter;
use super::store::Following;
use futures_util::Stream;
use futures_util::stream;

/// A reader that follows live and is further behind than this is put forward to
/// the end and told how many records it missed: whoever follows wants to see
/// now. A reader that replays is never put forward before it has caught up.
const BEHIND_MAX: u64 = 100_000;

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
    /// So many records were passed over.
    Lagged(u64),
}

struct Tail {
    following: Following,
    filter: Filter,
    form: Form,
    caught_up: bool,
}

/// Follows the log until it is closed or cannot be read. Each item holds what
/// was there to be told at once.
pub fn follow(following: Following, filter: Filter, form: Form) -> impl Stream<Item = Vec<Told>> + Send {
    let tail = Tail { following, filter, form, caught_up: false };
    stream::unfold(tail, |mut tail| async move { tail.next().await.map(|told| (told, tail)) })
}

impl Tail {
    async fn next(&mut self) -> Option<Vec<Told>> {
        let behind = self.following.behind();
        self.caught_up |= behind == 0;
        if self.caught_up && behind > BEHIND_MAX {
            self.following.position += behind;
            return Some(vec![Told::Lagged(behind)]);
        }
        if !self.following.wait().await {
            return None;
        }
        let from = self.following.position;
        match self.following.next().await {
            Ok(chunk) => Some(self.tell(from, chunk.first_seq, &chunk.lines)),
            Err(error) => {
                tracing::error!("a tail cannot read on at {from}: {error}");
                None
            }
        }
    }

    fn tell(&self, from: u64, first_seq: u64, lines: &[u8]) -> Vec<Told> {
        let lines = lines.split_inclusive(|b| *b == b'\n');
        (first_seq..)
            .zip(lines)
            .filter(|(seq, _)| *seq >= from)
            .filter_map(|(seq, raw)| {
                let line = Line::read(raw.strip_suffix(b"\n").unwrap_or(raw), 0);
                self.filter.matches(seq, &line).then(|| {
                    let mut text = Vec::with_capacity(raw.len() + 64);
                    output::write(&mut text, self.form, seq, raw, &line);
                    Told::Record { seq, text }
                })
            })
            .collect()
    }
}
