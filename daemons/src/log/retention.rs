//! What is deleted, and why: decided here, done elsewhere.
//!
//! Only whole sealed files are deleted, each holding records of one class
//! ([`Class`]); the live log never is. Two rules, in this order:
//!
//! * *Age*: a file goes when its newest record is older than its class is kept
//!   for. A class that is configured no more is kept as records of none are.
//! * *Bytes*: while files and live log together are more than the limit, the
//!   oldest files go, those of no class first. A class is a promise of time, so
//!   it is broken last; but the disk has an end, so it is broken.
//!
//! A file is as old as its newest record, but a record cannot be newer than the
//! moment in which it was sealed: one dated into the future (a sender's clock,
//! or malice) would keep its file until then, or for ever. The daemon's own
//! clock is believed: set back, it deletes nothing until it has caught up; set
//! forward, it deletes what is too old by it.

use super::line::Line;
use crate::settings::{self, Class};
pub use shared::wire::log::DeletionReason as Reason;
use shared::wire::log::Level;
use std::time::Duration;

/// What is kept for how long.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// The classes; a record is of the first that has it.
    pub classes: Vec<Class>,
    /// For how long everything else is kept; none: for ever.
    pub keep_age: Option<Duration>,
    /// Bytes that all of it may take, the live log too; none: any number.
    pub keep_bytes: Option<u64>,
}

/// A sealed file, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// The class of its records.
    pub class: Option<String>,
    /// Its length, with that of its index.
    pub bytes: u64,
    /// The time of its oldest record.
    pub oldest_ns: i64,
    /// The time of its newest record, whatever it claims.
    pub newest_ns: i64,
    /// When it was sealed, by the daemon's clock; `i64::MAX` where nobody knows.
    pub sealed_ns: i64,
    /// The sequence of its first record.
    pub first_seq: u64,
    /// How many records it has.
    pub records: u64,
}

/// A file that is to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// Which of the files that were given.
    pub index: usize,
    /// Why.
    pub reason: Reason,
}

impl Policy {
    /// What the settings say.
    pub fn new(settings: &settings::Log) -> Self {
        Self {
            classes: settings.classes.as_slice().to_vec(),
            keep_age: settings.keep_age.0.map(Duration::from),
            keep_bytes: settings.keep_size.0.map(|size| size.0),
        }
    }

    /// The class of a record; none where it is kept as everything else is.
    pub fn class_of(&self, service: &str, level: Level) -> Option<&Class> {
        self.classes.iter().find(|class| class.has(service, level))
    }

    /// Whether anything of that time may be older than it is kept.
    pub fn may_expire(&self, ts_ns: i64, now_ns: i64) -> bool {
        let kept = self.classes.iter().map(|class| class.keep).chain([self.keep_age]).flatten();
        kept.min().is_some_and(|keep| is_older(ts_ns, keep, now_ns))
    }

    /// How many of these lines are older already than their records are kept.
    pub fn expired(&self, lines: &[u8], now_ns: i64) -> u64 {
        let lines = lines.split(|b| *b == b'\n').filter_map(Line::parse);
        let expired = lines.filter(|line| {
            let class = self.class_of(&line.service(), line.level);
            let keep = class.map_or(self.keep_age, |class| class.keep);
            keep.is_some_and(|keep| is_older(line.ts_ns, keep, now_ns))
        });
        expired.count() as u64
    }

    /// The class that a file names, if there still is one.
    pub fn class_named(&self, name: Option<&str>) -> Option<&Class> {
        self.classes.iter().find(|class| Some(class.name.as_str()) == name)
    }
}

/// In i128, for a time may be as far from now as times go.
fn is_older(ts_ns: i64, keep: Duration, now_ns: i64) -> bool {
    let age_ns = i128::from(now_ns) - i128::from(ts_ns);
    age_ns > i128::try_from(keep.as_nanos()).unwrap_or(i128::MAX)
}

impl Candidate {
    /// The time by which it ages.
    fn age_from_ns(&self) -> i64 {
        self.newest_ns.min(self.sealed_ns)
    }
}

/// The files that are to be deleted now, in the order in which that is to be
/// done: it can stop anywhere, and what it left is decided upon again.
pub fn decide(policy: &Policy, files: &[Candidate], active_bytes: u64, now_ns: i64) -> Vec<Deletion> {
    struct Aged<'a> {
        index: usize,
        file: &'a Candidate,
        in_class: bool,
        reason: Option<Reason>,
    }
    let mut aged: Vec<Aged<'_>> = files
        .iter()
        .enumerate()
        .map(|(index, file)| {
            let class = policy.class_named(file.class.as_deref());
            let keep = class.map_or(policy.keep_age, |class| class.keep);
            let is_old = keep.is_some_and(|keep| is_older(file.age_from_ns(), keep, now_ns));
            Aged { index, file, in_class: class.is_some(), reason: is_old.then_some(Reason::Age) }
        })
        .collect();
    // Files of one age go in the order of their records, so that the answer
    // never depends on the order in which they were listed.
    aged.sort_by_key(|aged| {
        (aged.in_class, aged.file.age_from_ns(), aged.file.first_seq, aged.file.name.as_str())
    });
    if let Some(keep_bytes) = policy.keep_bytes {
        let left = aged.iter().filter(|aged| aged.reason.is_none());
        let left = left.map(|aged| u128::from(aged.file.bytes)).sum::<u128>() + u128::from(active_bytes);
        let mut surplus = left.saturating_sub(u128::from(keep_bytes));
        // An empty file in the way is no help, so it stays.
        for aged in aged.iter_mut().filter(|aged| aged.reason.is_none() && aged.file.bytes > 0) {
            if surplus == 0 {
                break;
            }
            surplus = surplus.saturating_sub(u128::from(aged.file.bytes));
            aged.reason = Some(Reason::Bytes);
        }
    }
    let deletions = aged.iter().filter_map(|aged| Some(Deletion { index: aged.index, reason: aged.reason? }));
    deletions.collect()
}

#[cfg(test)]
mod tests;
