//! The rollup of a segment: its counts by level, service and time.
//!
//! It is small enough to stay in memory for every segment, so that counts and
//! time series over a whole segment open no file, and a segment without a
//! matching level or service is skipped.
//!
//! ```text
//! rollup = [ sources:varint source… unit:varint entry… ]
//! source = level:u8 service:bytes total:varint
//! entry  = step-delta:signed source:varint count:varint
//! ```
//!
//! `unit` is the length of a step in minutes: the shortest with which the rollup
//! is not longer than [`ROLLUP_LEN_MAX`]. With 0 there are no entries. The rollup
//! is empty when not all kinds of the segment are known, or when its levels and
//! services alone are too long.

use super::{BlockIndex, Count, Kinds};
use crate::log::codec::{Reader, put_bytes, put_signed, put_varint};
use crate::log::limits::ROLLUP_LEN_MAX;
use shared::wire::log::Level;
use std::sync::Arc;

const SECONDS_PER_MINUTE: i64 = 60;
/// Lengths of a step, in minutes.
const UNITS: [i64; 3] = [1, 60, 24 * 60];

/// Counts by level, service and time.
#[derive(Debug, PartialEq, Eq)]
pub struct Rollup {
    sources: Vec<Source>,
    unit: i64,
    entries: Box<[u8]>,
}

/// A level and a service.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The level.
    pub level: Level,
    /// The service, as lines hold it.
    pub service: Box<[u8]>,
    /// The number of its records.
    pub total: u64,
}

impl Rollup {
    /// The rollup of all blocks of a segment, if it has one.
    pub fn of(kinds: &Kinds, blocks: &[Arc<BlockIndex>]) -> Option<Self> {
        let mut sources: Vec<Source> = kinds
            .sources()
            .map(|(level, service)| Source { level, service: service.into(), total: 0 })
            .collect();
        if kinds.unknown() > 0 {
            return None;
        }
        for (number, (_, total)) in (0..).zip(kinds.iter()) {
            sources.get_mut(kinds.source(number)?)?.total += total;
        }
        let steps = steps(kinds, sources.len(), blocks)?;
        let bare = Self { sources, unit: 0, entries: Box::default() };
        let room = ROLLUP_LEN_MAX.checked_sub(bare.to_bytes().len())?;
        for unit in UNITS {
            let entries = to_entries(&steps, unit);
            if entries.len() <= room {
                return Some(Self { unit, entries: entries.into(), ..bare });
            }
        }
        Some(bare)
    }

    /// The levels and services that occur.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The length of a step, if there are counts by time.
    pub fn step_seconds(&self) -> Option<i64> {
        (self.unit > 0).then(|| self.unit.saturating_mul(SECONDS_PER_MINUTE))
    }

    /// Calls `each` with the first second of a step, the number of a source, and
    /// its records in that step, in this order.
    pub fn entries(&self, mut each: impl FnMut(i64, usize, u64)) {
        let length = self.unit.saturating_mul(SECONDS_PER_MINUTE);
        // They were read once when the rollup was.
        let _ = read_entries(&self.entries, |step, source, count| {
            each(step.saturating_mul(length), source, count);
        });
    }

    /// About how many bytes of memory it takes.
    pub fn memory(&self) -> usize {
        let sources = self.sources.iter().map(|source| size_of::<Source>() + source.service.len());
        size_of::<Self>() + sources.sum::<usize>() + self.entries.len()
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint(&mut out, self.sources.len() as u64);
        for source in &self.sources {
            out.push(source.level as u8);
            put_bytes(&mut out, &source.service);
            put_varint(&mut out, source.total);
        }
        put_varint(&mut out, self.unit.unsigned_abs());
        out.extend_from_slice(&self.entries);
        out
    }

    /// Reads what [`Self::to_bytes`] wrote.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let count = reader.size().filter(|count| *count <= bytes.len())?;
        let mut sources = Vec::with_capacity(count);
        for _ in 0..count {
            let level = *Level::ALL.get(usize::from(reader.u8()?))?;
            sources.push(Source { level, service: reader.bytes()?.into(), total: reader.varint()? });
        }
        let unit = i64::try_from(reader.varint()?).ok().filter(|unit| *unit == 0 || UNITS.contains(unit))?;
        let entries = reader.0;
        let mut known = true;
        read_entries(entries, |_, source, _| known &= source < count)?;
        (known && (unit > 0 || entries.is_empty())).then(|| Self { sources, unit, entries: entries.into() })
    }
}

/// Records of each source in each minute, in order.
fn steps(kinds: &Kinds, sources: usize, blocks: &[Arc<BlockIndex>]) -> Option<Vec<(i64, usize, u64)>> {
    let mut steps = Vec::new();
    let mut sums = vec![0_u64; sources];
    for block in blocks {
        for minute in block.counts.chunk_by(|a, b| a.minute == b.minute) {
            let Some(Count { minute: at, .. }) = minute.first() else { continue };
            for Count { kind, count, .. } in minute {
                *sums.get_mut(kinds.source(*kind)?)? += u64::from(*count);
            }
            let found = sums.iter_mut().enumerate().filter(|(_, sum)| **sum > 0);
            steps.extend(found.map(|(source, sum)| (*at, source, std::mem::take(sum))));
        }
    }
    steps.sort_unstable();
    Some(steps)
}

fn to_entries(minutes: &[(i64, usize, u64)], unit: i64) -> Vec<u8> {
    let mut steps: Vec<_> =
        minutes.iter().map(|(minute, source, count)| (minute.div_euclid(unit), *source, *count)).collect();
    steps.sort_unstable();
    let (mut out, mut before) = (Vec::new(), 0_i64);
    for same in steps.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let Some((step, source, _)) = same.first() else { continue };
        put_signed(&mut out, step.wrapping_sub(before));
        put_varint(&mut out, *source as u64);
        put_varint(&mut out, same.iter().map(|(_, _, count)| count).sum());
        before = *step;
    }
    out
}

fn read_entries(bytes: &[u8], mut each: impl FnMut(i64, usize, u64)) -> Option<()> {
    let mut reader = Reader(bytes);
    let mut step = 0_i64;
    while !reader.0.is_empty() {
        step = step.wrapping_add(reader.signed()?);
        let source = reader.size()?;
        each(step, source, reader.varint()?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::index::Builder;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    type Counts = BTreeMap<(i64, Level, String), u64>;

    /// Counts lines by step, level and service, by reading them.
    fn counted(lines: &[(i64, Level, String)], step_seconds: i64) -> Counts {
        let mut counts = Counts::new();
        for (second, level, service) in lines {
            *counts.entry((second.div_euclid(step_seconds), *level, service.clone())).or_default() += 1;
        }
        counts
    }

    fn rollup_of(lines: &[(i64, Level, String)], lines_per_block: usize) -> Option<Rollup> {
        let mut builder = Builder::default();
        let blocks: Vec<_> = lines
            .chunks(lines_per_block)
            .map(|lines| {
                let mut text = Vec::new();
                for (second, level, service) in lines {
                    let ts_ns = second * 1_000_000_000 + 7;
                    crate::log::line::write_head(&mut text, ts_ns, *level, service.as_bytes());
                    text.extend_from_slice(b"took 7 ms\n");
                }
                Arc::new(builder.block(&text))
            })
            .collect();
        Rollup::of(builder.kinds(), &blocks)
    }

    fn entries(rollup: &Rollup, step_seconds: i64) -> Counts {
        let mut counts = Counts::new();
        rollup.entries(|second, source, count| {
            let Source { level, service, .. } = &rollup.sources()[source];
            let service = String::from_utf8(service.to_vec()).unwrap();
            *counts.entry((second.div_euclid(step_seconds), *level, service)).or_default() += count;
        });
        counts
    }

    proptest! {
        #[test]
        fn its_counts_are_those_of_the_lines_and_come_back_from_a_file(
            lines in proptest::collection::vec(
                (-400_000..400_000_i64, 0..6_usize, 0..4_u8), 0..300,
            ),
            per_block in 1..40_usize,
        ) {
            let lines: Vec<_> =
                lines.into_iter().map(|(second, level, s)| (second, Level::ALL[level], format!("s{s}"))).collect();
            let rollup = rollup_of(&lines, per_block).unwrap();
            let unit = rollup.step_seconds().unwrap();
            prop_assert_eq!(unit, 60);
            for step in [unit, 5 * unit, 86_400] {
                prop_assert_eq!(entries(&rollup, step), counted(&lines, step));
            }
            let total: u64 = rollup.sources().iter().map(|source| source.total).sum();
            prop_assert_eq!(total, lines.len() as u64);
            prop_assert_eq!(Rollup::from_bytes(&rollup.to_bytes()), Some(rollup));
        }

        #[test]
        fn any_bytes_are_read_to_some_end(bytes in any::<Vec<u8>>()) {
            if let Some(rollup) = Rollup::from_bytes(&bytes) {
                rollup.entries(|_, source, _| assert!(source < rollup.sources().len()));
            }
        }
    }

    #[test]
    fn steps_are_longer_where_a_minute_each_is_too_much() {
        let minutes = |count: i64, apart: i64| {
            let lines: Vec<_> = (0..count).map(|n| (n * 60 * apart, Level::Info, "s".to_owned())).collect();
            let rollup = rollup_of(&lines, 1_000).unwrap();
            assert!(rollup.to_bytes().len() <= ROLLUP_LEN_MAX);
            let step = rollup.step_seconds();
            if let Some(step) = step {
                assert_eq!(entries(&rollup, step), counted(&lines, step));
            }
            step
        };
        let many = (ROLLUP_LEN_MAX / 3 + 100) as i64;
        assert_eq!(minutes(1_000, 1), Some(60));
        assert_eq!(minutes(many, 1), Some(3_600));
        assert_eq!(minutes(many, 60), Some(86_400));
        assert_eq!(minutes(many, 24 * 60), None);
    }

    #[test]
    fn there_is_one_where_templates_take_all_the_room_of_kinds() {
        let mut builder = Builder::default();
        let mut block = |from: u32, to: u32, service: &[u8]| {
            let mut text = Vec::new();
            for n in from..to {
                crate::log::line::write_head(&mut text, 0, Level::Info, service);
                // Letters alone: each message is a template of its own.
                let word: String = n.to_string().bytes().map(|b| char::from(b - b'0' + b'a')).collect();
                text.extend_from_slice(word.as_bytes());
                text.push(b'\n');
            }
            Arc::new(builder.block(&text))
        };
        let blocks = [block(0, 70_000, b"first"), block(70_000, 70_100, b"second")];
        let rollup = Rollup::of(builder.kinds(), &blocks).unwrap();
        let totals: Vec<_> =
            rollup.sources().iter().map(|source| (source.service.as_ref(), source.total)).collect();
        assert_eq!(totals, [(b"first".as_slice(), 70_000), (b"second", 100)]);
    }

    #[test]
    fn there_is_none_where_services_alone_are_too_long() {
        let lines: Vec<_> =
            (0..ROLLUP_LEN_MAX / 100).map(|n| (0, Level::Info, format!("{n:0>120}"))).collect();
        assert_eq!(rollup_of(&lines, 1_000), None);
    }
}
