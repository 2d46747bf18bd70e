//! The unit in which a segment is read: about 1 MiB of whole lines.

use std::sync::Arc;

/// Sequences that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The first.
    pub first: u64,
    /// How many.
    pub len: u32,
}

/// Whole lines that stand together in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Where it begins in the file.
    pub offset: u64,
    /// How many bytes it takes in the file.
    pub stored_len: usize,
    /// How many bytes its lines have.
    pub len: usize,
    /// The sequence of its first record.
    pub first_seq: u64,
    /// How many records it has.
    pub records: u32,
    /// The sequences, where they do not simply follow the first.
    pub runs: Option<Arc<[Run]>>,
    /// No record in it is earlier than this, in nanoseconds since 1970.
    pub min_ns: i64,
    /// No record in it is later than this.
    pub max_ns: i64,
}

impl Block {
    /// The sequence of its last record.
    pub fn last_seq(&self) -> u64 {
        match self.runs.as_deref() {
            Some([.., last]) => last.first + u64::from(last.len.max(1)) - 1,
            _ => self.first_seq + u64::from(self.records.max(1)) - 1,
        }
    }

    /// Whether its sequences are as many as its records, ascend, and are numbers.
    pub fn makes_sense(&self) -> bool {
        let whole = [Run { first: self.first_seq, len: self.records }];
        let runs = self.runs.as_deref().unwrap_or(&whole);
        let (mut end, mut records) = (self.first_seq, 0_u64);
        runs.first().is_some_and(|run| run.first == self.first_seq)
            && runs.iter().all(|run| {
                let follows = run.len > 0 && run.first >= end;
                records += u64::from(run.len);
                end = run.first.checked_add(u64::from(run.len)).unwrap_or(0);
                follows && end > 0
            })
            && records == u64::from(self.records)
    }

    /// The sequences of its records, in order.
    pub fn seqs(&self) -> impl Iterator<Item = u64> + '_ {
        let whole = [Run { first: self.first_seq, len: self.records }];
        let runs: &[Run] = self.runs.as_deref().unwrap_or_default();
        let whole = whole.into_iter().take(usize::from(runs.is_empty()));
        whole.chain(runs.iter().copied()).flat_map(|run| run.first..run.first + u64::from(run.len))
    }
}
