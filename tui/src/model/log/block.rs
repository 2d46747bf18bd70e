//! A block of records: their texts one behind the other, and what is known of
//! each beside its text.

use super::packed::{Packer, Text};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use shared::wire::log::{Level, Record};
use std::collections::VecDeque;

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

/// What is known of a record beside its text.
#[derive(Debug, Clone, Copy)]
struct Entry {
    ts_ns: i64,
    /// The sequence, counted from that of the block.
    seq: u32,
    /// Where its text ends in the block.
    end: u32,
    /// Bytes of the fields at the end of its text.
    fields: u32,
    /// Its service, among those of the block.
    service: u16,
    level: Level,
}

/// Records one behind the other, oldest first.
#[derive(Debug, Clone)]
pub(super) struct Block {
    first_seq: u64,
    text: Text,
    services: Vec<Box<str>>,
    entries: VecDeque<Entry>,
    /// Where the text of the first entry begins: those before it were let go.
    begin: usize,
}

impl Block {
    /// An empty one for records from a sequence on, the first of which has so
    /// many bytes of text. It takes room that another one had, if that is enough.
    pub(super) fn new(first_seq: u64, bytes: usize, room: Option<String>) -> Self {
        let bytes = bytes.max(BLOCK_BYTES);
        let room = room.filter(|room| room.capacity() >= bytes);
        Self {
            first_seq,
            text: Text::new(room.unwrap_or_else(|| String::with_capacity(bytes))),
            services: Vec::new(),
            entries: VecDeque::with_capacity(BLOCK_RECORDS),
            begin: 0,
        }
    }

    /// Takes a record in; false where there is no room for it.
    pub(super) fn push(&mut self, line: &Line<'_>) -> bool {
        let end = self.text.len() + line.message.len() + line.fields.len();
        let Some(seq) = line.seq.checked_sub(self.first_seq).and_then(|seq| u32::try_from(seq).ok()) else {
            return false;
        };
        let (Ok(end_at), Ok(fields)) = (u32::try_from(end), u32::try_from(line.fields.len())) else {
            return false;
        };
        let Some(service) = self.service(line.service) else { return false };
        if !self.text.push([line.message, line.fields]) {
            return false;
        }
        self.entries.push_back(Entry {
            ts_ns: line.ts_ns,
            seq,
            end: end_at,
            fields,
            service,
            level: line.level,
        });
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
        let entry = self.entries.get(index)?;
        let begin = match index.checked_sub(1) {
            Some(before) => self.entries.get(before)?.end as usize,
            None => self.begin,
        };
        let end = entry.end as usize;
        let middle = end.checked_sub(entry.fields as usize)?;
        Some(Line {
            seq: self.first_seq + u64::from(entry.seq),
            ts_ns: entry.ts_ns,
            level: entry.level,
            service: self.services.get(usize::from(entry.service))?,
            message: self.text.as_str().get(begin..middle)?,
            fields: self.text.as_str().get(middle..end)?,
        })
    }

    fn seq(&self, entry: &Entry) -> u64 {
        self.first_seq + u64::from(entry.seq)
    }

    pub(super) fn last_seq(&self) -> Option<u64> {
        self.entries.back().map(|entry| self.seq(entry))
    }

    /// About how many bytes it takes, unpacked.
    pub(super) fn bytes(&self) -> usize {
        let services: usize = self.services.iter().map(|name| name.len() + size_of::<Box<str>>()).sum();
        self.text.bytes() + self.entries.capacity() * size_of::<Entry>() + services + size_of::<Self>()
    }

    /// Holds its texts packed: nothing is added to it any more.
    /// Answers the room that they had, if it is of the usual size.
    pub(super) fn pack(&mut self, packer: &mut Packer) -> Option<String> {
        // Room of the usual size is best given back as it is: the next block takes it.
        if self.entries.len() < BLOCK_RECORDS / 2 {
            self.entries.shrink_to_fit();
        }
        self.text.pack(packer).filter(|room| room.capacity() == BLOCK_BYTES)
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
        self.entries.partition_point(|entry| self.seq(entry) < seq)
    }

    /// Lets go of the oldest record; false where there is none.
    pub(super) fn drop_first(&mut self) -> bool {
        let Some(entry) = self.entries.pop_front() else { return false };
        self.begin = entry.end as usize;
        true
    }

    /// Lets go of the newest record; false where there is none.
    pub(super) fn drop_last(&mut self) -> bool {
        let dropped = self.entries.pop_back().is_some();
        let end = self.entries.back().map_or(self.begin, |entry| entry.end as usize);
        self.text.truncate(end);
        dropped
    }
}
