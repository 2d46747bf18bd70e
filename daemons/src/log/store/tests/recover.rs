//! What is there again after a stop, a crash, or somebody else's hand.

use super::*;

#[tokio::test]
async fn records_come_back_after_a_stop_with_the_next_sequences() {
    let place = Place::new(1 << 20);
    let store = place.open();
    assert_eq!((append(&store, "a").await, append(&store, "b").await), (1, 2));
    store.close().await;
    drop(store);
    let store = place.open();
    assert_eq!(append(&store, "c").await, 3);
    assert_eq!(all(&store), pairs(&[(1, "a"), (2, "b"), (3, "c")]));
}

/// As a process has it that another thread is about to start.
#[tokio::test]
async fn a_log_that_is_closed_can_be_opened_while_its_file_is_open_elsewhere() {
    let place = Place::new(1 << 20);
    let log = place.open_idle();
    let _elsewhere = fs::File::open(place.active()).unwrap();
    assert_eq!(append(&log, "a").await, 1);
    let log = place.reopen(log).await;
    assert_eq!(append(&log, "b").await, 2);
}

#[tokio::test]
async fn the_log_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new(1 << 20);
    let _store = place.open();
    assert_eq!(fs::metadata(place.active()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_torn_tail_is_cut_off_and_kept_to_be_looked_at() {
    for torn in ["2026-11-22T10:00:00.0", "\0\0\0\0", "2026-11-22T10:00:00.000000Z  INFO a: b\0\0\0\n"] {
        let place = Place::new(1 << 20);
        let store = place.open();
        append(&store, "a").await;
        store.close().await;
        drop(store);
        fs::OpenOptions::new().append(true).open(place.active()).unwrap().write_all(torn.as_bytes()).unwrap();
        let store = place.open();
        assert_eq!(append(&store, "b").await, 2);
        assert_eq!(all(&store), pairs(&[(1, "a"), (2, "b")]));
        let kept = fs::read_dir(place.path().join("data/torn")).unwrap().next().unwrap().unwrap().path();
        assert_eq!(fs::read(kept).unwrap(), torn.as_bytes());
    }
}

#[tokio::test]
async fn bytes_lost_in_the_middle_cost_only_their_own_line() {
    let place = Place::new(1 << 20);
    let store = place.open();
    for text in ["a", "b", "c"] {
        append(&store, text).await;
    }
    store.close().await;
    drop(store);
    let mut text = fs::read(place.active()).unwrap();
    let second = text.iter().position(|b| *b == b'\n').unwrap() + 5;
    text[second] = 0;
    fs::write(place.active(), text).unwrap();
    let store = place.open();
    assert_eq!(append(&store, "d").await, 4);
    let all = all(&store);
    assert_eq!((all[0].1.as_str(), all[2].1.as_str(), all[3].1.as_str()), ("a", "c", "d"));
}

#[tokio::test]
async fn a_damaged_manifest_is_made_anew_from_the_segments() {
    let place = Place::new(100);
    let store = place.open();
    for n in 0..10 {
        append(&store, &format!("record {n}")).await;
    }
    store.close().await;
    drop(store);
    for path in place.manifests() {
        fs::write(path, "").unwrap();
    }
    assert_eq!(append(&place.open(), "next").await, 11);
}

#[tokio::test]
async fn a_line_that_somebody_appends_to_the_live_log_is_a_record() {
    let place = Place::new(1 << 20);
    let store = place.open();
    append(&store, "a").await;
    let mut file = fs::OpenOptions::new().append(true).open(place.active()).unwrap();
    file.write_all(b"by hand\nand without an end").unwrap();
    assert_eq!(append(&store, "b").await, 4);
    let expected = pairs(&[(1, "a"), (2, "by hand"), (3, "and without an end"), (4, "b")]);
    assert_eq!(all(&store), expected);
    store.close().await;
    drop(store);
    assert_eq!(all(&place.open()), expected);
}

#[tokio::test]
async fn a_line_written_by_hand_is_a_record() {
    let place = Place::new(1 << 20);
    fs::write(place.active(), "hello\n").unwrap();
    let store = place.open();
    append(&store, "a").await;
    assert_eq!(all(&store), pairs(&[(1, "hello"), (2, "a")]));
}

#[tokio::test]
async fn a_log_that_vanished_does_not_give_its_sequences_away_again() {
    let place = Place::new(1 << 20);
    let store = place.open();
    append(&store, "a").await;
    store.close().await;
    drop(store);
    fs::remove_file(place.active()).unwrap();
    let store = place.open();
    assert!(append(&store, "b").await > 1 << 32);
}

#[tokio::test]
async fn a_log_moved_away_while_it_is_written_goes_on_in_a_new_file() {
    let place = Place::new(1 << 20);
    let mut log = place.open_idle();
    append(&log, "a").await;
    fs::rename(place.active(), place.path().join("moved")).unwrap();
    assert_eq!(append(&log, "b").await, 2);
    assert!(fs::read_to_string(place.active()).unwrap().ends_with("b\n"));
    assert_eq!(all(&log), pairs(&[(1, "a"), (2, "b")]));
    // It is sealed as any other, and the file stays where it was moved to.
    log.settle();
    place.assert_settled();
    assert_eq!(all(&*place.reopen(log).await), pairs(&[(1, "a"), (2, "b")]));
    assert!(fs::read_to_string(place.path().join("moved")).unwrap().ends_with("a\n"));
}

#[tokio::test]
async fn a_log_emptied_while_it_is_written_leaves_no_hole() {
    let place = Place::new(1 << 20);
    let store = place.open();
    append(&store, "a").await;
    fs::OpenOptions::new().write(true).open(place.active()).unwrap().set_len(0).unwrap();
    assert_eq!(append(&store, "b").await, 2);
    assert_eq!(all(&store), pairs(&[(2, "b")]));
    store.close().await;
    drop(store);
    let text = fs::read_to_string(place.active()).unwrap();
    assert!(text.ends_with(": b\n") && !text.contains('\0'), "{text:?}");
    assert_eq!(all(&place.open()), pairs(&[(2, "b")]));
}

#[tokio::test]
async fn a_log_cut_while_nobody_looked_does_not_give_its_sequences_away_again() {
    let place = Place::new(1 << 20);
    let store = place.open();
    append(&store, "a").await;
    store.close().await;
    drop(store);
    fs::write(place.active(), "").unwrap();
    assert!(append(&place.open(), "b").await > 1 << 32);
}

#[tokio::test]
async fn a_rotation_that_was_cut_short_is_finished_at_the_next_start() {
    for copied in [false, true] {
        let place = Place::new(1 << 20);
        let store = place.open();
        append(&store, "a").await;
        append(&store, "b").await;
        store.close().await;
        drop(store);
        let segment = place.path().join("data/segments/00000000000000000001.log");
        fs::copy(place.active(), &segment).unwrap();
        if !copied {
            fs::remove_file(place.active()).unwrap();
        }
        let store = place.open();
        assert_eq!(append(&store, "c").await, 3);
        assert_eq!(all(&store), pairs(&[(1, "a"), (2, "b"), (3, "c")]), "copied: {copied}");
    }
}

#[tokio::test]
async fn a_key_is_answered_again_and_stores_nothing_over_stops_and_rotations() {
    let place = Place::new(100);
    let store = place.open();
    let first = append_keyed(&store, "once", "k").await;
    for n in 0..5 {
        append(&store, &format!("between {n}")).await;
    }
    assert_eq!(append_keyed(&store, "twice", "k").await, first);
    store.close().await;
    drop(store);
    assert!(!place.segments().is_empty());
    let store = place.open();
    assert_eq!(append_keyed(&store, "thrice", "k").await, first);
    assert_eq!(all(&store).len(), 6);
}

#[tokio::test]
async fn a_key_whose_records_are_not_all_there_is_forgotten_with_them() {
    let place = Place::new(1 << 20);
    let log = place.open_idle();
    append(&log, "a").await;
    let keyed = json_batch(&serde_json::json!([{"message": "b"}, {"message": "c"}]));
    append_batch(&log, keyed.clone(), Some("k")).await;
    place.leave(log).await;
    // As a crash in the middle of the write leaves it: the second line torn.
    let text = fs::read(place.active()).unwrap();
    fs::write(place.active(), text.get(..text.len() - 3).unwrap()).unwrap();
    let store = place.open();
    assert_eq!(all(&store), pairs(&[(1, "a")]));
    assert_eq!(append_batch(&store, keyed, Some("k")).await, 2);
    assert_eq!(all(&store), pairs(&[(1, "a"), (2, "b"), (3, "c")]));
}
