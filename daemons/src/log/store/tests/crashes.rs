//! The process dies before every call that changes a file.

use super::*;

/// Lets the process die at each point of `work` in turn, until it gets through.
/// What it leaves behind is to be opened as if nothing had been; then `check`.
/// Answers how many points there are.
async fn at_every_point(
    prepare: impl AsyncFn() -> Place,
    work: impl Fn(&mut Idle),
    check: impl AsyncFn(&Place, &mut Idle),
) -> usize {
    for points in 0.. {
        let place = prepare().await;
        let mut log = place.open_idle();
        let before = all(&log);
        let done = faulty::survive(points, || work(&mut log)).is_some();
        let mut log = place.kill(log).await;
        place.assert_tidy();
        check(&place, &mut log).await;
        let (next, reused) = (log.next_seq(), before.last().map(|(seq, _)| *seq));
        assert!(Some(next) > reused, "after {points} points");
        assert_eq!(append(&log, "next").await, next);
        if done {
            return points;
        }
    }
    unreachable!()
}

/// A log with some rotated segments.
async fn rotated(classes: &'static str) -> Place {
    let place = Place::with_classes(600, classes);
    let log = place.open_idle();
    fill(&log, 25).await;
    log.close().await;
    assert!(place.segments_with(".log").len() >= 2);
    place
}

/// A log with some sealed segments.
async fn sealed(classes: &'static str) -> Place {
    let place = rotated(classes).await;
    let mut log = place.open_idle();
    log.settle();
    log.close().await;
    place.assert_settled();
    place
}

/// The messages that [`fill`] stores.
fn filled(records: u64) -> Vec<(u64, String)> {
    (0..records).map(|n| (n + 1, format!("record {n}"))).collect()
}

async fn nothing_is_lost(place: &Place, log: &mut Idle) {
    assert_eq!(all(log), filled(25));
    log.settle();
    place.assert_settled();
    assert_eq!(all(log), filled(25));
}

#[tokio::test]
async fn a_crash_at_any_point_of_sealing_loses_nothing() {
    for classes in ["", CLASSES] {
        let points = at_every_point(async || rotated(classes).await, Idle::settle, nothing_is_lost).await;
        assert!(points > 20, "{points}");
    }
}

#[tokio::test]
async fn a_crash_at_any_point_of_rebuilding_an_index_loses_nothing() {
    for classes in ["", CLASSES] {
        let without_indexes = async || {
            let place = sealed(classes).await;
            for index in place.segments_with(".idx") {
                fs::remove_file(place.segment(&index)).unwrap();
            }
            place
        };
        assert!(at_every_point(without_indexes, Idle::settle, nothing_is_lost).await > 1);
    }
}

#[tokio::test]
async fn a_crash_at_any_point_of_recompressing_loses_nothing() {
    for classes in ["", CLASSES] {
        let cold = async || Place { cold_after: Duration::ZERO, ..sealed(classes).await };
        let points = at_every_point(cold, Idle::settle, async |place, log| {
            nothing_is_lost(place, log).await;
            let opened = log.shared.segments.sealed().into_iter().map(|sealed| sealed.open().unwrap());
            assert!(opened.into_iter().all(|opened| opened.directory.level == seal::LEVEL_COLD));
            // An index tells of the file that it stands beside.
            for index in place.segments_with(".idx") {
                let there = fs::read(place.segment(&index)).unwrap();
                fs::remove_file(place.segment(&index)).unwrap();
                log.shared.segments.sealed().iter().for_each(|sealed| log.shared.cache.forget(sealed));
                assert_eq!(all(log), filled(25));
                log.settle();
                assert!(fs::read(place.segment(&index)).unwrap() == there, "{index}");
            }
        });
        assert!(points.await > 10);
    }
}

#[tokio::test]
async fn a_crash_at_any_point_of_deleting_leaves_whole_segments() {
    let points = at_every_point(
        async || {
            let place = Place::with_classes(600, CLASSES);
            let mut log = place.open_idle();
            let old = serde_json::json!({"message": "old", "ts": "2001-01-01T00:00:00Z"});
            for _ in 0..30 {
                append_batch(&log, json_batch(&old), None).await;
            }
            log.settle();
            log.close().await;
            place.assert_settled();
            Place { keep_age: Some(Duration::from_secs(86_400)), ..place }
        },
        Idle::settle,
        async |place, log| {
            let there: Vec<u64> = all(log).iter().map(|(seq, _)| *seq).collect();
            assert_eq!(there, (there[0]..=30).collect::<Vec<_>>());
            log.settle();
            place.assert_settled();
            assert_eq!(place.segments(), Vec::<String>::new());
            let active: Vec<_> = all(log);
            assert!(active.iter().all(|(seq, _)| *seq > 20) && active.len() < 10);
        },
    );
    assert!(points.await > 2);
}

/// What a log holds that was killed: a torn line, and a request of which a part
/// is not there.
async fn torn() -> Place {
    let place = Place::new(1 << 20);
    let log = place.open_idle();
    append(&log, "whole").await;
    let two = serde_json::json!([{"message": "first"}, {"message": "second"}]);
    append_batch(&log, json_batch(&two), Some("key")).await;
    place.leave(log).await;
    let text = fs::read(place.active()).unwrap();
    fs::write(place.active(), &text[..text.len() - 3]).unwrap();
    place
}

#[tokio::test]
async fn a_crash_at_any_point_of_a_recovery_is_recovered_from() {
    for points in 0.. {
        let place = torn().await;
        let survived = faulty::survive(points, || place.open_idle());
        let done = survived.is_some();
        if let Some(log) = survived {
            log.close().await;
        }
        let log = place.open_idle();
        assert_eq!(all(&log), pairs(&[(1, "whole")]), "after {points} points");
        assert_eq!(append_keyed(&log, "again", "key").await, 2);
        if done {
            assert!(points > 4, "{points}");
            return;
        }
    }
}

/// Sends a request that a writer is yet to be run for.
pub fn send(store: &Store, text: &str) -> tokio::sync::oneshot::Receiver<Result<Accepted, AppendError>> {
    let (answer, answered) = oneshot::channel();
    let request = Request {
        batch: batch(text),
        key: Some(RequestKey { key: text.to_owned(), request: 0 }),
        _room: BodyBudget::new(1 << 10).reserve(),
        answer,
    };
    store.queue.lock().unwrap().as_ref().unwrap().send(request).ok().unwrap();
    answered
}

#[tokio::test]
async fn a_crash_at_any_point_of_a_commit_and_a_rotation_keeps_what_was_acknowledged() {
    for make in [|| Some(Place::new(200)), || Place::across(200)] {
        for points in 0.. {
            let Some(place) = make() else { break };
            let log = place.open_idle();
            for text in ["one", "two", "three"] {
                append_keyed(&log, text, text).await;
            }
            place.leave(log).await;
            let Still { store, writer, requests, .. } = place.open_still();
            let answers = ["four", "five"].map(|text| (text, send(&store, text)));
            *store.queue.lock().unwrap() = None;
            let done = faulty::survive(points, || writer.run(&requests)).is_some();
            drop((store, requests));

            let log = place.open_idle();
            place.assert_tidy();
            let there = all(&log);
            for (text, answer) in answers {
                if let Ok(Ok(accepted)) = answer.await {
                    assert!(there.contains(&(accepted.first, text.to_owned())), "after {points} points");
                }
            }
            // Whoever got no answer asks again, and everything is there once.
            for text in ["one", "two", "three", "four", "five"] {
                append_keyed(&log, text, text).await;
            }
            let expected = pairs(&[(1, "one"), (2, "two"), (3, "three"), (4, "four"), (5, "five")]);
            assert_eq!(all(&log), expected, "after {points} points");
            if done {
                assert!(place.segments_with(".log").len() == 1 && points > 8, "{points}");
                break;
            }
        }
    }
}
