//! What is damaged costs what was there, and nothing else; and it is said.

mod victim;

use super::*;
use crate::log::index::{Index, directory_of};
use crate::log::query::Needs;
use std::collections::BTreeSet;
use std::os::unix::fs::FileExt;
use victim::Victim;

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
    let index = Index::open(&RealDisk, path, identity)?;
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
    let sums_path = place.path().join("data/sums/00000000000000000001");
    let sums = fs::read(&sums_path).unwrap();
    for len in 0..whole.len() {
        fs::write(place.active(), &whole[..len]).unwrap();
        manifests.iter().for_each(|(manifest, path)| fs::write(path, manifest).unwrap());
        fs::write(&sums_path, &sums).unwrap();
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
    let sums_path = place.path().join("data/sums/00000000000000000001");
    let sums = fs::read(&sums_path).unwrap();
    let keys = fs::read(place.path().join("data/keys")).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        fs::write(place.active(), damaged).unwrap();
        manifests.iter().for_each(|(manifest, path)| fs::write(path, manifest).unwrap());
        fs::write(&sums_path, &sums).unwrap();
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
