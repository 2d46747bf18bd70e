//! What becomes of a segment that is rotated.

use super::*;

#[tokio::test]
async fn a_rotated_segment_becomes_frames_with_an_index_and_is_found_as_before() {
    for classes in ["", CLASSES] {
        let place = Place::with_classes(600, classes);
        let mut log = place.open_idle();
        fill(&log, 60).await;
        let before = all(&log);
        log.settle();
        place.assert_settled();
        assert!(place.segments_with(".log.zst").len() > 3);
        assert_eq!(all(&log), before);
        assert_eq!(all(&*place.reopen(log).await), before);
    }
}

#[tokio::test]
async fn sealing_goes_on_by_itself_while_records_come() {
    let place = Place::with_classes(600, CLASSES);
    let store = place.open();
    fill(&store, 200).await;
    let deadline = Instant::now() + Duration::from_secs(20);
    // Records come faster than they are sealed: those that were there first count.
    let first = |name: &String| name.as_str() < "00000000000000000200";
    while place.segments_with(".log").iter().any(first) {
        assert!(Instant::now() < deadline, "{:?}", place.segments());
        append(&store, "one more").await;
    }
    let there = all(&store);
    assert!(there.len() >= 200 && there.iter().map(|(seq, _)| *seq).eq(1..=there.len() as u64));
    store.close().await;
    drop(store);
    // The stop may come amid the sealing of one; the start removes what is half done.
    let store = place.open_idle();
    place.assert_tidy();
    assert_eq!(all(&store), there);
}

#[tokio::test]
async fn what_the_index_of_the_active_segment_knows_is_not_found_out_again() {
    let place = Place::new(1_500);
    let mut log = place.open_idle();
    fill(&log, 20).await;
    log.settle();
    let active = log.shared.segments.plain().pop().unwrap();
    let indexed = active.index().unwrap();
    fill(&log, 20).await;
    log.rotate();
    let [rotated, _] = log.shared.segments.plain().try_into().unwrap();
    assert!(Arc::ptr_eq(&rotated.index().unwrap(), &indexed));
    assert!(Arc::ptr_eq(&rotated, &active));
}

#[tokio::test]
async fn a_line_appended_by_hand_just_before_a_rotation_is_sealed_with_the_rest() {
    let place = Place::new(150);
    let log = place.open_idle();
    append(&log, "a").await;
    place.leave(log).await;
    let Still { store, mut writer, .. } = place.open_still();
    fs::OpenOptions::new().append(true).open(place.active()).unwrap().write_all(b"by hand").unwrap();
    writer.rotate();
    drop((store, writer));
    let mut log = place.open_idle();
    assert_eq!(append(&log, "b").await, 3);
    let expected = pairs(&[(1, "a"), (2, "by hand"), (3, "b")]);
    assert_eq!(all(&log), expected);
    log.settle();
    assert_eq!(all(&log), expected);
}

#[tokio::test]
async fn what_a_segment_tells_of_its_times_is_what_its_records_say() {
    let place = Place::new(300);
    let mut log = place.open_idle();
    append(&log, "a").await;
    fs::OpenOptions::new().append(true).open(place.active()).unwrap().write_all(b"by hand\n").unwrap();
    let long = "b".repeat(300);
    append(&log, &long).await;
    log.settle();
    place.assert_settled();
    let (candidates, _) = log.candidates();
    let now = crate::log::time::now_ns();
    assert!(candidates[0].oldest_ns > now - 60_000_000_000 && candidates[0].newest_ns <= now);
}

#[tokio::test]
async fn a_segment_that_cannot_be_sealed_keeps_nothing_else_from_it() {
    let place = Place { keep_age: Some(Duration::from_secs(86_400)), ..Place::new(600) };
    let mut log = place.open_idle();
    let old = serde_json::json!({"message": "old", "ts": "2001-01-01T00:00:00Z"});
    for _ in 0..20 {
        append_batch(&log, json_batch(&old), None).await;
    }
    log.settle();
    fill(&log, 60).await;
    log.rotate();
    let unsealed = place.segments_with(".log");
    let [first, .., last] = unsealed.as_slice() else { panic!("{unsealed:?}") };
    for name in [first, last] {
        fs::OpenOptions::new().write(true).open(place.segment(name)).unwrap().set_len(50).unwrap();
    }
    // The first that cannot be sealed, the second, and each of them again.
    for _ in 0..4 {
        log.try_settle();
        assert!(log.upkeep.rests());
        log.upkeep.wake();
    }
    assert_eq!(place.segments_with(".log"), [first.clone(), last.clone()]);
    place.assert_tidy();
    let (there, partial) = readable(&log);
    assert!(partial && there.len() > 20 && there.iter().all(|(_, message)| message != "old"));
}

#[tokio::test]
async fn a_rotated_segment_that_has_lost_its_last_line_feed_is_sealed_all_the_same() {
    let place = Place::new(600);
    let log = place.open_idle();
    fill(&log, 15).await;
    log.rotate();
    let before = all(&log);
    log.close().await;
    drop(log);
    let path = place.segment(&place.segments_with(".log")[0]);
    let text = fs::read(&path).unwrap();
    fs::write(&path, &text[..text.len() - 1]).unwrap();
    let mut log = place.open_idle();
    assert_eq!(all(&log), before);
    log.settle();
    place.assert_settled();
    assert_eq!(all(&log), before);
    assert!(tail::told(&log, 1).await.0.iter().all(|(_, line)| line.ends_with(b"\n")));
}
