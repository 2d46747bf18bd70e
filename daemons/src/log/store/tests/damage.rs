//! What is damaged costs what was there, and nothing else; and it is said.

use super::*;
use crate::log::count::{self, Label};
use crate::log::index::{Index, directory_of};
use crate::log::query::Needs;
use crate::log::store::segment::{Sealed, Segment};
use std::collections::BTreeSet;
use std::os::unix::fs::FileExt;

/// What a log answers to all sorts of questions.
#[derive(Debug, PartialEq, Eq)]
struct Answers {
    /// The sequences of all records, and of those with a certain word.
    seqs: BTreeSet<u64>,
    with_word: BTreeSet<u64>,
    /// What is counted by level, and by minute.
    total: u64,
    over_time: u64,
    /// What a tail tells, and how many it says are lost.
    told: BTreeSet<u64>,
    lost: u64,
    /// Whether the list, the search and the counts are partial.
    partial: [bool; 4],
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
    fn of(log: &Store, truth: &[(u64, String)]) -> Self {
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
    fn assert_lacks(&self, whole: &Self, gone: &BTreeSet<u64>, what: &str) {
        let without = |set: &BTreeSet<u64>| set - gone;
        assert_eq!((&self.seqs, self.partial[0]), (&without(&whole.seqs), !gone.is_empty()), "{what}");
        assert_eq!(self.with_word, without(&whole.with_word), "{what}");
        assert_eq!(self.told, without(&whole.told), "{what}");
        assert_eq!(self.lost, gone.len() as u64, "{what}");
        self.assert_honest(whole, what);
    }

    /// Nothing is answered that is not true, and whatever is missing is said to be.
    fn assert_honest(&self, whole: &Self, what: &str) {
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
struct Victim {
    place: Place,
    log: Idle,
    truth: Vec<(u64, String)>,
    whole: Answers,
}

impl Victim {
    async fn new(records: u64, classes: &'static str) -> Self {
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
    fn reload(&self) {
        for old in self.log.shared.segments.sealed() {
            let files = &self.log.shared.files;
            let (path, index_path) = (files.sealed(&old.name), files.index(&old.name));
            let new = Sealed::new(old.name.clone(), path, index_path, Arc::clone(old.damage()));
            self.log.shared.cache.forget(&old);
            self.log.shared.segments.replace_sealed(&old, Some(Segment::Sealed(Arc::new(new))));
        }
    }

    fn answers(&self) -> Answers {
        self.reload();
        Answers::of(&self.log, &self.truth)
    }

    /// For each frame of a sealed file where it ends, and its sequences.
    fn frames(&self, name: &str) -> Vec<(u64, BTreeSet<u64>)> {
        let sealed = self.log.shared.segments.sealed();
        let sealed = sealed.iter().find(|sealed| format!("{}.log.zst", sealed.name) == *name).unwrap();
        let opened = sealed.open().unwrap();
        let end = |block: &Block| block.offset + block.stored_len as u64;
        opened.directory.blocks.iter().map(|block| (end(block), block.seqs().collect())).collect()
    }

    fn file(&self, name: &str) -> fs::File {
        fs::OpenOptions::new().read(true).write(true).open(self.place.segment(name)).unwrap()
    }
}

/// Does something while a bit of a file is another.
fn while_flipped(file: &fs::File, at: u64, bit: u8, work: impl FnOnce()) {
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 1 << bit], at).unwrap();
    work();
    file.write_all_at(&byte, at).unwrap();
}

#[tokio::test]
async fn a_flipped_bit_in_a_sealed_file_costs_the_frame_that_it_is_in() {
    for classes in ["", CLASSES] {
        let victim = Victim::new(12, classes).await;
        for name in victim.place.segments_with(".log.zst") {
            let (file, frames) = (victim.file(&name), victim.frames(&name));
            for at in 0..file.metadata().unwrap().len() {
                // One bit of each byte, every place of a bit in turn.
                while_flipped(&file, at, (at % 8) as u8, || {
                    let hit = frames.iter().find(|(end, _)| at < *end);
                    let gone = hit.map(|(_, seqs)| seqs.clone()).unwrap_or_default();
                    victim.answers().assert_lacks(&victim.whole, &gone, &format!("{name} at {at}"));
                });
            }
        }
    }
}

#[tokio::test]
async fn a_flipped_bit_in_a_sealed_file_without_an_index_is_never_a_wrong_answer() {
    for classes in ["", CLASSES] {
        let victim = Victim::new(12, classes).await;
        for name in victim.place.segments_with(".idx") {
            fs::remove_file(victim.place.segment(&name)).unwrap();
        }
        for name in victim.place.segments_with(".log.zst") {
            let (file, frames) = (victim.file(&name), victim.frames(&name));
            for at in 0..file.metadata().unwrap().len() {
                while_flipped(&file, at, (at % 8) as u8, || {
                    let (answers, what) = (victim.answers(), format!("{name} at {at}"));
                    match frames.iter().find(|(end, _)| at < *end) {
                        Some((_, gone)) => answers.assert_lacks(&victim.whole, gone, &what),
                        None => answers.assert_honest(&victim.whole, &what),
                    }
                });
            }
        }
    }
}

#[tokio::test]
async fn a_damaged_frame_and_directory_are_never_a_wrong_answer() {
    let victim = Victim::new(12, "").await;
    for name in victim.place.segments_with(".idx") {
        fs::remove_file(victim.place.segment(&name)).unwrap();
    }
    let name = &victim.place.segments_with(".log.zst")[0];
    let (file, frames) = (victim.file(name), victim.frames(name));
    let directory = frames.last().unwrap().0 + 20;
    while_flipped(&file, directory, 3, || {
        for at in 0..frames.last().unwrap().0 {
            while_flipped(&file, at, (at % 8) as u8, || {
                victim.answers().assert_honest(&victim.whole, &format!("{name} at {at}"));
            });
        }
    });
}

#[tokio::test]
async fn a_sealed_file_that_is_cut_short_keeps_the_frames_before_the_cut() {
    for classes in ["", CLASSES] {
        let victim = Victim::new(12, classes).await;
        for name in victim.place.segments_with(".log.zst") {
            let (file, frames) = (victim.file(&name), victim.frames(&name));
            let whole = fs::read(victim.place.segment(&name)).unwrap();
            for len in (0..whole.len() as u64).rev() {
                file.set_len(len).unwrap();
                let cut = frames.iter().filter(|(end, _)| *end > len);
                let gone: BTreeSet<u64> = cut.flat_map(|(_, seqs)| seqs).copied().collect();
                victim.answers().assert_lacks(&victim.whole, &gone, &format!("{name} cut to {len}"));
            }
            file.write_all_at(&whole, 0).unwrap();
        }
    }
}

#[tokio::test]
async fn a_damaged_index_costs_no_record_and_is_rebuilt_to_the_same_bytes() {
    let mut victim = Victim::new(12, "").await;
    let name = &victim.place.segments_with(".idx")[0];
    let path = victim.place.segment(name);
    let whole = fs::read(&path).unwrap();
    let nothing = BTreeSet::new();
    let mut noticed = 0;
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        fs::write(&path, damaged).unwrap();
        victim.answers().assert_lacks(&victim.whole, &nothing, &format!("{name} at {at}"));
        if victim.log.shared.segments.sealed()[0].lacks_index() {
            noticed += 1;
            victim.log.settle();
            assert!(fs::read(&path).unwrap() == whole, "{name} at {at}");
        }
    }
    // Its head is looked at by all, its filters only by who looks for a word.
    assert!(noticed > 160, "{noticed} of {}", whole.len());
    for len in (0..whole.len()).filter(|len| *len < 200 || len % 9 == 0) {
        fs::write(&path, &whole[..len]).unwrap();
        victim.answers().assert_lacks(&victim.whole, &nothing, &format!("{name} cut to {len}"));
    }
}

/// All that an index tells, from each of its pages.
fn look_through(path: &Path, identity: u64) -> std::io::Result<()> {
    let index = Index::open(path, identity)?;
    directory_of(&fs::File::open(path)?)?;
    for block in 0..index.blocks() {
        index.columns(block)?;
    }
    (0..64).try_for_each(|page: u64| index.blocks_with(&Needs::Word(page << 58)).map(drop))
}

#[tokio::test]
async fn each_flipped_bit_in_an_index_is_noticed_by_who_reads_it() {
    let victim = Victim::new(60, "").await;
    let sealed = &victim.log.shared.segments.sealed()[0];
    let identity = sealed.open().unwrap().directory.identity();
    look_through(sealed.index_path(), identity).unwrap();
    let file = victim.file(&victim.place.segments_with(".idx")[0]);
    for at in 0..file.metadata().unwrap().len() {
        // One bit of each byte, all bits of some.
        for bit in (0..8).filter(|bit| at % 8 == u64::from(*bit) || at % 64 == 0) {
            while_flipped(&file, at, bit, || {
                let error = look_through(sealed.index_path(), identity).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidData, "bit {bit} at {at}");
            });
        }
    }
}

#[tokio::test]
async fn random_damage_to_a_larger_file_costs_no_more_than_a_frame() {
    // So many in a test that is run often; ten thousand were tried.
    const FLIPS: usize = 500;
    let mut random = fastrand::Rng::with_seed(7);
    let victim = Victim::new(300, "").await;
    let name = &victim.place.segments_with(".log.zst")[0];
    let (file, frames) = (victim.file(name), victim.frames(name));
    assert!(frames.len() > 50);
    let len = file.metadata().unwrap().len();
    for _ in 0..FLIPS {
        let at = random.u64(..len);
        while_flipped(&file, at, random.u8(..8), || {
            victim.reload();
            let opened = victim.log.shared.segments.sealed()[0].open().unwrap();
            let mut text = Vec::new();
            let lost: Vec<usize> =
                (0..frames.len()).filter(|frame| opened.read(*frame, &mut text).is_err()).collect();
            let hit = frames.iter().position(|(end, _)| at < *end);
            assert_eq!(lost, Vec::from_iter(hit), "{at} of {len}");
        });
    }
}

#[tokio::test]
async fn the_upkeep_passes_over_what_cannot_be_mended() {
    for harm in ["cut", "emptied", "flipped", "removed"] {
        let mut place = Place::new(300);
        let mut log = place.open_idle();
        fill(&log, 30).await;
        log.settle();
        let sealed = place.segments_with(".log.zst");
        let (damaged, path) = (&sealed[0], place.segment(&sealed[0]));
        let whole = fs::read(&path).unwrap();
        match harm {
            "cut" => fs::write(&path, &whole[..whole.len() / 2]).unwrap(),
            "emptied" => fs::write(&path, "").unwrap(),
            "flipped" => fs::write(&path, [&[!whole[0]], &whole[1..]].concat()).unwrap(),
            _ => {}
        }
        for index in place.segments_with(".idx") {
            fs::remove_file(place.segment(&index)).unwrap();
        }
        place.cold_after = Duration::ZERO;
        let mut log = place.reopen(log).await;
        if harm == "removed" {
            fs::remove_file(&path).unwrap();
        }
        log.settle();
        let cold = |name: &String| {
            let sealed = log.shared.segments.sealed();
            let sealed = sealed.iter().find(|sealed| format!("{}.log.zst", sealed.name) == *name).unwrap();
            sealed.open().is_ok_and(|opened| opened.directory.level == seal::LEVEL_COLD)
        };
        assert_eq!(sealed.iter().filter(|name| !cold(name)).collect::<Vec<_>>(), [damaged], "{harm}");
        assert_eq!(place.segments_with(".idx").len(), sealed.len() - 1, "{harm}");
        if let Ok(there) = fs::read(&path) {
            assert!(there.len() <= whole.len() && harm != "removed");
        }
    }
}

#[tokio::test]
async fn an_active_file_that_was_cut_keeps_its_whole_lines() {
    let place = Place::new(1 << 20);
    let log = place.open_idle();
    fill(&log, 6).await;
    let truth = all(&log);
    place.leave(log).await;
    let whole = fs::read(place.active()).unwrap();
    let manifests = place.manifests().map(|path| (fs::read(&path).unwrap(), path));
    for len in 0..whole.len() {
        fs::write(place.active(), &whole[..len]).unwrap();
        manifests.iter().for_each(|(manifest, path)| fs::write(path, manifest).unwrap());
        let log = place.open_idle();
        let lines = whole[..len].iter().filter(|b| **b == b'\n').count();
        assert_eq!(all(&log), truth[..lines], "cut to {len}");
        assert_eq!(append(&log, "next").await, lines as u64 + 1);
        place.leave(log).await;
    }
}

#[tokio::test]
async fn a_flipped_bit_in_the_active_file_costs_its_line_and_no_other() {
    let place = Place::new(1 << 20);
    let log = place.open_idle();
    fill(&log, 3).await;
    let two = serde_json::json!([{"message": "record 3"}, {"message": "record 4"}]);
    append_batch(&log, json_batch(&two), Some("key")).await;
    let truth = all(&log);
    log.close().await;
    drop(log);
    let whole = fs::read(place.active()).unwrap();
    let manifests = place.manifests().map(|path| (fs::read(&path).unwrap(), path));
    let keys = fs::read(place.path().join("data/keys")).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        fs::write(place.active(), damaged).unwrap();
        manifests.iter().for_each(|(manifest, path)| fs::write(path, manifest).unwrap());
        fs::write(place.path().join("data/keys"), &keys).unwrap();
        let log = place.open_idle();
        let hit = whole[..at].iter().filter(|b| **b == b'\n').count();
        let joined = usize::from(whole[at] == b'\n');
        let there: BTreeSet<String> = all(&log).into_iter().map(|(_, message)| message).collect();
        for (n, (_, message)) in truth.iter().enumerate() {
            assert!((hit..=hit + joined).contains(&n) || there.contains(message), "{message:?} at {at}");
        }
        log.close().await;
    }
}

#[tokio::test]
async fn a_flipped_bit_in_the_keys_costs_no_record() {
    let place = Place::new(1 << 20);
    let log = place.open_idle();
    for n in 0..5 {
        append_keyed(&log, &format!("record {n}"), &format!("key-{n}")).await;
    }
    let truth = all(&log);
    place.leave(log).await;
    let path = place.path().join("data/keys");
    let (whole, text) = (fs::read(&path).unwrap(), fs::read(place.active()).unwrap());
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << bit;
            fs::write(&path, damaged).unwrap();
            let log = place.open_idle();
            assert_eq!(all(&log), truth, "bit {bit} at {at}");
            place.leave(log).await;
            assert!(fs::read(place.active()).unwrap() == text);
        }
    }
}
