//! From the lines of a block to its index.

use super::hashes::Hashes;
use super::kinds::{Kinds, UNKNOWN};
use super::{Columns, Count};
use crate::log::line::Line;
use crate::log::lines::lines;
use crate::log::query::Kind;
use crate::log::words::{Runs, scan_fields, scan_message};
use std::collections::HashMap;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

const NS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_MINUTE: i64 = 60;

/// The index of one block.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct BlockIndex {
    /// Kind and second of every record.
    pub columns: Arc<Columns>,
    /// Records of each kind in each minute, in order.
    pub counts: Vec<Count>,
    /// The hashes of its words, ascending.
    pub words: Vec<u64>,
    /// The earliest and the latest time in it, in nanoseconds since 1970.
    pub span: (i64, i64),
}

/// Builds the index of a segment, block by block.
#[derive(Default)]
pub struct Builder {
    kinds: Kinds,
    /// Numbers of kinds by the hash of everything in them.
    numbers: HashMap<u64, u16>,
    runs: Runs,
    words: Hashes,
    key: Vec<u8>,
}

impl Builder {
    /// The index of the next block.
    pub fn block(&mut self, block: &[u8]) -> BlockIndex {
        self.words.clear();
        let mut columns = Columns::default();
        let (mut min_ns, mut max_ns) = (i64::MAX, i64::MIN);
        for (_, line) in lines(block) {
            (min_ns, max_ns) = (min_ns.min(line.ts_ns), max_ns.max(line.ts_ns));
            columns.kinds.push(self.record(&line));
            columns.seconds.push(line.ts_ns.div_euclid(NS_PER_SECOND));
        }
        let words = self.words.sorted();
        let counts = count(&columns);
        for entry in &counts {
            self.kinds.count(entry.kind, u64::from(entry.count));
        }
        BlockIndex { columns: Arc::new(columns), counts, words, span: (min_ns, max_ns) }
    }

    /// The kinds so far.
    pub const fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    /// The letters in variable words so far.
    pub const fn runs(&self) -> &Runs {
        &self.runs
    }

    /// Takes up a record's words; its kind.
    fn record(&mut self, line: &Line<'_>) -> u16 {
        let words = &mut self.words;
        if let Some(fields) = line.fields {
            scan_fields(fields, |word| words.insert(word));
        }
        // The key: level, service and template, with the length of the service so
        // that no two keys are written alike.
        let key = &mut self.key;
        key.clear();
        key.push(line.level as u8);
        let service = line.escaped_service();
        key.extend_from_slice(&(service.len() as u32).to_le_bytes());
        key.extend_from_slice(service);
        let head = key.len();
        let message = line.message();
        let has_template = scan_message(&message, &mut self.runs, key, |word| words.insert(word));
        if !has_template {
            key.truncate(head);
        }
        let template = has_template.then_some(head);
        self.number(line, template).or_else(|| self.number(line, None)).unwrap_or(UNKNOWN)
    }

    /// The number of the kind with this template; none if there is no room for it.
    fn number(&mut self, line: &Line<'_>, template: Option<usize>) -> Option<u16> {
        // What has no template is told from what has an empty one.
        let hash = match template {
            Some(_) => xxh3_64(&self.key),
            None => !xxh3_64(self.key.get(..5 + line.escaped_service().len())?),
        };
        let template = template.and_then(|at| self.key.get(at..));
        let kind = Kind { level: line.level, service: line.escaped_service(), template };
        match self.numbers.get(&hash) {
            // Two kinds with one hash: the second is not known.
            Some(number) => self.kinds.get(*number).filter(|known| *known == kind).map(|_| *number),
            None => {
                let number = self.kinds.push(&kind)?;
                self.numbers.insert(hash, number);
                Some(number)
            }
        }
    }
}

fn count(columns: &Columns) -> Vec<Count> {
    let minutes = columns.seconds.iter().map(|second| second.div_euclid(SECONDS_PER_MINUTE));
    let mut each: Vec<(i64, u16)> = minutes.zip(columns.kinds.iter().copied()).collect();
    each.sort_unstable();
    let same = each.chunk_by(|a, b| a == b);
    same.filter_map(|same| {
        let (minute, kind) = *same.first()?;
        Some(Count { minute, kind, count: same.len() as u32 })
    })
    .collect()
}
