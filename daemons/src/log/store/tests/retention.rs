//! What is deleted, and what never is.

use super::*;
use crate::log::time;

const DAY: Duration = Duration::from_secs(86_400);

/// A record that is so many days old.
async fn append_aged(log: &Store, days: u32, level: &str, service: &str) -> u64 {
    let ts = time::to_rfc3339(time::now_ns() - i64::try_from((DAY * days).as_nanos()).unwrap());
    let message = format!("{level} of {service}");
    let record = serde_json::json!({"ts": ts, "level": level, "service": service, "message": message});
    append_batch(log, json_batch(&record), None).await
}

/// The files of the place, all of them, without those of segments.
fn others(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(others(&path));
        }
        found.push(path);
    }
    found.sort();
    found
}

#[tokio::test]
async fn each_class_is_deleted_in_its_time() {
    let mut place = Place::with_classes(250, "fine=1d level:<=debug; audit=off service:audit");
    place.keep_age = Some(DAY * 30);
    let mut log = place.open_idle();
    for days in [31, 2, 0] {
        for (level, service) in [("debug", "shop"), ("info", "shop"), ("info", "audit"), ("info", "shop")] {
            append_aged(&log, days, level, service).await;
        }
        log.rotate();
    }
    log.settle_later();
    let left = |log: &Store| all(log).into_iter().map(|(seq, _)| seq).collect::<Vec<_>>();
    // Deleted are: of the first four the debug and the info records, of the next four the debug record.
    assert_eq!(left(&log), [3, 6, 7, 8, 9, 10, 11, 12]);
    assert_eq!(left(&*place.reopen(log).await), [3, 6, 7, 8, 9, 10, 11, 12]);
}

#[tokio::test]
async fn what_was_deleted_leaves_its_sequences_to_nobody() {
    for lost in [None, Some("manifest.json"), Some("manifest.copy.json")] {
        for how in ["removed", "emptied", "overwritten"] {
            let place = Place { keep_age: Some(DAY), ..Place::new(100) };
            let mut log = place.open_idle();
            for _ in 0..8 {
                append_aged(&log, 2, "info", "shop").await;
            }
            log.settle_later();
            assert_eq!((place.segments(), all(&log)), (Vec::new(), Vec::new()));
            log.close().await;
            drop(log);
            if let Some(name) = lost {
                let path = place.path().join("data").join(name);
                match how {
                    "removed" => fs::remove_file(path).unwrap(),
                    "emptied" => fs::write(path, "").unwrap(),
                    _ => fs::write(path, "x".repeat(80)).unwrap(),
                }
            }
            let log = place.open_idle();
            assert_eq!(append(&log, "next").await, 9, "{lost:?} {how}");
            assert_eq!(all(&log), pairs(&[(9, "next")]));
        }
    }
}

#[tokio::test]
async fn a_follower_passes_over_what_was_deleted() {
    let place = Place { keep_age: Some(DAY), ..Place::with_classes(250, CLASSES) };
    let mut log = place.open_idle();
    fill(&log, 20).await;
    for _ in 0..10 {
        append_aged(&log, 2, "info", "shop").await;
    }
    fill(&log, 20).await;
    let before = tail::told(&log, 1).await.0;
    log.settle_later();
    let after = tail::told(&log, 1).await;
    let there: Vec<u64> = all(&log).into_iter().map(|(seq, _)| seq).collect();
    assert!(there.len() < before.len() && there.contains(&1) && there.contains(&50));
    let expected: Vec<_> = before.into_iter().filter(|(seq, _)| there.contains(seq)).collect();
    assert_eq!(after, (expected, 0));
}

#[tokio::test]
async fn a_segment_deleted_while_somebody_reads_costs_them_nothing_else() {
    let place = Place::with_classes(3_000, CLASSES);
    let mut log = place.open_idle();
    fill(&log, 80).await;
    log.settle();
    let (before, _) = tail::told(&log, 1).await;
    let log = place.reopen(log).await;
    let sealed = log.shared.segments.sealed();
    let audit = sealed.iter().find(|sealed| sealed.name.class.as_deref() == Some("audit")).unwrap();
    let opened = audit.open().unwrap();
    let gone: Vec<u64> = opened.directory.blocks.iter().flat_map(|block| block.seqs()).collect();
    // Deleted between the look at the list of segments and that at the file.
    fs::remove_file(log.shared.files.sealed(&audit.name)).unwrap();
    let expected: Vec<_> = before.iter().filter(|(seq, _)| !gone.contains(seq)).cloned().collect();
    assert!(expected.len() < before.len());
    assert_eq!(tail::told(&log, 1).await, (expected, 0));
}

#[tokio::test]
async fn nothing_that_is_not_the_logs_own_is_ever_removed() {
    let place = Place { keep_age: Some(DAY), ..Place::with_classes(250, CLASSES) };
    let log = place.open_idle();
    log.close().await;
    drop(log);
    for name in [
        "notes.new",
        "notes.copy",
        "README",
        "x.log",
        "x.log.zst",
        "x.idx",
        "1.log",
        "00000000000000000001.bak",
        "00000000000000000001.log.zst.old",
        "00000000000000000001x.log.zst.new",
        "new.d/x.log.new",
        "later.new/keep",
    ] {
        let path = place.segment(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    fs::write(place.path().join("data/00000000000000000001.log.zst.new"), "x").unwrap();
    let mut before = others(place.path());
    // The checksums of a segment end with it.
    before.retain(|path| !path.starts_with(place.path().join("data/sums/")));
    let mut log = place.open_idle();
    for _ in 0..10 {
        append_aged(&log, 2, "info", "shop").await;
    }
    log.settle_later();
    assert_eq!(place.segments_with(".zst"), ["x.log.zst"]);
    // Something that fails, after which the upkeep cleans up.
    fill(&log, 10).await;
    assert!(faulty::fail(2, ErrorKind::StorageFull, || log.try_settle()));
    log.upkeep.wake();
    log.settle();
    let log = place.reopen(log).await;
    log.close().await;
    let after = others(place.path());
    assert!(before.iter().all(|path| after.contains(path)), "{before:#?} {after:#?}");
}
