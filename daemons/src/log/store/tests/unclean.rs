//! What is on disk after an unclean end counts, not what the page cache shows.

use super::*;
use crate::log::limits::APPENDED_LINE_MAX;
use std::os::unix::fs::MetadataExt;

fn inode(path: &Path) -> u64 {
    fs::metadata(path).unwrap().ino()
}

#[tokio::test]
async fn after_an_unclean_end_the_log_goes_on_in_a_new_file_and_after_a_clean_one_in_the_same() {
    let place = Place::new(1 << 20);
    let log = place.open_idle();
    append_keyed(&log, "a", "k").await;
    let paths = [place.active(), place.path().join("data/keys")];
    let first = paths.clone().map(|path| inode(&path));
    let log = place.reopen(log).await;
    assert_eq!(paths.clone().map(|path| inode(&path)), first);
    append(&log, "b").await;
    // Held open, so that no new file gets their inodes.
    let _held = paths.clone().map(|path| fs::File::open(path).unwrap());
    let log = place.kill(log).await;
    let second = paths.map(|path| inode(&path));
    assert!(second[0] != first[0] && second[1] != first[1]);
    assert_eq!(append_keyed(&log, "c", "k").await, 1);
    assert_eq!(append(&log, "c").await, 3);
    assert_eq!(all(&log), pairs(&[(1, "a"), (2, "b"), (3, "c")]));
}

#[tokio::test]
async fn a_line_that_the_page_cache_shows_and_the_disk_lost_is_no_record() {
    let place = Place::new(1 << 20);
    let log = place.open_idle();
    append(&log, "a").await;
    let acknowledged = fs::read(place.active()).unwrap();
    append(&log, "refused").await;
    place.leave(log).await;
    // What got to disk of the refused batch: its length, and zeros.
    let len = fs::metadata(place.active()).unwrap().len() as usize;
    let mut on_disk = acknowledged.clone();
    on_disk.resize(len, 0);
    fs::write(faulty::on_disk(&place.active()), on_disk).unwrap();
    let log = place.open_idle();
    fs::remove_file(faulty::on_disk(&place.active())).unwrap();
    assert_eq!(all(&log), pairs(&[(1, "a")]));
    assert_eq!(append(&log, "b").await, 2);
    let text = fs::read(place.active()).unwrap();
    assert!(text.starts_with(&acknowledged) && !text.contains(&0));
    assert_eq!(all(&*place.kill(log).await), pairs(&[(1, "a"), (2, "b")]));
}

#[tokio::test]
async fn on_a_full_disk_the_log_opens_is_read_and_takes_records_when_there_is_space() {
    for torn in ["", "2026-11-22T10:00"] {
        let place = Place::new(1 << 20);
        let log = place.open_idle();
        append_keyed(&log, "a", "k").await;
        place.leave(log).await;
        let mut file = fs::OpenOptions::new().append(true).open(place.active()).unwrap();
        file.write_all(torn.as_bytes()).unwrap();
        let before = fs::read(place.active()).unwrap();
        let Still { store, mut writer, requests, .. } = faulty::full(|| place.open_still());
        assert_eq!(all(&store), pairs(&[(1, "a")]));
        assert_eq!(store.shared.health.report().status, shared::wire::health::Status::Fail);
        // Everything is as it was, and no record is taken.
        let refused = crashes::send(&store, "refused");
        faulty::full(|| writer.commit(vec![requests.recv().unwrap()]));
        assert_eq!(refused.await.unwrap(), Err(AppendError::Full));
        assert_eq!(fs::read(place.active()).unwrap(), before);
        let again = crashes::send(&store, "k");
        let taken = crashes::send(&store, "b");
        *store.queue.lock().unwrap() = None;
        tokio::task::spawn_blocking(move || writer.run(&requests)).await.unwrap();
        assert_eq!(again.await.unwrap().unwrap().first, 1);
        assert_eq!(taken.await.unwrap().unwrap().first, 2);
        assert_eq!(all(&store), pairs(&[(1, "a"), (2, "b")]));
        assert_eq!(store.shared.health.report().status, shared::wire::health::Status::Pass);
        drop(store);
        assert_eq!(all(&place.open_idle()), pairs(&[(1, "a"), (2, "b")]));
    }
}

#[tokio::test]
async fn a_manifest_of_a_later_version_is_refused_and_stays() {
    let place = Place::new(1 << 20);
    let log = place.open_idle();
    append(&log, "a").await;
    log.close().await;
    drop(log);
    let later = br#"{"version":2,"segments":[{"first":1}],"active":"distributed.log"}"#;
    for path in place.manifests() {
        fs::write(path, later).unwrap();
    }
    let health = Arc::new(Board::new(Daemon::Log));
    let refused = Store::open(place.own_dir(), &place.settings(), health, &Metrics::default());
    let why = refused.err().unwrap().to_string();
    assert!(why.contains("later distlogd (version 2"), "{why}");
    for path in place.manifests() {
        assert_eq!(fs::read(path).unwrap(), later);
    }
}

#[tokio::test]
async fn each_flipped_bit_in_one_of_the_manifests_changes_nothing() {
    let place = Place::new(300);
    let log = place.open_idle();
    fill(&log, 20).await;
    let truth = all(&log);
    log.close().await;
    drop(log);
    let whole = place.manifests().map(|path| fs::read(path).unwrap());
    for (path, bytes) in place.manifests().iter().zip(&whole) {
        for at in 0..bytes.len() {
            place.manifests().iter().zip(&whole).for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 7);
            fs::write(path, damaged).unwrap();
            let log = place.open_idle();
            assert_eq!((all(&log), log.next_seq()), (truth.clone(), 21), "{path:?} at {at}");
            log.close().await;
        }
    }
}

#[tokio::test]
async fn a_crash_while_space_is_looked_for_leaves_no_record() {
    for calls in 0.. {
        let place = Place::new(1 << 20);
        let log = place.open_idle();
        append(&log, "a").await;
        place.leave(log).await;
        let Still { store, mut writer, requests, .. } = place.open_still();
        writer.fail(fault::Fault::Full);
        let done = faulty::survive(calls, || writer.try_again()).is_some();
        drop((store, writer, requests));
        let log = place.open_idle();
        assert_eq!(all(&log), pairs(&[(1, "a")]), "after {calls} calls");
        assert_eq!(append(&log, "b").await, 2);
        if done {
            assert!(calls >= 2);
            return;
        }
    }
}

#[tokio::test]
async fn what_is_appended_by_hand_is_taken_in_pieces_and_its_long_lines_are_cut() {
    let place = Place::new(1 << 30);
    let log = place.open_idle();
    append(&log, "a").await;
    let long = "word ".repeat(APPENDED_LINE_MAX / 2);
    let text = [&"short\n".repeat(50_000), &long, "\nlast"].concat();
    fs::OpenOptions::new().append(true).open(place.active()).unwrap().write_all(text.as_bytes()).unwrap();
    let next = append(&log, "b").await;
    let there = all(&log);
    assert_eq!(there.last().unwrap(), &(next, "b".to_owned()));
    assert!(there.iter().map(|(seq, _)| *seq).eq(1..=next));
    assert!(there.iter().all(|(_, message)| message.len() <= APPENDED_LINE_MAX));
    let words = there.iter().flat_map(|(_, message)| message.split_whitespace()).filter(|w| *w == "word");
    assert_eq!(words.count(), APPENDED_LINE_MAX / 2);
    // The same while no log service is running.
    log.close().await;
    drop(log);
    fs::OpenOptions::new().append(true).open(place.active()).unwrap().write_all(long.as_bytes()).unwrap();
    fs::OpenOptions::new().append(true).open(place.active()).unwrap().write_all(b"\n").unwrap();
    let log = place.open_idle();
    assert!(all(&log).iter().all(|(_, message)| message.len() <= APPENDED_LINE_MAX));
    assert_eq!(all(&log)[..there.len()], there);
}
