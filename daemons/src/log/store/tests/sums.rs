//! Plain text is compared with its checksums.

use super::*;
use crate::log::store::check;
use shared::wire::health::Status;

/// A log that was closed, what it holds, and the bytes of its active file.
async fn closed(records: u64) -> (Place, Vec<(u64, String)>, Vec<u8>) {
    let place = Place::new(1 << 20);
    let log = place.open_idle();
    fill(&log, records).await;
    let truth = all(&log);
    log.close().await;
    drop(log);
    let text = fs::read(place.active()).unwrap();
    (place, truth, text)
}

fn sums(place: &Place, base: u64) -> PathBuf {
    place.path().join(format!("data/sums/{base:020}"))
}

fn status(log: &Store) -> Status {
    log.shared.health.report().status
}

/// What `distlogd log verify` finds in the active file, and in rotated ones.
fn verified(place: &Place) -> Vec<check::Finding> {
    let log = check::Log::new(&place.settings(), place.path().join("data"));
    let reports =
        log.units().unwrap().iter().flat_map(|unit| log.check(unit, &|_, _| ())).collect::<Vec<_>>();
    let differ = |finding: &check::Finding| matches!(finding, check::Finding::TextDiffers(_));
    reports.into_iter().flat_map(|report| report.findings).filter(differ).collect()
}

#[tokio::test]
async fn each_flipped_bit_in_plain_text_is_found_and_flipped_back() {
    let (place, truth, text) = closed(8).await;
    for at in 0..text.len() {
        let mut damaged = text.clone();
        damaged[at] ^= 1 << (at % 8);
        fs::write(place.active(), damaged).unwrap();
        assert_eq!(verified(&place).len(), 1, "byte {at}");
        let log = place.open_idle();
        assert_eq!((all(&log), log.next_seq()), (truth.clone(), 9), "byte {at}");
        log.close().await;
        drop(log);
        assert_eq!(fs::read(place.active()).unwrap(), text, "byte {at}");
    }
}

#[tokio::test]
async fn where_more_is_damaged_it_is_told_and_the_records_after_it_keep_their_sequences() {
    for rotated in [false, true] {
        let (mut place, truth, text) = closed(40).await;
        let path = if rotated {
            place.rotate_size = 100;
            let log = place.open_idle();
            append(&log, "last").await;
            log.rotate();
            log.close().await;
            place.segment(&place.segments_with(".log")[0])
        } else {
            place.active()
        };
        // Three line feeds are gone, all within the first groups.
        let mut damaged = fs::read(&path).unwrap();
        assert!(damaged.starts_with(&text));
        let feeds: Vec<usize> = memchr::memchr_iter(b'\n', &damaged).take(3).collect();
        for at in feeds {
            damaged[at] = b'*';
            damaged[at - 1] ^= 0x40;
        }
        fs::write(&path, &damaged).unwrap();
        assert!(!verified(&place).is_empty());
        let mut log = place.open_idle();
        assert_eq!(status(&log), Status::Warn);
        let there = all(&log);
        assert_eq!(there.len(), truth.len() + usize::from(rotated));
        assert_eq!(there[12..40], truth[12..]);
        assert_eq!(append(&log, "next").await, there.len() as u64 + 1);
        let kept = fs::read_dir(place.path().join("data/torn")).unwrap();
        let kept: Vec<Vec<u8>> = kept.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
        assert!(kept.iter().all(|kept| memchr::memmem::find(&damaged, kept).is_some()) && !kept.is_empty());
        log.settle();
        assert_eq!(all(&log)[12..40], truth[12..]);
    }
}

#[tokio::test]
async fn text_that_changes_before_it_is_sealed_is_not_sealed_as_truth_unseen() {
    let (mut place, truth, _) = closed(40).await;
    place.rotate_size = 100;
    let mut log = place.open_idle();
    append(&log, "last").await;
    log.rotate();
    let path = place.segment(&place.segments_with(".log")[0]);
    let mut text = fs::read(&path).unwrap();
    let feed = text.iter().position(|byte| *byte == b'\n').unwrap();
    text[feed] ^= 1;
    let word = memchr::memmem::rfind(&text, b"record 39").unwrap();
    text[word..word + 6].copy_from_slice(b"RECORD");
    std::os::unix::fs::FileExt::write_all_at(
        &fs::OpenOptions::new().write(true).open(&path).unwrap(),
        &text,
        0,
    )
    .unwrap();
    log.settle();
    place.assert_settled();
    assert_eq!(all(&log)[..39], truth[..39]);
    assert_eq!(status(&log), Status::Warn);
    assert!(!sums(&place, 1).exists());
}

#[tokio::test]
async fn damaged_or_missing_checksums_cost_nothing() {
    let (place, truth, text) = closed(8).await;
    let path = sums(&place, 1);
    let whole = fs::read(&path).unwrap();
    for at in 0..=whole.len() {
        match whole.get(at) {
            Some(byte) => {
                let mut damaged = whole.clone();
                damaged[at] = byte ^ 1 << (at % 8);
                fs::write(&path, damaged).unwrap();
            }
            None => fs::remove_file(&path).unwrap(),
        }
        let log = place.open_idle();
        assert_eq!((all(&log), status(&log)), (truth.clone(), Status::Pass), "byte {at}");
        log.close().await;
        drop(log);
        // They are complete again.
        assert_eq!(
            (fs::read(&path).unwrap(), fs::read(place.active()).unwrap()),
            (whole.clone(), text.clone())
        );
    }
}

#[tokio::test]
async fn lines_appended_by_hand_are_no_damage() {
    let (place, truth, _) = closed(8).await;
    let append_line = |line: &[u8]| {
        fs::OpenOptions::new().append(true).open(place.active()).unwrap().write_all(line).unwrap();
    };
    append_line(b"while nothing runs\n");
    let log = place.open_idle();
    append_line(b"while it runs\n");
    assert_eq!(append(&log, "next").await, 11);
    let log = place.kill(log).await;
    assert_eq!((all(&log).len(), status(&log)), (11, Status::Pass));
    assert_eq!(all(&log)[..8], truth);
    assert_eq!(verified(&place), []);
}
