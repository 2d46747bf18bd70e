//! A block of records: their texts one behind the other, and what is known of
//! each beside its text.

use super::packed::{Entry, Held, Packer, Plain};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use shared::wire::log::{Level, Record};
use std::ops::Range;

/// Bytes of text in one block; a record that is longer has a block of its own.
const BLOCK_BYTES: usize = 32 << 10;
/// Records of one block, about: usual ones have some hundred bytes.
const BLOCK_RECORDS: usize = BLOCK_BYTES / 110;
/// Services that one block tells apart; one more begins a new block.
const BLOCK_SERVICES: usize = 64;

/// A record as it is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its sequence.
    pub seq: u64,
    /// When it happened, in nanoseconds since 1970.
    pub ts_ns: i64,
    /// How grave it is.
    pub level: Level,
    /// Who wrote it.
    pub service: &'a str,
    /// What happened.
    pub message: &'a str,
    /// Its fields as JSON; empty where it has none.
    pub fields: &'a str,
}

impl Line<'_> {
    /// When it happened.
    pub const fn ts(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_nanos(self.ts_ns)
    }

    /// Its fields, parsed.
    pub fn parsed_fields(&self) -> Map<String, Value> {
        if self.fields.is_empty() {
            Map::new()
        } else {
            serde_json::from_str(self.fields).unwrap_or_default()
        }
    }

    /// The record as the wire has it.
    pub fn to_record(self) -> Record {
        Record {
            seq: self.seq,
            ts: self.ts(),
            level: self.level,
            service: self.service.to_owned(),
            message: self.message.to_owned(),
            fields: self.parsed_fields(),
        }
    }
}

/// Records one behind the other, oldest first.
#[derive(Debug, Clone)]
pub(super) struct Block {
    first_seq: u64,
    last_seq: u64,
    services: Vec<Box<str>>,
    held: Held,
    /// The entries that count: those before and after were let go.
    entries: Range<usize>,
}

impl Block {
    /// An empty one for records from a sequence on, the first of which has so
    /// many bytes of text. It takes room that another one had, if that is enough.
    pub(super) fn new(first_seq: u64, bytes: usize, room: Option<Plain>) -> Self {
        let bytes = bytes.max(BLOCK_BYTES);
        let room = room.filter(|room| room.text.capacity() >= bytes);
        let new = || Plain { text: String::with_capacity(bytes), entries: Vec::with_capacity(BLOCK_RECORDS) };
        let held = Held::new(room.unwrap_or_else(new));
        Self { first_seq, last_seq: first_seq, services: Vec::new(), held, entries: 0..0 }
    }

    /// Takes a record in; false where there is no room for it.
    pub(super) fn push(&mut self, line: &Line<'_>) -> bool {
        let Some(seq) = line.seq.checked_sub(self.first_seq).and_then(|seq| u32::try_from(seq).ok()) else {
            return false;
        };
        let Some(service) = self.service(line.service) else { return false };
        let Some(Plain { text, entries }) = self.held.plain_mut() else { return false };
        let end = text.len() + line.message.len() + line.fields.len();
        let (Ok(end_at), Ok(fields)) = (u32::try_from(end), u32::try_from(line.fields.len())) else {
            return false;
        };
        if end > text.capacity() {
            return false;
        }
        text.push_str(line.message);
        text.push_str(line.fields);
        let (ts_ns, level) = (line.ts_ns, line.level);
        entries.push(Entry { ts_ns, seq, end: end_at, fields, service, level });
        self.entries.end = entries.len();
        self.last_seq = line.seq;
        true
    }

    /// The place of a service; most records have that of the record before.
    fn service(&mut self, name: &str) -> Option<u16> {
        let at = match self.services.iter().rposition(|known| **known == *name) {
            Some(at) => at,
            None if self.services.len() < BLOCK_SERVICES => {
                self.services.push(name.into());
                self.services.len() - 1
            }
            None => return None,
        };
        u16::try_from(at).ok()
    }

    pub(super) fn get(&self, index: usize) -> Option<Line<'_>> {
        let Plain { text, entries } = self.held.plain();
        let index = self.entries.start.checked_add(index).filter(|index| self.entries.contains(index))?;
        let entry = entries.get(index)?;
        let begin = match index.checked_sub(1) {
            Some(before) => entries.get(before)?.end as usize,
            None => 0,
        };
        let end = entry.end as usize;
        let middle = end.checked_sub(entry.fields as usize)?;
        Some(Line {
            seq: self.seq(entry),
            ts_ns: entry.ts_ns,
            level: entry.level,
            service: self.services.get(usize::from(entry.service))?,
            message: text.get(begin..middle)?,
            fields: text.get(middle..end)?,
        })
    }

    fn seq(&self, entry: &Entry) -> u64 {
        self.first_seq + u64::from(entry.seq)
    }

    pub(super) fn last_seq(&self) -> Option<u64> {
        (!self.entries.is_empty()).then_some(self.last_seq)
    }

    /// About how many bytes it takes, unpacked.
    pub(super) fn bytes(&self) -> usize {
        let services: usize = self.services.iter().map(|name| name.len() + size_of::<Box<str>>()).sum();
        self.held.bytes() + services + size_of::<Self>()
    }

    /// Holds its records packed: nothing is added to it any more. Answers the
    /// room that they had, if it is of the usual size.
    pub(super) fn pack(&mut self, packer: &mut Packer) -> Option<Plain> {
        self.held.pack(packer).filter(|room| room.text.capacity() == BLOCK_BYTES)
    }

    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Its services.
    pub(super) fn services(&self) -> impl Iterator<Item = &str> {
        self.services.iter().map(AsRef::as_ref)
    }

    /// The place of the first record that is not before a sequence.
    pub(super) fn place_of(&self, seq: u64) -> usize {
        let entries = self.held.plain().entries.get(self.entries.clone()).unwrap_or_default();
        entries.partition_point(|entry| self.seq(entry) < seq)
    }

    /// Lets go of the oldest record; false where there is none.
    pub(super) fn drop_first(&mut self) -> bool {
        self.entries.next().is_some()
    }

    /// Lets go of the newest record; false where there is none.
    pub(super) fn drop_last(&mut self) -> bool {
        let dropped = self.entries.next_back().is_some();
        if let Some(Plain { text, entries }) = self.held.plain_mut() {
            entries.truncate(self.entries.end);
            text.truncate(entries.last().map_or(0, |entry| entry.end as usize));
        }
        if let Some(last) =
            self.entries.end.checked_sub(1).and_then(|last| self.held.plain().entries.get(last))
        {
            self.last_seq = self.seq(last);
        }
        dropped
    }
}
