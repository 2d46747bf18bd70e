//! A filter and a format: tails that have both in common send the same bytes.

use super::piece::{Piece, Pieces};
use crate::log::lines::Reader;
use crate::log::output;
use crate::log::query::Filter;
use crate::log::store::Chunk;
use crate::runtime::metrics::Metrics;
use bytes::Bytes;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use serde::Deserialize;
use std::collections::HashMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use utoipa::ToSchema;

/// Bytes of a piece, and of one section of a larger piece: what a stalled reader holds.
pub const SECTION: usize = 16 * 1024;
/// Bytes of lines that one piece looks at.
const LOOKED_AT_MAX: usize = 64 * 1024;

/// How a tail is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TailFormat {
    /// Server-sent events.
    #[default]
    Sse,
    /// A record a line.
    Ndjson,
    /// The lines as in the file.
    Text,
}

/// What a tail asks for, as text: equal texts are equal filters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ViewKey {
    /// The parameters of the filter; times as they resolve.
    pub filter: String,
    /// The format.
    pub format: TailFormat,
}

/// A filter and a format.
pub struct View {
    /// Tells views apart.
    pub id: u64,
    filter: Filter,
    format: TailFormat,
}

/// The views that tails have open, and the pieces written for them.
#[derive(Default)]
pub struct Views {
    open: Mutex<HashMap<ViewKey, Weak<View>>>,
    pub(super) pieces: Pieces,
    tails: Gauge,
    written: Counter,
}

impl Views {
    /// No views; what they do is measured.
    pub fn register(metrics: &Metrics) -> Self {
        let views = Self::default();
        metrics.register(|registry| {
            registry.register("log_tails", "Tails that are open", views.tails.clone());
            registry.register(
                "log_tail_records",
                "Records written for tails; what many tails send is written once",
                views.written.clone(),
            );
        });
        views
    }

    /// Counts a tail that begins.
    pub(super) fn enter(&self) {
        self.tails.inc();
    }

    /// Counts a tail that ends. With the last the pieces go.
    pub(super) fn leave(&self) {
        if self.tails.dec() == 1 {
            self.pieces.clear();
        }
    }

    /// The view for this key; the tails that have it keep it.
    pub fn open(&self, key: ViewKey, filter: Filter) -> Arc<View> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(view) = open.get(&key).and_then(Weak::upgrade) {
            return view;
        }
        // Amortised: the map at most doubles between two cleanings.
        if open.len() == open.capacity() {
            open.retain(|_, view| view.strong_count() > 0);
        }
        static VIEWS: AtomicU64 = AtomicU64::new(0);
        let id = VIEWS.fetch_add(1, Ordering::Relaxed);
        let view = Arc::new(View { id, filter, format: key.format });
        open.insert(key, Arc::downgrade(&view));
        view
    }

    /// Writes what a tail of the view sends when it is at `from`.
    pub(super) fn write(&self, view: &View, chunk: &Chunk, from: u64) -> Arc<Piece> {
        let mut bytes = Vec::new();
        if chunk.lost > 0 {
            view.lagged(chunk.lost, &mut bytes);
        }
        let (mut at, mut offset) = chunk.from(from);
        let begin = offset;
        let mut reader = Reader::after(chunk.previous_ns, &chunk.lines, chunk.taken_ns);
        let mut records = 0;
        let mut is_full = false;
        for raw in chunk.lines.get(offset..).unwrap_or_default().split_inclusive(|b| *b == b'\n') {
            // What is lost was counted from this position: it is reported once.
            is_full = chunk.lost == 0 && (offset - begin >= LOOKED_AT_MAX || bytes.len() >= SECTION);
            if is_full {
                break;
            }
            let line = reader.read(offset, raw);
            let seq = chunk.seq(at);
            if view.filter.matches(seq, &line) {
                view.record(seq, raw, &line, &mut bytes);
                records += 1;
            }
            offset += raw.len();
            at += 1;
        }
        self.written.inc_by(records);
        let next_seq = if is_full { chunk.seq(at) } else { chunk.end_seq };
        bytes.shrink_to_fit();
        let piece = Arc::new(Piece { bytes: bytes.into(), next_seq: next_seq.max(from) });
        self.pieces.insert((view.id, from), Arc::clone(&piece));
        piece
    }
}

impl View {
    fn record(&self, seq: u64, raw: &[u8], line: &crate::log::line::Line<'_>, out: &mut Vec<u8>) {
        match self.format {
            TailFormat::Sse => {
                // Writing into a Vec does not fail. JSON has no line feed in it.
                let _ = write!(out, "id: {seq}\ndata: ");
                output::write_json(out, seq, line);
                out.extend_from_slice(b"\n\n");
            }
            TailFormat::Ndjson => {
                output::write_json(out, seq, line);
                out.push(b'\n');
            }
            TailFormat::Text => out.extend_from_slice(raw),
        }
    }

    fn lagged(&self, missed: u64, out: &mut Vec<u8>) {
        // Writing into a Vec does not fail.
        let _ = match self.format {
            TailFormat::Sse => write!(out, "event: lagged\ndata: {{\"missed\":{missed}}}\n\n"),
            TailFormat::Ndjson => writeln!(out, "{{\"missed\":{missed}}}"),
            TailFormat::Text => writeln!(out, "# {missed} records were missed: too slow"),
        };
    }

    /// Says how many records are passed over.
    pub fn missed(&self, missed: u64) -> Bytes {
        let mut bytes = Vec::new();
        self.lagged(missed, &mut bytes);
        bytes.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(views: &Views, query: &str, format: TailFormat) -> Arc<View> {
        views.open(ViewKey { filter: query.to_owned(), format }, Filter::parse(query).unwrap())
    }

    fn chunk(records: u64) -> Chunk {
        let line = |n: u64| {
            format!("2026-11-22T10:00:00.000000Z  INFO s: record {n} {}\n", "x".repeat(n as usize % 90))
        };
        Chunk::new(10, records, (0..records).map(line).collect::<String>().into_bytes())
    }

    #[test]
    fn equal_tails_share_a_view_until_the_last_has_gone() {
        let views = Views::default();
        let first = view(&views, "a", TailFormat::Sse);
        assert_eq!(view(&views, "a", TailFormat::Sse).id, first.id);
        assert_ne!(view(&views, "a", TailFormat::Text).id, first.id);
        assert_ne!(view(&views, "b", TailFormat::Sse).id, first.id);
        let id = first.id;
        drop(first);
        assert_ne!(view(&views, "a", TailFormat::Sse).id, id);
        (0..10_000).for_each(|n| drop(view(&views, &format!("q{n}"), TailFormat::Sse)));
        assert!(views.open.lock().unwrap().len() < 100, "views that nobody has are forgotten");
    }

    #[test]
    fn the_pieces_from_any_position_on_are_all_records_in_order() {
        let (views, chunk) = (Views::default(), chunk(3_000));
        let every = view(&views, "", TailFormat::Text);
        for from in [10, 11, 300, 3_008, 3_009, 3_010] {
            let (mut position, mut sent) = (from, Vec::new());
            while position < chunk.end_seq {
                let piece = views.write(&every, &chunk, position);
                assert!(piece.next_seq > position && piece.bytes.len() < SECTION + 200);
                sent.extend_from_slice(&piece.bytes);
                position = piece.next_seq;
            }
            assert_eq!(sent, chunk.lines.get(chunk.from(from).1..).unwrap(), "from {from}");
        }
        let nothing = view(&views, "nosuchword", TailFormat::Text);
        let piece = views.write(&nothing, &chunk, 10);
        assert!(piece.bytes.is_empty() && piece.next_seq > 500, "{piece:?}");
    }

    #[test]
    fn lost_records_are_reported_once_and_before_what_is_left() {
        let views = Views::default();
        let mut chunk = chunk(2_000);
        chunk.lost = 7;
        for (format, want) in [
            (TailFormat::Sse, "event: lagged\ndata: {\"missed\":7}\n\nid: 10\ndata: {\"seq\":10,"),
            (TailFormat::Ndjson, "{\"missed\":7}\n{\"seq\":10,"),
            (
                TailFormat::Text,
                "# 7 records were missed: too slow\n2026-11-22T10:00:00.000000Z  INFO s: record 0",
            ),
        ] {
            let piece = views.write(&view(&views, "", format), &chunk, 10);
            assert!(piece.bytes.starts_with(want.as_bytes()), "{format:?}");
            assert_eq!(piece.next_seq, chunk.end_seq);
        }
    }
}
