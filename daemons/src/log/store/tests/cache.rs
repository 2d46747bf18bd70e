//! Which sealed segments stay open, and what is known of them without opening one.

use super::*;
use crate::log::limits::CACHE_OPEN_MAX;
use crate::log::query::{Needs, Verdict};

async fn with_segments(count: usize) -> (Place, Idle) {
    let place = Place::new(150);
    let mut log = place.open_idle();
    while log.shared.segments.sealed().len() < count {
        fill(&log, 4).await;
        log.settle();
    }
    (place, log)
}

#[tokio::test]
async fn a_scan_over_more_segments_than_stay_open_finds_most_of_them_open_the_next_time() {
    let (_place, log) = with_segments(CACHE_OPEN_MAX + 4).await;
    let scan = || -> Vec<_> {
        let sealed = log.shared.segments.sealed();
        sealed.iter().map(|sealed| log.shared.cache.open(sealed).unwrap()).collect()
    };
    scan();
    let (before, after) = (scan(), scan());
    let kept = before.iter().zip(&after).filter(|(before, after)| Arc::ptr_eq(before, after)).count();
    assert!(kept >= CACHE_OPEN_MAX - 2, "{kept} of {} are open still", before.len());
}

#[tokio::test]
async fn a_segment_that_is_asked_for_again_stays_open_over_a_scan() {
    let (_place, log) = with_segments(CACHE_OPEN_MAX + 4).await;
    let sealed = log.shared.segments.sealed();
    let last = sealed.last().unwrap();
    sealed.iter().for_each(|sealed| drop(log.shared.cache.open(sealed)));
    let opened = log.shared.cache.open(last).unwrap();
    sealed.iter().rev().skip(1).for_each(|sealed| drop(log.shared.cache.open(sealed)));
    assert!(Arc::ptr_eq(&opened, &log.shared.cache.open(last).unwrap()));
}

#[tokio::test]
async fn counts_and_words_of_a_segment_are_known_without_its_text() {
    let (place, log) = with_segments(3).await;
    let sealed = log.shared.segments.sealed().swap_remove(1);
    let rollup = sealed.rollup(&log.shared.cache).unwrap();
    let records: u64 = rollup.sources().iter().map(|source| source.total).sum();
    assert_eq!(records, sealed.summary(&log.shared.cache).unwrap().records);
    let filter = Filter::parse("level:fatal").unwrap();
    let mut verdicts = rollup.sources().iter().map(|of| filter.verdict_on_source(of.level, &of.service));
    assert!(verdicts.all(|verdict| verdict == Verdict::No));
    let absent = Needs::Word(crate::log::words::hash("nowhere"));
    assert_eq!(sealed.blocks_with(&absent).unwrap().count(), 0);
    // What has changed on disk is not believed.
    let path = place.segment(&format!("{}.idx", sealed.name));
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(sealed.blocks_with(&absent).is_none());
}
