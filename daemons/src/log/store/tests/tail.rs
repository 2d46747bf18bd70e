//! Who follows the log misses nothing and is told nothing twice.

use super::*;

#[tokio::test]
async fn a_follower_sees_every_record_once_over_rotations() {
    let place = Place::new(200);
    let store = place.open();
    for n in 0..20 {
        append(&store, &format!("old {n}")).await;
    }
    let mut following = store.follow(5, store.next_seqs());
    let writing = Arc::clone(&store);
    let writer = tokio::spawn(async move {
        for n in 0..100 {
            append(&writing, &format!("new {n}")).await;
        }
    });
    let mut expected = 5;
    while expected <= 120 {
        following.wait().await;
        let from = following.position;
        let chunk = following.chunk().await;
        following.position = chunk.end_seq;
        let lines = chunk.lines.iter().filter(|b| **b == b'\n').count() as u64;
        assert_eq!((lines, chunk.lost), (chunk.end_seq - chunk.first_seq, 0));
        assert_eq!(from, expected);
        assert!(chunk.first_seq <= from);
        expected = following.position;
    }
    writer.await.unwrap();
    assert_eq!(following.behind(), 0);
}

/// What a follower is told from a sequence on until it has caught up, and how
/// many records it is told that it missed.
pub async fn told(store: &Store, from: u64) -> (Vec<(u64, Vec<u8>)>, u64) {
    let mut following = store.follow(from, store.next_seqs());
    let (mut told, mut lost) = (Vec::new(), 0);
    while following.behind() > 0 {
        let position = following.position;
        let chunk = following.chunk().await;
        following.position = chunk.end_seq.max(position);
        assert!(following.position > position, "it stands still at {position}");
        let lines = chunk.lines.split_inclusive(|b| *b == b'\n').enumerate();
        let lines = lines.map(|(at, line)| (chunk.seq(at), line.to_vec()));
        told.extend(lines.filter(|(seq, _)| *seq >= position));
        lost += chunk.lost;
    }
    (told, lost)
}

#[tokio::test]
async fn a_follower_of_sealed_segments_is_told_all_classes_in_their_order() {
    let place = Place::with_classes(600, CLASSES);
    let mut log = place.open_idle();
    fill(&log, 60).await;
    log.settle();
    place.assert_settled();
    for from in 1..=61 {
        let (told, lost) = told(&log, from).await;
        assert_eq!(told.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), (from..=60).collect::<Vec<_>>());
        let texts = told.iter().map(|(_, line)| String::from_utf8_lossy(line));
        assert!(texts.zip(from..).all(|(text, seq)| text.ends_with(&format!("record {}\n", seq - 1))));
        assert_eq!(lost, 0);
    }
}

#[test]
fn a_chunk_finds_the_line_of_a_sequence() {
    let lines: Vec<String> = (0..1_000).map(|n| format!("{}\n", "x".repeat(n % 7))).collect();
    let together = || lines.concat().into_bytes();
    let follow_each_other = Chunk::new(5, 1_000, together());
    let with_gaps =
        Chunk { seqs: Some((0..1_000).map(|n| 5 + 2 * n).collect()), ..Chunk::new(5, 2_000, together()) };
    let mut offset = 0;
    for (at, line) in lines.iter().enumerate() {
        assert_eq!(follow_each_other.from(5 + at as u64), (at, offset));
        assert_eq!(with_gaps.from(5 + 2 * at as u64), (at, offset));
        assert_eq!(with_gaps.from((5 + 2 * at as u64) - 1), (at, offset));
        offset += line.len();
    }
    assert_eq!(follow_each_other.from(1_005), (1_000, offset));
    assert_eq!(follow_each_other.from(3), (0, 0));
}
