//! A log that is going to be damaged, and what it answers then.

use super::super::*;
use crate::log::count::{self, Label};
use crate::log::store::segment::{Sealed, Segment};
use std::collections::BTreeSet;

/// What a log answers to all sorts of questions.
#[derive(Debug, PartialEq, Eq)]
pub struct Answers {
    /// The sequences of all records, and of those with a certain word.
    pub seqs: BTreeSet<u64>,
    pub with_word: BTreeSet<u64>,
    /// What is counted by level, and by minute.
    pub total: u64,
    pub over_time: u64,
    /// What a tail tells, and how many it says are lost.
    pub told: BTreeSet<u64>,
    pub lost: u64,
    /// Whether the list, the search and the counts are partial.
    pub partial: [bool; 4],
}

fn listed(log: &Store, query: &str, truth: &[(u64, String)]) -> (BTreeSet<u64>, bool) {
    let mut found = BTreeSet::new();
    let filter = Filter::parse(query).unwrap();
    let walked = walk(&log.snapshot(), &filter, Order::Desc, usize::MAX, &budget(), |hit| {
        let message = String::from_utf8_lossy(&hit.line.message()).into_owned();
        assert!(truth.contains(&(hit.seq, message)), "{} is not true", hit.seq);
        assert!(found.insert(hit.seq));
        ControlFlow::Continue(())
    });
    (found, walked.partial)
}

impl Answers {
    pub fn of(log: &Store, truth: &[(u64, String)]) -> Self {
        let (seqs, list) = listed(log, "", truth);
        let (with_word, search) = listed(log, "7", truth);
        let everything = Filter::parse("").unwrap();
        let by = Label::list("level");
        let stats = count::stats(&log.snapshot(), &everything, &by, 100, &budget());
        let hits = count::hits(&log.snapshot(), &everything, &by, 60, &budget());
        let (mut told, mut lost, mut position) = (BTreeSet::new(), 0, 1);
        while position < log.next_seq() {
            let chunk = replay::read(&log.snapshot(), position, log.next_seq());
            let lines = chunk.lines.iter().filter(|b| **b == b'\n').count();
            told.extend((0..lines).map(|at| chunk.seq(at)).filter(|seq| *seq >= position));
            lost += chunk.lost;
            assert!(chunk.end_seq > position);
            position = chunk.end_seq;
        }
        let partial = [list, search, stats.partial, hits.partial];
        Self { seqs, with_word, total: stats.total, over_time: hits.total, told, lost, partial }
    }

    /// All of the truth but these sequences is answered, and whatever is missing
    /// is said to be.
    pub fn assert_lacks(&self, whole: &Self, gone: &BTreeSet<u64>, what: &str) {
        let without = |set: &BTreeSet<u64>| set - gone;
        assert_eq!((&self.seqs, self.partial[0]), (&without(&whole.seqs), !gone.is_empty()), "{what}");
        assert_eq!(self.with_word, without(&whole.with_word), "{what}");
        assert_eq!(self.told, without(&whole.told), "{what}");
        assert_eq!(self.lost, gone.len() as u64, "{what}");
        self.assert_honest(whole, what);
    }

    /// Nothing is answered that is not true, and whatever is missing is said to be.
    pub fn assert_honest(&self, whole: &Self, what: &str) {
        assert!(self.seqs.is_subset(&whole.seqs) && self.told.is_subset(&whole.told), "{what}");
        assert!(self.partial[0] || self.seqs == whole.seqs, "{what}");
        assert!(self.partial[1] || self.with_word == whole.with_word, "{what}");
        assert!(self.total == whole.total || self.partial[2] && self.total < whole.total, "{what}");
        assert!(
            self.over_time == whole.over_time || self.partial[3] && self.over_time < whole.over_time,
            "{what}"
        );
        assert!(self.lost > 0 || self.told == whole.told, "{what}");
    }
}

/// A log with one segment that is sealed, in one file or in three.
pub struct Victim {
    pub place: Place,
    pub log: Idle,
    pub truth: Vec<(u64, String)>,
    pub whole: Answers,
}

impl Victim {
    pub async fn new(records: u64, classes: &'static str) -> Self {
        let mut place = Place::with_classes(1 << 20, classes);
        let log = place.open_idle();
        fill(&log, records).await;
        place.rotate_size = 100;
        let mut log = place.reopen(log).await;
        append(&log, "the last").await;
        log.settle();
        append(&log, "the active").await;
        let truth = all(&log);
        let whole = Answers::of(&log, &truth);
        assert_eq!(whole.partial, [false; 4]);
        Self { place, log, truth, whole }
    }

    /// Everything sealed as if it had never been opened.
    pub fn reload(&self) {
        for old in self.log.shared.segments.sealed() {
            let files = &self.log.shared.files;
            let new = Sealed::new(files, old.name.clone(), Arc::clone(old.damage()));
            self.log.shared.cache.forget(&old);
            self.log.shared.segments.replace_sealed(&old, Some(Segment::Sealed(Arc::new(new))));
        }
    }

    pub fn answers(&self) -> Answers {
        self.reload();
        Answers::of(&self.log, &self.truth)
    }

    /// For each frame of a sealed file where it ends, and its sequences.
    pub fn frames(&self, name: &str) -> Vec<(u64, BTreeSet<u64>)> {
        let sealed = self.log.shared.segments.sealed();
        let sealed = sealed.iter().find(|sealed| format!("{}.log.zst", sealed.name) == *name).unwrap();
        let opened = sealed.open().unwrap();
        let end = |block: &Block| block.offset + block.stored_len as u64;
        opened.directory.blocks.iter().map(|block| (end(block), block.seqs().collect())).collect()
    }

    pub fn file(&self, name: &str) -> fs::File {
        fs::OpenOptions::new().read(true).write(true).open(self.place.segment(name)).unwrap()
    }
}
