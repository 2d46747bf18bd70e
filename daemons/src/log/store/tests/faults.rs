//! A step of the upkeep fails, for want of space above all, and it goes on.

use super::*;

/// Lets each step of the upkeep fail in turn, until it gets through without.
/// Meanwhile everything is there and can be written to; then the upkeep ends
/// what it began, without a restart.
async fn at_every_point(kind: ErrorKind, prepare: impl AsyncFn() -> Place) -> usize {
    for points in 0.. {
        let place = prepare().await;
        let mut log = place.open_idle();
        let mut expected = all(&log);
        let failed = faulty::fail(points, kind, || log.try_settle());
        place.assert_tidy();
        assert_eq!(log.upkeep.rests(), failed, "after {points} points");
        assert_eq!(all(&log), expected, "after {points} points");
        expected.push((append(&log, "meanwhile").await, "meanwhile".to_owned()));
        log.upkeep.wake();
        log.settle();
        place.assert_settled();
        assert_eq!(all(&log), expected, "after {points} points");
        assert_eq!(all(&*place.reopen(log).await), expected);
        if !failed {
            return points;
        }
    }
    unreachable!()
}

async fn rotated(classes: &'static str) -> Place {
    let place = Place::with_classes(600, classes);
    let log = place.open_idle();
    fill(&log, 25).await;
    log.close().await;
    place
}

async fn sealed(classes: &'static str) -> Place {
    let place = rotated(classes).await;
    let mut log = place.open_idle();
    log.settle();
    log.close().await;
    place
}

#[tokio::test]
async fn sealing_goes_on_after_a_step_that_failed() {
    for classes in ["", CLASSES] {
        for kind in [ErrorKind::StorageFull, ErrorKind::Other] {
            assert!(at_every_point(kind, async || rotated(classes).await).await > 20);
        }
    }
}

#[tokio::test]
async fn recompressing_goes_on_after_a_step_that_failed() {
    let cold = async || Place { cold_after: Duration::ZERO, ..sealed(CLASSES).await };
    assert!(at_every_point(ErrorKind::StorageFull, cold).await > 10);
}

#[tokio::test]
async fn an_index_is_rebuilt_after_a_step_that_failed() {
    let without_indexes = async || {
        let place = sealed(CLASSES).await;
        for index in place.segments_with(".idx") {
            fs::remove_file(place.segment(&index)).unwrap();
        }
        place
    };
    assert!(at_every_point(ErrorKind::StorageFull, without_indexes).await > 1);
}

#[tokio::test]
async fn retention_makes_room_where_there_is_none_to_seal() {
    let mut place = Place::new(600);
    let mut log = place.open_idle();
    let old = serde_json::json!({"message": "old", "ts": "2001-01-01T00:00:00Z"});
    for _ in 0..20 {
        append_batch(&log, json_batch(&old), None).await;
    }
    log.settle();
    let sealed = place.segments_with(".log.zst");
    place.keep_age = Some(Duration::from_secs(86_400));
    let mut log = place.reopen(log).await;
    fill(&log, 20).await;
    assert!(faulty::fail(0, ErrorKind::StorageFull, || log.try_settle()));
    assert!(!sealed.is_empty() && log.upkeep.rests());
    // The first point may be one of the deletion itself.
    log.upkeep.wake();
    assert!(faulty::fail(sealed.len() * 2, ErrorKind::StorageFull, || log.try_settle()));
    let there = place.segments_with(".log.zst");
    assert!(sealed.iter().all(|name| !there.contains(name)), "{there:?}");
}
